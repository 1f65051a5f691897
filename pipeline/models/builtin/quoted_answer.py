"""Writes the built-in model's answer, made of quoted sentences, and its reasoning, which claims nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from pipeline.models.builtin.part_answers import PartAnswer, answers_by_part
from pipeline.models.builtin.quote_markdown import quoted, row, uncited
from pipeline.models.builtin.quotes import ANSWER_CONFIDENCE, NEAR_CONFIDENCE, PREMISE_LEAST, Choice, choose
from pipeline.models.builtin.sentence_scores import Quote
from pipeline.models.builtin.wording import Wording, wording_in
from pipeline.passages import Query
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.query import query_of
from pipeline.retrieval.terms import language_of

CLOSEST_LEAST = 2  # words of a question that a passage has in common with it to be called close
_YEAR = re.compile(r"\b(?:1\d{3}|20\d{2})\b")


def quoted_answer(
    question: str, previous: tuple[str, str] | None, passages: Sequence[PromptPassage]
) -> tuple[str, str]:
    """Return reasoning and answer made of quoted sentences; `previous` are question and answer of the turn before."""
    query = query_of(question, previous)
    wording = wording_in(language_of(question, *(passage.text for passage in passages)))
    if parts := answers_by_part(question, previous, passages):
        return parts_reasoning_of(query, passages, parts, wording), parts_answer_of(passages, parts, wording)
    choice = choose(query, passages)
    return reasoning_of(query, passages, choice, wording), answer_of(passages, choice, wording)


def answer_of(passages: Sequence[PromptPassage], choice: Choice, wording: Wording) -> str:
    """Write the quotes, best first, after a sentence that says what is missing unless they are an answer."""
    if choice.state == "none":
        return _joined([wording.none, _closest(passages, choice, wording)])
    reservation = [_reservation(passages, choice, wording)] if choice.state == "near" else []
    return "\n\n".join([*reservation, *_blocks(choice.quotes)])


def parts_answer_of(passages: Sequence[PromptPassage], parts: Sequence[PartAnswer], wording: Wording) -> str:
    """Write the quotes of the parts that are answered, in their order, then what the passages lack of the others."""
    said: list[Quote] = []
    blocks = []
    for part in parts:
        new = [each for each in part.quotes if not any(each.text in quote.text for quote in said)]
        said += new
        blocks += _blocks(new)
    return "\n\n".join([*blocks, *_lacking(passages, parts, wording)])


def _lacking(passages: Sequence[PromptPassage], parts: Sequence[PartAnswer], wording: Wording) -> list[str]:
    """Say which parts the passages do not answer, and which passage comes closest to the first of them."""
    things = [part.text for part in parts if part.is_thing]
    clauses = [part for part in parts if not part.is_answered and not part.is_thing]
    told = [wording.missing.format(words=_listed(things, wording))] if things else []
    if clauses:
        asked = _listed([part.text for part in clauses], wording)
        told += [wording.unanswered.format(parts=asked), _closest(passages, clauses[0].choice, wording, least=1)]
    return [_joined(told)] if told else []


def _blocks(quotes: Sequence[Quote]) -> list[str]:
    """Return the quotes as Markdown: rows of one table together, sentences in one paragraph."""
    blocks = []
    for (head, number), group in groupby(quotes, key=lambda quote: (quote.head, quote.number if quote.head else 0)):
        if head:
            blocks.append("\n".join([head, *(row(quote.text, number) for quote in group)]))
        else:
            blocks.append(" ".join(quoted(quote.text, quote.number) for quote in group))
    return blocks


def _closest(passages: Sequence[PromptPassage], choice: Choice, wording: Wording, least: int = CLOSEST_LEAST) -> str:
    """Name the passage that has most words of the question, "" where none has so many, or half of them."""
    counts = [len(mentioned) for mentioned in choice.mentions]
    asked = len({word for mentioned in choice.mentions for word in mentioned}) + len(choice.absent)
    if not counts or max(counts) < min(least, max(1, asked / 2)):
        return ""
    title = " ".join(passages[counts.index(max(counts))].heading.split())
    return wording.closest.format(title=uncited(title)) if title else ""


def _reservation(passages: Sequence[PromptPassage], choice: Choice, wording: Wording) -> str:
    """Say what the quotes lack of the question, as far as that is known."""
    doubts = choice.doubts
    if choice.missed:
        closest = [each.number for each in passages].index(choice.quotes[0].number)
        title, words = " ".join(passages[closest].heading.split()), choice.mentions[closest]
        missing = _other_year(choice, choice.missed, wording)
        missing = missing or wording.missing.format(words=_listed(choice.missed, wording))
        rest = wording.rest.format(words=_listed(words, wording), title=uncited(title)) if words and title else ""
        return _joined([missing, rest or wording.near])
    if said := _other_year(choice, doubts.unsaid, wording):
        return said
    if doubts.unsaid:
        return wording.unsaid.format(words=_listed(doubts.unsaid, wording))
    if doubts.negation:
        return wording.negation.format(word=doubts.negation)
    if doubts.opposite:
        asked, said = doubts.opposite
        return wording.opposite.format(asked=asked, said=said)
    return wording.near


def _other_year(choice: Choice, words: Sequence[str], wording: Wording) -> str:
    """Say which year the best sentence has in the place of the question's, "" where it has none or several."""
    asked = [word for word in words if _YEAR.fullmatch(word)]
    said = set(_YEAR.findall(choice.best))
    return wording.instead.format(asked=asked[0], said=said.pop()) if len(asked) == len(said) == 1 else ""


def _listed(words: Sequence[str], wording: Wording) -> str:
    return ", ".join(wording.marks.format(word) for word in words)


def parts_reasoning_of(
    query: Query, passages: Sequence[PromptPassage], parts: Sequence[PartAnswer], wording: Wording
) -> str:
    """Write what was compared for each part, and why it is quoted or not."""
    told = [_joined([wording.method, wording.parts.format(len(parts))])]
    for part in parts:
        absent = wording.absent.format(_listed(part.choice.absent, wording)) if part.choice.absent else ""
        outcome = "" if part.is_thing else _decided(part.choice, wording)
        told.append(f"- {wording.marks.format(part.text)}: {_joined([absent, outcome])}")
    return f"{told[0]}\n\n{chr(10).join(told[1:])}"


def reasoning_of(query: Query, passages: Sequence[PromptPassage], choice: Choice, wording: Wording) -> str:
    """Write what was compared, which passage has which words, and why it is quoted or not."""
    words = tuple(dict.fromkeys(word for mentioned in (*choice.mentions, choice.absent) for word in mentioned))
    compared = [
        wording.method,
        wording.words.format(_listed(words, wording)) if words else "",
        wording.leans if query.past else "",
    ]
    found = [
        f"- [{passage.number}] {uncited(passage.heading)}: {wording.has.format(_listed(mentioned, wording))}"
        for passage, mentioned in zip(passages, choice.mentions, strict=True)
        if mentioned
    ]
    absent = wording.absent.format(_listed(choice.absent, wording)) if choice.absent else ""
    outcome = [absent, _decided(choice, wording)] if passages else [wording.no_passage]
    parts = (_joined(compared), "\n".join(found), _joined(outcome))
    return "\n\n".join(part for part in parts if part)


def _decided(choice: Choice, wording: Wording) -> str:
    return wording.decided[_case(choice)].format(
        score=f"{choice.score:.1f}".replace(".", wording.point),
        confidence=_percent(choice.confidence),
        premise=_percent(choice.premise),
        answer=_percent(ANSWER_CONFIDENCE),
        near=_percent(NEAR_CONFIDENCE),
        premise_least=_percent(PREMISE_LEAST),
        missed=_listed(choice.missed, wording),
    )


def _case(choice: Choice) -> str:
    """Return which rule decided."""
    if choice.absent and not any(choice.mentions):
        return "foreign"
    if choice.state != "near" or choice.confidence < ANSWER_CONFIDENCE:
        return choice.state
    return "missed" if choice.missed else "unmeasured" if choice.is_unmeasured else "doubtful"


def _percent(share: float) -> int:
    return round(100 * share)


def _joined(texts: Sequence[str]) -> str:
    return " ".join(text for text in texts if text)
