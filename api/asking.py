"""Asks a question for a program: the request of a turn, the sessions that clients name, and requests sent twice.

A turn of the same `Idempotency-Key` is not asked again. No table is needed for that: the id of such a turn is a keyed
hash of the key and of whoever sent it, and so is the id of the conversation behind a session's name.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count

from fastapi import Request

from api.clients import address_of, is_local
from api.model_keys import model_key_of
from api.repeated_requests import request_key_of, sender
from api.visitors import bearer_visitor_of
from pipeline.errors import Gone, NotFound, Refused
from pipeline.events import Event
from pipeline.keyed_hashes import Secret
from pipeline.recording import timed
from pipeline.request_result import DAY_S
from pipeline.turn import DEFAULTS, AskOptions, Said, Turn, TurnRequest
from pipeline.turns.engine import Pipeline

HEARTBEAT_S = 10.0
MOST_HISTORY = 50  # turns; the most that `history_turns` may be
SESSION_CHARS = 200
GUESSABLE_CHARS = 16  # a shorter name is bound to the client's address on a Space
SHARED_NAMES = ("", "anonymous")  # what clients call a session that has no name
NONCE_CHARS = 16  # of 12 random bytes
# What makes two requests the same, besides the options that are given.
COMPARED = ("question", "options", "model", "history", "conversation_id", "follows", "replaces")

_NAME = re.compile(rf"[^\x00-\x1f\x7f]{{1,{SESSION_CHARS}}}")

Batches = AsyncGenerator[tuple[Event, ...], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn as it is when a client begins to read, and its events; () after each silence."""

    turn: Turn
    batches: Batches


class Asking:
    """Starts and finds the turns of programs."""

    def __init__(self, pipeline: Pipeline, secret: Secret, *, on_space: bool = False) -> None:
        self.pipeline, self._secret, self._on_space = pipeline, secret, on_space

    def turn_request(
        self,
        request: Request,
        question: str,
        *,
        visitor: str | None = None,
        model: str | None = None,
        options: AskOptions = DEFAULTS,
        given: Collection[str] = (),
        history: Sequence[Said] | None = None,
        conversation_id: str | None = None,
        begins: bool = False,
        new_conversation_id: str | None = None,
        follows: str | None = None,
    ) -> TurnRequest:
        """Return the request of a turn, with the key of a model that it may bring. Raises Refused.

        A client's history is used as a whole, unless `given` says less.
        """
        if history is not None and "history_turns" not in given:
            options = replace(options, history_turns=min(len(history), MOST_HISTORY))
            given = {*given, "history_turns"}
        return TurnRequest(
            question=question,
            options=options,
            given=frozenset(given),
            visitor=visitor,
            conversation_id=conversation_id,
            begins=begins,
            new_conversation_id=new_conversation_id,
            follows=follows,
            model=model,
            history=None if history is None else tuple(history),
            address=address_of(request),
            is_local=is_local(request),
            model_key=model_key_of(request),
        )

    async def start(self, request: Request, asked: TurnRequest) -> Asked:
        """Start a turn, or find the one of the same Idempotency-Key. Raises Refused, NotFound and Busy."""
        key = request_key_of(request)
        if key is None:
            return await self._begun(asked)
        asked = replace(asked, request_hash=self._hash_of(asked))
        today = int(time.time() // DAY_S)
        yesterday, now = (self._turn_id(key, asked, day) for day in (today - 1, today))
        found = await self._found(yesterday, asked.visitor)
        if found is None or found.asked_at < time.time() - DAY_S:
            found = await self._found(now, asked.visitor)
        if found is None:
            found = (await self._begun(replace(asked, turn_id=now))).turn
        if found.request_hash != asked.request_hash:
            raise Refused("reused_request_key")
        return self._followed(found)

    async def resume(self, last_event_id: str, visitor: str | None) -> Asked | None:
        """Return the turn that an event's id names (`<turn>.<rest>`) with all its events, None where they are gone."""
        found = await self._found(last_event_id.partition(".")[0], visitor)
        if found is None:
            return None
        try:
            return Asked(found, self.pipeline.batches(found.id, beat_s=HEARTBEAT_S))
        except Gone:
            return None

    def session(self, dialect: str, name: str | None, visitor: str | None, request: Request) -> str | None:
        """Return the id of the conversation that a client calls by a name of its own; None for no name.

        The name is private to the dialect and to the visitor. Without a visitor whoever knows the name continues the
        conversation. Raises Refused.
        """
        if name is None or name in SHARED_NAMES:
            return None
        if not _NAME.fullmatch(name):
            raise Refused("invalid_session", SESSION_CHARS)
        if name == self._named_by_us(dialect, visitor, name[:NONCE_CHARS]):
            return name
        is_guessable = self._on_space and len(name) < GUESSABLE_CHARS
        return self._id("session", dialect, visitor or "", address_of(request) if is_guessable else "", name)

    def new_session(self, dialect: str, visitor: str | None) -> str:
        """Return a name for a new session, which is the id of its conversation too."""
        return self._named_by_us(dialect, visitor, secrets.token_urlsafe(12))

    def bearer_visitor(self, request: Request) -> str | None:
        """Return who asks, also by the bearer token alone. Raises Refused."""
        return bearer_visitor_of(request, self._secret)

    def _named_by_us(self, dialect: str, visitor: str | None, nonce: str) -> str:
        """Return the name that we give a session; who sends it back can have it from nobody else."""
        return nonce + self._id("new session", dialect, visitor or "", nonce)

    async def _begun(self, asked: TurnRequest) -> Asked:
        running = await self.pipeline.start(await self._continued(asked))
        return Asked(running.snapshot, self.pipeline.batches(running.id, beat_s=HEARTBEAT_S))

    async def _continued(self, asked: TurnRequest) -> TurnRequest:
        """Return the request in the visitor's conversation that ends with the history that a client sends, if any.

        Such a client knows no conversations. What the model is sent is still its history alone.
        """
        if not asked.history or not asked.visitor or asked.conversation_id is not None:
            return asked
        last = await self.pipeline.last_turn(asked.visitor, asked.history[-1])
        return replace(asked, conversation_id=last.conversation_id, follows=last.id) if last else asked

    def _followed(self, turn: Turn) -> Asked:
        try:
            return Asked(turn, self.pipeline.batches(turn.id, beat_s=HEARTBEAT_S))
        except Gone:
            return Asked(turn, replayed(turn))

    async def _found(self, turn_id: str, visitor: str | None) -> Turn | None:
        try:
            return await self.pipeline.turn(turn_id, visitor)
        except NotFound:
            return None

    def _hash_of(self, asked: TurnRequest) -> str:
        """Return a keyed hash of what a request asks for; who asks and how the answer is sent are no part of it."""
        told = asdict(replace(asked, model_key=None))
        given = sorted(asked.given & told["options"].keys())  # a client's keys may be more than options
        return self._secret.hash("request", json.dumps([*map(told.get, COMPARED), given])).hex()

    def _turn_id(self, key: str, asked: TurnRequest, day: int) -> str:
        """Return the id of the turn with this key."""
        return self._id("turn", *sender(asked.visitor, asked.address), key, str(day))

    def _id(self, purpose: str, *parts: str) -> str:
        return base64.urlsafe_b64encode(self._secret.hash(purpose, *parts)[:16]).decode().rstrip("=")


async def replayed(turn: Turn) -> Batches:
    """All events of a stored turn at once, as they were said, numbered without gaps."""
    yield tuple(replace(event, seq=seq) for seq, event in zip(count(), timed(turn.record, turn.timings), strict=False))
