"""Which calls a counterfactual makes, and what follows from their replies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.citations.restating import Outcome
from pipeline.exchanges import Message, PromptExchange
from pipeline.inquiries.counterfactual import (
    MOST_CALLS,
    Prompt,
    concluded,
    exchange_of,
    next_left_out,
    planned,
    trial_of,
)
from pipeline.inquiries.results import COUNTERFACTUAL, Conclusion, Counterfactual, Trial
from pipeline.passages import Passage
from pipeline.prompt_passages import numbered
from tests.provider import marked

SENTENCE = "An espresso machine presses water through the coffee with a pressure of about 9 bar [2]."
OTHERWISE = SENTENCE.replace("9", "6")
REFUSAL = "The documents say nothing about that."
ANSWERS: dict[Outcome, str] = {"said": SENTENCE, "otherwise": OTHERWISE, "gone": REFUSAL}
PASSAGES = tuple(Passage(number, "a.md", "Title", "", f"Text {number}.", 1.0) for number in (1, 2, 3))
ASKED = f"[[ ## passages ## ]]\n{numbered(PASSAGES)}\n\n[[ ## question ## ]]\nWhy?"


def state_of(passages: tuple[int, ...] = (1, 2, 3), cited: tuple[int, ...] = (2,)) -> Counterfactual:
    return Counterfactual(field="answer", index=0, sentence=SENTENCE, model="smol", planned=planned(cited, passages))


def tried(state: Counterfactual, *outcomes: Outcome | None) -> Counterfactual:
    """Make the calls that come next, with these outcomes; None is a reply that cannot be used."""
    for outcome in outcomes:
        left_out = next_left_out(state)
        assert left_out is not None
        if outcome is None:
            trial = Trial(left_out=left_out, outcome=None, fault="empty")
        else:
            trial = trial_of(state, left_out, ANSWERS[outcome])
        state = replace(state, trials=(*state.trials, trial), calls=state.calls + 1)
    return state


def test_the_first_call_leaves_out_nothing_and_cited_passages_go_before_others() -> None:
    assert planned((3, 1), (1, 2, 3, 4)) == ((), (3,), (1,), (2,), (4,), (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("cited", "passages", "calls"),
    [((9, 2, 2), (1, 2), ((), (2,), (1,), (1, 2))), ((), (5,), ((), (5,))), ((7,), (1,), ((), (1,)))],
)
def test_a_passage_is_left_out_once_and_only_if_it_was_sent(
    cited: tuple[int, ...], passages: tuple[int, ...], calls: tuple[tuple[int, ...], ...]
) -> None:
    assert planned(cited, passages) == calls


@given(cited=st.lists(st.integers(1, 30), max_size=5), count=st.integers(1, 20))
def test_there_are_never_more_than_six_calls(cited: list[int], count: int) -> None:
    calls = planned(cited, range(1, count + 1))
    assert len(calls) <= MOST_CALLS
    assert len(set(calls)) == len(calls)


def test_where_the_sentence_does_not_come_again_nothing_more_is_asked() -> None:
    state = tried(state_of(), "gone")
    assert next_left_out(state) is None
    assert concluded(state).conclusion == "unstable"


@pytest.mark.parametrize(
    ("outcomes", "conclusion", "passages"),
    [
        (("said", "gone", "said", "said"), "stands_on", (2,)),
        (("said", "gone", "gone", "otherwise"), "stands_on", (2, 1)),
        (("said", "said", "otherwise", "said"), "changes", (1,)),
        (("said", "said", "said", "said", "gone"), "several", ()),
        (("said", "said", "said", "said", "otherwise"), "several", ()),
        (("said", "said", "said", "said", "said"), "nothing", ()),
        (("said", "said", "said", "said", None), "none_alone", ()),
    ],
)
def test_what_follows_from_the_replies(
    outcomes: tuple[Outcome | None, ...], conclusion: Conclusion, passages: tuple[int, ...]
) -> None:
    state = tried(state_of(), *outcomes)
    assert next_left_out(state) is None
    found = concluded(state)
    assert (found.conclusion, found.passages, found.untested) == (conclusion, passages, ())
    assert found.is_over


def test_passages_that_were_not_left_out_alone_are_named() -> None:
    state = tried(state_of((1, 2, 3, 4, 5, 6)), "said", "said", "said", None, "said", "gone")
    found = concluded(state)
    assert (found.conclusion, found.untested) == ("several", (3, 5, 6))


def test_the_only_passage_is_left_out_once() -> None:
    assert concluded(tried(state_of((2,)), "said", "gone")).passages == (2,)
    assert concluded(tried(state_of((2,)), "said", "said")).conclusion == "nothing"


def test_the_words_of_the_first_call_count_as_the_sentence_too() -> None:
    reworded = "With about 9 bar of pressure water is pressed through the coffee in a machine for espresso."
    first = trial_of(state_of(), (), reworded)
    assert (first.outcome, first.said) == ("said", reworded)
    state = replace(state_of(), trials=(first,))
    assert trial_of(state, (2,), reworded).outcome == "said"


def test_a_prompt_without_a_passage_is_otherwise_the_same() -> None:
    prompt = Prompt((Message("system", "[2] stays here"), Message("user", ASKED)), ("answer",))
    assert prompt.passages == (1, 2, 3)
    left = prompt.without((2,))
    assert left.passages == (1, 3)
    assert left.messages[0] == prompt.messages[0]
    assert left.messages[1].content == ASKED.replace(f"{numbered(PASSAGES[1:2])}\n\n", "")


def test_the_exchange_is_the_last_one_whose_reply_says_the_sentence() -> None:
    def exchange(answer: str, **more: Any) -> PromptExchange:
        reply = marked(reasoning="So it is.", answer=answer)
        fields = ("reasoning", "answer")
        made = PromptExchange(model="m", parameters={}, messages=(), reply=reply, fields=fields)
        return replace(made, **more)

    said, split = exchange(f"It is so. {SENTENCE}"), exchange(SENTENCE.replace(" through", "\n  through"))
    others = [exchange(REFUSAL), exchange(SENTENCE, fault="cut_short"), exchange(SENTENCE, reply=None)]
    assert exchange_of("answer", SENTENCE, [said, split, *others]) is split
    assert exchange_of("answer", SENTENCE, [said, *others]) is said
    assert exchange_of("answer", SENTENCE, others) is None
    assert exchange_of("summary", SENTENCE, [said]) is None
    assert exchange_of("answer", SENTENCE, [replace(said, fields=())]) is None


def test_a_result_survives_storing() -> None:
    found = concluded(tried(state_of(), "said", "gone", None, "said"))
    assert COUNTERFACTUAL.validate_json(COUNTERFACTUAL.dump_json(found)) == found
