"""Reads the parts of Office Open XML files: parsed without entities, and by their relations."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Sequence
from typing import Any

from lxml import etree


def parsed(archive: zipfile.ZipFile, part: str) -> Any:
    """Return the root of a part, None where it is missing or no valid XML."""
    try:
        return root_of(archive.read(part))
    except KeyError:
        return None


def root_of(xml: bytes) -> Any:
    """Return the root of XML, None for invalid XML, which the reader of the file reports."""
    try:
        return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None


def mended(content: bytes) -> bytes:
    """Return the file with what can be read of each part that is no valid XML, so that it does not cost the others."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name.endswith(".xml") and root_of(part) is None:
                parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
                root = etree.fromstring(part, parser)
                part = b"<none/>" if root is None else etree.tostring(root)
            new.writestr(name, part)
    return out.getvalue()


def related(archive: zipfile.ZipFile, part: str, *, by_id: bool = False) -> dict[str, tuple[str, ...]]:
    """Return kind of relation, or its id → the parts that `part` has by it; "" is the package itself."""
    folder, name = posixpath.split(part)
    root = parsed(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    found: dict[str, tuple[str, ...]] = {}
    for each in children(root):
        if attribute(each, "TargetMode") == "External":
            continue
        target = attribute(each, "Target")
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        key = attribute(each, "Id") if by_id else attribute(each, "Type").rpartition("/")[2]
        found[key] = (*found.get(key, ()), path)
    return found


def local(element: Any) -> str:
    """Return the name of an element without its namespace; "" for a comment."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Any) -> Sequence[Any]:
    """Return the elements in an element, none for None."""
    return () if element is None else list(element)


def below(element: Any, *path: str) -> Any:
    """Return the first element on a path of names, None where there is none."""
    for name in path:
        element = next((each for each in children(element) if local(each) == name), None)
    return element


def attribute(element: Any, name: str) -> str:
    """Return an attribute in whatever namespace, "" where it is missing."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def value_of(element: Any) -> str:
    """Return the attribute `val` of an element, "" for None."""
    return "" if element is None else attribute(element, "val")
