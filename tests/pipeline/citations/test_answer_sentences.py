"""The sentences of a growing Markdown answer, with their citations."""

from __future__ import annotations

import pytest

from pipeline.citations.answer_sentences import AnswerSentence, AnswerSentences


def cut(text: str) -> list[AnswerSentence]:
    sentences = AnswerSentences()
    return [*sentences.add(text), *sentences.end()]


def said(text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(text[each.start : each.end], each.citations) for each in cut(text)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            "It boils [1]. It cools. [2] It stops.",
            [("It boils [1].", (1,)), ("It cools. [2]", (2,)), ("It stops.", ())],
        ),
        ("It boils [1][2].\n\n[3] It cools.", [("It boils [1][2].", (1, 2)), ("[3] It cools.", (3,))]),
        ("- one bar [1]\n- two bar [2, 3]", [("- one bar [1]", (1,)), ("- two bar [2, 3]", (2, 3))]),
        ("J. A. Hobson met E. I. du Pont. They ate.", [("J. A. Hobson met E. I. du Pont.", ()), ("They ate.", ())]),
        ("Am 3. Oktober kam er. Er blieb.", [("Am 3. Oktober kam er.", ()), ("Er blieb.", ())]),
        ("See:\n```\ncode. [1] More.\n```\nIt boils [1].", [("See:", ()), ("It boils [1].", (1,))]),
        ("See:\n```\nnever closed. [1]", [("See:", ())]),
        ("Set `a[1]` to 2 [3].", [("Set `a[1]` to 2 [3].", (3,))]),
        ("The end. [1].", [("The end. [1]", (1,))]),
        ("It boils. [1] says that it cools.", [("It boils.", ()), ("[1] says that it cools.", (1,))]),
        ("[1]", []),
        (" \n\n ", []),
    ],
)
def test_an_answer_is_cut_into_sentences_with_their_citations(
    answer: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert said(answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It boils at 9 bar [1] and it cools at 5 bar [2].", [(1,), (2,)]),
        ("While [1] says that it boils, [2] says that it cools.", [(1,), (2,)]),
        ("It boils at 9 bar [1], or so it is said [1].", [(1,)]),  # of one passage
        ("It boils at 9 bar [1] or 10 [2].", [(1, 2)]),  # too short to stand alone
        ("It boils at 9 bar [1] and it cools at 5 bar. [2]", [(1, 2)]),  # of the whole sentence
        ("It boils at 9 bar.", [()]),
    ],
)
def test_a_sentence_has_a_clause_for_each_passage_that_it_cites(answer: str, expected: list[tuple[int, ...]]) -> None:
    (sentence,) = cut(answer)
    assert [each.citations for each in sentence.clauses] == expected
    for each in sentence.clauses:
        assert each.text == sentence.text[each.start - sentence.start : each.end - sentence.start]


def test_a_row_of_a_table_is_a_sentence_and_its_head_is_told_apart() -> None:
    table = "| cup | size |\n| --- | --- |\n| small. Red | 6 cl [1] |\n| large | 9 cl [2] |"
    assert [(each.kind, each.citations) for each in cut(table)] == [
        ("table_head", ()),
        ("table_head", ()),
        ("table_row", (1,)),
        ("table_row", (2,)),
    ]


def test_a_heading_is_told_apart() -> None:
    assert [each.kind for each in cut("## Heat\nIt boils.")] == ["heading", "text"]


def test_a_sentence_comes_as_soon_as_the_first_word_of_the_next_is_complete() -> None:
    sentences = AnswerSentences()
    assert sentences.add("It boils at 9 bar [1]. It") == []
    assert [each.citations for each in sentences.add(" ")] == [(1,)]
    assert sentences.add("cools.\n") == []
    assert len(sentences.add("\n")) == 1
    assert sentences.end() == []


def test_the_text_of_a_sentence_has_blanks_for_its_marks() -> None:
    (sentence,) = cut("It **boils** [1] at 9 bar.")
    assert sentence.text == "It   boils       at 9 bar."
