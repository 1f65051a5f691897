"""Reads DOCX into Markdown blocks, without hidden content (`unshown`).

It is read through HTML: of the libraries tried only mammoth kept notes, text boxes and nested tables. A DOCX has no
reliable pages, so its passages are located by headings.
"""

from __future__ import annotations

import io

from pipeline.ingest.chunks import Extract
from pipeline.ingest.html import html_extract
from pipeline.ingest.unshown import seen_docx

_DOCX_STYLES = "p[style-name='Title'] => h1:fresh\ncomment-reference => sup"


def docx_extract(content: bytes) -> Extract:
    """Read body, notes and comments without pictures."""
    import mammoth

    page = mammoth.convert_to_html(
        io.BytesIO(seen_docx(content)),
        convert_image=mammoth.images.img_element(lambda _image: {"src": ""}),
        include_embedded_style_map=False,
        style_map=_DOCX_STYLES,
    )
    return html_extract(page.value)
