"""Reads DOCX into Markdown blocks, without hidden content (`unshown`).

It is read through HTML: of the libraries tried only mammoth kept notes, text boxes and nested tables. A DOCX has no
reliable pages, so its passages are located by headings.
"""

from __future__ import annotations

import io
from dataclasses import replace
from html import escape

from pipeline.ingest.chunks import Extract
from pipeline.ingest.html import html_extract
from pipeline.ingest.unshown import seen_docx
from pipeline.ingest.word import prepared

_DOCX_STYLES = "p[style-name='Title'] => h1:fresh\ncomment-reference => sup"


def docx_extract(content: bytes) -> Extract:
    """Read body, notes and comments, then headers and footers once, without pictures."""
    import mammoth

    readable, edges, unread = prepared(seen_docx(content))
    page = mammoth.convert_to_html(
        io.BytesIO(readable),
        convert_image=mammoth.images.img_element(lambda _image: {"src": ""}),
        include_embedded_style_map=False,
        style_map=_DOCX_STYLES,
    )
    extract = html_extract(page.value + "".join(f"<p>{escape(text)}</p>" for text in edges))
    return replace(extract, unread=unread)
