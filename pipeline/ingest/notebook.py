"""Reads Jupyter notebooks: Markdown cells with their headings, code, and outputs as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder
from pipeline.ingest.chunks import Extract
from pipeline.ingest.html import html_extract
from pipeline.ingest.markdown import markdown_extract

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def notebook_extract(text: str) -> Extract:
    """Read a notebook of any version from 2 on. Raises IngestFault for JSON that is none, ValueError for no JSON."""
    notebook = json.loads(text)
    cells = _cells(notebook) if isinstance(notebook, dict) else []
    if not cells and not (isinstance(notebook, dict) and "nbformat" in notebook):
        raise IngestFault("wrong_type")
    language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "")
    blocks = ExtractBuilder()
    for cell in cells:
        source = _joined(cell.get("source", cell.get("input", "")))
        if cell.get("cell_type") == "code":
            blocks.add(_fenced(source, language))
            for output in cell.get("outputs") or ():
                _add_output(blocks, output)
        elif cell.get("cell_type") == "heading":  # until version 3
            blocks.heading(int(cell.get("level") or 1), source)
        else:
            blocks.include(markdown_extract(source))
    return blocks.extract()


def _cells(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    sheets = notebook.get("worksheets") or [notebook]  # until version 3, cells lay in worksheets
    return [cell for sheet in sheets for cell in sheet.get("cells") or ()]


def _add_output(blocks: ExtractBuilder, output: Mapping[str, Any]) -> None:
    data = output.get("data") or output
    page = _joined(data.get("text/html", data.get("html", "")))
    plain = _joined(data.get("text/plain", data.get("text", "")))
    if "<table" in page:
        blocks.include(html_extract(page))
    elif output.get("output_type") in ("error", "pyerr"):
        blocks.add(_fenced(f"{output.get('ename', '')}: {output.get('evalue', '')}"))
    elif markdown := _joined(data.get("text/markdown", "")):
        blocks.include(markdown_extract(markdown))
    elif not any(_pictures(data)) or output.get("output_type") == "stream":
        blocks.add(_fenced(plain))


def _pictures(data: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over the media types of pictures; the text beside one only names its object."""
    return (name for name in data if name.startswith("image/") or name in ("png", "jpeg", "svg"))


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def _fenced(code: str, language: str = "") -> str:
    clean = _COLOUR.sub("", code).strip("\n")
    return f"```{language}\n{clean}\n```" if clean.strip() else ""
