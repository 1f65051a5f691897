"""What the server and the process of an optimiser say to each other: one JSON object a line.

The first line to the process is its job. Each further one answers a request of the process, by its `id`. The process
gets no key and no address: what it asks a model, or the documents, the server asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter

from pipeline.optimisation.examples import Example
from pipeline.passages import Query
from pipeline.retrieval import SearchResult

LINE_BYTES = 32_000_000  # the longest line of either side

Optimizer = Literal["labelled", "bootstrap", "mipro", "gepa"]
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The work of a process: it optimises by an `optimizer`, or answers the examples of `validation` where it is None.

    `state` is the program to begin with, as `saved_programs` reads it; "" for `program` as it is. `is_local`: the model
    gets the short form of the prompt. `calls` is how many calls of the model are left to plan with, `threads` how many
    questions are asked at once.
    """

    program: str
    state: str = ""
    is_local: bool = False
    optimizer: Optimizer | None = None
    seed: int = 0
    calls: int = 0
    threads: int = 1
    training: tuple[Example, ...] = ()
    validation: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskModel:
    """A request to the model: (role, text) of each message, and parameters beside the host's own."""

    kind: Literal["ask_model"] = "ask_model"
    id: int
    messages: tuple[tuple[str, str], ...]
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDocuments:
    """A search in the documents that the visitor's questions may see."""

    kind: Literal["ask_documents"] = "ask_documents"
    id: int
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A candidate program was measured: its mean score, its state and what is new in it."""

    kind: Literal["tried"] = "tried"
    score: float
    state: str
    instructions: str
    demos: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An example was answered; `answer` is "" where the program gave none."""

    kind: Literal["answered"] = "answered"
    number: int
    answer: str
    score: float
    abstained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The job is done."""

    kind: Literal["ended"] = "ended"


Said = AskModel | AskDocuments | Tried | Answered | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the process asked for: a text or a search result; `fault` is the code of why there is neither."""

    id: int
    text: str = ""
    result: SearchResult | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_cut: bool = False
    fault: str = ""


JOB: TypeAdapter[Job] = TypeAdapter(Job)
SAID: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="kind")])
REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)


def line(kind: TypeAdapter[Any], value: Any) -> bytes:
    """Return a value as one line."""
    return kind.dump_json(value) + b"\n"
