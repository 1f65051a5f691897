from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.conversation import Passage
from pipeline.numbered import Numbered, heading, neutral, numbered, read_numbered

LIKE_OUR_FORMAT = st.text(alphabet="[]1\\ \n#a›\r\x1c", max_size=40)
TEXTS = st.one_of(st.text(max_size=80), LIKE_OUR_FORMAT)
PASSAGES = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=4).map(
    lambda parts: tuple(
        Passage(number, "a.md", title, section, text, 1.0) for number, (title, section, text) in enumerate(parts, 1)
    )
)


def test_a_prompt_numbers_its_passages_under_their_headings() -> None:
    passages = (
        Passage(1, "espresso.md", "Espresso", "Crema", "Brown foam.", 2.0),
        Passage(2, "notes.txt", "notes", "", "One.\n\nTwo.", 1.0),
    )
    assert numbered(passages) == "[1] Espresso › Crema\nBrown foam.\n\n[2] notes\nOne.\n\nTwo."


@given(PASSAGES)
@example((Passage(1, "a.md", "", "", "", 1.0), Passage(2, "a.md", "", "", "[1] x\n\\[2] y", 1.0)))
def test_what_is_numbered_is_read_back_exactly(passages: tuple[Passage, ...]) -> None:
    expected = tuple(Numbered(each.number, heading(each), neutral(each.text.strip())) for each in passages)
    assert read_numbered(numbered(passages)) == expected


@given(PASSAGES)
def test_it_is_read_back_also_after_the_prompt_stripped_it(passages: tuple[Passage, ...]) -> None:
    assert read_numbered(numbered(passages).strip()) == read_numbered(numbered(passages))


@given(PASSAGES)
def test_no_passage_brings_a_field_marker_into_the_prompt(passages: tuple[Passage, ...]) -> None:
    assert not re.search(r"\[\[\s*##", numbered(passages))


@given(st.text(alphabet="[# \n]a", max_size=30))
def test_neutral_text_holds_no_marker_and_stays_as_it_is(text: str) -> None:
    assert not re.search(r"\[\[\s*##", neutral(text))
    assert neutral(neutral(text)) == neutral(text)


def test_text_without_a_marker_is_not_changed() -> None:
    assert neutral("a [[link]] and # heading [1]") == "a [[link]] and # heading [1]"


def test_a_text_that_holds_no_passages_gives_none() -> None:
    assert read_numbered("(none found)") == ()
    assert read_numbered("") == ()
