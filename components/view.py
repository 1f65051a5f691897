"""What the page shows of one turn, as a value, and how events make it: `reduce(view, event)`, `paced(views, …)`.

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
from typing import Literal, get_args

from pipeline.conversation import AskOptions, Passage, TurnMetrics
from pipeline.events import (
    Ending,
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    Step,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
)
from pipeline.metrics import measure

StepState = Literal["waiting", "running", "done", "skipped", "broken"]


class Text:
    """Text that grows at its end. `plus` is a new value that shares the old one's pieces and costs only its news."""

    __slots__ = ("_count", "_pieces")

    def __init__(self, text: str = "") -> None:
        self._pieces = [text] if text else []
        self._count = len(self._pieces)

    def plus(self, text: str) -> Text:
        """This text and more; the first growth of a value is cheap, a second one from the same value copies."""
        grown = Text()
        is_newest = self._count and len(self._pieces) == self._count
        grown._pieces = self._pieces if is_newest else self._pieces[: self._count]
        grown._pieces.append(text)
        grown._count = self._count + 1
        return grown

    def since(self, earlier: Text) -> str | None:
        """What was added to `earlier`; None when this is no growth of it."""
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
    """One station of the step line; `began_s` counts from the turn's start, `took_s` until now or until its end."""

    name: Step
    state: StepState = "waiting"
    began_s: float = 0.0
    took_s: float = 0.0
    text: str = ""


STEPS = (StepView("retrieve"), StepView("reason"), StepView("answer"))
ORDER: tuple[Step, ...] = get_args(Step)  # of steps that not every turn has, too


@dataclass(frozen=True, slots=True)
class View:
    """One turn as it is shown. `searched` tells a search that found nothing from none yet.

    `model` answers, `model_asked` was chosen; `asked` is None where it is not known, and `place` counts from 1.
    """

    turn_id: str = ""
    conversation_id: str = ""
    question: str = ""
    model: str = ""
    language: str = "en"  # of the question
    model_asked: str = ""
    program: str = ""
    asked: AskOptions | None = None
    place: int = 1  # of the turn in its conversation
    steps: tuple[StepView, ...] = STEPS
    searched: bool = False
    query: str = ""
    passages: tuple[Passage, ...] = ()
    rejected: tuple[Passage, ...] = ()
    quality: str | None = None
    mode: str | None = None
    fields: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Warned, ...] = ()
    recoveries: tuple[Recovered, ...] = ()
    estimate: Estimated | None = None
    first_delta: FieldDelta | None = None
    goes_on: bool = False  # from what an earlier turn had said, which comes before the first step
    ending: Ending | None = None
    at_s: float = 0.0
    updates: int = 0  # views that pages were sent of this turn

    def text(self, name: str) -> Text:
        """A field's text so far, empty for one that said nothing."""
        return self.fields.get(name) or _NOTHING

    def step(self, name: Step) -> StepView:
        """The station of that name."""
        return next(step for step in self.steps if step.name == name)

    @property
    def metrics(self) -> TurnMetrics:
        """Speed and size, by the one rule that the store and the benches use too."""
        said = None if self.goes_on else self.first_delta
        return measure((event for event in (said, self.ending) if event), goes_on=self.goes_on)

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles that citations name, in their order."""
        return tuple(passage.title for passage in self.passages)


_NOTHING = Text()


def reduce(view: View, event: Event) -> View:
    """The view after one more event."""
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
            return replace(view, steps=tuple(_stepped(step, event) for step in steps))
        case PassagesFound():
            return replace(
                view,
                searched=True,
                query=event.query,
                passages=event.passages,
                rejected=event.rejected,
                quality=event.quality,
                mode=event.mode,
            )
        case FieldDelta():
            said = {**view.fields, event.field: view.text(event.field).plus(event.text)}
            begins_to_go_on = view.first_delta is None and not _has_stepped(view)
            return replace(
                view,
                steps=tuple(_unsearched(step) for step in view.steps) if begins_to_go_on else view.steps,
                fields=MappingProxyType(said),
                first_delta=view.first_delta or event,
                goes_on=view.goes_on or begins_to_go_on,
            )
        case FieldReset():
            return replace(view, fields=MappingProxyType({**view.fields, event.field: Text()}))
        case Warned():
            return replace(view, warnings=(*view.warnings, event))
        case Recovered():
            return replace(view, recoveries=(*view.recoveries, event), first_delta=None)
        case Estimated():
            return replace(view, estimate=event)
        case TurnFinished():
            return replace(view, ending=event, steps=_settled(view, "done"), model=event.model)
        case TurnFailed() | TurnStopped():
            return replace(view, ending=event, steps=_settled(view, "broken"))


def view_of(events: Iterable[Event], before: View = View()) -> View:
    """All of a turn's events, or its compact record, as one view; `before` holds what no event says."""
    return fold(reduce, events, before)


def merged(events: Iterable[Event]) -> Iterator[Event]:
    """The same for folding, in fewer events: of deltas of one field in a row the first, then the others as one."""
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
    """A view at a time, with a pause after each: `pause_s` gets the last one and what it took to be shown, in seconds.

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
    return ORDER.index(step.name)


def _stepped(step: StepView, event: StepChanged) -> StepView:
    if step.name != event.step:
        return step
    match event.state:
        case "began":
            began_s = step.began_s if step.state == "running" else event.at_s
            return replace(step, state="running", began_s=began_s, text=event.text)
        case "ended":
            return replace(step, state="done", took_s=event.took_s, text="")
        case "skipped":
            return replace(step, state="skipped")


def _unsearched(step: StepView) -> StepView:
    """A turn that goes on keeps the passages it has: it never searches."""
    return replace(step, state="skipped") if step.name == "retrieve" else step


def _settled(view: View, state: StepState) -> tuple[StepView, ...]:
    """The steps once the turn has ended: none runs any longer, and a turn that broke shows in its last step where."""
    last = max((at for at, step in enumerate(view.steps) if step.state in ("running", "done")), default=-1)

    def settled(at: int, step: StepView) -> StepView:
        if step.state == "running":
            step = replace(step, state="done", took_s=view.at_s - step.began_s)
        return replace(step, state=state) if at == last else step

    return tuple(settled(at, step) for at, step in enumerate(view.steps))
