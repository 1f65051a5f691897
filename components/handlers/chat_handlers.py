"""Handles the events of the chat page, one method each: ask, retry, edit, stop, open, delete, rate and so on.

Each method takes what the page knows and returns what changes on it, by name; `pages/chat_page.py` wires methods and
names to components. The store is the truth: nothing that was rendered is ever read back, so two tabs cannot overwrite
each other.
"""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import gradio as gr
from markupsafe import Markup

from components import sidebar
from components.handlers import browser_values
from components.handlers.choices import Choices
from components.handlers.page_state import NEW_CHAT, Asking, PageUpdate, Tab, asking_of
from components.handlers.scope_handlers import scoped
from components.handlers.signed_in import SignedIn
from components.handlers.turn_views import TurnViews
from components.html import own_key as account
from components.html.feedback import remark
from components.html.html_elements import Elements, button, notice
from components.html.render_cache import RenderCache
from components.panes import PANES, chat
from components.panes.pane import EmptyPage, Pane
from components.preferences import PROFILE, Preferences, preferences_of, usable
from components.view import View
from i18n import text
from i18n.messages import error_text
from pipeline.accounts.sessions import User
from pipeline.conversations.service import Conversations
from pipeline.display_names import shown_name
from pipeline.documents.library import Library
from pipeline.errors import GlassboxError, NotFound, Refused
from pipeline.exchange_costs import NO_COST, Cost
from pipeline.feedback import Feedback
from pipeline.models.catalogue import Models
from pipeline.options import options_of
from pipeline.passages import ListedDocument
from pipeline.programs.profiles import Profile
from pipeline.turn import Rating, Turn, TurnRequest, is_visitor_token, visitor_or_none
from pipeline.turns.engine import Pipeline
from pipeline.turns.model_tests import ModelTest

CACHED_ARTICLES = 300
MAX_QUESTION_CHARS = 10_000_000  # of what is read at all; the limit of a question is the pipeline's

log = logging.getLogger(__name__)

STILL_RUNNING = text("refusal.still_running")
WENT_ON = text("refusal.went_on")
READ_ONLY = text("refusal.read_only")

Documents = Sequence[ListedDocument]


class ChatHandlers:
    """The handlers of the page's events."""

    def __init__(
        self,
        pipeline: Pipeline,
        conversations: Conversations,
        models: Models,
        library: Library,
        panes: Sequence[Pane] = PANES,
        signed_in: SignedIn | None = None,
    ) -> None:
        self.signed_in = signed_in or SignedIn()
        self._pipeline, self._conversations = pipeline, conversations
        self._models, self._library = models, library
        self.choices = Choices(pipeline, models, library, self.signed_in)
        self._panes = panes
        self._turn_views = TurnViews(pipeline, self.choices)
        self._articles: OrderedDict[tuple[str, str, bool, Rating, Feedback, tuple[str, ...]], Markup] = OrderedDict()

    def initial(self) -> PageUpdate:
        """Return the page before it knows its visitor."""
        thread, panes = self._empty(self._models.default, ())
        bar = chat.bar(NEW_CHAT, chat.UNKNOWN, self._models.default, self._conversations.trouble)
        profiles = self.choices.profile_picker(is_drawn_for_all=True)
        return PageUpdate(bar=bar, thread=thread, panes=panes, profiles=profiles)

    # Asking

    async def ask(self, question: str, tab: Tab, visitor: str, model: str, stored: object) -> PageUpdate:
        """Ask the question in the composer; while a turn is edited, as a new version of it."""
        question, asking = browser_values.text(question, MAX_QUESTION_CHARS), asking_of(model, stored)
        try:
            if not question.strip():
                return PageUpdate()
            return await self._start(question, tab.replaces, tab, visitor, asking)
        finally:
            tab.mark_handled(asking.number)

    async def example(self, event: gr.EventData, tab: Tab, visitor: str, model: str, stored: object) -> PageUpdate:
        """Ask one of the empty page's questions."""
        question = browser_values.text(browser_values.value(event, "question"), MAX_QUESTION_CHARS)
        asking = asking_of(model, stored)
        try:
            return await self._start(question, None, tab, visitor, asking)
        finally:
            tab.mark_handled(asking.number)

    async def retry(self, event: gr.EventData, tab: Tab, visitor: str, model: str, stored: object) -> PageUpdate:
        """Ask the question of a turn again, as a new version of it; with `widens` from as many passages as may be."""
        asking = asking_of(model, stored)
        if browser_values.value(event, "widens") is True:
            asking = replace(asking, preferences=asking.preferences.widened())
        return await self._ask_again(browser_values.name(event, "turn"), tab, visitor, asking)

    async def go_on(self, event: gr.EventData, tab: Tab, visitor: str, model: str, stored: object) -> PageUpdate:
        """Ask for the rest of an answer that broke off: what is there of it and the rest are a new version."""
        turn_id, asking = browser_values.name(event, "turn"), asking_of(model, stored)
        return await self._ask_again(turn_id, tab, visitor, asking, continues=True)

    async def edit(self, event: gr.EventData, tab: Tab, visitor: str) -> PageUpdate:
        """Bring the question of a turn back into the composer."""
        if tab.is_read_only:
            return PageUpdate(notice=_refusal(READ_ONLY))
        turn = await self._turn(tab, visitor, browser_values.name(event, "turn"))
        if turn is None:
            return PageUpdate(notice=_refusal(error_text(NotFound())))
        tab.replaces = turn.id
        return PageUpdate(question=turn.question, notice=_pending(tab))

    def close(self, tab: Tab) -> PageUpdate:
        """Close a notice; the composer keeps its text, and an edit goes on."""
        return PageUpdate(notice=_pending(tab))

    def cancel(self, event: gr.EventData, tab: Tab) -> PageUpdate:
        """Leave the editing state; what was typed before it is in the composer again."""
        was_editing, tab.replaces = tab.replaces, None
        draft = browser_values.text(browser_values.value(event, "draft"), MAX_QUESTION_CHARS)
        return PageUpdate(question=draft if was_editing else None, notice=_pending(tab))

    async def stop(self, tab: Tab) -> None:
        """End the running turn; the page gets its ending as it gets every event."""
        is_own = tab.conversation_id and not tab.is_read_only
        if is_own and (turn_id := self._pipeline.running(tab.conversation_id or "")):
            await self._pipeline.stop(turn_id)

    # Following

    async def follow(self, tab: Tab, stored: object = None, number: str = "") -> AsyncGenerator[PageUpdate, None]:
        """Yield the panes of the running turn, view by view, until it ends or the page shows something else.

        A follower that comes with a numbered question waits until that was started, so that no round trip lies between
        them. Where the preferences do not stream, steps and sources come live, and texts whole with the ending.
        """
        if number:
            await tab.wait_handled(number)
        tab.followed += 1
        followed, cache, panes = tab.followed, RenderCache(), dict[str, Elements]()
        turn_id, updates, streams = tab.turn_id or "", 0, preferences_of(stored).streams
        try:
            with self._turn_views.following():
                async with aclosing(self._turn_views.live(turn_id, tab.place, streams=streams)) as views:
                    async for view in views:
                        if tab.followed != followed:
                            break
                        updates += 1
                        panes = _same(panes, self._rendered(replace(view, updates=updates), cache))
                        yield PageUpdate(panes=panes)
        except NotFound:
            pass  # it ended long ago: what is stored is shown when this returns
        finally:
            await self._pipeline.count_updates(turn_id, updates)
        if tab.followed != followed or not panes:
            yield PageUpdate()  # Gradio sends a generator's last value once more; this one changes nothing

    async def settle(self, tab: Tab, visitor: str, model: str) -> PageUpdate:
        """Move a turn that has ended into the thread, unless it could not be stored, or the next was asked.

        The picker is drawn anew: a turn may have left a model to rest.
        """
        update = await self._settled(tab, visitor, model)
        return replace(update, picker=self.choices.model_picker(self.choices.usable_model(model), visitor))

    async def _settled(self, tab: Tab, visitor: str, model: str) -> PageUpdate:
        turn_id = tab.turn_id
        conversations = await self._listing(tab, visitor)
        turns = await self._turns(tab, visitor)
        is_over = bool(turns) and not any(turn.state == "running" for turn in turns)
        cost = await self._cost(tab.conversation_id, visitor)
        if tab.is_asking or tab.turn_id != turn_id:
            return PageUpdate()
        tab.cost = cost
        bar = self._bar(tab, model)  # trouble with the history may have begun or ended with this turn
        if not is_over:
            return PageUpdate(bar=bar)
        # The notice that an answer is still being written is no longer true; why a question was refused is.
        notice: Elements | None = [] if tab.was_busy and not _pending(tab) else None
        tab.was_busy = False
        _remember(tab, _path(turns))
        thread = self._thread(turns, await self._versions(tab, visitor), tab)
        return PageUpdate(bar=bar, notice=notice, conversations=conversations, thread=thread, panes={chat.NAME: []})

    # Conversations

    async def load(
        self, tab: Tab, token: str, model: str, address: str, minutes_west: object, stored: object = None
    ) -> PageUpdate:
        """Give a loaded page the visitor's token, and show the conversation that its address names.

        Who is signed in takes over what the browser's token owns, and the browser gets another token.
        """
        tab.profile = preferences_of(stored).options.profile
        tab.minutes_west = browser_values.minutes(minutes_west)
        user = self.signed_in.user
        is_known = is_visitor_token(token) and (user is None or not await self._adopted(token, user))
        token = token if is_known else secrets.token_urlsafe(32)
        visitor = user.visitor if user else token
        shown = await self._show(tab, visitor, browser_values.text(address) or None, model)
        return replace(shown, visitor=token, account=self._account(user))

    async def _adopted(self, token: str, user: User) -> bool:
        """Give what a browser's token owns to who is signed in there; False where it could not be given."""
        try:
            await self._library.adopt(token, user.visitor)
            await self._pipeline.adopt(token, user.visitor)
        except GlassboxError as error:
            log.warning("what a visitor owned could not be given to the user (%s)", error.code)
            return False
        return True

    def _account(self, user: User | None) -> Elements:
        if not self.signed_in.is_offered:
            return []
        return [account.signed_in(user.name) if user else account.sign_in()]

    async def open(self, event: gr.EventData, tab: Tab, visitor: str, model: str) -> PageUpdate:
        """Show one of the listed conversations."""
        return await self._show(tab, visitor, browser_values.name(event, "conversation"), model)

    async def new(self, tab: Tab, visitor: str, model: str) -> PageUpdate:
        """Show an empty page."""
        return await self._show(tab, visitor, None, model)

    async def show_version(self, event: gr.EventData, tab: Tab, visitor: str, model: str) -> PageUpdate:
        """Show another version of a turn, with what came after it; it stays the one that is shown."""
        if tab.is_read_only:
            return PageUpdate(notice=_refusal(READ_ONLY))
        if self._pipeline.running(tab.conversation_id or ""):
            tab.was_busy = True
            return PageUpdate(notice=[*_refusal(STILL_RUNNING), *_pending(tab)])
        turn = await self._turn(tab, visitor, browser_values.name(event, "version"))
        try:
            if turn is None:
                raise NotFound
            await self._conversations.activate(turn.id, visitor)
        except GlassboxError as error:
            return PageUpdate(notice=[*_refusal(error_text(error)), *_pending(tab)])
        edited = tab.replaces
        update = await self._show(tab, visitor, tab.conversation_id, model)
        if edited is None:
            return update
        if edited not in tab.path:  # sent now, the text would follow the other version
            return replace(update, question="")
        tab.replaces = edited
        return replace(update, notice=[*(update.notice or []), *_pending(tab)])

    async def delete(self, event: gr.EventData, tab: Tab, visitor: str, model: str) -> PageUpdate:
        """Remove a conversation; when it is the one shown, an empty page follows."""
        conversation_id = browser_values.name(event, "conversation")
        try:
            if await self._is_nobodys(conversation_id, visitor):
                return PageUpdate(notice=_refusal(READ_ONLY))
            await self._conversations.delete(conversation_id, visitor)
        except GlassboxError as error:
            return PageUpdate(notice=_refusal(error_text(error)), conversations=await self._listing(tab, visitor))
        if conversation_id == tab.conversation_id:
            return await self._show(tab, visitor, None, model)
        return PageUpdate(conversations=await self._listing(tab, visitor))

    async def rate(self, event: gr.EventData, visitor: str) -> PageUpdate:
        """Store a like or a dislike, with what is said beside it."""
        rating: Rating = {"like": 1, "dislike": -1}.get(browser_values.name(event, "rating"), 0)  # type: ignore[assignment]
        try:
            turn = await self._conversations.turn(browser_values.name(event, "turn"), visitor)
            if await self._is_nobodys(turn.conversation_id, visitor):
                return PageUpdate(notice=_refusal(READ_ONLY))
            said = (browser_values.value(event, name) for name in ("comment", "corrected"))
            comment, corrected = (each if isinstance(each, str) else None for each in said)
            await self._conversations.rate(turn.id, visitor, rating, comment=comment, corrected=corrected)
            rated = await self._conversations.turn(turn.id, visitor)
        except NotFound:
            return PageUpdate(notice=_refusal(error_text(NotFound())))
        except GlassboxError as error:
            return PageUpdate(notice=_refusal(error_text(error)))
        place = browser_values.whole(browser_values.value(event, "place")) or 1
        return PageUpdate(feedback=[browser_values.name(event, "number"), turn.id, remark(rated.feedback, place)])

    async def show_earlier(self, event: gr.EventData, tab: Tab, visitor: str) -> PageUpdate:
        """Show an earlier turn in the panes beside the chat."""
        turn_id = browser_values.name(event, "turn")
        turns = await self._turns(tab, visitor)
        place, turn = next(((at, each) for at, each in enumerate(turns, 1) if each.id == turn_id), (0, None))
        if turn is None:
            return PageUpdate()
        view, cache = self._turn_views.stored(turn, place), RenderCache()
        rendered = ((pane, pane.render(view, cache)) for pane in self._beside)
        return PageUpdate(
            earlier={pane.NAME: [turn.id, head, _back(pane.TITLE), *body] for pane, (head, *body) in rendered}
        )

    async def view_of_turn(self, turn_id: str, tab: Tab, visitor: str) -> View:
        """Return the view of a turn that the page shows, running or ended. Raises NotFound, and StoreFault."""
        turn = await self._pipeline.turn(turn_id, visitor)
        place = tab.path.index(turn_id) + 1 if turn_id in tab.path else tab.place
        return self._turn_views.stored(turn, place)

    # Models

    def choose(self, label: str, tab: Tab, visitor: str) -> PageUpdate:
        """Choose a model."""
        return replace(self.remember(label, visitor), bar=self._bar(tab, self.choices.usable_model(label)))

    async def recall(self, label: str, visitor: str) -> PageUpdate:
        """Look for models that are new here, then choose the one that this browser chose earlier."""
        await self._models.find()
        await self._pipeline.refresh_budget(visitor)
        return self.remember(label, visitor)

    async def open_models(self, label: str, visitor: str) -> PageUpdate:
        """Look for models that are new here; draw the picker where something about any has changed."""
        before = self.choices.models
        await self._models.find()
        if self.choices.models == before:
            return PageUpdate()
        return PageUpdate(picker=self.choices.model_picker(self.choices.usable_model(label), visitor))

    def remember(self, label: str, visitor: str) -> PageUpdate:
        """Choose the model that this browser chose earlier; `load` draws the bar."""
        label = self.choices.usable_model(label)
        choice = self.choices.model(label)
        is_language_model = bool(choice and choice.is_language_model)
        return PageUpdate(
            model=label,
            picker=self.choices.model_picker(label, visitor),
            hint=sidebar.hint(is_language_model=is_language_model),
            is_language_model=is_language_model,
        )

    def add_model(self, name: str, tab: Tab, visitor: str) -> PageUpdate:
        """Add the model whose name was typed, and choose it."""
        try:
            if not browser_values.is_local():
                raise Refused("not_here")
            label = self._models.add(browser_values.text(name))
        except GlassboxError as error:
            return PageUpdate(notice=[*_refusal(error_text(error)), *_pending(tab)])
        return replace(self.choose(label, tab, visitor), typed_model="", notice=_pending(tab))

    async def test_model(self, label: str, own_key: str, visitor: str) -> PageUpdate:
        """Test a model, by the visitor's own key where it has one, and show the result below the models."""
        chosen = self.choices.usable_model(label)
        try:
            request = TurnRequest(
                "",
                visitor=visitor_or_none(visitor),
                address=browser_values.address(),
                is_local=browser_values.is_local(),
                model=chosen,
                model_key=self.choices.own_key(Asking(chosen, Preferences(), own_key=own_key)),
            )
            test = await self._pipeline.test_model(request)
        except GlassboxError as error:
            test = ModelTest(error)
        return PageUpdate(picker=self.choices.model_picker(chosen, visitor, test))

    async def restore(self, stored: object, visitor: str = "") -> PageUpdate:
        """Set the controls of the sidebar to what this browser has stored, and to its profile in all else."""
        preferences = preferences_of(stored)
        profile, options = self.choices.profile(preferences.options.profile), self.choices.completed(preferences)
        offer = await self.choices.offer_with_documents(visitor, preferences.options.profile)
        shown = {
            each.name: offer.shown(each, usable(each, getattr(options, each.name)))
            for each in options_of(type(options))
            if each.control
        }
        needs_document = shown["program"] in self.choices.programs_with_document
        documents = {**self.choices.dropdown_choices("documents", offer), "visible": needs_document}
        programs = self.choices.dropdown_choices("program", offer)
        return PageUpdate(
            preferences={**shown, "streams": preferences.streams},
            offered={"documents": documents, "program": programs},
            profiles=self.choices.profile_picker(profile.name if profile else None),
        )

    # Profiles

    async def choose_profile(self, tab: Tab, visitor: str, model: str, stored: object) -> PageUpdate:
        """Choose a profile: the controls and the model show what it sets, the empty page its questions."""
        preferences = preferences_of(stored)
        tab.profile = preferences.options.profile
        profile = self.choices.profile(tab.profile)
        label = self.choices.usable_model((profile.model if profile else None) or model)
        own = await self._own(visitor, tab.profile)
        is_empty = not (tab.conversation_id or tab.is_asking)
        thread, panes = self._empty(label, own, profile) if is_empty else (None, {})
        chosen, restored = self.choose(label, tab, visitor), await self.restore(stored, visitor)
        return replace(
            chosen,
            preferences=restored.preferences,
            offered=restored.offered,
            profiles=restored.profiles,
            stored=browser_values.kept(stored, (*restored.preferences, PROFILE)),
            thread=thread,
            panes=panes,
        )

    # Shared by the handlers

    @property
    def _beside(self) -> Sequence[Pane]:
        return [pane for pane in self._panes if pane.NAME != chat.NAME]

    async def _ask_again(
        self, turn_id: str, tab: Tab, visitor: str, asking: Asking, *, continues: bool = False
    ) -> PageUpdate:
        if tab.is_read_only:
            return PageUpdate(notice=_refusal(READ_ONLY))
        if _has_news(await self._turns(tab, visitor), tab):
            return await self._show_current(WENT_ON, tab, visitor, asking.model)
        turn = await self._turn(tab, visitor, turn_id)
        if turn is None:
            return PageUpdate(notice=[*_refusal(error_text(NotFound())), *_pending(tab)])
        return await self._start(turn.question, turn.id, tab, visitor, asking, continues=continues)

    async def _start(
        self,
        question: str,
        replaces: str | None,
        tab: Tab,
        visitor: str,
        asking: Asking,
        *,
        continues: bool = False,
    ) -> PageUpdate:
        is_own = tab.conversation_id and not tab.is_read_only
        running_id = self._pipeline.running(tab.conversation_id or "") if is_own else None
        if tab.is_asking or (running_id and question == tab.last_question):
            return PageUpdate()  # Enter was pressed twice
        tab.was_busy = bool(running_id and running_id != replaces)
        if tab.was_busy:
            if running_id != tab.turn_id:  # another tab asked: then this one shows and follows it, too
                return await self._show_current(STILL_RUNNING, tab, visitor, asking.model)
            return PageUpdate(notice=[*_refusal(STILL_RUNNING), *_pending(tab)])
        tab.is_asking, tab.last_question = True, question
        try:
            stored = await self._turns(tab, visitor)
            if replaces and _has_news(stored, tab):
                return await self._show_current(WENT_ON, tab, visitor, asking.model)
            if is_own and stored and _path(stored)[: len(tab.path)] != tab.path:
                await self._conversations.activate(tab.path[-1], visitor)  # another page has chosen another version
            request = await self._request(question, replaces, tab, visitor, asking)
            request = replace(request, continues=continues)
            self.choices.check_key(request)
            running = await self._pipeline.start(request)
        except GlassboxError as error:
            return PageUpdate(notice=[*_refusal(error_text(error)), *_pending(tab)])
        finally:
            tab.is_asking = False
        tab.conversation_id, tab.turn_id = running.conversation_id, running.id
        tab.is_read_only = running.owner is None
        leaves_turns, tab.replaces = replaces not in (None, *tab.path[-1:]), None
        turns = await self._turns(tab, visitor)  # none where the store fails: the answer is written all the same
        _remember(tab, _path(turns) or (*tab.path, running.id))
        tab.title = shown_name(turns[0].question if turns else question)
        before = [turn for turn in turns if turn.id != running.id]
        tab.place = len(before) + 1
        model = self.choices.usable_model(asking.model)
        known = running.id, running.conversation_id, question.strip(), model
        view = View(*known, model_asked=model, programs=self._pipeline.programs, place=tab.place)
        view = self._turn_views.in_profile(view, self._pipeline.options_of(running.id))
        return PageUpdate(
            bar=self._bar(tab, asking.model),
            notice=_BEGAN if leaves_turns else [],
            conversations=await self._listing(tab, visitor),
            thread=self._thread(before, await self._versions(tab, visitor), tab),
            panes={} if asking.number else self._rendered(view, RenderCache()),
        )

    async def request_for(self, question: str, tab: Tab, visitor: str, model: str, stored: object) -> TurnRequest:
        """The request that asking this question now would make. Raises Refused."""
        return await self._request(question, tab.replaces, tab, visitor, asking_of(model, stored))

    async def _request(
        self, question: str, replaces: str | None, tab: Tab, visitor: str, asking: Asking
    ) -> TurnRequest:
        options = await self.choices.usable_options(asking.preferences, visitor)
        return TurnRequest(
            question=question,
            options=await scoped(options, question, tab, visitor, self.choices),
            given=asking.preferences.given,
            visitor=visitor_or_none(visitor),
            address=browser_values.address(),
            is_local=browser_values.is_local(),
            waits=True,
            conversation_id=None if tab.is_read_only else tab.conversation_id,
            model=self.choices.usable_model(asking.model),
            replaces=replaces,
            model_key=self.choices.own_key(asking),
        )

    async def _show_current(self, why: str, tab: Tab, visitor: str, model: str) -> PageUpdate:
        """Show the conversation as it is now, and why; an edit goes on when its turn is still there."""
        edited = tab.replaces
        update = await self._show(tab, visitor, tab.conversation_id, model)
        tab.replaces = edited if edited in tab.seen else None
        return replace(update, notice=[*_refusal(why), *_pending(tab)])

    async def _show(self, tab: Tab, visitor: str, conversation_id: str | None, model: str) -> PageUpdate:
        """Show a whole conversation, or the empty page: also when the conversation is not this visitor's."""
        turns: Sequence[Turn] = ()
        notice: Elements = []
        is_nobodys = False
        try:
            turns = await self._conversations.turns(conversation_id, visitor) if conversation_id else ()
            is_nobodys = bool(turns) and await self._is_nobodys(conversation_id or "", visitor)
        except GlassboxError as error:
            notice = _refusal(error_text(error))
        turn_id = self._pipeline.running(conversation_id) if turns and conversation_id else None
        if turn_id is None or turn_id != tab.turn_id:  # else its follower goes on
            tab.followed += 1
        if conversation_id != tab.conversation_id:
            tab.seen = frozenset()
        tab.conversation_id, tab.is_read_only = conversation_id if turns else None, is_nobodys
        tab.title = shown_name(turns[0].question) if turns else NEW_CHAT
        tab.cost = await self._cost(tab.conversation_id, visitor)
        _remember(tab, _path(turns))
        tab.replaces, tab.turn_id, tab.place = None, turn_id, len(turns)
        tab.shows += 1
        if turns:
            ended = [turn for turn in turns if turn.id != turn_id]
            thread = self._thread(ended, await self._versions(tab, visitor), tab)
            panes = self._last(tab, turns)
        else:
            thread, panes = self._empty(model, await self._own(visitor, tab.profile), self.choices.profile(tab.profile))
        conversations = await self._listing(tab, visitor)
        return PageUpdate(
            bar=self._bar(tab, model), notice=notice, conversations=conversations, thread=thread, panes=panes
        )

    async def documents_changed(self, tab: Tab, visitor: str, model: str) -> PageUpdate:
        """Draw the empty page anew after the visitor's documents have changed: it names them."""
        own = await self._own(visitor, tab.profile)
        offer = await self.choices.offer_with_documents(visitor, tab.profile)
        offered = {"documents": self.choices.dropdown_choices("documents", offer)}
        if tab.conversation_id or tab.is_asking:
            return PageUpdate(offered=offered)
        thread, panes = self._empty(model, own, self.choices.profile(tab.profile))
        return PageUpdate(thread=thread, panes=panes, offered=offered)

    async def _own(self, visitor: str, profile: str | None = None) -> Documents:
        try:
            return await self._library.own(visitor, profile)
        except GlassboxError:
            return ()

    def _bar(self, tab: Tab, model: str) -> Elements:
        return chat.bar(
            tab.title,
            tab.conversation_id or "",
            self.choices.usable_model(model),
            self._conversations.trouble,
            shows=tab.shows,
            cost=tab.cost,
        )

    async def _cost(self, conversation_id: str | None, visitor: str) -> Cost:
        """Return what a conversation cost so far; unknown where the store fails."""
        try:
            return await self._conversations.cost(conversation_id, visitor) if conversation_id else NO_COST
        except GlassboxError:
            return NO_COST

    def _rendered(self, view: View, cache: RenderCache) -> dict[str, Elements]:
        return {pane.NAME: pane.render(view, cache) for pane in self._panes}

    def _last(self, tab: Tab, turns: Sequence[Turn]) -> dict[str, Elements]:
        """Return the panes of the running turn, else of the last one; the chat's pane holds running turns only."""
        last = turns[-1]
        panes = self._rendered(self._turn_views.stored(last, len(turns)), RenderCache())
        return panes if tab.turn_id == last.id else {**panes, chat.NAME: []}

    def _empty(
        self, model: str, own: Documents, profile: Profile | None = None
    ) -> tuple[Elements, dict[str, Elements]]:
        """Return what the thread and the panes show before the first question; the chat's part stands in the thread."""
        shared = self._library.shared(profile.name if profile else None)
        page = EmptyPage(shared, own, self.choices.usable_model(model), profile)
        panes = {pane.NAME: pane.empty(page) for pane in self._panes}
        return panes[chat.NAME], {**panes, chat.NAME: []}

    def _thread(self, turns: Sequence[Turn], versions: Mapping[str, tuple[str, ...]], tab: Tab) -> Elements:
        articles = [self._article(turn, place, versions.get(turn.id, ())) for place, turn in enumerate(turns, 1)]
        return [chat.read_only(READ_ONLY), *articles] if tab.is_read_only else articles

    def _article(self, turn: Turn, place: int, versions: tuple[str, ...]) -> Markup:
        """Return the HTML of a turn that has ended, made once for what of it may still change."""
        is_saved = not turn.record or getattr(turn.record[-1], "saved", True)
        key = (turn.id, turn.state, is_saved, turn.rating, turn.feedback, versions)  # its place never changes
        if key not in self._articles:
            self._articles[key] = chat.article(
                self._turn_views.stored(turn, place), turn.rating, versions, turn.feedback
            )
            if len(self._articles) > CACHED_ARTICLES:
                self._articles.popitem(last=False)
        return self._articles[key]

    async def _is_nobodys(self, conversation_id: str, visitor: str) -> bool:
        """Whether everybody who knows its id may read it, and nobody may change it here. Raises GlassboxError."""
        return (await self._conversations.find(conversation_id, visitor)).owner is None

    async def _listing(self, tab: Tab, visitor: str) -> Elements | None:
        try:
            conversations = await self._conversations.list(visitor)
        except GlassboxError:
            return None
        return sidebar.listing(conversations, tab.conversation_id, tab.minutes_west)

    async def _turns(self, tab: Tab, visitor: str) -> Sequence[Turn]:
        """Return the stored turns of the page's conversation, none where the store fails."""
        try:
            return await self._conversations.turns(tab.conversation_id, visitor) if tab.conversation_id else ()
        except GlassboxError:
            return ()

    async def _turn(self, tab: Tab, visitor: str, turn_id: str) -> Turn | None:
        """Return a stored turn of the page's conversation, also one of another version than is shown."""
        try:
            turn = await self._conversations.turn(turn_id, visitor)
        except GlassboxError:
            return None
        return turn if turn.conversation_id == tab.conversation_id else None

    async def _versions(self, tab: Tab, visitor: str) -> Mapping[str, tuple[str, ...]]:
        """Map the shown turns to the ids of all their versions; nothing where the store fails."""
        try:
            return await self._conversations.versions(tab.conversation_id, visitor) if tab.conversation_id else {}
        except GlassboxError:
            return {}


def _back(pane: str) -> Markup:
    return Markup('<button type="button" class="back" data-act="present">{} <u>{}</u></button>').format(
        text("page.of_earlier_question", pane=pane), text("page.back_to_latest")
    )


def _same(before: Mapping[str, Elements], panes: dict[str, Elements]) -> dict[str, Elements]:
    """Return the panes, unchanged ones as the same objects as before: Gradio sees at once that they need no sending."""
    return {name: before[name] if before.get(name) == pane else pane for name, pane in panes.items()}


def _path(turns: Sequence[Turn]) -> tuple[str, ...]:
    return tuple(turn.id for turn in turns)


def _remember(tab: Tab, path: tuple[str, ...]) -> None:
    """Keep which turns the page shows now, and that it has shown them."""
    tab.path = path
    tab.seen |= set(path)


def _has_news(turns: Sequence[Turn], tab: Tab) -> bool:
    """Whether the store holds a turn that the page never showed: nobody replaces what they have not seen."""
    return not tab.seen.issuperset(_path(turns))


def _pending(tab: Tab) -> Elements:
    """Return the notice that the next question is a new version of the turn that is edited."""
    if not tab.replaces:
        return []
    return [notice("calm", "", text("version.editing"), [button("cancel", text("page.cancel"))], "edit")]


def _refusal(why: str) -> Elements:
    return [notice("bad", "", why, [button("close", text("page.close"))])]


_BEGAN: Elements = [notice("calm", "", text("version.began"), [button("close", text("page.close"))], "retry")]
