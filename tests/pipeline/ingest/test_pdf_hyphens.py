"""Hyphens and dashes at the ends of a PDF's lines."""

from __future__ import annotations

import pytest

from pipeline.ingest import ChunkSize, ReadingLimits
from pipeline.ingest.reading import read
from tests.documents import pdf

REST = "and goes on as long as most of the other lines that stand on this page of the report"


def text_of(*pages: list[str]) -> str:
    return read(pdf(pages), "a.pdf", ReadingLimits(), ChunkSize()).text


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("for exam-", "ple", "for example"),
        ("the TELE-", "VISION", "the TELEVISION"),
        ("of COVID-", "19", "of COVID-19"),
        ("by Mueller-", "Lueden", "by Mueller-Lueden"),
        ("a 20-", "year plan", "a 20-year plan"),
        ("1990-", "2000", "1990-2000"),
        ("pages 10\u2013", "20", "pages 10\u201320"),
        ("die Vor-", "und Nachteile", "die Vor- und Nachteile"),
        ("pre-", "and postwar", "pre- and postwar"),
        ("in spring \u2013", "and later", "in spring \u2013 and later"),
        ("the well-", "known", "the wellknown"),
        ("a rule -----", "below", "a rule ----- below"),
    ],
)
def test_a_hyphen_at_the_end_of_a_line(first: str, second: str, joined: str) -> None:
    line = f"{REST} {first}"
    assert text_of([line, f"{second} {REST}"]) == f"{REST} {joined} {REST}"


def test_a_compound_keeps_its_hyphen_where_a_page_nearby_writes_it() -> None:
    text = text_of([f"{REST} well-", f"known {REST}"], [REST], [f"It is well-known. {REST}"])
    assert f"{REST} well-known {REST}" in text
