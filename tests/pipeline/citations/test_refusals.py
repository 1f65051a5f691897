"""A refusal is known by its words, and by citing nothing but what is missing."""

from __future__ import annotations

import pytest

from pipeline.citations.refusals import is_refusal, says_missing


@pytest.mark.parametrize(
    "sentence",
    [
        "The passages do not answer this.",
        "The documents say nothing about who painted the Mona Lisa.",
        "I cannot answer this from the passages.",
        "I'm unable to find that.",
        "There is no information about prices in the documents.",
        "None of the passages mentions altitude.",
        "The context doesn't mention it.",
        "It is not mentioned in the provided passages.",
        "Die Passagen beantworten das nicht.",
        "Darüber steht in den Dokumenten nichts.",
        "In den Quellen wird das nicht erwähnt.",
        "Die Dokumente enthalten keine Angaben dazu.",
        "Leider kann ich diese Frage nicht beantworten.",
    ],
)
def test_a_sentence_that_says_what_is_missing_is_known(sentence: str) -> None:
    assert says_missing(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Beans stay fresh for weeks.",
        "Water that is not hot enough does not extract.",
        "Do not store it in the fridge.",
        "It contains no caffeine.",
        "Gemahlener Kaffee hält nicht lange.",
    ],
)
def test_a_sentence_with_a_not_in_it_is_no_refusal(sentence: str) -> None:
    assert not says_missing(sentence)


@pytest.mark.parametrize(
    ("sentences", "refuses"),
    [
        ([("The passages do not answer this.", False)], True),
        ([("The passages do not mention it.", True), ("Ask me about coffee instead.", False)], True),
        ([("The passages do not give a price.", False), ("A pot of 30 ml holds 63 mg.", True)], False),
        ([("Leonardo painted it.", False)], False),
        ([], False),
    ],
)
def test_an_answer_refuses_when_it_cites_nothing_else(sentences: list[tuple[str, bool]], refuses: bool) -> None:
    assert is_refusal(sentences) is refuses
