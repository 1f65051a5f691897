"""`@name` in a question: what it names is asked alone, and what is no name stays text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.mentions import mentioned

MAYA = "maya-0123456789abcdef"


def entry(name: str, title: str, collection: str = "private", owner: str | None = MAYA) -> IndexedDocument:
    return IndexedDocument(name, "h", name, title, "en", None, 1, collection, owner, "", "", 0.0)


DOCUMENTS = (
    entry("tide.md", "Tides of Hoek"),
    entry("tide.md.pdf", "Printed"),
    entry("boats/2023/log.md", "Log", "private/boats/2023"),
    entry("boats/2024/log.md", "Log", "private/boats/2024"),
    entry("Größe 2.txt", "Größe 2"),
    entry("espresso.md", "Espresso", "coffee", None),
    entry("milk.md", "Milk", "coffee", None),
)
LOGS = {"boats/2023/log.md", "boats/2024/log.md"}


@pytest.mark.parametrize(
    ("question", "named", "rest"),
    [
        ("@tide.md When is high water?", {"tide.md"}, "When is high water?"),
        ("When is high water in @TIDE.MD?", {"tide.md"}, "When is high water in?"),
        ("@tide When?", {"tide.md"}, "When?"),
        ("@tide.md.pdf When?", {"tide.md.pdf"}, "When?"),
        ("@tides of hoek when?", {"tide.md"}, "when?"),
        ('When, @"Tides of Hoek"?', {"tide.md"}, "When,?"),
        ("Wann, @„größe 2“?", {"Größe 2.txt"}, "Wann,?"),
        ("Wann, @gro\u0308ße 2?", {"Größe 2.txt"}, "Wann,?"),
        ("@boats how often?", LOGS, "how often?"),
        ("@boats/2024 how often?", {"boats/2024/log.md"}, "how often?"),
        ("@log.md how often?", LOGS, "how often?"),
        ("@coffee or @tide.md, which?", {"espresso.md", "milk.md", "tide.md"}, "or, which?"),
        ("(@espresso) how?", {"espresso.md"}, "() how?"),
        ("@espresso", {"espresso.md"}, "espresso"),
        ("@private how?", None, ""),
        ("@tides when?", None, ""),
        ("@tide-x when?", None, ""),
        ('@"Tides" when?', None, ""),
        ("Who is me@tide.md?", None, ""),
        ("Which @ is it?", None, ""),
        ("@", None, ""),
    ],
)
def test_the_longest_name_after_an_at_sign_is_asked_and_left_out(
    question: str, named: set[str] | None, rest: str
) -> None:
    found = mentioned(question, DOCUMENTS)
    assert (set(found.documents), found.question) == (named, rest) if found else named is None


@given(st.text('@ tide.mlogTIDE/"“”2', max_size=40))
def test_any_text_is_read_and_only_documents_there_are_are_named(question: str) -> None:
    found = mentioned(question, DOCUMENTS)
    assert mentioned(question, ()) is None
    if found:
        assert found.documents
        assert set(found.documents) <= {each.id for each in DOCUMENTS}
        assert found.question.strip()
        assert len(found.question) < len(question)
