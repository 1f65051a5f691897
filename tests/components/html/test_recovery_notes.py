"""The ladder as a person sees it: a line while it climbs, badges when it has ended, Continue where there is more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest

from components.html import recovery_notes
from components.html.render_cache import RenderCache
from components.panes import chat
from components.view import View, view_of
from pipeline.errors import MODEL_FAULTS
from pipeline.events import Ending, Event, FieldDelta, Recovered, Rung, TurnFailed, TurnFinished, TurnStarted, Usage

STARTED = TurnStarted(
    turn_id="t", conversation_id="c", question="Why?", model="fast", program="ChainOfThought", language="en"
)
HALF = FieldDelta(field="answer", text="Half an")
BROKEN = TurnFailed(code="connection", retryable=True, partial={"answer": "Half an"}, saved=True)


def finished(model: str = "fast", finish: str = "stop") -> Ending:
    return TurnFinished(
        fields={"answer": "Half an"},
        passages=(),
        usage=Usage(1, 2, exact=True),
        cost=None,
        finish=finish,  # type: ignore[arg-type]
        model=model,
        cached=False,
        saved=True,
    )


def shown(*events: Event) -> str:
    return chat.article(view_of([STARTED, *events]))


@pytest.mark.parametrize("what", get_args(Rung))
def test_every_recovery_is_shown_while_it_happens_and_when_it_answered(what: Rung) -> None:
    event = Recovered(what=what, from_model="fast", to_model="spare", code="rate_limit", waits_s=2)
    now = chat.render(view_of([STARTED, event]), RenderCache())
    assert "fast: rate limit" in "".join(now)
    done = shown(event, HALF, finished("spare"))
    assert "fast: rate limit" in done
    assert 'class="badge fallback"' in done


@pytest.mark.parametrize("code", sorted(MODEL_FAULTS))
def test_no_fault_is_told_as_a_code(code: str) -> None:
    event = Recovered(what="retry", from_model="fast", to_model="fast", code=code)
    assert "_" not in "".join(recovery_notes.now(view_of([STARTED, event])))


def test_a_german_turn_is_told_in_german() -> None:
    event = Recovered(what="fallback", from_model="fast", to_model="spare", code="rate_limit", waits_s=2)
    view = view_of([replace(STARTED, language="de"), event])
    assert "fast: ausgelastet. spare wird gefragt" in "".join(recovery_notes.now(view))
    assert "Antwort von spare" in recovery_notes.badges(
        view_of([replace(STARTED, language="de"), event, finished("spare")])
    )


def test_a_turn_without_faults_has_no_badge() -> None:
    assert recovery_notes.badges(view_of([STARTED, HALF, finished()])) == ""
    assert recovery_notes.now(View()) == []


@pytest.mark.parametrize(
    ("events", "continues"),
    [
        ([HALF, BROKEN], True),
        ([HALF, finished(finish="length")], True),
        ([HALF, finished()], False),
        ([BROKEN], False),
    ],
)
def test_continue_is_offered_where_an_answer_broke_off(events: Sequence[Event], continues: bool) -> None:
    assert ('data-act="go-on"' in shown(*events)) is continues


def test_a_model_name_is_no_markup() -> None:
    event = Recovered(what="fallback", from_model="<b>x", to_model="<i>y", code="server")
    html = "".join(chat.render(view_of([STARTED, event]), RenderCache())) + shown(event, HALF, finished("<i>y"))
    assert "<b>x" not in html
    assert "<i>y" not in html
