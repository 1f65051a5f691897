"""What a visitor can want of the page, one method each: ask, retry, edit, stop, open, new, delete, rate, look, choose.

Each takes what the page knows and gives back what it shows next; wiring them to components is `page.py`. The store is
the truth: nothing that was rendered is ever read back, so two tabs cannot overwrite each other.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from components import chat, reasoning, sidebar, sources, told
from components.ink import Ink
from components.knobs import Knobs, knobs_of
from components.parts import Parts, button, notice
from components.view import View, merged, paced, reduce, view_of
from pipeline.conversation import Listed, Rating, Turn, TurnRequest, is_visitor
from pipeline.errors import GlassboxError, NotFound, Refused
from pipeline.limits import is_local
from pipeline.names import shown_name
from pipeline.turns import Pipeline

PANES = (chat, reasoning, sources)

LEAST_PAUSE_S, MOST_PAUSE_S = 0.1, 0.9  # between two views of one turn; with its own time a view comes once a second
FIRST_PAUSE_S = 0.02  # as long as there is no text yet, which is waited for
PAUSE_PER_FOLLOWER_S = 0.0025  # the more look on, the rarer each one's views: a hundred get three or four a second
PAUSE_PER_TIME = 4.0  # a view that took long, since its text is long or the process busy, is followed by a longer pause
ARTICLES_KEPT = 300
ASKED_CHARS = 10_000_000  # what is longer is no question any more; the limit of one is the pipeline's

DECISION_S = 10.0  # how long a follower waits for the question that it came with

NEW_CHAT = "New chat"
STILL_RUNNING = "An answer is still being written. Stop it, or wait for its end; your question stays here."
EDITING = "Editing: sending replaces this turn and all after it."
AGAIN = "Asking again replaces this turn and all after it."
GO_ON = "Going on replaces this turn and all after it."
WENT_ON = "This conversation went on elsewhere. It is shown as it is now, and nothing was replaced."

READ_ONLY = "This conversation belongs to nobody, so it is only read here. What you ask begins one of your own."

KEEP = gr.skip()
Outputs = tuple[Any, ...]
Documents = Sequence[Listed]


@dataclass(slots=True)
class Tab:
    """What one open page is looking at. It lives as long as the page and is never shared."""

    conversation_id: str | None = None
    turn_id: str | None = None
    is_read_only: bool = False  # the conversation is nobody's: asking begins another one
    title: str = NEW_CHAT
    asked: str = ""
    replaces: str | None = None
    again: tuple[str, bool] | None = None  # turn and whether to go on with it, once its visitor has said so twice
    seen: frozenset[str] = frozenset()  # the turns that this page has shown of its conversation
    place: int = 1  # of the running turn in its conversation
    minutes_west: int = 0
    shows: int = 0  # how often the page was given a conversation, or the empty page, to show
    glance: int = 0  # counts up whenever the page looks at something else; a follower of an earlier one ends
    is_asking: bool = False
    was_early: bool = False  # the page was told last that an answer is still being written
    decided: str = ""  # the last question that came to a turn or to a refusal, by the number the page gave it
    deciding: asyncio.Event = field(default_factory=asyncio.Event)  # set whenever `decided` changes

    def decide(self, number: str) -> None:
        """Let the follower go on that came with that question."""
        self.decided = number
        self.deciding.set()

    async def decision(self, number: str) -> None:
        """Return when that question has come to a turn or to a refusal, after `DECISION_S` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DECISION_S):
                while self.decided != number:
                    self.deciding.clear()
                    await self.deciding.wait()


@dataclass(frozen=True, slots=True)
class Asking:
    """What the page asks with: the model that is ticked, the knobs, and the number of the question.

    A question with a number has a follower already, which draws the panes.
    """

    model: str
    knobs: Knobs
    number: str = ""


def asking_of(model: str, kept: object) -> Asking:
    """What came from the browser, as far as it is of use."""
    return Asking(model, knobs_of(kept), told.text(kept.get("question") if isinstance(kept, Mapping) else ""))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows next; what is None stays as it is."""

    bar: Parts | None = None
    notice: Parts | None = None
    conversations: Parts | None = None
    thread: Parts | None = None
    panes: tuple[Parts | None, ...] = (None,) * len(PANES)

    def outputs(self) -> Outputs:
        """In the order of the page's components."""
        parts = (self.bar, self.notice, self.conversations, self.thread, *self.panes)
        return tuple(KEEP if each is None else each for each in parts)


class Intents:
    """The page's side of every intent, over one pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._followers = 0
        self._articles: OrderedDict[tuple[str, str, bool, Rating], str] = OrderedDict()

    # Asking

    async def ask(self, question: str, tab: Tab, visitor: str, model: str, kept: object) -> Outputs:
        """A question from the composer; in an editing state it replaces what is edited."""
        question, asking = told.text(question, ASKED_CHARS), asking_of(model, kept)
        try:
            if not question.strip():
                return Shown().outputs()
            return await self._begin(question, tab.replaces, tab, visitor, asking)
        finally:
            tab.decide(asking.number)

    async def example(self, event: gr.EventData, tab: Tab, visitor: str, model: str, kept: object) -> Outputs:
        """One of the empty page's questions."""
        question, asking = told.text(told.said(event, "question"), ASKED_CHARS), asking_of(model, kept)
        try:
            return await self._begin(question, None, tab, visitor, asking)
        finally:
            tab.decide(asking.number)

    async def retry(self, event: gr.EventData, tab: Tab, visitor: str, model: str, kept: object) -> Outputs:
        """The same question again, in the place of the turn: at once when it is the last one, else after a notice."""
        return await self._again(told.name(event, "turn"), tab, visitor, asking_of(model, kept), is_sure=False)

    async def go_on(self, event: gr.EventData, tab: Tab, visitor: str, model: str, kept: object) -> Outputs:
        """The rest of an answer that broke off, after what is there of it; a notice first, likewise."""
        return await self._again(
            told.name(event, "turn"), tab, visitor, asking_of(model, kept), is_sure=False, goes_on=True
        )

    async def again(self, tab: Tab, visitor: str, model: str, kept: object) -> Outputs:
        """Yes, although other turns came after it."""
        turn_id, goes_on = tab.again or ("", False)
        return await self._again(turn_id, tab, visitor, asking_of(model, kept), is_sure=True, goes_on=goes_on)

    async def edit(self, event: gr.EventData, tab: Tab, visitor: str) -> Outputs:
        """Bring a question back into the composer → the composer's text and the notice above it."""
        if tab.is_read_only:
            return KEEP, _refusal(READ_ONLY)
        turn = await self._turn(tab, visitor, told.name(event, "turn"))
        if turn is None:
            return KEEP, _refusal(NotFound().text)
        tab.replaces, tab.again = turn.id, None
        return turn.question, _pending(tab)

    def close(self, tab: Tab) -> Parts:
        """A refusal was read, or a turn is kept → the notices without it; the composer keeps its text."""
        tab.again = None
        return _pending(tab)

    def cancel(self, tab: Tab) -> Outputs:
        """Leave the editing state → an empty composer, no notice."""
        was_editing, tab.replaces = tab.replaces, None
        return "" if was_editing else KEEP, _pending(tab)

    async def stop(self, tab: Tab) -> None:
        """End the running turn; its ending comes to the page like every event."""
        is_own = tab.conversation_id and not tab.is_read_only
        if is_own and (turn_id := self._pipeline.running(tab.conversation_id or "")):
            await self._pipeline.stop(turn_id)

    # Following

    async def follow(self, tab: Tab, kept: object = None, number: str = "") -> AsyncGenerator[Outputs, None]:
        """The panes of the running turn, view by view, until it ends or the page looks elsewhere.

        A follower that comes with a question (its `number`) waits until that has come to a turn, so that no round trip
        lies between them. Where the knobs do not stream, steps and sources come live, texts whole with the ending. The
        turn is the same.
        """
        if number:
            await tab.decision(number)
        tab.glance += 1
        glance, ink, shown = tab.glance, Ink(), tuple[Parts, ...]()
        turn_id, updates, streams = tab.turn_id or "", 0, knobs_of(kept).streams
        self._followers += 1
        try:
            async with aclosing(
                paced(
                    self._views(turn_id, tab.place, streams),
                    self._pause_s,
                    sleep=partial(self._pipeline.ended, turn_id),
                )
            ) as views:
                async for view in views:
                    if tab.glance != glance:
                        break
                    updates += 1
                    view = replace(view, updates=updates)
                    shown = _same(shown, tuple(pane.render(view, ink) for pane in PANES))
                    yield shown
        except NotFound:
            pass  # it ended long ago: what is stored is shown when this returns
        finally:
            self._followers -= 1
            await self._pipeline.shown(turn_id, updates)
        if tab.glance != glance or not shown:
            # Gradio says a generator's last value once more; this one changes nothing.
            yield (KEEP,) * len(PANES)

    async def settle(self, tab: Tab, visitor: str, model: str) -> Outputs:
        """After following: the turn has moved into the thread, unless it could not be stored, or the next was asked.

        → the page, then the picker as it is now: a turn may have left a model to rest.
        """
        shown = await self._settled(tab, visitor, model)
        return (*shown.outputs(), sidebar.picker(self._pipeline.models, self.known(model)))

    async def _settled(self, tab: Tab, visitor: str, model: str) -> Shown:
        turn_id = tab.turn_id
        conversations = await self._listing(tab, visitor)
        turns = await self._turns(tab, visitor)
        is_over = bool(turns) and not any(turn.state == "running" for turn in turns)
        if tab.is_asking or tab.turn_id != turn_id:
            return Shown()
        bar = self._bar(tab, model)  # what is wrong with the history may have begun or ended with this turn
        if not is_over:
            return Shown(bar=bar)
        panes: tuple[Parts | None, ...] = ([], *(None for _ in PANES[1:]))
        # That an answer is still being written is no longer true; why a question was refused is.
        said: Parts | None = [] if tab.was_early and not _pending(tab) else None
        tab.was_early = False
        tab.seen, thread = _ids(turns), self._thread(turns, tab)
        return Shown(bar=bar, notice=said, conversations=conversations, thread=thread, panes=panes)

    # Conversations

    async def load(self, tab: Tab, visitor: str, model: str, address: str, minutes_west: object) -> Outputs:
        """A page was loaded → the visitor's token, then the conversation that the address names."""
        token = visitor if is_visitor(visitor) else secrets.token_urlsafe(32)
        tab.minutes_west = told.minutes(minutes_west)
        return (token, *await self._show(tab, token, told.text(address) or None, model))

    async def open(self, event: gr.EventData, tab: Tab, visitor: str, model: str) -> Outputs:
        """One of the listed conversations."""
        return await self._show(tab, visitor, told.name(event, "conversation"), model)

    async def new(self, tab: Tab, visitor: str, model: str) -> Outputs:
        """An empty page."""
        return await self._show(tab, visitor, None, model)

    async def delete(self, event: gr.EventData, tab: Tab, visitor: str, model: str) -> Outputs:
        """Remove a conversation; when it is the one shown, an empty page follows."""
        conversation_id = told.name(event, "conversation")
        try:
            if await self._is_nobodys(conversation_id, visitor):
                return Shown(notice=_refusal(READ_ONLY)).outputs()
            await self._pipeline.delete(conversation_id, visitor)
        except GlassboxError as error:
            return Shown(notice=_refusal(error.text), conversations=await self._listing(tab, visitor)).outputs()
        if conversation_id == tab.conversation_id:
            return await self._show(tab, visitor, None, model)
        return Shown(conversations=await self._listing(tab, visitor)).outputs()

    async def rate(self, event: gr.EventData, visitor: str) -> Any:
        """Remember a like or a dislike → the notice, as it was when all is well."""
        rating: Rating = {"like": 1, "dislike": -1}.get(told.name(event, "rating"), 0)  # type: ignore[assignment]
        try:
            turn = await self._pipeline.turn(told.name(event, "turn"), visitor)
            if await self._is_nobodys(turn.conversation_id, visitor):
                return _refusal(READ_ONLY)
            await self._pipeline.rate(turn.id, visitor, rating)
        except NotFound:
            return _refusal(NotFound().text)
        except GlassboxError as error:
            return _refusal(error.text)
        return KEEP

    async def look(self, event: gr.EventData, tab: Tab, visitor: str) -> Outputs:
        """Reasoning and sources of an earlier turn → for each pane beside the chat: the turn's id, then its parts."""
        turns = await self._turns(tab, visitor)
        place, turn = next(
            ((at, each) for at, each in enumerate(turns, 1) if each.id == told.name(event, "turn")), (0, None)
        )
        if turn is None:
            return (KEEP,) * (len(PANES) - 1)
        view, ink = _view(turn, place), Ink()
        rendered = ((pane, pane.render(view, ink)) for pane in PANES[1:])
        return tuple([turn.id, head, _back(pane.TITLE), *parts] for pane, (head, *parts) in rendered)

    # Models

    def choose(self, label: str, tab: Tab) -> Outputs:
        """A model → the bar, its label, the picker, the hint, then the knobs, off where the model uses none."""
        label = self.known(label)
        uses_knobs = any(each.uses_knobs for each in self._pipeline.models if each.label == label)
        return (
            self._bar(tab, label),
            label,
            sidebar.picker(self._pipeline.models, label),
            sidebar.hint(uses_knobs=uses_knobs),
            *(gr.update(interactive=uses_knobs) for _ in range(sidebar.KNOBS)),
        )

    def remember(self, label: str, tab: Tab) -> Outputs:
        """The model that this browser chose earlier → what `choose` gives back, without the bar: `load` draws that."""
        return self.choose(label, tab)[1:]

    def add_model(self, name: str, tab: Tab) -> Outputs:
        """A typed model name → an empty field and the notice, then what `choose` gives back."""
        try:
            if not self._is_local():
                raise Refused("not_here")
            label = self._pipeline.add_model(told.text(name))
        except GlassboxError as error:
            return KEEP, [*_refusal(error.text), *_pending(tab)], *(KEEP,) * (4 + sidebar.KNOBS)
        return "", _pending(tab), *self.choose(label, tab)

    def restore(self, kept: object) -> Outputs:
        """The knobs as this browser kept them → where they stand, in the order of `Sidebar.kept`."""
        knobs, modes = knobs_of(kept), self._pipeline.search_modes
        stands = {
            "instructions": knobs.instructions or self._pipeline.default_instructions,
            "temperature": sidebar.TEMPERATURE if knobs.temperature is None else knobs.temperature,
            "max_tokens": knobs.max_tokens or sidebar.MAX_TOKENS,
            "mode": knobs.mode if knobs.mode in modes else modes[-1],
        }
        return tuple(gr.update(value=stands.get(name, value)) for name, value in asdict(knobs).items())

    def known(self, label: str) -> str:
        """The label itself, or the default where there is no such model (any longer)."""
        usable = {each.label for each in self._pipeline.models if each.state != "no_key"}
        return label if isinstance(label, str) and label in usable else self._pipeline.default_model

    # What is behind them

    async def _again(
        self, turn_id: str, tab: Tab, visitor: str, asking: Asking, *, is_sure: bool, goes_on: bool = False
    ) -> Outputs:
        if tab.is_read_only:
            return Shown(notice=_refusal(READ_ONLY)).outputs()
        turns = await self._turns(tab, visitor)
        turn = next((turn for turn in turns if turn.id == turn_id), None)
        if _has_news(turns, tab):
            return await self._refresh(WENT_ON, tab, visitor, asking.model)
        if turn is None:
            return Shown(notice=[*_refusal(NotFound().text), *_pending(tab)]).outputs()
        if turn is not turns[-1] and not is_sure:
            tab.again = turn.id, goes_on
            return Shown(notice=_pending(tab)).outputs()
        return await self._begin(turn.question, turn.id, tab, visitor, asking, goes_on=goes_on)

    async def _begin(
        self,
        question: str,
        replaces: str | None,
        tab: Tab,
        visitor: str,
        asking: Asking,
        *,
        goes_on: bool = False,
    ) -> Outputs:
        is_running = (
            self._pipeline.running(tab.conversation_id) if tab.conversation_id and not tab.is_read_only else None
        )
        if tab.is_asking or (is_running and question == tab.asked):
            return Shown().outputs()  # Enter was pressed twice
        tab.was_early = bool(is_running and is_running != replaces)
        if tab.was_early:
            if is_running != tab.turn_id:  # another tab asked: then this one shows and follows it, too
                return await self._refresh(STILL_RUNNING, tab, visitor, asking.model)
            return Shown(notice=[*_refusal(STILL_RUNNING), *_pending(tab)]).outputs()
        tab.is_asking, tab.asked = True, question
        try:
            if replaces and _has_news(await self._turns(tab, visitor), tab):
                return await self._refresh(WENT_ON, tab, visitor, asking.model)
            request = replace(self._request(question, replaces, tab, visitor, asking), goes_on=goes_on)
            running = await self._pipeline.start(request)
        except GlassboxError as error:
            return Shown(notice=[*_refusal(error.text), *_pending(tab)]).outputs()
        finally:
            tab.is_asking = False
        tab.conversation_id, tab.turn_id = running.conversation_id, running.id
        tab.is_read_only = running.owner is None
        tab.replaces = tab.again = None
        turns = await self._turns(tab, visitor)  # none where the store fails: the answer is written all the same
        tab.seen |= {running.id, *_ids(turns)}
        tab.title = shown_name(turns[0].question if turns else question)
        before = [turn for turn in turns if turn.id != running.id]
        tab.place = len(before) + 1
        model = self.known(asking.model)
        view = View(running.id, running.conversation_id, question.strip(), model, model, place=tab.place)
        return Shown(
            bar=self._bar(tab, asking.model),
            notice=[],
            conversations=await self._listing(tab, visitor),
            thread=self._thread(before, tab),
            panes=Shown().panes if asking.number else tuple(pane.render(view, Ink()) for pane in PANES),
        ).outputs()

    def _request(self, question: str, replaces: str | None, tab: Tab, visitor: str, asking: Asking) -> TurnRequest:
        knobs = asking.knobs
        return TurnRequest(
            question=question,
            visitor=visitor if is_visitor(visitor) else None,
            address=self._address(),
            is_local=self._is_local(),
            waits=True,
            conversation_id=None if tab.is_read_only else tab.conversation_id,
            model=self.known(asking.model),
            passages_wanted=knobs.passages,
            history_turns=knobs.history_turns,
            temperature=knobs.temperature,
            max_tokens=knobs.max_tokens,
            instructions=knobs.instructions or None,
            mode=knobs.mode if knobs.mode in self._pipeline.search_modes else None,
            candidates=knobs.candidates,
            reranks=knobs.reranks and self._pipeline.can_rerank,
            rewrites=knobs.rewrites,
            replaces=replaces,
        )

    async def _refresh(self, why: str, tab: Tab, visitor: str, model: str) -> Outputs:
        """The conversation as it is now and why; what is being edited stays so when it is still there."""
        edited = tab.replaces
        shown = await self._shown(tab, visitor, tab.conversation_id, model)
        tab.replaces = edited if edited in tab.seen else None
        return replace(shown, notice=[*_refusal(why), *_pending(tab)]).outputs()

    def _address(self) -> str | None:
        """Where the browser is. Gradio keeps the request beside the call; without a server there is none."""
        request = LocalContext.request.get(None)
        if request is None:
            return None
        forwarded_for = ",".join(request.headers.getlist("x-forwarded-for"))
        return self._pipeline.address_of(forwarded_for, request.client.host)

    def _is_local(self) -> bool:
        """Whether the browser runs on this machine and asks it directly; without a server it does."""
        request = LocalContext.request.get(None)
        return request is None or is_local(request.url.hostname, request.client.host, request.headers)

    async def _show(self, tab: Tab, visitor: str, conversation_id: str | None, model: str) -> Outputs:
        """A whole conversation, or the empty page: also when the conversation is not this visitor's."""
        return (await self._shown(tab, visitor, conversation_id, model)).outputs()

    async def _shown(self, tab: Tab, visitor: str, conversation_id: str | None, model: str) -> Shown:
        turns: Sequence[Turn] = ()
        said: Parts = []
        is_nobodys = False
        try:
            turns = await self._pipeline.turns(conversation_id, visitor) if conversation_id else ()
            is_nobodys = bool(turns) and await self._is_nobodys(conversation_id or "", visitor)
        except GlassboxError as error:
            said = _refusal(error.text)
        turn_id = self._pipeline.running(conversation_id) if turns and conversation_id else None
        if turn_id is None or turn_id != tab.turn_id:  # else whoever follows it goes on
            tab.glance += 1
        tab.conversation_id, tab.is_read_only = conversation_id if turns else None, is_nobodys
        tab.title = shown_name(turns[0].question) if turns else NEW_CHAT
        tab.replaces = tab.again = None
        tab.turn_id, tab.seen, tab.place = turn_id, _ids(turns), len(turns)
        tab.shows += 1
        own = () if turns else await self._own(visitor)
        return Shown(
            bar=self._bar(tab, model),
            notice=said,
            conversations=await self._listing(tab, visitor),
            thread=self._thread([turn for turn in turns if turn.id != tab.turn_id], tab)
            if turns
            else self._hero(model, own),
            panes=self._panes(tab, turns) if turns else self.empty_panes(own),
        )

    async def refresh(self, tab: Tab, visitor: str, model: str) -> Outputs:
        """The visitor's documents have changed → thread and sources, which name them as long as nothing was asked."""
        own = await self._own(visitor)
        if tab.conversation_id or tab.is_asking:
            return KEEP, KEEP
        return self._hero(model, own), self.empty_panes(own)[-1]

    async def _own(self, visitor: str) -> Documents:
        try:
            return await self._pipeline.own_documents(visitor if is_visitor(visitor) else None)
        except GlassboxError:
            return ()

    def _bar(self, tab: Tab, model: str) -> Parts:
        return chat.bar(
            tab.title, tab.conversation_id or "", self.known(model), self._pipeline.trouble, shows=tab.shows
        )

    def _panes(self, tab: Tab, turns: Sequence[Turn]) -> tuple[Parts, ...]:
        """Of the running turn, else of the last one; the chat's own pane holds running turns only."""
        last = turns[-1]
        view, ink = _view(last, len(turns)), Ink()
        chat_parts = chat.render(view, ink) if tab.turn_id == last.id else []
        return (chat_parts, *(pane.render(view, ink) for pane in PANES[1:]))

    def empty_panes(self, own: Documents = ()) -> tuple[Parts, ...]:
        """Before the first question."""
        return ([], reasoning.EMPTY, sources.empty(self._pipeline.documents, own))

    def _hero(self, model: str, own: Documents) -> Parts:
        return chat.hero(self._pipeline.documents, self.known(model), own)

    def _thread(self, turns: Sequence[Turn], tab: Tab) -> Parts:
        articles = [self._article(turn, place) for place, turn in enumerate(turns, 1)]
        return [chat.read_only(READ_ONLY), *articles] if tab.is_read_only else articles

    def _article(self, turn: Turn, place: int) -> str:
        """A turn that ended changes no more, but for its rating and whether it is saved: its HTML is made once."""
        is_saved = not turn.record or getattr(turn.record[-1], "saved", True)
        key = (turn.id, turn.state, is_saved, turn.rating)  # its place never changes
        if key not in self._articles:
            self._articles[key] = chat.article(_view(turn, place), turn.rating)
            if len(self._articles) > ARTICLES_KEPT:
                self._articles.popitem(last=False)
        return self._articles[key]

    async def _is_nobodys(self, conversation_id: str, visitor: str) -> bool:
        """Whether everybody may read it who knows its id, and nobody may change it here. Raises GlassboxError."""
        return (await self._pipeline.conversation(conversation_id, visitor)).owner is None

    async def _listing(self, tab: Tab, visitor: str) -> Parts | None:
        try:
            conversations = await self._pipeline.conversations(visitor)
        except GlassboxError:
            return None
        return sidebar.listing(conversations, tab.conversation_id, tab.minutes_west)

    async def _turns(self, tab: Tab, visitor: str) -> Sequence[Turn]:
        """What the store holds of the page's conversation; nothing where it fails."""
        try:
            return await self._pipeline.turns(tab.conversation_id, visitor) if tab.conversation_id else ()
        except GlassboxError:
            return ()

    async def _turn(self, tab: Tab, visitor: str, turn_id: str) -> Turn | None:
        return next((turn for turn in await self._turns(tab, visitor) if turn.id == turn_id), None)

    async def _views(self, turn_id: str, place: int, streams: bool) -> AsyncGenerator[View, None]:
        # How long it has been going on, also for who comes later: no event tells that while nothing happens.
        elapsed_s = self._pipeline.elapsed_s(turn_id)
        view = View(asked=self._pipeline.asked(turn_id), place=place, at_s=elapsed_s)
        async with aclosing(self._pipeline.batches(turn_id, beat_s=MOST_PAUSE_S)) as batches:
            async for batch in batches:
                for event in merged(batch):
                    view = reduce(view, event)
                yield view if streams or view.ending else replace(view, fields={})

    def _pause_s(self, view: View, took_s: float) -> float:
        least_s = LEAST_PAUSE_S if view.first_delta else FIRST_PAUSE_S
        wanted_s = max(least_s, PAUSE_PER_FOLLOWER_S * self._followers, PAUSE_PER_TIME * took_s)
        return min(wanted_s, MOST_PAUSE_S)


def _view(turn: Turn, place: int) -> View:
    """What is stored of the `place`-th turn of a conversation; at its very beginning that is the question alone."""
    known = View(turn.id, turn.conversation_id, turn.question, turn.model, turn.model, asked=turn.asked, place=place)
    return replace(view_of(turn.record, known), updates=turn.metrics.updates if turn.metrics else 0)


def _back(pane: str) -> str:
    told = f"{pane} of an earlier question <u>Back to the latest</u>"
    return f'<button type="button" class="back" data-act="present">{told}</button>'


def _same(shown: tuple[Parts, ...], parts: tuple[Parts, ...]) -> tuple[Parts, ...]:
    """Panes that did not change as the very objects shown before: Gradio sees at once that there is nothing to send."""
    return tuple(old if old == new else new for old, new in zip(shown, parts, strict=True)) if shown else parts


def _ids(turns: Sequence[Turn]) -> frozenset[str]:
    return frozenset(turn.id for turn in turns)


def _has_news(turns: Sequence[Turn], tab: Tab) -> bool:
    """Whether the store holds a turn that the page never showed: nobody replaces what they have not seen."""
    return not _ids(turns) <= tab.seen


def _pending(tab: Tab) -> Parts:
    """As long as the next click or question replaces turns, the page says so."""
    edit = [notice("calm", "", EDITING, [button("cancel", "Cancel")], "edit")] if tab.replaces else []
    if tab.again is None:
        return edit
    text, label = (GO_ON, "Continue") if tab.again[1] else (AGAIN, "Ask again")
    return [*edit, notice("warn", "", text, [button("again", label), button("close", "Keep")], "retry")]


def _refusal(text: str) -> Parts:
    return [notice("bad", "", text, [button("close", "Close")])]
