"""A view is the fold of a turn's events: any prefix is one, a record gives the same, and length costs no more."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from components.html.render_cache import RenderCache
from components.panes import chat, reasoning, sources
from components.panes.pane import EmptyPage
from components.view import Text, ToolCallView, View, merged, paced, reduce, view_of
from pipeline.events import (
    ArtifactFound,
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    StepChanged,
    ToolCalled,
    ToolReturned,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    Warned,
)
from pipeline.passages import ListedDocument, Passage
from pipeline.settings import BUILTIN_MODEL, ROOT
from tests.effort import grows_linearly
from tests.recorded import compact

PASSAGES = tuple(
    Passage(number, "tea.md", f"Tea {number}", "Brewing", "Green tea wants 80 °C.", 2.0 / number, ((0, 5),))
    for number in (1, 2)
)
STARTED = TurnStarted(turn_id="t", conversation_id="c", question="How hot?", model="m", program="p", language="en")
FINISHED = TurnFinished(
    fields={},
    passages=PASSAGES,
    usage=Usage(10, 20, exact=True),
    cost=None,
    finish="stop",
    model="m",
    cached=False,
    saved=True,
    at_s=3.0,
)
FAILED = TurnFailed(code="connection", retryable=True, partial={}, saved=True, at_s=3.0)
STOPPED = TurnStopped(partial={}, saved=False, at_s=3.0)

fields = st.sampled_from(["thinking", "reasoning", "answer", "notes"])
between = st.one_of(
    st.builds(FieldDelta, field=fields, text=st.text(alphabet="ab *[1]|\n`", max_size=8)),
    st.builds(FieldReset, field=fields),
    st.builds(
        StepChanged,
        step=st.sampled_from(["retrieve", "search:2", "tool:calculate", "reason", "answer"]),
        state=st.sampled_from(["began", "ended", "skipped"]),
        took_s=st.floats(0, 9),
    ),
    st.just(PassagesFound(query="hot", passages=PASSAGES, rejected=PASSAGES[:1])),
    st.just(ToolCalled(call="1", tool="calculate", arguments={"expression": "2 * 18"})),
    st.just(ToolReturned(call="1", text="36", took_s=0.1, failed=False)),
    st.just(Warned(code="length")),
    st.just(Recovered(what="retry", from_model="fast", to_model="fast", code="server", waits_s=0.5)),
    st.just(ArtifactFound(index=0, type="code", language="py", title="a", field="answer", start=0, end=2)),
    st.just(Estimated(tokens=9, expected_tokens=90, tokens_per_s=20.0, eta_s=4.0, confidence=0.5)),
)


@st.composite
def turns(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = [STARTED, *draw(st.lists(between, max_size=30))]
    endings: list[Event] = [FINISHED, FAILED, STOPPED]
    events.append(draw(st.sampled_from(endings)))
    return events[: draw(st.integers(0, len(events)))]


@given(turns())
def test_any_prefix_of_a_turn_renders_in_every_pane(events: list[Event]) -> None:
    view, ink = View(), RenderCache()
    for event in [None, *events]:
        view = reduce(view, event) if event else view
        for pane in (chat, reasoning, sources):
            assert all(isinstance(part, str) and part for part in pane.render(view, ink))


@given(turns())
def test_the_stored_record_shows_what_the_live_turn_showed(events: list[Event]) -> None:
    live, stored, ink = View(), view_of(compact(events)), RenderCache()
    for event in events:
        live = reduce(live, event)
        chat.render(live, ink)
    assert {name: str(text) for name, text in live.fields.items() if text} == {
        name: str(text) for name, text in stored.fields.items() if text
    }
    if live.ending:
        assert chat.render(live, ink) == chat.render(stored, RenderCache())
        assert chat.article(live) == chat.article(stored)


def test_a_call_of_a_tool_is_shown_with_its_result_and_steps_of_tools_stand_before_the_answer() -> None:
    arguments = {"expression": "2 * 18"}
    view = view_of(
        [
            STARTED,
            ToolCalled(call="1", tool="calculate", arguments=arguments, at_s=0.5),
            StepChanged(step="tool:calculate", state="began"),
            StepChanged(step="search:2", state="began"),
        ]
    )
    assert [step.name for step in view.steps] == ["retrieve", "reason", "tool:calculate", "search:2", "answer"]
    assert view.tool_calls == (ToolCallView("1", "calculate", arguments, 0.5),)
    html = "".join(chat.render(view, RenderCache()))
    assert "calculate" in html
    assert "search 2" in html
    other = ToolReturned(call="2", text="no", took_s=0.1, failed=True)
    returned = ToolReturned(call="1", text="36", took_s=0.25, failed=False)
    view = reduce(reduce(view, other), returned)
    assert view.tool_calls == (ToolCallView("1", "calculate", arguments, 0.5, "36", 0.25),)


def test_passages_that_a_tool_opened_leave_the_rest_of_the_search_as_it_is() -> None:
    found = PassagesFound(query="hot", passages=PASSAGES, rejected=PASSAGES[:1], quality="good", mode="keyword")
    opened = PassagesFound(query="Tea", passages=PASSAGES[:1])
    view = view_of([STARTED, found, opened])
    assert (view.quality, view.mode, view.rejected) == ("good", "keyword", PASSAGES[:1])
    assert view.passages == PASSAGES


@given(turns())
def test_merged_events_show_the_same_view(events: list[Event]) -> None:
    timed = [replace(event, seq=at, at_s=float(at)) for at, event in enumerate(events)]
    assert view_of(merged(timed)) == view_of(timed)


@given(st.lists(st.text(max_size=5)), st.integers(0, 20))
def test_a_text_knows_what_was_added_to_it(pieces: list[str], cut: int) -> None:
    text, early = Text(), Text()
    for at, piece in enumerate(pieces):
        text = text.plus(piece)
        early = text if at < cut else early
    assert str(text) == "".join(pieces)
    if pieces and cut:
        assert text.since(early) == "".join(pieces[cut:])


def test_two_growths_of_one_text_do_not_meet() -> None:
    start = Text("a")
    one, other = start.plus("b"), start.plus("c")
    assert (str(start), str(one), str(other)) == ("a", "ab", "ac")
    assert other.since(start) is None


def test_folding_a_long_turn_is_linear() -> None:
    delta = FieldDelta(field="answer", text="word ")
    assert grows_linearly(lambda count: view_of([STARTED, *(delta for _ in range(count))]), 10_000)


def test_a_reset_takes_back_what_was_said() -> None:
    view = view_of([STARTED, FieldDelta(field="answer", text="wrong"), FieldReset(field="answer")])
    ink = RenderCache()
    assert ink.blocks(view, "answer") == ()
    assert "right" in ink.blocks(reduce(view, FieldDelta(field="answer", text="right")), "answer")[0]


def test_a_broken_turn_shows_in_its_last_step_where() -> None:
    began = StepChanged(step="retrieve", state="began", at_s=0.1)
    ended = StepChanged(step="retrieve", state="ended", took_s=0.2, at_s=0.3)
    reasoning_began = StepChanged(step="reason", state="began", at_s=1.0)
    steps = view_of([STARTED, began, ended, reasoning_began, FAILED]).steps
    assert [step.state for step in steps] == ["done", "broken", "waiting"]
    assert steps[1].took_s == 2.0


async def test_a_view_is_followed_by_the_pause_that_its_time_asks_for_and_then_by_the_newest() -> None:
    newest, times, slept = 0, [0.0], list[float]()

    async def views() -> AsyncGenerator[View, None]:
        while newest < 9:
            yield View(turn_id=str(newest))
        yield View(turn_id="last", ending=FINISHED)

    async def sleep(pause_s: float) -> None:
        nonlocal newest
        slept.append(pause_s)
        newest += 3  # what is said while nobody asks

    shown = []
    async for view in paced(views(), lambda _, took_s: 4 * took_s, lambda: times[-1], sleep):
        times.append(times[-1] + 0.25)
        shown.append(view.turn_id)
    assert shown == ["0", "3", "6", "last"]
    assert slept == [1.0, 1.0, 1.0]


NO_PROGRESS = '<p class="progress"><button type="button" data-act="inspect">prompt so far</button></p>'


def progress_of(*events: Event) -> str:
    return chat.render(view_of([STARTED, FieldDelta(field="answer", text="Hot"), *events]), RenderCache())[-1]


def test_the_progress_line_is_there_from_the_first_moment_and_says_what_is_not_known() -> None:
    assert chat.render(view_of([STARTED]), RenderCache())[-1] == NO_PROGRESS
    unknown = Estimated(tokens=12, expected_tokens=None, tokens_per_s=8.0, eta_s=None, confidence=0.0)
    assert "≈ 12 tokens" in progress_of(unknown)
    assert "not known yet" in progress_of(unknown)


def test_the_time_left_is_said_as_surely_as_it_is_known() -> None:
    known = Estimated(tokens=50, expected_tokens=200, tokens_per_s=10.0, eta_s=15.2, confidence=0.6)
    assert "<span>about 15 s left</span>" in progress_of(known)
    assert "--share:0.25" in progress_of(known)
    unsure = progress_of(replace(known, confidence=0.3))
    assert "perhaps about 15 s left" in unsure
    assert "--share" not in unsure
    assert "nearly done" in progress_of(replace(known, eta_s=0.8))
    assert "about 2 min left" in progress_of(replace(known, eta_s=130.0))


def test_an_ended_turn_shows_no_progress() -> None:
    known = Estimated(tokens=50, expected_tokens=200, tokens_per_s=10.0, eta_s=15.2, confidence=0.6)
    assert "progress" not in chat.article(view_of([STARTED, known, FINISHED]))


def test_quotes_are_shown_without_tokens_and_without_a_speed() -> None:
    """A pause between words that are there already is no speed, and words are no tokens."""
    known = Estimated(tokens=50, expected_tokens=200, tokens_per_s=10.0, eta_s=15.2, confidence=0.6)
    said: list[Event] = [
        StepChanged(step="retrieve", state="began"),
        FieldDelta(field="answer", text="Hot. [1]", at_s=0.06),
    ]
    failing = Recovered(what="extractive", from_model="m", to_model=BUILTIN_MODEL, code="auth")
    for begun in ([replace(STARTED, model=BUILTIN_MODEL)], [STARTED, failing]):
        assert chat.render(view_of([*begun, *said, known]), RenderCache())[-1] == NO_PROGRESS
        facts = chat.article(view_of([*begun, *said, replace(FINISHED, model=BUILTIN_MODEL)])).partition("facts")[2]
        assert "quoted in 0.06 s" in facts
        assert "tok" not in facts
    assert "tok/s" in chat.article(view_of([STARTED, *said, FINISHED]))


def test_every_step_is_named_and_the_line_says_its_place() -> None:
    said = [
        StepChanged(step="wait", state="began", place=3),
        StepChanged(step="rewrite", state="ended", text="other words", took_s=0.4),
        StepChanged(step="retrieve", state="began"),
    ]
    line = chat.render(view_of([STARTED, *said]), RenderCache())[2]
    names = ["number 3 in line", "rewriting", "search", "reasoning", "answer"]
    assert [line.index(name) for name in names] == sorted(line.index(name) for name in names)
    assert "other words" not in line


def test_what_is_good_or_bad_or_worth_copying_is_an_answer() -> None:
    def acts(*events: Event) -> list[str]:
        return re.findall('data-act="(copy|like|dislike)"', chat.article(view_of([STARTED, *events])))

    thought = FieldDelta(field="reasoning", text="Hm")
    assert acts(thought, FAILED) == []
    assert acts(FieldDelta(field="answer", text="Hot"), FAILED) == ["copy", "like", "dislike"]


def test_a_stopped_step_is_told_as_stopped() -> None:
    began = StepChanged(step="reason", state="began", at_s=0.1)
    html = chat.article(view_of([STARTED, began, TurnStopped(partial={}, saved=True)]))
    assert "broken" not in html
    assert '<span class="sr"> stopped</span>' in html
    assert "No answer was written yet." in html


def test_a_turn_that_goes_on_tells_that_it_searched_nothing() -> None:
    view = reduce(
        View("t", "c", "What is crema?", place=1), FieldDelta(seq=1, at_s=0.1, field="answer", text="The foam")
    )
    shown = "".join(
        chat.render(reduce(view, StepChanged(seq=2, at_s=0.2, step="reason", state="began")), RenderCache())
    )
    assert "<i></i>search" in shown
    assert "<b>skipped</b>" in shown


def test_of_a_turn_that_was_cut_off_only_what_was_stored_is_told() -> None:
    cut = Warned(code="interrupted")
    html = chat.article(view_of([STARTED, cut, TurnStopped(partial={}, saved=True)]))
    assert "No answer had been stored yet." in html
    assert "was written" not in html


def test_the_handbook_is_named_only_where_it_stands_alone() -> None:
    handbook = [
        ListedDocument(re.findall("^title: (.+)$", path.read_text("utf-8"), re.M)[0], 1)
        for path in (ROOT / "samples").glob("*.md")
    ]
    assert "The coffee handbook" in chat.empty(EmptyPage(handbook, model="m"))[0]
    assert "The coffee handbook" not in chat.empty(EmptyPage([*handbook, ListedDocument("Rules", 2)], model="m"))[0]


def test_a_long_query_can_be_read_whole_without_filling_the_pane() -> None:
    found = PassagesFound(query="crema " * 300, passages=())
    (line,) = [part for part in sources.render(view_of([STARTED, found]), RenderCache()) if "searched" in part]
    assert line.count("crema") > 300
    assert 'title="crema crema' in line


def test_a_german_document_is_asked_about_in_german() -> None:
    documents = [ListedDocument("Arbeitsordnung", 3, "de"), ListedDocument("Rules", 2, "en")]
    (hero,) = chat.empty(EmptyPage(documents, model="m"))
    assert "Worum geht es in „Arbeitsordnung“?" in hero
    assert "What is “Rules” about?" in hero
