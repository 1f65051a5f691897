"""What the two endpoints of Gradio do: `ask` answers a question, `search` finds passages.

They are functions of a request and of arguments by name, so that `components` alone knows Gradio. An answer is one
object that grows; a client gets it again whenever something was added.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json
from typing_extensions import TypedDict

from api.ask_options import options_in, with_options
from api.asking import Asking
from api.citation_links import Linker
from api.clients import address_of
from api.dialects.answers import Sentence, sentences_json
from api.dialects.cited import Link, cited_in
from api.json_bodies import STRICT
from api.paths import route_of
from api.visitors import visitor_of
from i18n.messages import ending_text, warning_text
from pipeline.documents.library import Library
from pipeline.errors import Refused
from pipeline.events import (
    Ending,
    Event,
    FieldReset,
    PassagesFound,
    SentenceChecked,
    TurnFailed,
    TurnFinished,
    TurnStopped,
    Warned,
)
from pipeline.passages import Passage
from pipeline.recording import Recording, answered_by, language_of_turn
from pipeline.retrieval import Quality
from pipeline.turn import AskOptions, Turn, TurnState
from pipeline.turns.running import STATES

GATHER_S = 0.1  # between two states of an answer, each of which holds the whole text
RUN = "/gradio_api/run/"  # the one call that gets a single answer

Kind = TypeVar("Kind", bound=BaseModel)


class Source(TypedDict):
    """A passage of a document."""

    number: Annotated[int, Field(description="what `[n]` in the answer cites")]
    title: str
    section: str
    document: Annotated[str, Field(description="the file's name")]
    document_id: str | None
    page: int | None
    text: str
    score: float
    cited: Annotated[bool, Field(description="whether the answer cites it")]
    url: Annotated[str, Field(description="opens this passage")]


class Answer(TypedDict):
    """An answer so far. The last one of a stream is the whole answer."""

    state: TurnState
    answer: Annotated[str, Field(description="Markdown; [n] cites the source with that number")]
    reasoning: str
    fields: Annotated[dict[str, str], Field(description="further fields of the program")]
    sources: list[Source]
    sentences: Annotated[list[Sentence], Field(description="the verdict on each sentence")]
    warnings: list[str]
    error: Annotated[str, Field(description="why a turn that failed or was stopped has no whole answer")]
    model: str
    turn_id: Annotated[str, Field(description="GET /api/turns/{turn_id} has everything about the turn")]
    conversation_id: Annotated[str, Field(description="send it with the next question to go on")]


class Found(TypedDict):
    """The passages for a query, best first."""

    query: str
    sources: list[Source]
    quality: Annotated[Quality, Field(description="whether they hold what the query asks for")]


class Ask(BaseModel):
    """The arguments of `ask` without the options of the turn."""

    model_config = STRICT

    question: str
    conversation_id: str | None = None
    model: str | None = None


class Query(BaseModel):
    """The arguments of `search`."""

    model_config = STRICT

    query: str
    documents: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    profile: str | None = None


AskWithOptions = with_options(Ask, AskOptions)


class Endpoints:
    """The two endpoints. A `linker` makes the links of sources for one request."""

    answer_schema = TypeAdapter(Answer).json_schema()
    found_schema = TypeAdapter(Found).json_schema()

    def __init__(self, asking: Asking, library: Library, linker: Linker) -> None:
        self._asking, self._library, self._linker = asking, library, linker

    async def ask(self, request: Request, **given: Any) -> AsyncGenerator[Answer, None]:
        """Answer a question, and yield the answer so far. Raises GlassboxError.

        A client that leaves is noticed at the next events, which a silent turn lets wait for ten seconds.
        """
        ask = _checked(AskWithOptions, given)
        asked = await self._asking.start(
            request,
            self._asking.turn_request(
                request,
                ask.question,
                visitor=visitor_of(request),
                model=ask.model,
                options=options_in(ask, AskOptions),
                given=ask.model_fields_set,
                conversation_id=ask.conversation_id,
            ),
        )
        growing, is_whole = GrowingAnswer(asked.turn, self._linker(request)), route_of(request.scope).startswith(RUN)
        async with aclosing(asked.batches) as batches:
            async for batch in batches:
                growing.add(batch)
                if not is_whole:
                    yield growing.answer()
                    await sleep(GATHER_S)
                elif await request.is_disconnected():
                    return
        if is_whole:  # its caller reads the first state alone
            yield growing.answer()

    async def search(self, request: Request, **given: Any) -> Found:
        """Find passages. Raises GlassboxError."""
        query = _checked(Query, given)
        options = AskOptions(documents=query.documents, collections=query.collections, profile=query.profile)
        found = await self._library.search(query.query, visitor_of(request), options, address_of(request))
        link = self._linker(request)
        return Found(
            query=found.query.text,
            sources=[source_of(each, link, is_cited=False) for each in found.passages],
            quality=found.quality,
        )


class GrowingAnswer:
    """An answer made of a turn's events as they come."""

    def __init__(self, turn: Turn, link: Link) -> None:
        """`turn` is as it was when its first event was read."""
        self._turn, self._link = turn, link
        self._said, self._passages = Recording(), dict[int, Passage]()
        self._warnings: list[Warned] = []
        self._checked: list[Event] = []  # the verdicts, and what withdraws them
        self._state: TurnState = "running"
        self._error = ""

    def add(self, events: Iterable[Event]) -> None:
        """Add events in their order."""
        for event in events:
            self._said.add(event)
            if isinstance(event, PassagesFound | TurnFinished):
                self._passages |= {each.number: each for each in event.passages}
            if isinstance(event, SentenceChecked | FieldReset):
                self._checked.append(event)
            if isinstance(event, Warned):
                self._warnings.append(event)
            if isinstance(event, TurnFailed | TurnStopped):
                self._error = ending_text(event, self._language)
            if isinstance(event, Ending):
                self._state = STATES[type(event)]

    def answer(self) -> Answer:
        """Return the answer so far."""
        fields = self._said.fields()
        text, reasoning = fields.pop("answer", ""), fields.pop("reasoning", "")
        cited = {each.passage.number for each in cited_in(text, self._passages.values())}
        return Answer(
            state=self._state,
            answer=text,
            reasoning=reasoning,
            fields=fields,
            sources=[source_of(each, self._link, number in cited) for number, each in sorted(self._passages.items())],
            sentences=sentences_json(self._checked, self._language),
            warnings=[warning_text(each, self._language) for each in self._warnings],
            error=self._error,
            model=answered_by(self._said.events()) or self._turn.model,
            turn_id=self._turn.id,
            conversation_id=self._turn.conversation_id,
        )

    @property
    def _language(self) -> str:
        return language_of_turn(self._turn.record)


def source_of(passage: Passage, link: Link, is_cited: bool) -> Source:
    """Return a passage as a client gets it."""
    return Source(
        number=passage.number,
        title=passage.title,
        section=passage.section,
        document=passage.document,
        document_id=passage.document_id,
        page=passage.first_page,
        text=passage.text,
        score=passage.score,
        cited=is_cited,
        url=link(passage),
    )


def _checked(kind: type[Kind], given: Mapping[str, Any]) -> Kind:
    """Return the arguments; None is missing. Raises Refused."""
    try:
        return kind.model_validate_json(to_json({name: each for name, each in given.items() if each is not None}))
    except (ValidationError, PydanticSerializationError) as error:
        raise Refused("invalid_request") from error
