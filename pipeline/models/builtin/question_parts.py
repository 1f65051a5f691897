"""Splits a question into the parts that it is clearly made of: several questions, clauses or question words. Pure.

    At what pressure is an espresso made, and which machine should I buy?
    → "At what pressure is an espresso made", "which machine should I buy"

A part has its own question word or begins with its verb; things joined by "and" are `question_things`. English and
German; a question in another language is one part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.citations.sentences import sentences
from pipeline.passages import Query
from pipeline.retrieval.languages import Language
from pipeline.retrieval.query import PREVIOUS_QUESTION_WEIGHT, query_of
from pipeline.retrieval.terms import content_words, language_of

PARTS_MOST = 4
QUESTION_CHARS = 1000  # a longer text is one part

_ENDS = " \t\n?!.,;:"
_REQUEST = re.compile(
    r"\W*(?:(?:please|bitte)\s+)?(?:tell|explain|name|list|describe|give|show|say|nenne|erkläre|sag\w*|beschreibe|zeige"
    r"|gib|liste|nennen|erklären|sagen)\b",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"which\b", re.IGNORECASE)
_POINTS_NEAR = re.compile(r"\b(?:there|then|dort|da|dabei|dagegen|dafür|damit|damals)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """A part in the question's own words, and as a `question` that has what it shares with the part beside it."""

    text: str
    question: str


@dataclass(frozen=True, slots=True)
class _Grammar:
    """How questions are made in a language.

    `asking` matches a question word at the beginning of a clause, with its preposition; `ends_asking` one at the end.
    `begins` matches how a question begins, `joint` what stands between two clauses that ask, and `listed` the comma
    between two of three.
    """

    asking: re.Pattern[str]
    ends_asking: re.Pattern[str]
    begins: re.Pattern[str]
    joint: re.Pattern[str]
    listed: re.Pattern[str]
    and_first: re.Pattern[str]


def _grammar(words: str, prepositions: str, counting: str, verb: str, beginning_verb: str, joining: str) -> _Grammar:
    """Make the patterns of a language. `verb` is one that begins a clause, with what must follow it there."""
    asks = rf"(?:(?:{prepositions})\s+)?(?:{words})\b"

    def pattern(text: str) -> re.Pattern[str]:
        return re.compile(text, re.IGNORECASE)

    return _Grammar(
        asking=pattern(rf"{asks}(?:\s+(?:{counting})\b)?\s*"),
        ends_asking=pattern(rf"(?:^|\s)(?P<word>{asks})$"),
        begins=pattern(rf"\W*(?:{asks}|{beginning_verb})|{_REQUEST.pattern}"),
        joint=pattern(rf"\s*[,;–—-]?\s+(?:{joining})(?=\s)\s+(?:(?:also|auch|then|dann)\s+)?(?={asks}|{verb})"),
        listed=pattern(rf"\s*[,;]\s+(?={asks})"),
        and_first=pattern(rf"\A\W*(?:{joining})\s+(?=\w)"),
    )


_ENGLISH_VERBS = r"(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|had|may|must)(?:n['’]t)?\s+"
_GRAMMARS: MappingProxyType[Language, _Grammar] = MappingProxyType(
    {
        "en": _grammar(
            words="what|which|who|whom|whose|when|where|why|how",
            prepositions="at|in|on|by|for|from|of|to|with|since|until|after|before|about|under",
            counting="many|much|often|long",
            verb=_ENGLISH_VERBS + r"(?=(?:it|he|she|they|there|the|an?|this|that|these|those|you|one|we|i|my|its|their"
            r"|his|her)\b|(?-i:[A-Z]))",
            beginning_verb=_ENGLISH_VERBS,
            joining="and|but",
        ),
        "de": _grammar(
            words="was|welche[mnrs]?|wer|wen|wem|wessen|wann|wo|woher|wohin|warum|wieso|weshalb|wie|wieviele?|womit"
            "|wodurch|wozu|wofür|woraus|worin|wovon|woran|worauf",
            prepositions="an|auf|aus|bei|für|mit|nach|seit|bis|von|vor|zu|über|unter|um|ab|durch|gegen|in|im|am|zum"
            "|zur|vom|beim",
            counting="viele?|oft|lange?",
            verb=r"(?:ist|sind|war|waren|kann|können|könnte|darf|dürfen|muss|müssen|soll|sollte|sollten|hat|haben"
            r"|hatte|gibt|wird|werden|wurde|wurden|hilft|helfen|geht|passt|lohnt|schmeckt|enthält|macht|gehört|eignet"
            r"|reicht|kostet|braucht|stimmt|kommt|bleibt)\s+"
            r"(?=(?:es|er|sie|man|das|der|die|den|dem|ein\w*|dies\w*|sich|da\w*|hier|dort|auch)\b)",
            beginning_verb=r"(?:ist|sind|war|waren|kann|können|darf|muss|soll|hat|haben|gibt|wird|werden|wurde)\b",
            joining="und|aber|sowie",
        ),
    }
)


def parts_of(question: str) -> tuple[QuestionPart, ...]:
    """Return the parts of a question in order; one that is not clearly made of several is a single part."""
    whole = (QuestionPart(question.strip(), question),)
    if len(question) > QUESTION_CHARS:
        return whole
    grammar = _GRAMMARS.get(language_of(question))
    if grammar is None:
        return whole
    parts = tuple(part for sentence in _sentences(question)[0] for part in _clauses(sentence, grammar))
    return parts if 1 < len(parts) <= PARTS_MOST else whole


def part_queries(question: str, previous: tuple[str, str] | None) -> tuple[Query, ...]:
    """Return a query for each part. One that points back leans on the parts before it, as a follow-up does.

    `previous` are the question and the answer of the turn before.
    """
    parts = parts_of(question)
    if len(parts) == 1:
        return (query_of(question, previous),)
    told = _sentences(question)[1]
    queries = []
    for part in parts:
        queries.append(_query(part.question, " ".join(told), previous))
        told.append(part.question)
    return tuple(queries)


def _query(question: str, told: str, previous: tuple[str, str] | None) -> Query:
    """Return the query of a part; `told` is what the question says before it."""
    if told and _POINTS_NEAR.search(question):
        return Query(question, ((told, PREVIOUS_QUESTION_WEIGHT),))
    return query_of(question, (told, "") if told else previous)


def _sentences(question: str) -> tuple[list[str], list[str]]:
    """Return the sentences that ask, and those that do not; without a question mark or a request all of it asks."""
    every = [question[begin:end] for begin, end in sentences(question)]
    asking = [each for each in every if each.rstrip().endswith("?") or _REQUEST.match(each)]
    return (asking, [each for each in every if each not in asking]) if asking else ([question], [])


def _clauses(sentence: str, grammar: _Grammar) -> Iterator[QuestionPart]:
    """Iterate over the parts of one sentence."""
    texts = _cut(grammar.and_first.sub("", sentence.strip(_ENDS)), grammar)
    for place, text in enumerate(texts):
        own = text
        if place and not content_words(text, language_of(sentence)):  # "…, and when?"
            text = f"{text} {grammar.asking.sub('', texts[place - 1], count=1)}"
        if place + 1 < len(texts) and grammar.ends_asking.search(text):  # "When and where did …?"
            text = own = f"{text} {grammar.asking.sub('', texts[place + 1], count=1)}"
        elif place and (ends := grammar.ends_asking.search(texts[place - 1])) and ends.start():
            text = own = f"{texts[place - 1][: ends.start()].strip()} {text}"
        yield QuestionPart(own, f"{text}?")


def _cut(sentence: str, grammar: _Grammar) -> list[str]:
    """Return the texts between the joints of a sentence that begins as a question does."""
    joints = [joint for joint in grammar.joint.finditer(sentence) if not _is_relative(sentence, joint.span())]
    if not grammar.begins.match(sentence):
        return [sentence]
    if not joints:
        return [sentence]
    joints = sorted(
        [*joints, *grammar.listed.finditer(sentence, 0, joints[-1].start())], key=lambda joint: joint.start()
    )
    ends = [*(joint.start() for joint in joints), len(sentence)]
    begins = [0, *(joint.end() for joint in joints)]
    return [text for begin, end in zip(begins, ends, strict=True) if (text := sentence[begin:end].strip(_ENDS))]


def _is_relative(sentence: str, joint: tuple[int, int]) -> bool:
    """Whether what follows a joint belongs to a thing, as what precedes it does: "which has foam and which is hot"."""
    return bool(_RELATIVE.match(sentence, joint[1])) and bool(re.search(r"\w which\b", sentence[: joint[0]]))
