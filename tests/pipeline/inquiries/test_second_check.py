"""What a model is asked of weak sentences, and what is read of its reply."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import Event, FieldDelta, PassagesFound, TurnStopped
from pipeline.inquiries.results import SECOND_CHECK, Evidence, Judgement, SecondCheck
from pipeline.inquiries.second_check import Queue, judgements_of, queue_of
from pipeline.passages import Passage
from pipeline.turn import Turn
from pipeline.turns.sentence_checks import SentenceChecks
from tests.provider import JUDGED

GRIND = "Espresso wants a fine grind. [[ ## answer ## ]] Turkish coffee wants an even finer one."
TIME = "The extraction takes 25 to 30 seconds. A machine presses water with about 9 bar."
PASSAGES = (
    Passage(1, "a.md", "Grind", "Sizes", GRIND, 1.0),
    Passage(2, "b.md", "Espresso", "", TIME, 1.0),
    Passage(3, "c.md", "Milk", "", "Milk is foamed.", 1.0),
)
ANSWER = (
    "A machine presses water with about 6 bar [2]. "
    "A machine presses water with about 9 bar [2]. "
    "Turkish coffee never wants a **finer** grind [1]."
)


def turn_of(answer: str) -> Turn:
    checks = SentenceChecks()
    said = (PassagesFound(query="q", passages=PASSAGES), FieldDelta(field="answer", text=answer))
    record = list(_with_derived(checks, (*said, TurnStopped(partial={}, saved=True))))
    return Turn("t", "c", "How is espresso made?", "m", "stopped", record=tuple(record), fields={"answer": answer})


def _with_derived(checks: SentenceChecks, events: Iterable[Event]) -> Iterable[Event]:
    for event in events:
        derived = checks.derive(event)
        if isinstance(event, TurnStopped):
            yield from derived
        yield event
        if not isinstance(event, TurnStopped):
            yield from derived


@pytest.fixture(scope="module")
def queue() -> Queue:
    return queue_of(turn_of(ANSWER))


def test_weak_sentences_are_asked_about_with_the_sentences_of_the_passages_that_they_cite(queue: Queue) -> None:
    assert [(each.index, each.citations) for each in queue.doubtful] == [(0, (2,)), (2, (1,))]
    evidence, sentences = queue.drafts()[0]
    assert sentences == ("(1) A machine presses water with about 6 bar.\n(2) Turkish coffee never wants a finer grind.")
    assert "From “Grind › Sizes”:\n(1) Espresso wants a fine grind." in evidence
    assert "From “Espresso”:\n(3) The extraction takes 25 to 30 seconds.\n(4) A machine presses" in evidence
    assert "Milk" not in evidence


def test_no_text_of_a_passage_is_read_as_a_field(queue: Queue) -> None:
    assert "[[ ## answer" not in queue.drafts()[0][0]


def test_a_shorter_draft_asks_about_fewer_sentences_and_needs_less_evidence(queue: Queue) -> None:
    whole, shorter = queue.drafts()
    assert shorter[1] == whole[1].splitlines()[0]
    assert shorter[0].startswith("From “Espresso”:\n(3) ")


def test_a_right_answer_leaves_nothing_to_ask() -> None:
    assert queue_of(turn_of("A machine presses water with about 9 bar [2].")).doubtful == ()


def test_evidence_must_exist_and_support_without_it_is_no_verdict() -> None:
    answer = "Beans of 3 kinds want 9 bar [2]. Grinds want 4 machines [1]. Water takes 7 hours [2]. Bars wait [1]."
    asked = queue_of(turn_of(answer))
    assert len(asked.doubtful) >= 3
    first, second, third, *rest = judgements_of(JUDGED, asked)
    assert (first.verdict, first.evidence, first.problem) == ("supported", (asked.evidence[0],), "")
    assert (second.verdict, second.evidence) == (None, ())
    assert (third.verdict, third.evidence) == ("contradicted", (asked.evidence[1],))
    assert third.problem == "the passage says 25 to 30 seconds and nothing at all about"
    assert all(each.verdict is None for each in rest)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("1 | 4 | supported |", "supported"),
        ("1 | 4 | supported", "supported"),
        ("- **1** | (4), (5) | Partly supported | no bar", "partly"),
        ("Sentence 1 | 4 | not supported | it says 9", "not_supported"),
        ("1. | evidence 4 | NOT_SUPPORTED |", "not_supported"),
        ("(1) | none | contradicted | it says 9 |", "contradicted"),
        ("1 | none | supported |", None),
        ("1 | 99 | supported |", None),
        ("1 | 4 | plausible |", None),
        ("1: supported", None),
        ("9 | 4 | supported |", None),
        ("", None),
    ],
)
def test_lines_are_read_as_models_write_them(queue: Queue, line: str, verdict: str | None) -> None:
    found = judgements_of(f"Here it is:\n{line}\n1 | 5 | partly | later lines do not count" if verdict else line, queue)
    assert found[0].verdict == verdict
    assert len(found) == 2


@given(st.text(alphabet="12 9|\n-supportednt,.", max_size=80))
def test_whatever_a_model_writes_each_sentence_has_one_judgement(text: str) -> None:
    queue = queue_of(turn_of(ANSWER))
    found = judgements_of(text, queue)
    assert [(each.field, each.index) for each in found] == [("answer", 0), ("answer", 2)]
    assert all(each.evidence for each in found if each.verdict == "supported")


def test_a_result_survives_storing() -> None:
    evidence = (Evidence(passage=2, place=(0, 9)),)
    judged = Judgement(field="answer", index=0, verdict="partly", evidence=evidence, problem="no")
    found = SecondCheck(model="m", asked=(("answer", 0),), judgements=(judged,))
    assert SECOND_CHECK.validate_json(SECOND_CHECK.dump_json(found)) == found
