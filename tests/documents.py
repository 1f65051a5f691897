"""Makes the files that the tests read and the bench measures: ordinary ones, and every hostile kind we know of."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

BODY = ("F1", 11.0)
BOLD = ("F2", 11.0)
LARGE = ("F2", 18.0)

Line = str | tuple[str, tuple[str, float]]


def pdf(
    pages: Sequence[Sequence[Line]],
    *,
    bookmarks: Sequence[tuple[str, int]] = (),
    title: str = "",
    extra_page: str = "",
    image: bool = False,
    locked: bool = False,
) -> bytes:
    """Pages of lines, each in its font; bookmarks are (title, page from 0)."""
    objects: dict[int, bytes] = {
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        5: _stream(
            b"\x80", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray"
        ),
        6: b"<< /Title (" + _escaped(title) + b") >>",
    }
    first = 10 + len(bookmarks)
    for number, lines in enumerate(pages):
        objects[first + 2 * number] = (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> /XObject << /Im 5 0 R >> >> "
            f"/Contents {first + 2 * number + 1} 0 R {extra_page} >>"
        ).encode()
        content = b"q 400 0 0 600 90 100 cm /Im Do Q\n" if image else b""
        objects[first + 2 * number + 1] = _stream(content + _written(lines))
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects[2] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R /Lang (en-GB)" + (b" /Outlines 7 0 R >>" if bookmarks else b" >>")
    for number, (name, page) in enumerate(bookmarks):
        following = f"/Next {11 + number} 0 R" if number + 1 < len(bookmarks) else ""
        objects[10 + number] = (
            b"<< /Title ("
            + _escaped(name)
            + f") /Parent 7 0 R {following} /Dest [{first + 2 * page} 0 R /Fit] >>".encode()
        )
    if bookmarks:
        objects[7] = f"<< /First 10 0 R /Last {9 + len(bookmarks)} 0 R /Count {len(bookmarks)} >>".encode()
    trailer = "/Info 6 0 R"
    if locked:
        trailer += f" /ID [<{'11' * 16}> <{'11' * 16}>] /Encrypt 8 0 R"
        objects[8] = f"<< /Filter /Standard /V 1 /R 2 /O <{'22' * 32}> /U <{'33' * 32}> /P -4 >>".encode()
    return _assembled(objects, trailer)


def placed_pdf(pages: Sequence[Sequence[tuple[float, float, str]]], *, turned: int = 0) -> bytes:
    """Pages of words, each (left, baseline, text) in points; `turned` by 90 degrees they are written upwards.

    With -90 the words are as usual, and the page lies on its side.
    """
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    for number, words in enumerate(pages):
        places = (f"0 1 -1 0 {800 - y} {x}" if turned == 90 else f"1 0 0 1 {x} {y}" for x, y, _ in words)
        drawn = b"\n".join(
            f"{place} Tm (".encode() + _escaped(text) + b") Tj"
            for place, (_, _, text) in zip(places, words, strict=True)
        )
        objects[10 + 2 * number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate {abs(turned)} "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {11 + 2 * number} 0 R >>"
        ).encode()
        objects[11 + 2 * number] = _stream(b"BT /F1 11 Tf\n" + drawn + b"\nET")
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(pages)))
    objects[2] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    return _assembled(objects)


def _assembled(objects: Mapping[int, bytes], trailer: str = "") -> bytes:
    out, places = io.BytesIO(), {}
    out.write(b"%PDF-1.4\n")
    for number, content in sorted(objects.items()):
        places[number] = out.tell()
        out.write(f"{number} 0 obj\n".encode() + content + b"\nendobj\n")
    begin, size = out.tell(), max(objects) + 1
    out.write(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
    for number in range(1, size):
        place = places.get(number)
        out.write(b"0000000000 65535 f \n" if place is None else f"{place:010} 00000 n \n".encode())
    out.write(f"trailer << /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{begin}\n%%EOF\n".encode())
    return out.getvalue()


def _stream(content: bytes, keys: str = "") -> bytes:
    return f"<< /Length {len(content)} {keys} >>\nstream\n".encode() + content + b"\nendstream"


def _escaped(text: str) -> bytes:
    return text.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _written(lines: Sequence[Line]) -> bytes:
    out, height = [b"BT"], 780.0
    for line in lines:
        text, (font, size) = (line, BODY) if isinstance(line, str) else line
        height -= 1.4 * size
        out.append(f"/{font} {size} Tf 1 0 0 1 72 {height:.1f} Tm (".encode() + _escaped(text) + b") Tj")
    return b"\n".join([*out, b"ET"])


def endless_pdf() -> bytes:
    """A page tree that is its own child."""
    return _assembled({1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"})


def swelling_pdf(megabytes: int) -> bytes:
    """A few kilobytes whose one page unpacks to `megabytes`."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()
    content = zlib.compress(packed, 9)
    return _assembled(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
            4: _stream(content, "/Filter [/FlateDecode /FlateDecode]"),
        }
    )


_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" '
    'Target="{}"/></Relationships>'
)
_OTHER_NAMES = (
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(body: str, more: Mapping[str, tuple[str, str]] | None = None) -> bytes:
    """A document of `body`, WordprocessingML that `paragraph` and `word_table` write.

    `more` has further parts by name: the kind of their relation and their XML. Its id is the name without its ending.
    """
    names = f'xmlns:w="{_WORD}" {_OTHER_NAMES}'
    document = f'<?xml version="1.0"?><w:document {names}><w:body>{body}</w:body></w:document>'
    relations = _RELATIONS.format("styles", "styles.xml")
    for name, (kind, _) in (more or {}).items():
        other = _RELATIONS.format(kind, name).partition("<Relationship ")[2].replace('"r1"', f'"{name[:-4]}"')
        relations = relations.replace("</Relationships>", f"<Relationship {other}")
    return zipped(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": _RELATIONS.format("officeDocument", "word/document.xml"),
            "word/document.xml": document,
            "word/_rels/document.xml.rels": relations,
            "word/styles.xml": f'<w:styles xmlns:w="{_WORD}"><w:style w:type="paragraph" w:styleId="Title">'
            '<w:name w:val="Title"/></w:style></w:styles>',
            **{f"word/{name}": part.replace(" names>", f" {names}>") for name, (_, part) in (more or {}).items()},
        }
    )


def paragraph(text: str, style: str = "") -> str:
    """One paragraph; a style such as Heading1 makes it a heading."""
    kind = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{kind}<w:r><w:t>{text}</w:t></w:r></w:p>"


def word_table(rows: Sequence[Sequence[str]]) -> str:
    """A table; its cells are paragraphs or tables."""
    return "".join(
        [
            "<w:tbl>",
            *("<w:tr>" + "".join(f"<w:tc>{cell}</w:tc>" for cell in row) + "</w:tr>" for row in rows),
            "</w:tbl>",
        ]
    )


def forged_docx() -> bytes:
    """A document whose main part says it is smaller than it is."""
    whole = docx(paragraph("grows " * 10_000))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        size = archive.getinfo("word/document.xml").file_size
    return whole.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def pptx(slides: Sequence[Mapping[str, Any]]) -> bytes:
    """Slides with `title`, `text`, `table` (rows), `chart` (series by name), `notes` and `hidden`."""
    show = Presentation()
    for wanted in slides:
        slide = show.slides.add_slide(show.slide_layouts[1])
        title, body = slide.shapes.title, slide.placeholders[1]
        assert title is not None
        title.text = wanted.get("title", "")
        body.text = wanted.get("text", "")
        box = (Inches(1), Inches(2), Inches(6), Inches(2))
        if rows := wanted.get("table"):
            table = slide.shapes.add_table(len(rows), len(rows[0]), *box).table
            for y, row in enumerate(rows):
                for x, cell in enumerate(row):
                    table.cell(y, x).text = cell
        if series := wanted.get("chart"):
            drawn: Any = CategoryChartData()  # type: ignore[no-untyped-call]  # as python-pptx left it
            drawn.categories = ["2024", "2025"]
            for name, values in series.items():
                drawn.add_series(name, values)
            slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *box, drawn)
        if notes := wanted.get("notes"):
            frame = slide.notes_slide.notes_text_frame
            assert frame is not None
            frame.text = notes
        if wanted.get("hidden"):
            slide.element.set("show", "0")
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


def xlsx(sheets: Mapping[str, Sequence[Sequence[Any]]], *, hidden: Sequence[str] = (), far: bool = False) -> bytes:
    """Sheets of rows; `far` puts one cell into the last corner there is."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if far:
                sheet.write(1_048_575, 16_383, "far")
            if name in hidden:
                sheet.hide()
    return out.getvalue()


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of files by path, the same bytes at any time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def zip_with_link() -> bytes:
    """A zip that holds a file and a symbolic link to one outside."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("good.txt", "good")
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return out.getvalue()


def locked_zip() -> bytes:
    """A zip that says of its file that it is encrypted."""
    whole = bytearray(zipped({"a.txt": "secret"}))
    whole[6] |= 1
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    return bytes(whole)


def locked_office() -> bytes:
    """How Office stores a document with a password: not as a zip at all."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(480)


def drawn_pdf(content: str, page: str = "", *, image: bool = False) -> bytes:
    """One page of 595 by 842 points that a content stream draws.

    Fonts are F1 and F2; `/Form Do` is the word FORMED, `/Im Do` a picture of fine lines as large as a unit. The layers
    /Off and /On are to be had for `/OC`. `page` adds keys to the page; with `image` such a picture fills it first.
    """
    stripes = zlib.compress(bytes(255 * (x // 4 % 2) for _ in range(64) for x in range(512)))
    fonts = "/Font << /F1 3 0 R /F2 4 0 R >>"
    filled = "q 595 0 0 842 0 0 cm /Im Do Q\n" if image else ""
    return _assembled(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [8 0 R 9 0 R] "
            b"/D << /ON [9 0 R] /OFF [8 0 R] >> >> >>",
            2: b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>",
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
            5: _stream(
                stripes,
                "/Type /XObject /Subtype /Image /Width 512 /Height 64 /BitsPerComponent 8 /ColorSpace /DeviceGray "
                "/Filter /FlateDecode",
            ),
            6: (
                f"<< /Type /Page /Parent 2 0 R {page or '/MediaBox [0 0 595 842]'} /Contents 7 0 R "
                f"/Resources << {fonts} /XObject << /Im 5 0 R /Form 10 0 R /OffForm 11 0 R >> "
                "/Properties << /Off 8 0 R /On 9 0 R >> "
                "/ExtGState << /Clear << /ca 0 >> >> >> >>"
            ).encode(),
            7: _stream((filled + content).encode("cp1252")),
            8: b"<< /Type /OCG /Name (Off) >>",
            9: b"<< /Type /OCG /Name (On) >>",
            10: _stream(
                b"BT /F1 11 Tf 72 300 Td (FORMED) Tj ET",
                f"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << {fonts} >>",
            ),
            11: _stream(
                b"BT /F1 11 Tf 72 280 Td (UNSEEN) Tj ET",
                f"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /OC 8 0 R /Resources << {fonts} >>",
            ),
        }
    )


def form_pdf(
    fields: Sequence[tuple[str, tuple[int, int, int, int], str]], words: Sequence[tuple[float, float, str]]
) -> bytes:
    """A page of words with a form: each field is (kind, box, value), its kind Tx, Btn (a tick, on for "On") or Note."""
    widgets: dict[int, bytes] = {}
    for number, (kind, box, value) in enumerate(fields, 30):
        place = f"/Type /Annot /Rect [{' '.join(map(str, box))}] /P 10 0 R".encode()
        if kind == "Note":
            widgets[number] = b"<< " + place + b" /Subtype /FreeText /Contents (" + _escaped(value) + b") >>"
        elif kind == "Btn":
            state = f"/V /{value} /AS /{value} /AP << /N << /On 29 0 R /Off 29 0 R >> >>".encode()
            widgets[number] = b"<< " + place + f" /Subtype /Widget /FT /Btn /T (f{number}) ".encode() + state + b" >>"
        else:
            named = f" /Subtype /Widget /FT /Tx /T (f{number}) /DA (/F1 11 Tf 0 g) /V (".encode()
            widgets[number] = b"<< " + place + named + _escaped(value) + b") >>"
    numbers = " ".join(f"{number} 0 R" for number in widgets).encode()
    drawn = b"\n".join(f"1 0 0 1 {x} {y} Tm (".encode() + _escaped(text) + b") Tj" for x, y, text in words)
    return _assembled(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields ["
            + numbers
            + b"] /DR << /Font << /F1 3 0 R >> >> >> >>",
            2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            10: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents 11 0 R /Annots [" + numbers + b"] >>",
            11: _stream(b"BT /F1 11 Tf\n" + drawn + b"\nET"),
            29: _stream(b"", "/Type /XObject /Subtype /Form /BBox [0 0 10 10]"),
            **widgets,
        }
    )
