"""Cached answers: which stored turn answers a question again without a model, and how it is replayed.

The key of a turn is a hash of everything that its answer depends on. The passages are in it by the documents that the
turn may see: searching again to compare passages could ask a hosted embedding model, and the searches of some programs
are written by the model. So a document that is added, changed or deleted within the scope ends the use of earlier
answers.

A key is stored only with a turn that ended well, so that whatever is found by it may be replayed. Answers of the
built-in model have none, since they are free and made anew in milliseconds; nor do those that a visitor's own key paid
for, nor turns without an owner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict

from pipeline import VERSION
from pipeline.errors import SearchFault, StoreFault
from pipeline.events import (
    Event,
    FieldDelta,
    PassagesFound,
    Recovered,
    StepChanged,
    ToolCalled,
    ToolReturned,
    TurnFinished,
    Usage,
    Warned,
)
from pipeline.models.catalogue import Models
from pipeline.replies.dspy_stream import ReplyOutcome
from pipeline.retrieval import Index, Scope, documents_in
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turn import AskOptions, Turn
from pipeline.turns.abstention import UNSUPPORTED
from pipeline.turns.attempts import TurnContext

# Warnings that the same question would get again: about documents, room, and what the verdicts say of the answer. With
# any other one an answer is poor.
HARMLESS = frozenset(
    ("weak_context", "no_context", "prompt_limit", "document_found", "document_of_several", "no_document", UNSUPPORTED)
)
# Options that do not change the answer, or are in the key by what they mean: the program's name, the history sent.
NOT_OF_THE_ANSWER = ("uses_cache", "history_turns", "program")
OUTCOME = ReplyOutcome("stop", Usage(0, 0, exact=True), cached=True)


FindTurn = Callable[[str, str], Awaitable[Turn | None]]  # of a key and an owner; raises StoreFault


class CachedAnswers:
    """Finds the stored turn that answers a question, for one process."""

    def __init__(self, settings: Settings, models: Models, index: Index, find_turn: FindTurn) -> None:
        self._settings, self._models, self._index, self._find_turn = settings, models, index, find_turn

    async def key(self, turn: Turn, context: TurnContext) -> str | None:
        """Return the key of a turn that is being asked; None where its answer must not be stored for others."""
        is_builtin = turn.model == BUILTIN_MODEL
        has_own_key = context.request.model_key is not None
        if (
            not self._settings.cache_answers
            or context.scope.visitor is None
            or is_builtin
            or has_own_key
            or context.continued
        ):
            return None
        try:
            documents = await self._documents(context.scope)
        except SearchFault:
            return None
        return _hash(
            VERSION,
            context.scope,
            turn.question,
            self._model(turn.model),
            (turn.program, turn.program_version, turn.instructions),
            _options(context.request.options),
            [(each.question, dict(each.fields)) for each in context.history],
            (self._index.modes, self._settings.embedding_model, self._settings.rerank_model, documents),
        )

    async def find(self, key: str | None, context: TurnContext) -> Turn | None:
        """Return the stored turn to replay; None where there is none, or where the request wants a new answer."""
        request, owner = context.request, context.scope.visitor
        if key is None or owner is None or not request.options.uses_cache or request.replaces:
            return None
        try:
            return await self._find_turn(key, owner)
        except StoreFault:
            return None

    def _model(self, label: str) -> object:
        """Return what a label stands for: the configuration may give it another model tomorrow."""
        entry = self._models.entry(label)
        configured = entry.model_dump(mode="json", exclude={"api_key_env"}) if entry else None
        window = self._models.context_tokens(label), self._settings.prompt_limit_chars
        return label, configured, self._models.address(label), window

    async def _documents(self, scope: Scope) -> Sequence[object]:
        """Return what the index holds within a scope; it changes with every document that changes."""
        inside = await documents_in(scope, self._index)
        return sorted((each.id, each.hash, each.recipe, each.passages) for each in inside)


def ended_well(events: Sequence[Event]) -> bool:
    """Whether an answer may be replayed: whole, by the model asked at the first attempt, and not warned of."""
    ending = events[-1]
    if not isinstance(ending, TurnFinished) or ending.finish != "stop" or ending.cached:
        return False
    is_recovered = any(isinstance(event, Recovered) for event in events)
    return not is_recovered and all(event.code in HARMLESS for event in events if isinstance(event, Warned))


def replayed(turn: Turn, piece_chars: int) -> Iterator[Event]:
    """Iterate over the events of a stored turn as they are said again, with its deltas in pieces.

    Text that was taken back is not said again, steps take no time, and what is derived from events is derived anew.
    """
    last = {event.field: event for event in turn.record if isinstance(event, FieldDelta)}
    for event in turn.record:
        match event:
            case FieldDelta(field=name, text=text) if event is last[name]:
                for at in range(0, len(text), piece_chars):
                    yield FieldDelta(field=name, text=text[at : at + piece_chars])
            case StepChanged(step=step, state=state, text=text) if step != "wait":
                yield StepChanged(step=step, state=state, text=text)
            case Warned(code=code) if code == UNSUPPORTED:  # derived from the verdicts
                pass
            case PassagesFound() | ToolCalled() | ToolReturned() | Warned():
                yield event
            case _:
                pass


def _options(options: AskOptions) -> dict[str, object]:
    return {name: value for name, value in asdict(options).items() if name not in NOT_OF_THE_ANSWER}


def _hash(*parts: object) -> str:
    written = json.dumps(parts, ensure_ascii=True, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()
