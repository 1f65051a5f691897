from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.display_names import NAME_CHARS, shown_file, shown_name, shown_path
from pipeline.documents.library import plain_name
from pipeline.ingest import ChunkSize
from pipeline.ingest.chunks import document_of
from pipeline.ingest.html import html_extract
from pipeline.ingest.markdown import markdown_extract, text_extract
from pipeline.retrieval.points import PointRecord
from pipeline.retrieval.search import passage_of
from pipeline.settings import ModelEntry

HIDING = (
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\u2060\ufeff\0\x1b\x85\U000e0041"
)


@settings(deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from(HIDING + " \n"), st.characters()), max_size=400))
def test_a_shown_name_is_one_short_line_that_hides_nothing(text: str) -> None:
    for shown in (shown_name(text), shown_file(text)):
        assert len(shown) <= NAME_CHARS
        assert not set(HIDING + "\n\r\u2028\u2029") & set(shown)
        assert shown_name(shown) == shown == shown.strip()


@pytest.mark.parametrize("name", ["Café 价格 (2).pdf", "می\u200cنویسم.md", "\U0001f469\u200d\U0001f52c Notes"])
def test_an_honest_name_stays_as_it_is(name: str) -> None:
    assert shown_name(name) == shown_file(name) == name


def test_a_turned_ending_is_shown_as_it_is() -> None:
    assert shown_file("annual\u202efdp.exe") == "annualfdp.exe"


def test_a_long_file_name_keeps_its_ending_and_a_long_title_its_beginning() -> None:
    assert shown_file("x" * 500 + ".pdf").endswith("xx.pdf")
    assert shown_name("a title " + "x" * 500).startswith("a title xx")


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab ", min_size=1, max_size=200).map(str.strip).filter(bool), min_size=1, max_size=9))
def test_a_path_is_short_and_ends_with_its_innermost_name(names: list[str]) -> None:
    path = shown_path(names)
    assert len(path) <= NAME_CHARS
    assert path.endswith(names[-1])


LONG = "Wise words " + "about the lamp " * 3_000


@pytest.mark.parametrize(
    ("extract", "name"),
    [
        (markdown_extract(f'---\ntitle: "{LONG}"\n---\n\nText of it.'), "a.md"),
        (markdown_extract(f"# {LONG}\n\n## {LONG}\n\n### {LONG}\n\nText of it."), "a.md"),
        (text_extract("Text of it."), f"{LONG}.txt"),
        (html_extract(f"<title>{LONG}</title><h1>{LONG}</h1><h2>{LONG}</h2><p>Text of it.</p>"), "a.html"),
    ],
    ids=["front matter", "markdown headings", "file name", "html"],
)
def test_titles_and_sections_are_as_long_as_a_person_reads(extract: object, name: str) -> None:
    document = document_of(extract, "0" * 64, name, ChunkSize())  # type: ignore[arg-type]
    assert document.title.startswith("Wise words about")
    assert len(document.title) <= NAME_CHARS
    assert all(len(chunk.section) <= NAME_CHARS for chunk in document.chunks)
    assert document.chunks[-1].text.endswith("Text of it.")


def test_no_word_of_an_overlong_heading_is_lost_to_the_search() -> None:
    document = document_of(
        markdown_extract(f"# Short\n\n## {LONG} until Skagen\n\nText."), "0" * 64, "a.md", ChunkSize()
    )
    assert any("until Skagen" in chunk.text for chunk in document.chunks)


def test_an_index_that_is_older_than_the_limit_gives_short_names_too() -> None:
    kept = PointRecord("d1", "a\u202efdp.md", LONG, "en", 0, LONG, "Text.", 0, 5, None, None)
    passage = passage_of(kept, 1)
    assert (len(passage.title), len(passage.section)) == (NAME_CHARS, NAME_CHARS)
    assert passage.document == "afdp.md"


def test_an_uploaded_name_shows_its_ending_whatever_turns_it_round() -> None:
    assert plain_name("../../etc/bill\u202efdp.md") == "etc/billfdp.md"
    assert plain_name("\u2066\u2069") == "unnamed"
    assert plain_name("x" * 5_000_000 + ".md").endswith("x.md")


def test_a_model_label_turns_nothing_round() -> None:
    assert ModelEntry(label="safe\u202eledom", model="openai/x").label == "safeledom"
