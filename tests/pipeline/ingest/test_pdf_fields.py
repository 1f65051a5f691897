"""What was filled into a PDF form stands beside its labels, and is marked where it is."""

from __future__ import annotations

import io

from PIL import Image

from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.marking import SCALE, drawn
from pipeline.ingest.reading import read
from tests.documents import form_pdf

LABELS = [(72.0, 700.0, "Name of the vessel:"), (72.0, 660.0, "Home port:"), (72.0, 620.0, "Cargo:")]
VALUES = [
    ("Tx", (200, 694, 440, 714), "Zinnia Quartermaine"),
    ("Tx", (200, 654, 440, 674), "Piran"),
    ("Tx", (200, 614, 440, 634), "forty crates of quinces"),
]


def read_pdf(content: bytes) -> Document:
    return read(content, "a.pdf", ReadingLimits(), ChunkSize())


def test_the_values_of_a_form_stand_beside_their_labels() -> None:
    assert read_pdf(form_pdf(VALUES, LABELS)).text == (
        "| Name of the vessel: | Zinnia Quartermaine |\n| Home port: | Piran |\n| Cargo: | forty crates of quinces |"
    )


def test_a_value_below_its_label_stands_behind_it() -> None:
    words = [(72.0, 700.0, "Vessel"), (72.0, 650.0, "Other words of the page")]
    text = read_pdf(form_pdf([("Tx", (72, 675, 300, 695), "Zinnia")], words)).text
    assert text.split() == ["Vessel", "Zinnia", *words[1][2].split()]


def test_ticked_boxes_stand_before_their_words() -> None:
    fields = [("Btn", (60, 698, 70, 708), "On"), ("Btn", (60, 678, 70, 688), "Off")]
    text = read_pdf(form_pdf(fields, [(75.0, 700.0, "Insured"), (75.0, 680.0, "Hired")])).text
    assert text.split() == ["☒", "Insured", "☐", "Hired"]


def test_words_written_over_a_page_are_read_and_values_beside_the_page_are_not() -> None:
    fields = [("Note", (200, 694, 440, 714), "paid in spring"), ("Tx", (700, 694, 800, 714), "unseen")]
    assert read_pdf(form_pdf(fields, [(72.0, 700.0, "Berth")])).text == "Berth paid in spring"


def test_a_page_of_values_alone_is_read() -> None:
    assert read_pdf(form_pdf([("Tx", (200, 694, 440, 714), "Zinnia Quartermaine")], [])).text == "Zinnia Quartermaine"


def test_a_value_is_marked_where_it_stands() -> None:
    content = form_pdf(VALUES, LABELS)
    text = read_pdf(content).text
    start = text.index("| Home port:")
    picture = Image.open(io.BytesIO(drawn(content, 1, start, text.index("Piran") + 5))).convert("RGB")

    def is_marked(left: int, bottom: int, right: int, top: int) -> bool:
        box = (left * SCALE, (842 - top) * SCALE, right * SCALE, (842 - bottom) * SCALE)
        colours = picture.crop(tuple(map(int, box))).getcolors(100_000) or []  # type: ignore[arg-type]  # four numbers
        return sum(n for n, (red, _, blue) in colours if red > 200 and blue < 150) > 50  # type: ignore[misc]  # RGB

    assert is_marked(400, 656, 438, 672)
    assert is_marked(72, 656, 120, 672)
    assert not is_marked(400, 696, 438, 712)
    assert not is_marked(72, 696, 120, 712)
