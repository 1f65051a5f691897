"""Presentations as people have them: charts of every kind, SmartArt, titles alone, and shapes that nobody can read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from PIL import Image
from pptx import Presentation

from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.office_xml import root_of
from pipeline.ingest.reading import read
from tests.documents import pptx

CHART = {"title": "Figures", "chart": {"Ducks": (120.0, 0.5), "Geese": (7.0, 8.0)}}
TABLE = "|  | Ducks | Geese |\n| --- | --- | --- |\n| 2024 | 120 | 7 |\n| 2025 | 0.5 | 8 |"


def read_pptx(content: bytes) -> Document:
    return read(content, "a.pptx", ReadingLimits(), ChunkSize())


def changed(content: bytes, change: Callable[[str, bytes], bytes], more: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, part in (more or {}).items():
            new.writestr(name, part)
    return out.getvalue()


def test_a_chart_of_a_kind_that_python_pptx_does_not_know_is_a_table() -> None:
    def deeper(name: str, part: bytes) -> bytes:
        return part.replace(b"c:barChart>", b"c:bar3DChart>") if "charts/chart" in name else part

    assert TABLE in read_pptx(changed(pptx([CHART]), deeper)).text


def test_a_chart_that_came_with_later_versions_is_a_table() -> None:
    chart = b"""<cx:chartSpace xmlns:cx="http://schemas.microsoft.com/office/drawing/2014/chartex"><cx:chartData>
        <cx:data id="0"><cx:strDim type="cat"><cx:lvl ptCount="2"><cx:pt idx="0">Start</cx:pt>
        <cx:pt idx="1">Sold</cx:pt>
        </cx:lvl></cx:strDim><cx:numDim type="val"><cx:lvl ptCount="2"><cx:pt idx="0">100</cx:pt>
        <cx:pt idx="1">-20</cx:pt>
        </cx:lvl></cx:numDim></cx:data></cx:chartData><cx:chart/></cx:chartSpace>"""

    def later(name: str, part: bytes) -> bytes:
        return chart if "charts/chart" in name and name.endswith(".xml") else part

    assert "|  | 1 |\n| --- | --- |\n| Start | 100 |\n| Sold | -20 |" in read_pptx(changed(pptx([CHART]), later)).text


def test_the_percentages_of_a_chart_are_written_as_it_shows_them() -> None:
    def shares(name: str, part: bytes) -> bytes:
        return part.replace(b">General<", b">0%<") if "charts/chart" in name else part

    assert "| 2025 | 50% | 800% |" in read_pptx(changed(pptx([CHART]), shares)).text


def test_smart_art_is_a_list_of_its_texts() -> None:
    diagram = b"""<dgm:dataModel xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"
        xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><dgm:ptLst>
        <dgm:pt modelId="1" type="doc"/><dgm:pt modelId="2"><dgm:t>
        <a:p><a:r><a:t>Harvest</a:t></a:r></a:p></dgm:t></dgm:pt>
        <dgm:pt modelId="3"><dgm:t>
        <a:p><a:r><a:t>Roast</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>"""

    def drawn(name: str, part: bytes) -> bytes:
        if name.startswith("ppt/charts/chart"):
            return diagram
        if name.startswith("ppt/slides/slide"):
            return part.replace(b"<c:chart ", b"<c:relIds ").replace(b" r:id=", b" r:dm=")
        return part

    assert "- Harvest\n- Roast" in read_pptx(changed(pptx([CHART]), drawn)).text


def test_slides_with_titles_alone_are_found() -> None:
    document = read_pptx(pptx([{"title": "Ducks of the lake"}, {"title": "Geese", "text": "They fly."}]))
    assert [(chunk.text, chunk.first_page) for chunk in document.chunks] == [
        ("## Ducks of the lake", 1),
        ("They fly.", 2),
    ]


def test_one_odd_shape_does_not_cost_the_presentation() -> None:
    def damaged(name: str, part: bytes) -> bytes:
        if "charts/chart" in name:
            return b"<no xml"
        return part.replace(b'type="title"', b'type="nonsense"', 1) if name == "ppt/slides/slide2.xml" else part

    text = read_pptx(changed(pptx([CHART, {"title": "Odd", "text": "still read"}]), damaged)).text
    assert "## Figures" in text
    assert "still read" in text


def test_a_picture_in_the_place_of_a_title_names_nothing() -> None:
    picture = b"""<p:pic xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"
        xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><p:nvPicPr>
        <p:cNvPr id="2" name="Logo"/><p:cNvPicPr/>
        <p:nvPr><p:ph type="title"/></p:nvPr></p:nvPicPr><p:blipFill/><p:spPr/></p:pic>"""

    def pictured(name: str, part: bytes) -> bytes:
        if name != "ppt/slides/slide1.xml":
            return part
        begin = part.index(b"<p:sp>")
        return part[:begin] + picture + part[part.index(b"</p:sp>") + 7 :]

    content = changed(pptx([{"title": "Gone", "text": "below a logo"}]), pictured)
    assert root_of(zipfile.ZipFile(io.BytesIO(content)).read("ppt/slides/slide1.xml")) is not None
    assert read_pptx(content).text == "## 1\n\nbelow a logo"


def test_pictures_and_charts_that_cannot_be_read_are_counted() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    show = Presentation(io.BytesIO(pptx([CHART, {"title": "Lakes", "text": "two pictures"}])))
    for _ in range(2):
        show.slides[1].shapes.add_picture(io.BytesIO(picture.getvalue()), 0, 0)
    out = io.BytesIO()
    show.save(out)

    def emptied(name: str, part: bytes) -> bytes:
        return b"<chart/>" if name.startswith("ppt/charts/chart") else part

    assert read_pptx(changed(out.getvalue(), emptied)).unread == (("chart", 1), ("picture", 2))


def test_comments_on_a_slide_are_read() -> None:
    comments = b"""<p:cmLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">
        <p:cm><p:pos x="1" y="2"/><p:text>Ask Maya about it</p:text></p:cm></p:cmLst>"""
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"

    def related(name: str, part: bytes) -> bytes:
        if name != "ppt/slides/_rels/slide1.xml.rels":
            return part
        relation = b'<Relationship Id="rIdC" Type="' + kind + b'" Target="../comments/comment1.xml"/></Relationships>'
        return part.replace(b"</Relationships>", relation)

    content = changed(pptx([{"title": "Lakes", "text": "words"}]), related, {"ppt/comments/comment1.xml": comments})
    assert read_pptx(content).text == "## Lakes\n\nwords\n\nAsk Maya about it"


def test_names_over_several_columns_are_joined_to_those_below() -> None:
    show = Presentation(io.BytesIO(pptx([{"title": "Lakes", "text": "words"}])))
    rows = [["", "Ducks", "", "Geese", ""], ["", "old", "young", "old", "young"], ["North", "yes", "", "no", "yes"]]
    rows += [["South", "no", "no", "", "yes"]]
    table = show.slides[0].shapes.add_table(4, 5, 0, 0, 400, 400).table
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            table.cell(y, x).text = cell
    for left in (1, 3):
        table.cell(0, left).merge(table.cell(0, left + 1))
    out = io.BytesIO()
    show.save(out)
    assert "|  | Ducks › old | Ducks › young | Geese › old | Geese › young |" in read_pptx(out.getvalue()).text
