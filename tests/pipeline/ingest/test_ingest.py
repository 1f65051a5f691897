from __future__ import annotations

import hashlib
import logging
from itertools import pairwise
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import ChunkSize, Document
from pipeline.ingest.chunks import document_of as document_of_extract
from pipeline.ingest.markdown import markdown_extract, read_folder, text_extract
from tests.effort import grows_linearly

ESPRESSO = """---
title: "Espresso"
language: EN
---

Coffee under pressure.

## The recipe

About 9 bar.

### Tamping

Press it flat.

## Crema

Brown foam.
"""


def document_of(name: str, text: str, size: ChunkSize = ChunkSize()) -> Document:  # noqa: B008 (a frozen value)
    extract = text_extract(text) if name.endswith(".txt") else markdown_extract(text)
    return document_of_extract(extract, "hash", name, size)


def pieces(document: Document) -> list[tuple[str, str]]:
    return [(chunk.section, chunk.text) for chunk in document.chunks]


def test_front_matter_gives_title_and_language_and_is_no_text() -> None:
    document = document_of("espresso.md", ESPRESSO)
    assert (document.title, document.language) == ("Espresso", "en")
    assert pieces(document)[0] == ("", "Coffee under pressure.")


def test_every_chunk_knows_the_path_of_its_headings() -> None:
    assert pieces(document_of("espresso.md", ESPRESSO))[1:] == [
        ("The recipe", "About 9 bar."),
        ("The recipe › Tamping", "Press it flat."),
        ("Crema", "Brown foam."),
    ]


def test_a_silent_file_takes_its_title_from_its_top_heading() -> None:
    document = document_of("a/notes.md", "# Field notes\n\nRain.\n\n## Monday\n\nSun.")
    assert document.title == "Field notes"
    assert pieces(document) == [("", "Rain."), ("Monday", "Sun.")]


def test_a_file_without_any_heading_is_called_by_its_stem() -> None:
    document = document_of("a/notes.md", "Rain.")
    assert (document.name, document.title, document.language, pieces(document)) == (
        "a/notes.md",
        "notes",
        "",
        [("", "Rain.")],
    )


def test_a_skipped_heading_level_leaves_no_gap_in_the_path() -> None:
    assert pieces(document_of("a.md", "## A\n\none\n\n#### B\n\ntwo\n\n### C\n\nthree")) == [
        ("A", "one"),
        ("A › B", "two"),
        ("A › C", "three"),
    ]


def test_a_heading_inside_a_code_block_is_code() -> None:
    assert pieces(document_of("a.md", "## A\n\n```\n# no heading\n```")) == [("A", "```\n# no heading\n```")]


def test_links_keep_their_words_and_code_its_brackets() -> None:
    text = "See [Grind size](grind-size.md), ![a cup](img/cup.png) and `a[1](x)`."
    assert pieces(document_of("a.md", text)) == [("", "See Grind size, a cup and `a[1](x)`.")]


def test_plain_text_has_no_headings() -> None:
    assert pieces(document_of("a.txt", "# 1 thing\n[a](b.md)")) == [("", "# 1 thing\n[a](b.md)")]


@given(st.lists(st.from_regex(r"[a-z]{1,12}[.,]?", fullmatch=True), min_size=1, max_size=600))
def test_chunking_loses_nothing_keeps_the_order_and_the_size(words: list[str]) -> None:
    chunks = document_of("a.md", " ".join(words), ChunkSize(1000, 0)).chunks
    assert " ".join(chunk.text for chunk in chunks).split() == words
    assert all(len(chunk.text) <= 1000 for chunk in chunks)


MARKED = st.lists(
    st.one_of(
        st.text(max_size=60), st.sampled_from(["# A", "## 😀 b", "A\n===", "[a](b.md)", "```", "| a |", "- x", "\r"])
    ),
    max_size=20,
).map("\n".join)


@given(MARKED, st.sampled_from(["a.md", "a.txt"]), st.integers(1, 80), st.integers(0, 80))
def test_every_chunk_stands_in_the_text_where_it_says(text: str, name: str, most: int, overlap: int) -> None:
    document = document_of(name, text, ChunkSize(most, overlap))
    for chunk in document.chunks:
        assert document.text[chunk.start : chunk.end] == chunk.text != ""
        assert chunk.text == chunk.text.strip()
        assert len(chunk.text) <= most


@given(MARKED, st.sampled_from(["a.md", "a.txt"]), st.integers(2, 80), st.integers(0, 80))
def test_no_chunk_lies_within_its_neighbour(text: str, name: str, most: int, overlap: int) -> None:
    for one, other in pairwise(document_of(name, text, ChunkSize(most, overlap)).chunks):
        assert one.start < other.start
        assert one.end < other.end


@given(MARKED, st.sampled_from(["a.md", "a.txt"]), st.integers(1, 80), st.integers(0, 80))
def test_whatever_is_no_heading_is_in_a_chunk(text: str, name: str, most: int, overlap: int) -> None:
    document = document_of(name, text, ChunkSize(most, overlap))
    extract = text_extract(text) if name == "a.txt" else markdown_extract(text)
    held = {place for heading in extract.headings for place in range(heading.start, heading.end)}
    held |= {place for chunk in document.chunks for place in range(chunk.start, chunk.end)}
    assert "".join(letter for place, letter in enumerate(document.text) if place not in held).strip() == ""


def test_neighbouring_chunks_overlap_inside_a_section_and_never_across_a_heading() -> None:
    words = " ".join(f"word{number}" for number in range(400))
    chunks = document_of("a.md", f"{words}\n\n## Next\n\n{words}", ChunkSize(200, 50)).chunks
    pairs = [(a, b) for a, b in pairwise(chunks) if a.section == b.section]
    assert all(0 < a.end - b.start <= 50 for a, b in pairs)
    assert [a.end <= b.start for a, b in pairwise(chunks) if a.section != b.section] == [True]


def test_the_cost_of_cutting_a_text_without_a_blank_grows_with_its_length_alone() -> None:
    def cut(size: int) -> None:
        chunks = document_of("a.md", "x" * size, ChunkSize(1000, 0)).chunks
        assert sum(len(chunk.text) for chunk in chunks) == size

    assert grows_linearly(cut, 100_000)


@given(MARKED, st.sampled_from(["a.md", "a.txt"]))
def test_decomposed_text_is_read_as_composed_text_is(text: str, name: str) -> None:
    text = f"# Übergrößen é\n\n{text}\n\nNäherei"
    composed, decomposed = document_of(name, normalize("NFC", text)), document_of(name, normalize("NFD", text))
    assert decomposed.title == composed.title
    assert decomposed.text == composed.text
    assert decomposed.chunks == composed.chunks


def test_a_folder_is_read_with_all_below_it_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "deep.txt").write_text("deep")
    (tmp_path / "A.MD").write_text("upper")
    (tmp_path / "c.pdf").write_text("no")
    assert [document.name for document in read_folder(tmp_path)] == ["A.MD", "b/deep.txt"]


def test_windows_line_ends_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf---\r\ntitle: T\r\n---\r\n\r\n## H\r\n\r\nx\r\n")
    [document] = read_folder(tmp_path)
    assert (document.title, pieces(document)) == ("T", [("H", "x")])


def test_a_file_is_known_by_the_hash_of_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("same")
    (tmp_path / "b.txt").write_text("same")
    (tmp_path / "c.txt").write_text("other")
    a, b, c = (document.id for document in read_folder(tmp_path))
    assert a == b == hashlib.sha256(b"same").hexdigest() != c


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"---\ntitle: T\n---\n \n", "it is empty"),
        (b"a\0b", "it is binary"),
        (b"\xff\xfe\xfa", "it is not UTF-8 text"),
    ],
)
def test_a_file_without_text_is_skipped_with_one_line_that_names_no_folder(
    content: bytes, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "odd.md").write_bytes(content)
    (tmp_path / "good.md").write_text("good")
    with caplog.at_level(logging.WARNING):
        assert [document.name for document in read_folder(tmp_path)] == ["good.md"]
    assert [record.getMessage() for record in caplog.records] == [f"Skipped the document 'odd.md': {reason}."]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that even root cannot read")
def test_a_file_that_cannot_be_read_is_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "odd.md").symlink_to("/proc/self/mem")
    assert read_folder(tmp_path) == ()
    assert [record.getMessage() for record in caplog.records] == ["Skipped the document 'odd.md': it cannot be read."]


def test_a_folder_that_does_not_exist_holds_no_documents(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "none") == ()
