from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Chunk, Document
from pipeline.ingest.markdown import CHUNK_CHARS, document_of, read_folder

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


def test_front_matter_gives_title_and_language_and_is_no_text() -> None:
    document = document_of("espresso.md", ESPRESSO)
    assert (document.title, document.language) == ("Espresso", "en")
    assert document.chunks[0] == Chunk("", "Coffee under pressure.")


def test_every_chunk_knows_the_path_of_its_headings() -> None:
    assert document_of("espresso.md", ESPRESSO).chunks[1:] == (
        Chunk("The recipe", "About 9 bar."),
        Chunk("The recipe › Tamping", "Press it flat."),
        Chunk("Crema", "Brown foam."),
    )


def test_a_silent_file_takes_its_title_from_its_top_heading() -> None:
    document = document_of("a/notes.md", "# Field notes\n\nRain.\n\n## Monday\n\nSun.")
    assert document.title == "Field notes"
    assert document.chunks == (Chunk("", "Rain."), Chunk("Monday", "Sun."))


def test_a_file_without_any_heading_is_called_by_its_stem() -> None:
    assert document_of("a/notes.md", "Rain.") == Document("a/notes.md", "notes", "", (Chunk("", "Rain."),))


def test_a_skipped_heading_level_leaves_no_gap_in_the_path() -> None:
    assert document_of("a.md", "## A\n\none\n\n#### B\n\ntwo\n\n### C\n\nthree").chunks == (
        Chunk("A", "one"),
        Chunk("A › B", "two"),
        Chunk("A › C", "three"),
    )


def test_a_heading_inside_a_code_block_is_code() -> None:
    assert document_of("a.md", "## A\n\n```\n# not a heading\n```").chunks == (Chunk("A", "```\n# not a heading\n```"),)


def test_links_keep_their_words_and_code_its_brackets() -> None:
    text = "See [Grind size](grind-size.md), ![a cup](img/cup.png) and `a[1](x)`."
    assert document_of("a.md", text).chunks == (Chunk("", "See Grind size, a cup and `a[1](x)`."),)


def test_plain_text_has_no_headings() -> None:
    assert document_of("a.txt", "# 1 thing\n[a](b.md)").chunks == (Chunk("", "# 1 thing\n[a](b.md)"),)


@given(st.lists(st.from_regex(r"[a-z]{1,12}[.,]?", fullmatch=True), min_size=1, max_size=600))
def test_chunking_loses_nothing_keeps_the_order_and_the_size(words: list[str]) -> None:
    chunks = document_of("a.md", " ".join(words)).chunks
    assert " ".join(chunk.text for chunk in chunks).split() == words
    assert all(len(chunk.text) <= CHUNK_CHARS for chunk in chunks)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    document_of("a.md", text)
    document_of("a.txt", text)


def test_a_megabyte_without_a_blank_is_cut_quickly() -> None:
    began_s = time.perf_counter()
    chunks = document_of("a.md", "x" * 1_000_000).chunks
    assert sum(len(chunk.text) for chunk in chunks) == 1_000_000
    assert time.perf_counter() - began_s < 5


def test_a_folder_is_read_with_all_below_it_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "deep.txt").write_text("deep")
    (tmp_path / "A.MD").write_text("upper")
    (tmp_path / "c.pdf").write_text("no")
    assert [document.name for document in read_folder(tmp_path)] == ["A.MD", "b/deep.txt"]


def test_windows_line_ends_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf---\r\ntitle: T\r\n---\r\n\r\n## H\r\n\r\nx\r\n")
    assert read_folder(tmp_path) == (Document("a.md", "T", "", (Chunk("H", "x"),)),)


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
