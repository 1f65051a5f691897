"""What nobody sees of an Office file is not read, and nothing that is seen is lost."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter
from pptx import Presentation
from pptx.util import Emu, Inches, Pt

from pipeline.ingest import ChunkSize, ReadingLimits
from pipeline.ingest.reading import read
from tests.documents import docx, paragraph, word_table, zipped


def text_of(name: str, content: bytes) -> str:
    return read(content, name, ReadingLimits(), ChunkSize()).text


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def whole(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


@pytest.mark.parametrize(
    "hidden",
    [
        whole(run("UNSEEN", "<w:vanish/>")),
        whole(run("UNSEEN", '<w:vanish w:val="1"/>')),
        whole(run("UNSEEN", '<w:color w:val="FFFFFF"/>')),
        whole(run("UNSEEN", '<w:color w:val="ffffff"/>')),
        whole(run("UNSEEN", '<w:sz w:val="2"/>')),
        "<w:p><w:del><w:r><w:delText>UNSEEN</w:delText></w:r></w:del></w:p>",
        "<w:p><w:moveFrom><w:r><w:t>UNSEEN</w:t></w:r></w:moveFrom></w:p>",
        f"<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr><w:tc>{paragraph('UNSEEN')}</w:tc></w:tr></w:tbl>",
    ],
    ids=["vanish", "vanish on", "white", "white in small letters", "tiny", "deleted", "moved away", "row"],
)
def test_what_a_word_document_hides_is_not_read(hidden: str) -> None:
    assert text_of("a.docx", docx(paragraph("Before.") + hidden + paragraph("After."))) == "Before.\n\nAfter."


@pytest.mark.parametrize(
    "seen",
    [
        whole(run("SEEN", '<w:vanish w:val="0"/>')),
        whole(run("SEEN", '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="000080"/>')),
        whole(run("SEEN", '<w:color w:val="FFFFFF"/>'), properties='<w:shd w:val="clear" w:fill="000080"/>'),
        whole(run("SEEN", '<w:color w:val="FFFFFF"/><w:highlight w:val="black"/>')),
        word_table([[whole(run("SEEN", '<w:color w:val="FFFFFF"/>'))]]),
        whole(run("SEEN", '<w:sz w:val="12"/><w:webHidden/>')),
        "<w:p><w:ins><w:r><w:t>SEEN</w:t></w:r></w:ins></w:p>",
        "<w:p><w:moveTo><w:r><w:t>SEEN</w:t></w:r></w:moveTo></w:p>",
    ],
)
def test_what_a_word_document_shows_is_read(seen: str) -> None:
    assert text_of("a.docx", docx(paragraph("Before.") + seen + whole(run("x", "<w:vanish/>")))) == "Before.\n\nSEEN"


def test_a_style_that_hides_hides_also_what_is_based_on_it() -> None:
    plain = docx(
        whole(run("UNSEEN"), properties='<w:pStyle w:val="Ghost"/>')
        + whole(run("UNSEEN", '<w:rStyle w:val="Child"/>'))
        + whole(run("SEEN", '<w:rStyle w:val="Child"/><w:vanish w:val="0"/>'))
    )
    styles = (
        '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:style w:styleId="Ghost" w:type="paragraph"><w:name w:val="Ghost"/><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="Child" w:type="character"><w:name w:val="Child"/><w:basedOn w:val="Ghost"/></w:style>'
        "</w:styles>"
    )
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert text_of("a.docx", zipped({**parts, "word/styles.xml": styles})) == "SEEN"


def slides(change: Callable[[Any, Any], None]) -> bytes:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    assert slide.shapes.title is not None
    slide.shapes.title.text = "Lamps"
    change(show, slide)
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


def box(slide: Any, text: str, left: int = 0, top: int = 0) -> Any:
    shape = slide.shapes.add_textbox(Emu(left), Emu(top), Inches(2), Inches(1))
    shape.text_frame.text = text
    return shape


def test_shapes_that_no_slide_shows_are_not_read() -> None:
    def change(show: Any, slide: Any) -> None:
        box(slide, "SEEN", Inches(1), Inches(3))
        box(slide, "SEEN at the edge", show.slide_width - Inches(1), 0)
        box(slide, "UNSEEN right", show.slide_width + 1, 0)
        box(slide, "UNSEEN above", 0, -Inches(1))
        hidden = box(slide, "UNSEEN switched off")
        hidden.element.nvSpPr.cNvPr.set("hidden", "1")
        group = slide.shapes.add_group_shape()
        group.shapes.add_textbox(-Inches(1), 0, Inches(9), Inches(1)).text_frame.text = "SEEN in a group"
        tiny = box(slide, "SEEN too ").text_frame.paragraphs[0].add_run()
        tiny.text, tiny.font.size = "UNSEEN tiny", Pt(1)

    assert text_of("a.pptx", slides(change)) == "## Lamps\n\nSEEN\nSEEN at the edge\nSEEN in a group\nSEEN too"


def test_a_title_beside_the_slide_names_nothing() -> None:
    def change(show: Any, slide: Any) -> None:
        title = slide.shapes.title
        title.left, title.top, title.width, title.height = show.slide_width + 1, 0, 100, 100
        box(slide, "SEEN")

    assert text_of("a.pptx", slides(change)) == "## 1\n\nSEEN"


def sheet(change: Callable[[Any], None]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet("Lamps & more")
        for row in range(5):
            for column in range(4):
                page.write(row + 2, column + 1, f"r{row}c{column}")
        change(page)
    return out.getvalue()


def test_hidden_rows_and_columns_of_a_sheet_are_not_read() -> None:
    def change(page: Any) -> None:
        page.set_row(4, None, None, {"hidden": True})
        page.set_column(2, 3, None, None, {"hidden": True})

    text = text_of("a.xlsx", sheet(change))
    assert [line for line in text.split("\n") if "r" in line and "c" in line] == [
        "| r0c0 | r0c3 |",
        "| r1c0 | r1c3 |",
        "| r3c0 | r3c3 |",
        "| r4c0 | r4c3 |",
    ]


def test_rows_that_a_filter_hides_are_read_since_a_click_shows_them() -> None:
    def change(page: Any) -> None:
        page.autofilter(2, 1, 6, 4)
        page.set_row(4, None, None, {"hidden": True})

    assert "r2c0" in text_of("a.xlsx", sheet(change))
