from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Refused
from pipeline.events import (
    Event,
    FieldDelta,
    PassagesFound,
    Recovered,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
)
from pipeline.experiments.comparable_texts import contains, token_f1, words_of
from pipeline.experiments.questions import Question
from pipeline.experiments.scores import METRICS, checked_metrics, scores_of
from pipeline.passages import Passage
from pipeline.turn import Turn

PASSAGES = (
    Passage(1, "milk.md", "Milk and foam", "Heating", "Foam breaks down above 65 °C.", 2.0),
    Passage(2, "water.md", "Water", "Boiling", "In La Paz water boils at 88 °C.", 1.0),
)
HOT = Question("How hot may milk get?", "at most 65 degrees Celsius", ("65 °C",), ("milk.md",))
UNKNOWN = Question("Who won?", unanswerable=True)


def answered(answer: str, *more: Event, ending: Event | None = None, **finished: Any) -> Turn:
    """A turn with that answer from the passages above."""
    events: tuple[Event, ...] = (
        TurnStarted(turn_id="t", conversation_id="c", question="?", model="m", program="p", language="en"),
        StepChanged(step="retrieve", state="began"),
        PassagesFound(query="?", passages=PASSAGES),
        *more,
        FieldDelta(field="answer", text=answer, at_s=0.5),
        ending
        or TurnFinished(
            fields={"answer": answer},
            passages=PASSAGES,
            usage=Usage(10, 5, exact=True),
            cost=0.001,
            finish="stop",
            model="m",
            cached=False,
            saved=True,
            at_s=2.0,
            **finished,
        ),
    )
    return Turn("t", "c", "?", "m", "finished", events, {"answer": answer})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Milk may get **65 °C** hot [1].", "65 degrees Celsius"),
        ("It boils at 88°C.", "88 °C"),
        ("About five hours.", "about 5 hours"),
        ("3,600 metres", "3600 m"),
        ("The café closed", "cafe"),
        ("Sour, salty [2] and thin", "sour, salty and thin"),
        ("Zwischen 12 und 20 Prozent", "12 und 20 %"),
        ("二十世纪的咖啡", "世纪"),
    ],
)
def test_the_same_in_another_writing_is_contained(text: str, expected: str) -> None:
    assert contains(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("It boils at 880 °C", "88 °C"), ("tearoom", "tea"), ("65 °C", "65 °F"), ("x", ""), ("", "x")],
)
def test_something_else_is_not(text: str, expected: str) -> None:
    assert not contains(text, expected)


@given(st.text(max_size=60), st.text(max_size=20))
def test_a_text_contains_itself_wherever_it_stands(text: str, other: str) -> None:
    if words_of(text):
        assert contains(text, text)
        assert contains(f"{other}\n\n{text}\n\n{other}", text) or words_of(f"{other}\n\n{text}\n\n{other}") != (
            *words_of(other),
            *words_of(text),
            *words_of(other),
        )


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_f1_is_a_symmetric_share(one: str, other: str) -> None:
    assert 0 <= token_f1(one, other) == token_f1(other, one) <= 1


def test_a_right_cited_answer_has_every_point() -> None:
    found = scores_of(answered("It breaks down above 65 °C [1].", checks={"verbatim": 1}), HOT)
    assert {found[each] for each in ("gold", "passage_found", "cited", "supported", "format_kept")} == {1.0}
    assert (found["exact"], found["refused_rightly"]) == (0.0, None)
    assert (found["first_token_s"], found["total_s"], found["tokens"], found["cost"]) == (0.5, 2.0, 5, 0.001)


def test_a_wrong_citation_is_seen() -> None:
    found = scores_of(answered("It breaks down above 65 °C [2].", checks={"wrong_source": 1}), HOT)
    assert (found["gold"], found["cited"], found["supported"]) == (1.0, 0.0, 0.0)


def test_an_answer_that_cites_nothing_is_not_cited() -> None:
    assert scores_of(answered("65 °C."), Question("?"))["cited"] == 0.0
    assert scores_of(answered("65 °C [1]."), Question("?"))["cited"] == 1.0
    assert scores_of(answered("65 °C [7]."), Question("?"))["cited"] == 0.0


def test_a_passage_counts_only_in_a_document_where_the_answer_stands() -> None:
    assert scores_of(answered("?"), Question("?", "88 °C", documents=("milk.md",)))["passage_found"] == 0.0
    assert scores_of(answered("?"), Question("?", "88 °C", documents=("water.md",)))["passage_found"] == 1.0


def test_without_a_phrase_the_share_of_the_documents_counts() -> None:
    assert scores_of(answered("?"), Question("?", documents=("milk.md", "tea.md")))["passage_found"] == 0.5
    whole = "a whole answer that was liked and has many more words than any passage holds in a row"
    assert scores_of(answered("?"), Question("?", whole, documents=("Water",)))["passage_found"] == 1.0
    assert scores_of(answered("?"), Question("?", whole))["passage_found"] is None


def test_an_unanswerable_question_wants_a_refusal_and_nothing_else() -> None:
    right, wrong = scores_of(answered("No.", abstained=True), UNKNOWN), scores_of(answered("Brazil."), UNKNOWN)
    assert (right["refused_rightly"], wrong["refused_rightly"]) == (1.0, 0.0)
    assert {right[each] for each in ("gold", "exact", "f1", "passage_found", "cited")} == {None}


def test_a_fallback_breaks_the_format() -> None:
    fallback = Recovered(what="fallback", from_model="m", to_model="n", code="format")
    assert scores_of(answered("65 °C", fallback), HOT)["format_kept"] == 0.0


def test_a_turn_that_failed_has_no_points() -> None:
    failed = TurnFailed(code="server", retryable=True, partial={}, saved=True)
    found = scores_of(answered("", ending=failed), HOT)
    assert (found["gold"], found["format_kept"], found["supported"], found["cost"]) == (0.0, 0.0, None, None)


def test_a_metric_that_no_question_has_an_expected_answer_for_is_refused() -> None:
    with pytest.raises(Refused, match="needs_gold"):
        checked_metrics(["gold"], [Question("?")])
    with pytest.raises(Refused, match="unknown_metric"):
        checked_metrics(["bleu"], [HOT])
    assert [each.name for each in checked_metrics([], [Question("?")])] == list(METRICS)
