"""The question sets that a visitor can evaluate with: bundled ones, uploads, rated turns, and conversations."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache

from pipeline.citations.markers import markers
from pipeline.conversations.rating_rows import gold_answer
from pipeline.conversations.service import Conversations
from pipeline.database.evaluations import StoredSet
from pipeline.database.write_behind import WriteBehind
from pipeline.display_names import shown_name
from pipeline.errors import NotFound, Refused
from pipeline.events import TurnFinished
from pipeline.experiments.questions import QUESTIONS_MOST, Question, checked_set, read_questions, written_lines
from pipeline.recording import cited_from
from pipeline.settings import SAMPLE_QUESTIONS
from pipeline.turn import Said, Turn

BUNDLED, RATINGS, CONVERSATION = "bundled", "ratings", "conversation:"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A set by the name that requests use. `title` is "" for those that are named by what they are."""

    name: str
    title: str
    questions: tuple[Question, ...]
    created_at: float | None = None  # seconds since the epoch; None for what was not uploaded

    @property
    def is_own(self) -> bool:
        """Whether the visitor has uploaded it, and may remove it."""
        return self.created_at is not None


class QuestionSets:
    """The sets of all visitors. Every method may raise StoreFault."""

    def __init__(self, conversations: Conversations, history: WriteBehind) -> None:
        self._conversations, self._history = conversations, history

    async def list(self, visitor: str | None) -> tuple[QuestionSet, ...]:
        """Return what a visitor can choose: the bundled set, rated turns where there are some, uploads."""
        sets = [QuestionSet(BUNDLED, "", await asyncio.to_thread(_bundled))]
        if rated := await self._rated(visitor):
            sets.append(QuestionSet(RATINGS, "", rated))
        stored = await self._history.question_sets(visitor) if visitor else ()
        return (*sets, *(_read(each) for each in stored))

    async def named(self, name: str, visitor: str | None) -> QuestionSet:
        """Return a set. Raises NotFound, and Refused where it has no question."""
        if name.startswith(CONVERSATION):
            conversation_id = name.removeprefix(CONVERSATION)
            conversation = await self._conversations.find(conversation_id, visitor)
            turns = await self._conversations.turns(conversation_id, visitor)
            return QuestionSet(name, conversation.title, checked_set(iter(_of_turns(turns))))
        if name == RATINGS:
            return QuestionSet(name, "", checked_set(iter(await self._rated(visitor))))
        found = next((each for each in await self.list(visitor) if each.name == name), None)
        if found is None:
            raise NotFound("question_set")
        return found

    async def add(self, visitor: str, title: str, text: str) -> QuestionSet:
        """Store a set that somebody brings as CSV, JSON or JSON lines. Raises Refused with the line of a fault."""
        questions = await asyncio.to_thread(read_questions, text)
        name = shown_name(title) or shown_name(questions[0].question, 60)
        stored = StoredSet(secrets.token_urlsafe(12), name, round(time.time(), 3), written_lines(questions))
        if not await self._history.save_question_set(visitor, stored):
            raise Refused("too_many_sets")
        return QuestionSet(stored.id, stored.title, questions, stored.created_at)

    async def remove(self, visitor: str, name: str) -> None:
        """Remove an uploaded set; evaluations keep their questions. Raises NotFound."""
        if not await self._history.remove_question_set(visitor, name):
            raise NotFound("question_set")

    async def _rated(self, visitor: str | None) -> tuple[Question, ...]:
        """Return the rated turns whose right answer is known, as questions."""
        turns = await self._conversations.rated(visitor)
        return tuple(_of_turn(turn, answer) for turn in turns[:QUESTIONS_MOST] if (answer := gold_answer(turn)))


@lru_cache(maxsize=1)
def _bundled() -> tuple[Question, ...]:
    return read_questions(SAMPLE_QUESTIONS.read_text(encoding="utf-8"))


def _read(stored: StoredSet) -> QuestionSet:
    return QuestionSet(stored.id, stored.title, read_questions(stored.content), stored.created_at)


def _of_turns(turns: tuple[Turn, ...]) -> list[Question]:
    """Return the questions of a conversation; a later one follows the turn before it."""
    questions = []
    for at, turn in enumerate(turns):
        before = turns[at - 1] if at else None
        said = Said(before.question, before.fields.get("answer", "")) if before else None
        questions.append(_of_turn(turn, gold_answer(turn) or "", said))
    return questions


def _of_turn(turn: Turn, answer: str, previous: Said | None = None) -> Question:
    """Return a question whose expected answer is known, or "". A liked refusal says that it is unanswerable."""
    ending = turn.record[-1] if turn.record else None
    refused = isinstance(ending, TurnFinished) and ending.abstained and not turn.feedback.corrected and turn.rating > 0
    if refused:
        return Question(turn.question, unanswerable=True, previous=previous)
    liked = turn.rating > 0
    cited = {number for marker in markers(answer) for number in marker.numbers} if liked else set()
    documents = tuple(dict.fromkeys(each.document for each in cited_from(turn.record) if each.number in cited))
    return Question(turn.question, answer, documents=documents, previous=previous)
