"""Reads XML: data as paths and tables (`trees`), documents as their headings and paragraphs, XHTML as a page.

No entity is resolved but those that the file itself declares as plain text, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.trees import TreeWriter

_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_NESTED_ENTITY = re.compile(r"<!ENTITY\s[^>]*[&%]\w[^>]*>")
_EXTERNAL_ENTITY = re.compile(r"<!ENTITY\s+(?:%\s+)?[\w.-]+\s+(?:SYSTEM|PUBLIC)[^>]*>")
_PAGE = re.compile(r"<(?:!doctype\s+)?html\b", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:p|br|div|b|i|a|ul|li|h\d|img|table)\b[^>]*>", re.IGNORECASE)
_HEADINGS = frozenset({"title", "head", "heading", "caption", "subtitle"})
_MIXED = 0.1  # share of the text that stands beside elements, from which on the file is a document
_DEEPEST = 6


def xml_extract(text: str) -> Extract:
    """Read a file. Raises IngestFault where its entities would multiply; etree.XMLSyntaxError where it is no XML."""
    body = _DECLARATION.sub("", text).lstrip()
    head = body[:100_000]
    if _NESTED_ENTITY.search(head):
        raise IngestFault("bomb")
    if _PAGE.match(body):
        from pipeline.ingest.html import html_extract

        return html_extract(body)
    parser = etree.XMLParser(
        resolve_entities="internal", no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(_EXTERNAL_ENTITY.sub("", body).encode(), parser)
    blocks = ExtractBuilder()
    if _is_document(root):
        _add_document(blocks, root, 1)
        return blocks.extract()
    TreeWriter(blocks).write({_name(root): _value(root)})
    return blocks.extract(_title(root))


def _is_document(root: Any) -> bool:
    """Whether text stands beside elements, as in prose with emphasis."""
    beside = within = 0
    for element in root.iter():
        own = len((element.text or "").strip())
        tail = len((element.tail or "").strip())
        beside += tail + (own if len(element) else 0)
        within += 0 if len(element) else own
    return beside > _MIXED * (beside + within)


def _add_document(blocks: ExtractBuilder, element: Any, level: int) -> None:
    """Add an element's headings and paragraphs. What holds only elements is a container, everything else a block."""
    for child in element:
        name = _name(child).lower()
        if not len(child) or _has_text(child):
            text = one_line("".join(child.itertext()))
            if name in _HEADINGS:
                blocks.heading(min(level, _DEEPEST), text)
            else:
                blocks.add(text, tight=name in ("item", "li", "listitem"))
        else:
            has_heading = any(_name(each).lower() in _HEADINGS for each in child)
            _add_document(blocks, child, level + has_heading)


def _has_text(element: Any) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _value(element: Any) -> object:
    """Return data as a mapping of attributes and children, a leaf as its text. Children of one name are a list."""
    text = _plain((element.text or "") + "".join(child.tail or "" for child in element))
    attributes = {_local(name): value for name, value in element.attrib.items()}
    if not len(element) and not attributes:
        return text
    children: dict[str, list[object]] = {}
    for child in element:
        children.setdefault(_name(child), []).append(_value(child))
    fields: dict[str, object] = dict(attributes)
    for name, values in children.items():
        key = f"{name}." if name in fields else name  # an attribute and a child may have the same name
        fields[key] = values[0] if len(values) == 1 else values
    if len(fields) == 1 and not attributes and not text and isinstance(only := next(iter(fields.values())), list):
        return only  # <items><item>…: the plural says nothing more
    return {**fields, **({"text": text} if text else {})}


def _plain(text: str) -> str:
    """Return text without blanks around it; escaped HTML, as in feeds, becomes its text."""
    if not _MARKUP.search(text):
        return text.strip()
    from pipeline.ingest.html import html_extract

    return html_extract(text).text


def _title(root: Any) -> str:
    """Return the title of a feed or record, "" without one."""
    found = next((each for each in root.iter() if _name(each).lower() == "title" and each.text), None)
    if found is None or root not in (found.getparent(), found.getparent().getparent()):
        return ""
    return one_line(found.text)


def _name(element: Any) -> str:
    return _local(element.tag) if isinstance(element.tag, str) else ""


def _local(name: str) -> str:
    return name.rpartition("}")[2]
