"""A profile shows a turn in its own words: names of steps, titles of fields, and only the fields that it names."""

from __future__ import annotations

from dataclasses import replace

from components.html.render_cache import RenderCache
from components.panes import chat, reasoning
from components.profile_view import in_profile
from components.view import View, view_of
from pipeline.events import ArtifactFound, Event, FieldDelta, StepChanged, TurnStarted
from pipeline.programs.profiles import Profile
from pipeline.programs.registry import PROGRAMS
from pipeline.turn import AskOptions

DESK = Profile(
    name="desk",
    title="Desk",
    options={"program": "Compliance"},
    fields={"findings": "What to <b>fix", "answer": ""},
    status_texts={"retrieve": "Looking <b>up", "answer": "Writing", "search": "Again"},
)
VIEW = View(programs=PROGRAMS, asked=AskOptions(profile="desk"))
STARTED = TurnStarted(
    turn_id="t", conversation_id="c", question="Why?", model="fast", program="Compliance", language="en"
)
SAID: tuple[Event, ...] = (
    STARTED,
    StepChanged(step="retrieve", state="began", status="Looking <b>up"),
    StepChanged(step="retrieve", state="ended"),
    StepChanged(step="search:2", state="began", status="Again"),
    FieldDelta(field="analysis", text="zqx thoughts"),
    ArtifactFound(index=0, type="code", language="", title="zqx code", field="analysis", start=0, end=6),
    FieldDelta(field="findings", text="- high | Mend it [1]\n"),
    FieldDelta(field="answer", text="Done."),
)


def shown(profile: Profile, events: tuple[Event, ...] = SAID) -> str:
    view = view_of(events, in_profile(VIEW, profile))
    return "".join([*chat.render(view, RenderCache()), *reasoning.render(view, RenderCache())])


def test_fields_that_the_profile_does_not_name_are_not_shown_and_others_have_its_titles() -> None:
    page = shown(DESK)
    assert "zqx" not in page
    assert "What to &lt;b&gt;fix" in page
    assert "Mend it" in page
    assert "zqx thoughts" in shown(replace(DESK, fields=None))


def test_steps_have_the_words_of_the_profile_before_and_while_they_run() -> None:
    page = shown(DESK)
    for words in ("Looking &lt;b&gt;up", "Again", "Writing"):
        assert words in page
    assert "Looking &lt;b&gt;up" in shown(DESK, (STARTED,))


def test_a_profile_may_leave_the_reasoning_out() -> None:
    desk = replace(DESK, options={}, fields={"answer": ""})
    said = (STARTED, FieldDelta(field="thinking", text="zqx"), FieldDelta(field="reasoning", text="zqx too"))
    page = shown(desk, said)
    assert "zqx" not in page
    assert "The profile does not show the reasoning." in page
