"""Requests, options, turns and conversations, as frozen values: equal content means equal objects.

The module knows no storage and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, SecretStr

from pipeline.feedback import NO_FEEDBACK, Feedback
from pipeline.options import Checkbox, Choice, Dropdown, ForLanguageModels, Slider, TextBox
from pipeline.passages import SearchMode

if TYPE_CHECKING:
    from pipeline.events import Event, Finish, Rung
    from pipeline.recording import Timings

TurnState = Literal["running", "finished", "failed", "stopped"]
Rating = Literal[-1, 0, 1]
Trouble = Literal["not_saved", "moved_aside"]  # of the stored conversations

INSTRUCTIONS_CHARS = 8_000
MOST_DOCUMENTS = 200  # that a turn may name
MOST_PASSAGES = 20  # that a turn may answer from
MOST_TOKENS = 200_000  # of a reply, as a request may ask for

# An id or a name as it may come in a request: short, and without control characters.
Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_NAMED = re.compile(r"(?:user|bearer):[0-9a-f]{64}")  # no client may send it: a token has no colon


def is_visitor_token(token: object) -> bool:
    """Return whether a client may name a visitor by this token, which is a secret of the browser or program."""
    return isinstance(token, str) and bool(_TOKEN.fullmatch(token))


def user_visitor(secret_id: str) -> str:
    """Return the visitor of a person who is signed in; `secret_id` are 64 hexadecimal digits."""
    return f"user:{secret_id}"


def bearer_visitor(secret_id: str) -> str:
    """Return the visitor of a program that sends a bearer token; `secret_id` are 64 hexadecimal digits."""
    return f"bearer:{secret_id}"


def is_visitor(name: object) -> bool:
    """Return whether a name is that of a visitor, anonymous or signed in; only a visitor can own anything."""
    return is_visitor_token(name) or (isinstance(name, str) and bool(_NAMED.fullmatch(name)))


def visitor_or_none(name: str | None) -> str | None:
    """Return the visitor of that name, None where it is none."""
    return name if is_visitor(name) else None


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How a question is answered; stored with its turn. Each option is declared here and nowhere else.

    None means the default of the settings or of the model, and an empty sequence does not narrow the search.
    """

    passages_wanted: Annotated[
        int,
        Field(ge=1, le=MOST_PASSAGES, description="how many passages to answer from"),
        Slider("passages", "main"),
    ] = 4
    history_turns: Annotated[
        int,
        Field(ge=0, le=50, description="how many earlier turns the model is sent"),
        Slider("history-turns", "main", most=10),
    ] = 4
    temperature: Annotated[
        float | None,
        Field(ge=0, le=2, description="how freely the model writes; default: the model's own"),
        Slider("temperature", "advanced", step=0.1, rests_at=0.7),
        ForLanguageModels(is_parameter=True),
    ] = None
    max_tokens: Annotated[
        int | None,
        Field(ge=1, le=MOST_TOKENS, description="most tokens of the reply; default: the model's own"),
        Slider("max-tokens", "advanced", least=64, most=8192, step=64, rests_at=1024),
        ForLanguageModels(is_parameter=True),
    ] = None
    instructions: Annotated[
        str | None,
        Field(
            max_length=INSTRUCTIONS_CHARS,
            description="what the model is told to do, in place of the default instructions",
        ),
        TextBox("instructions", "instructions"),
        ForLanguageModels(),
    ] = None
    mode: Annotated[
        SearchMode | None,
        Field(description="how the documents are searched; default: the best way there is"),
        Choice("search-mode", "search"),
    ] = None
    candidates: Annotated[
        int,
        Field(ge=1, le=500, description="how many passages each ranking looks at"),
        Slider("candidates", "search", least=10, most=200, step=10),
    ] = 50
    reranks: Annotated[
        bool, Field(description="whether a reranker orders the passages"), Checkbox("rerank", "search")
    ] = False
    rewrites: Annotated[
        bool,
        Field(description="whether the model first writes one to three queries that stand on their own"),
        Checkbox("rewrite", "search"),
        ForLanguageModels(),
    ] = False
    documents: Annotated[
        tuple[Name, ...],
        Field(max_length=MOST_DOCUMENTS, description="ids of the only documents that are searched"),
        Dropdown("document", "document"),
    ] = ()
    collections: Annotated[
        tuple[Name, ...], Field(max_length=200, description="names of the only collections that are searched")
    ] = ()
    language: Annotated[
        str,
        Field(
            pattern=r"^(auto|[a-z]{2,3})$",
            description="the language of the answer and of all notices, as a code like `de`; `auto`: the question's",
        ),
    ] = "auto"
    program: Annotated[
        Name | None,
        Field(description="the DSPy program that answers; default: the first one"),
        Dropdown("program", "program"),
    ] = None
    uses_cache: Annotated[
        bool,
        Field(description="whether a stored answer to the same question, asked in the same way, may be replayed"),
        Checkbox("uses-cache", "advanced"),
        ForLanguageModels(),
    ] = True
    profile: Annotated[
        Name | None,
        Field(description="the profile that answers: it sets what the request leaves out, and limits the collections"),
    ] = None


DEFAULTS = AskOptions()


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier question and its answer, as a client sends them. Either may be empty."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One question, who asks it and where it belongs.

    `model` None is the default model. `replaces` is the id of a stored turn of the same conversation that this one
    is a version of (retry, edit); with `continues` its partial answer is kept, and the model writes the rest.
    `given` names the options that were chosen, also where their value is the default: a profile sets only the others.
    `address` is the client's, `is_local` whether it is this machine. A visitor who `waits` gets a place in the line
    when all places are taken. `model_key` is the visitor's own key for the model asked, who then pays for it.
    `history` are earlier turns that the client sends itself, oldest first; None: those of the conversation. A
    conversation of an id that there is none of is begun where the request `begins` it. `follows` is the id of the turn
    that this one comes after, None: the last one. A conversation that is begun without an id of the request's gets
    `new_conversation_id`. `turn_id` is the id that the turn gets; where that turn runs already, it is the one that is
    meant, and `request_hash` tells whether it was asked by the same request. `variant` is that of the host's
    experiment which completed the request. `beside` is the id of a turn of the same
    conversation, running or ended, that this one is another version of: both count as one of the visitor's turns.
    """

    question: str
    options: AskOptions = DEFAULTS
    visitor: str | None = None
    conversation_id: str | None = None
    model: str | None = None
    replaces: str | None = None
    continues: bool = False
    address: str | None = None
    is_local: bool = False
    waits: bool = False
    model_key: SecretStr | None = None
    given: frozenset[str] = frozenset()
    history: tuple[Said, ...] | None = None
    begins: bool = False
    follows: str | None = None
    new_conversation_id: str | None = None
    turn_id: str | None = None
    request_hash: str | None = None
    variant: str | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnMetrics:
    """The measurements of a turn (`metrics.measure`), without any of its text; None for what did not happen.

    Times are seconds since the turn's start, `tokens` those of the reply. `exact` is true where tokens were counted,
    false where they, and the cost, were estimated. `chunks` counts the deltas, `updates` the views that pages were
    sent. `rungs` are the recoveries in their order. A `cached` answer has neither tokens nor speed.
    """

    model_asked: str = ""
    model_used: str = ""
    rungs: tuple[Rung, ...] = ()
    ending: Literal["finished", "failed", "stopped"] | None = None
    code: str | None = None
    finish: Finish | None = None
    retrieval_s: float | None = None
    first_token_s: float | None = None
    first_answer_s: float | None = None
    total_s: float | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None
    tokens_per_s: float | None = None
    exact: bool = False
    cost: float | None = None
    cached: bool = False
    chars: int = 0
    chunks: int = 0
    updates: int = 0

    @property
    def rung(self) -> Rung | None:
        """The last recovery, None where the first attempt was enough."""
        return self.rungs[-1] if self.rungs else None


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored turn. `record` holds its events in compact form (`Recording`); folding it gives what was shown.

    `timings` say when each piece of the record was said; None for a turn that was stored before there were any.
    `program` is the one that was asked for, also where the built-in model answered by the default one.
    `instructions` are those of the question, else the program's own; the exchanges hold what each attempt sent.
    `prompt_chars` is the length of the last prompt that was sent. `cache_key` is there where the turn may be replayed
    for the same question (`pipeline.turns.cached_answers`). `request_hash` is a keyed hash of the request, of a
    turn that the same request may name again (`api.asking`). `variant` is that of the host's experiment.
    `metrics` are there once it has ended; `asked` is None for a turn that was stored before options were. `parent_id`
    is the turn that it follows, None for a first one; turns with the same parent are versions (retry, edit).
    """

    id: str
    conversation_id: str
    question: str
    model: str
    state: TurnState = "running"
    record: tuple[Event, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    rating: Rating = 0
    feedback: Feedback = NO_FEEDBACK
    asked_at: float = 0.0  # seconds since the epoch
    metrics: TurnMetrics | None = None
    asked: AskOptions | None = None
    parent_id: str | None = None
    program: str | None = None
    program_version: int | None = None
    instructions: str | None = None
    prompt_chars: int | None = None
    timings: Timings | None = None
    cache_key: str | None = None
    request_hash: str | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A tree of turns, under the title of the first question. `owner` None: whoever knows the id continues it.

    `active_leaf` is the id of the last turn on the path that is shown; None for a conversation without turns. `kind` is
    None for a chat, else what asked its questions: `comparison` or `evaluation`.
    """

    id: str
    owner: str | None
    title: str
    changed_at: float = 0.0  # seconds since the epoch
    active_leaf: str | None = None
    kind: str | None = None
