"""Answers a question part by part, where it is made of parts and the passages hold at least one of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.models.builtin.question_parts import part_queries, parts_of
from pipeline.models.builtin.question_things import rest_of
from pipeline.models.builtin.quotes import PREMISE_LEAST, Choice, choose, has_word
from pipeline.models.builtin.sentence_scores import Quote
from pipeline.passages import Query
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.query import own_words
from pipeline.retrieval.terms import language_of

ABSENT_MOST = 0.5  # of a part's own words that no passage has
HELD_LEAST = 0.6  # of a part's own words that the quotes have, where the choice is not sure
QUOTES_MOST = 2  # of a part

# Words that a part may have and its answer seldom has: "What is crema made of?"
_LIGHT = re.compile(
    r"made|make|makes|making|used?|using|get|gets|got|called|work|works|mean|means|take|takes|happens?|come|comes|go"
    r"|goes|instead|exactly|actually|other|things?|kinds?|sorts?|bedeute[nt]|heißt|heißen|hieß|gemacht|macht|machen"
    r"|nennt|genannt|funktioniert|passiert|stattdessen|eigentlich|genau",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """What was chosen for a part of a question, in whose words `text` is.

    `is_thing`: it is no more than a thing that no passage mentions. Such a part is not answered.
    """

    text: str
    choice: Choice
    is_answered: bool
    is_thing: bool = False

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """The quotes that answer it."""
        return self.choice.quotes[:QUOTES_MOST] if self.is_answered else ()


def answers_by_part(
    question: str, previous: tuple[str, str] | None, passages: Sequence[PromptPassage]
) -> tuple[PartAnswer, ...]:
    """Return the answers to the parts of a question; () where it is to be answered as a whole.

    It is where it has one part, and where the passages answer none of its parts.
    """
    answers: list[PartAnswer] = []
    for part, query in zip(parts_of(question), part_queries(question, previous), strict=True):
        answers += _answers(part.text, query, passages, answers)
    return tuple(answers) if len(answers) > 1 and any(each.is_answered for each in answers) else ()


def _answers(
    text: str, query: Query, passages: Sequence[PromptPassage], before: Sequence[PartAnswer]
) -> list[PartAnswer]:
    """Return the answer to a part, or to the things that it asks of where some of them are nowhere to be found."""
    choice = choose(query, passages)
    if rest := rest_of(query.question, choice.absent):
        asked = Query(rest.question, query.past)
        found = choose(asked, passages)
        if _is_answer(found, asked, passages, before):
            missing = (PartAnswer(thing, choice, is_answered=False, is_thing=True) for thing in rest.things)
            return [PartAnswer(rest.question.rstrip("?"), found, is_answered=True), *missing]
    return [PartAnswer(text.rstrip("?"), choice, _is_answer(choice, query, passages, before))]


def _is_answer(choice: Choice, query: Query, passages: Sequence[PromptPassage], before: Sequence[PartAnswer]) -> bool:
    """Whether a part is answered. Its quotes must hold some of what it does not share with the parts before it."""
    words = [word for word in own_words(query, language_of(query.question)) if not _LIGHT.fullmatch(word)]
    if not words:  # "And why?" asks about the part before
        return choice.state == "answer" and all(each.is_answered for each in before[-1:])
    held = [word for word in words if any(has_word(each, word) for each in _quoted(choice, passages))]
    absent = [word for word in words if word in choice.absent]
    if choice.state == "near":
        is_sound = choice.premise >= PREMISE_LEAST and not (choice.missed or choice.is_unmeasured or absent)
        return is_sound and len(held) >= HELD_LEAST * len(words)
    told = " ".join(each.text for each in before)
    new = [word for word in words if not has_word(PromptPassage(0, "", told), word)]
    is_told = not new or any(word in held for word in new)
    return choice.state == "answer" and is_told and len(absent) <= ABSENT_MOST * len(words)


def _quoted(choice: Choice, passages: Sequence[PromptPassage]) -> list[PromptPassage]:
    """Return the passages that are quoted, with their quotes alone."""
    headings = {each.number: each.heading for each in passages}
    return [PromptPassage(each.number, headings[each.number], each.text) for each in choice.quotes]
