"""What a sentence and a passage have in common, and where: runs of words, and what the answer says otherwise."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.citations.alignment import is_similar
from pipeline.citations.checker import Checker
from pipeline.citations.side_by_side import SideBySide, sentence_at, side_by_side
from pipeline.citations.tokens import folded, tokens_of
from pipeline.passages import Passage, Span
from pipeline.retrieval.terms import detected_language

BOILER = (
    "The boiler of the Alba works at 9 bar and heats 1.5 litres. Anna Rossi built it in Turin on 7 January 1943. "
    "Most models have a thermometer, but they do not have a timer. Rossi sold the workshop to Karl Brandt."
)
KESSEL = "Der Kessel der Alba arbeitet mit 9 bar. Die meisten Modelle haben ein Thermometer, aber keine Uhr."
WORDS = st.sampled_from(
    [*re.findall(r"\w+", BOILER + KESSEL), "6", "presses", "Milan", "2 kg", "café's", "twenty-three"]
)
SENTENCE = st.lists(WORDS, min_size=1, max_size=14).map(" ".join)
TEXT = st.lists(SENTENCE, min_size=1, max_size=4).map(lambda said: ". ".join(said) + ".")


def beside(said: str, text: str) -> list[SideBySide]:
    """Each sentence that has a verdict beside the passage, which is [1]."""
    passage = Passage(1, "a.md", "Alba", "", text, 1.0)
    checker, found = Checker([passage]), list[SideBySide]()
    for verdict in [*checker.add(said), *checker.end()]:
        sentence = sentence_at(said, (verdict.start, verdict.end))
        assert sentence is not None
        found.append(side_by_side(sentence, passage, verdict.differences))
    return found


def shown(said: str, text: str = BOILER) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The runs and the differences of the only sentence, as texts; "" where the passage says nothing instead."""
    (both,) = beside(said, text)
    runs = [(said[slice(*each.answer)], text[slice(*each.source)]) for each in both.runs]
    return runs, [(said[slice(*d.answer)], text[slice(*d.source)] if d.source else "") for d in both.differences]


def test_words_in_a_row_are_one_run_and_what_differs_is_in_none() -> None:
    runs, differences = shown("The Alba heats 1.5 litres, and the boiler works at 6 bar [1].")
    assert ("heats 1.5 litres", "heats 1.5 litres") in runs
    assert ("works at", "works at") in runs
    assert differences == [("6 bar", "9 bar")]


def test_clauses_in_another_order_keep_their_pairs() -> None:
    runs, differences = shown("In Turin, on 7 January 1943, it was built by Anna Rossi [1].")
    assert [source for _, source in runs] == ["in Turin on 7 January 1943", "built", "Anna Rossi"]
    assert differences == []


def test_other_forms_and_converted_amounts_are_no_exact_run() -> None:
    (both,) = beside("The boiler of the Alba works at 0.9 MPa [1].", BOILER)
    (run,) = both.runs
    assert not run.is_exact
    assert BOILER[slice(*run.source)] == "The boiler of the Alba works at 9 bar"


def test_of_another_language_only_names_and_numbers_match() -> None:
    runs, _ = shown("Anna Rossi hat es im Jahr 1943 nach langer Arbeit dort gebaut [1].")
    assert runs == [("Anna Rossi", "Anna Rossi"), ("1943", "1943")]


def test_a_copy_is_one_run_and_function_words_alone_are_none() -> None:
    runs, _ = shown("Rossi sold the workshop to Karl Brandt [1].")
    assert runs == [("Rossi sold the workshop to Karl Brandt",) * 2]
    assert shown("The cat and the dog of it [1].") == ([], [])


def test_a_sentence_is_found_by_its_span_alone() -> None:
    said = "First [1]. Second one [1]."
    assert sentence_at(said, (0, 10)) is not None
    assert sentence_at(said, (1, 10)) is None


@given(TEXT, TEXT)
def test_runs_lie_in_their_texts_hold_equal_words_and_overlap_nothing(said: str, text: str) -> None:
    language = detected_language(text)
    for both in beside(said, text):
        for run in both.runs:
            one, other = said[slice(*run.answer)], text[slice(*run.source)]
            pairs = list(zip(tokens_of(one, language), tokens_of(other, language), strict=True))
            assert pairs
            assert all(token.key == there.key or is_similar(token, there) for token, there in pairs)
            if run.is_exact:
                assert folded_words(one) == folded_words(other)
        told = both.differences
        assert_apart([*(each.answer for each in both.runs), *(each.answer for each in told)], (0, len(said)))
        assert_apart([*(each.source for each in both.runs), *(d.source for d in told if d.source)], (0, len(text)))


@given(st.text(max_size=60), st.text(max_size=60))
def test_runs_of_any_text_lie_in_it_and_overlap_nothing(said: str, text: str) -> None:
    for both in beside(f"{said} [1]", f"{text} {said}"):
        assert_apart([each.answer for each in both.runs], (both.sentence.start, both.sentence.end))
        assert_apart([each.source for each in both.runs], (0, len(text) + 1 + len(said)))


@pytest.mark.parametrize("text", [BOILER, KESSEL])
def test_a_passage_beside_itself_matches_whole(text: str) -> None:
    for both in beside(text, text):
        assert [run.is_exact for run in both.runs] == [True]


def folded_words(text: str) -> list[str]:
    return [folded(word) for word in re.findall(r"[^\W_]+(?:['’][^\W\d_]+)*", text)]


def assert_apart(spans: list[Span], inside: Span) -> None:
    ordered = sorted(spans)
    assert all(inside[0] <= begin < end <= inside[1] for begin, end in ordered)
    assert all(before[1] <= after[0] for before, after in pairwise(ordered))
