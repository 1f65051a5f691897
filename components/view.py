"""The view of one turn, as a value, and the fold that makes it of events: `reduce(view, event)`, `paced(views, …)`.

The same fold serves a live turn and a stored record, so both look the same. Knows no gradio, no HTML and no store; a
clock only in `paced`. Folding costs what the events hold, however long the turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import reduce as fold
from itertools import groupby, islice
from types import MappingProxyType
from typing import Literal

from pipeline.events import (
    STEP_ORDER,
    Arguments,
    ArtifactFound,
    Ending,
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    SentenceChecked,
    Step,
    StepChanged,
    ToolCalled,
    ToolReturned,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
    is_search,
    passages_after,
)
from pipeline.metrics import measure
from pipeline.passages import Passage
from pipeline.programs.registry import Programs
from pipeline.retrieval.quality import Words
from pipeline.turn import AskOptions, TurnMetrics

StepState = Literal["waiting", "running", "done", "skipped", "broken"]


class Text:
    """Text that grows at its end. `plus` returns a new value that shares the old pieces, and costs only what is new."""

    __slots__ = ("_count", "_pieces")

    def __init__(self, text: str = "") -> None:
        self._pieces = [text] if text else []
        self._count = len(self._pieces)

    def plus(self, text: str) -> Text:
        """Return this text and more; the first growth of a value is cheap, a second one from the same value copies."""
        grown = Text()
        is_newest = self._count and len(self._pieces) == self._count
        grown._pieces = self._pieces if is_newest else self._pieces[: self._count]
        grown._pieces.append(text)
        grown._count = self._count + 1
        return grown

    def since(self, earlier: Text) -> str | None:
        """Return what was added to `earlier`, None when this text did not grow from it."""
        if earlier._pieces is not self._pieces or earlier._count > self._count:
            return None
        return "".join(self._pieces[earlier._count : self._count])

    def __str__(self) -> str:
        return "".join(self._pieces[: self._count])

    def __repr__(self) -> str:
        return f"Text({str(self)!r})"

    def __bool__(self) -> bool:
        return any(islice(self._pieces, self._count))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


@dataclass(frozen=True, slots=True)
class StepView:
    """One step in the step line; `began_s` counts from the turn's start, `took_s` until now or until its end.

    `place` is that of a waiting turn in the line, from 1. `status` is what the profile calls it, "" for the usual name.
    """

    name: Step
    state: StepState = "waiting"
    began_s: float = 0.0
    took_s: float = 0.0
    place: int | None = None
    status: str = ""


STEPS = (StepView("retrieve"), StepView("reason"), StepView("answer"))


@dataclass(frozen=True, slots=True)
class ToolCallView:
    """A call of a tool; `text` is None until it has returned. `began_s` counts from the turn's start."""

    call: str
    tool: str
    arguments: Arguments
    began_s: float = 0.0
    text: str | None = None
    took_s: float = 0.0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class SearchView:
    """A search: its query, the numbers of its passages, and how many steps had begun, itself included.

    `call` is that of the tool that searched, "" for the program itself, whose `step` it was.
    """

    query: str
    numbers: tuple[int, ...]
    step_number: int
    step: Step = ""
    call: str = ""


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model reasoned before the step of that number, counted from 1."""

    step_number: int
    text: Text


@dataclass(frozen=True, slots=True)
class View:
    """One turn as it is shown. `searched` tells a search that found nothing from no search.

    `model` answers, `model_asked` was chosen; `asked` is None where it is not known, and `place` counts from 1. Fields
    that are `hidden` are not kept.
    """

    turn_id: str = ""
    conversation_id: str = ""
    question: str = ""
    model: str = ""
    language: str = "en"  # of the question
    model_asked: str = ""
    program: str = ""
    programs: Programs = field(default_factory=lambda: MappingProxyType({}))  # that name the titles of fields
    asked: AskOptions | None = None
    hidden: frozenset[str] = frozenset()
    place: int = 1  # of the turn in its conversation
    steps: tuple[StepView, ...] = STEPS
    searched: bool = False
    query: str = ""
    passages: tuple[Passage, ...] = ()
    rejected: tuple[Passage, ...] = ()
    quality: str | None = None
    words: Words | None = None  # of the latest search; None in turns of an earlier version
    mode: str | None = None
    tool_calls: tuple[ToolCallView, ...] = ()
    searches: tuple[SearchView, ...] = ()
    # The parts of the reasoning of a turn of several steps. A compact record does not divide it, its timings do.
    thoughts: tuple[Thought, ...] = field(default=(), compare=False)
    fields: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Warned, ...] = ()
    recoveries: tuple[Recovered, ...] = ()
    estimate: Estimated | None = None
    artifacts: tuple[ArtifactFound, ...] = ()
    checks: tuple[SentenceChecked, ...] = ()
    first_delta: FieldDelta | None = None
    continues: bool = False  # the text of an earlier turn, which comes before the first step
    ending: Ending | None = None
    at_s: float = 0.0
    updates: int = 0  # how many views of this turn were sent to pages

    def text(self, name: str) -> Text:
        """Return a field's text so far, empty where there is none."""
        return self.fields.get(name) or _NOTHING

    def step(self, name: Step) -> StepView:
        """Return the step of that name."""
        return next(step for step in self.steps if step.name == name)

    @property
    def step_number(self) -> int:
        """How many steps have begun, as people count them: the program's own searches, and calls of tools."""
        return len(self.tool_calls) + sum(not each.call for each in self.searches)

    @property
    def metrics(self) -> TurnMetrics:
        """Speed and size, measured as the store and the benches measure them."""
        first_delta = None if self.continues else self.first_delta
        return measure((event for event in (first_delta, self.ending) if event), continues=self.continues)

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of the passages by their numbers, from 1; "" where no passage has the number."""
        titles = {passage.number: passage.title for passage in self.passages}
        return tuple(titles.get(number, "") for number in range(1, max(titles, default=0) + 1))


_NOTHING = Text()


def reduce(view: View, event: Event) -> View:
    """Return the view after one more event."""
    if isinstance(event, FieldDelta):
        return _grown(view, event)
    view = replace(view, at_s=max(view.at_s, event.at_s))
    match event:
        case TurnStarted():
            return replace(
                view,
                turn_id=event.turn_id,
                conversation_id=event.conversation_id,
                question=event.question,
                model=event.model,
                language=event.language,
                model_asked=event.model,
                program=event.program,
            )
        case StepChanged():
            is_known = any(step.name == event.step for step in view.steps)
            steps = view.steps if is_known else tuple(sorted((*view.steps, StepView(event.step)), key=_place))
            is_later_search = (
                event.state == "began" and is_search(event.step) and view.searches and not _open_call(view)
            )
            return replace(
                view,
                steps=tuple(_stepped(step, event) for step in steps),
                thoughts=_divided(view) if is_later_search else view.thoughts,
            )
        case PassagesFound(query=""):
            passages = passages_after(view.passages, event)
            return replace(view, passages=passages, rejected=(*event.rejected, *view.rejected))
        case PassagesFound():
            found = replace(
                view,
                searched=True,
                query=event.query,
                passages=passages_after(view.passages, event),
                searches=(*view.searches, _search(view, event)),
            )
            if view.searched and event.mode is None:  # opened by a tool: what the searches said still holds
                return found
            words = None if event.coverage is None else Words(event.found_words, event.missing_words)
            return replace(found, rejected=event.rejected, quality=event.quality, words=words, mode=event.mode)
        case ToolCalled():
            called = ToolCallView(event.call, event.tool, event.arguments, event.at_s)
            return replace(view, tool_calls=(*view.tool_calls, called), thoughts=_divided(view))
        case ToolReturned():
            return replace(view, tool_calls=tuple(_returned(each, event) for each in view.tool_calls))
        case FieldReset():
            return replace(
                view,
                fields=MappingProxyType({**view.fields, event.field: Text()}),
                thoughts=() if event.field == "reasoning" else view.thoughts,
                artifacts=tuple(each for each in view.artifacts if each.field != event.field),
                checks=tuple(each for each in view.checks if each.field != event.field),
            )
        case Warned():
            return replace(view, warnings=(*view.warnings, event))
        case Recovered():
            return replace(view, recoveries=(*view.recoveries, event), first_delta=None)
        case Estimated():
            return replace(view, estimate=event)
        case ArtifactFound():
            return view if event.field in view.hidden else replace(view, artifacts=(*view.artifacts, event))
        case SentenceChecked():
            return view if event.field in view.hidden else replace(view, checks=(*view.checks, event))
        case TurnFinished():
            return replace(view, ending=event, steps=_settled(view, "done"), model=event.model)
        case TurnFailed() | TurnStopped():
            return replace(view, ending=event, steps=_settled(view, "broken"))


def _grown(view: View, delta: FieldDelta) -> View:
    """Return the view after one more piece of a text; most events are such, so it is made in one copy."""
    if delta.field in view.hidden:
        return replace(view, at_s=max(view.at_s, delta.at_s), first_delta=view.first_delta or delta)
    continues_answer = view.first_delta is None and not _has_stepped(view)
    return replace(
        view,
        at_s=max(view.at_s, delta.at_s),
        steps=tuple(_search_skipped(step) for step in view.steps) if continues_answer else view.steps,
        fields=MappingProxyType({**view.fields, delta.field: view.text(delta.field).plus(delta.text)}),
        thoughts=_continued(view.thoughts, delta),
        first_delta=view.first_delta or delta,
        continues=view.continues or continues_answer,
    )


def view_of(events: Iterable[Event], before: View = View()) -> View:
    """Fold all events of a turn, or its compact record, into one view; `before` holds what no event says."""
    return fold(reduce, events, before)


def merged(events: Iterable[Event]) -> Iterator[Event]:
    """Yield fewer events with the same fold: of consecutive deltas of one field the first, then the others as one."""
    for _, group in groupby(events, lambda event: event.field if isinstance(event, FieldDelta) else object()):
        first, *others = group
        yield first
        deltas = [other for other in others if isinstance(other, FieldDelta)]
        if deltas:
            yield replace(deltas[-1], text="".join(delta.text for delta in deltas))


async def paced(
    views: AsyncGenerator[View, None],
    pause_s: Callable[[View, float], float],
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[View, None]:
    """Yield one view at a time, with a pause after each: `pause_s` gets the view and the seconds it took to be shown.

    `views` is only asked when the pause is over and then says what is newest, so what was left out cost nothing. The
    ending is followed by no pause.
    """
    async with aclosing(views):
        async for view in views:
            began = clock()
            yield view
            if view.ending is None:
                await sleep(pause_s(view, clock() - began))


def _has_stepped(view: View) -> bool:
    return any(step.state != "waiting" for step in view.steps if step.name != "wait")


def _place(step: StepView) -> int:
    """The place of a step in the line; later searches and tools stand before the answer, in the order they began."""
    return STEP_ORDER.index(step.name if step.name in STEP_ORDER else "reason")


def _search(view: View, event: PassagesFound) -> SearchView:
    call = _open_call(view)
    steps = [each for each in view.steps if each.state == "running" and is_search(each.name)]
    step = max(steps, key=lambda each: each.began_s).name if steps and not call else ""
    number = view.step_number if call else view.step_number + 1
    return SearchView(event.query, tuple(each.number for each in event.passages), number, step, call)


def _open_call(view: View) -> str:
    """Return the call whose result is not there yet, "" for none."""
    return next((each.call for each in reversed(view.tool_calls) if each.text is None), "")


def _divided(view: View) -> tuple[Thought, ...]:
    """Return the thoughts with an end where a tool is called or a search begins: what follows is of the next step."""
    known = view.thoughts or (Thought(view.step_number + 1, Text(str(view.text("reasoning")))),)
    return (*(each for each in known if each.text), Thought(view.step_number + 2, Text()))


def _continued(thoughts: tuple[Thought, ...], delta: FieldDelta) -> tuple[Thought, ...]:
    if not thoughts or delta.field != "reasoning":
        return thoughts
    *others, last = thoughts
    return (*others, replace(last, text=last.text.plus(delta.text)))


def _returned(call: ToolCallView, event: ToolReturned) -> ToolCallView:
    if call.call != event.call:
        return call
    return replace(call, text=event.text, took_s=event.took_s, failed=event.failed)


def _stepped(step: StepView, event: StepChanged) -> StepView:
    if step.name != event.step:
        return step
    step = replace(step, status=event.status or step.status)
    match event.state:
        case "began":
            began_s = step.began_s if step.state == "running" else event.at_s
            return replace(step, state="running", began_s=began_s, place=event.place)
        case "ended":
            return replace(step, state="done", took_s=event.took_s, place=None)
        case "skipped":
            return replace(step, state="skipped")


def _search_skipped(step: StepView) -> StepView:
    """Mark the search as skipped: a turn that continues an answer keeps its passages."""
    return replace(step, state="skipped") if step.name == "retrieve" else step


def _settled(view: View, state: StepState) -> tuple[StepView, ...]:
    """Return the steps of a turn that has ended: none runs any longer, and the last one has the given state."""
    last = max((at for at, step in enumerate(view.steps) if step.state in ("running", "done")), default=-1)

    def settled(at: int, step: StepView) -> StepView:
        if step.state == "running":
            step = replace(step, state="done", took_s=view.at_s - step.began_s)
        return replace(step, state=state) if at == last else step

    return tuple(settled(at, step) for at, step in enumerate(view.steps))
