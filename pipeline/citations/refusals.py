"""Recognises answers that say the passages hold no answer, in whole or in part, in English and German. Pure.

A sentence refuses if it says so of the passages ("The passages do not mention a price"), of the one who answers ("I
could not find it") or of what is told ("It is not mentioned"). A claim with a "not" is none: "Decaf does not contain
caffeine". What stands in quotation marks is said by somebody else and counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.citations import refusal_phrases as phrases
from pipeline.citations.sentences import sentences
from pipeline.passages import Span

MISSING_CHARS = 200  # of what a sentence says is missing
MISSING_JOIN = "; "  # between several things that are missing
SENTENCE_CHARS = 300  # of a sentence that are read, since an answer may be one of thousands
_WORDS_LEAST = 4  # of an uncited sentence that says something

_CITES = re.compile(r"\[\d+(?:\s*[,;–-]\s*\d+)*\]")
_MARKDOWN = re.compile(r"[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}")
_LETTER = re.compile(r"\S")
_STOP = re.compile(r"[.!?…]")
_MARKS = re.compile(r"[“”„«»\u2018\"`]|(?<!\w)’|’(?!\w)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in an answer's own words.

    `is_whole`: nothing else is answered. `missing` is what it says is missing, in its words, "" where it does not say.
    `spans` are the places of the sentences that refuse.
    """

    is_whole: bool
    missing: str
    spans: tuple[Span, ...]


def refusal_of(answer: str) -> Refusal | None:
    """Return how an answer (Markdown, with its [n]) refuses; None for one that does not."""
    plain = _plain(answer)
    spans = _sentences(answer)
    if phrases.WHOLE_ANSWER.fullmatch(plain):
        return Refusal(True, "", spans)
    refusing = tuple((begin, end) for begin, end in spans if says_missing(plain[begin:end]))
    if not refusing:
        return None
    has_citations = bool(_CITES.search(plain))
    is_answered = any(
        _answers(clause, has_citations) for begin, end in spans for clause in _not_refusing(plain[begin:end])
    )
    named = (_missing(answer[begin:end]) for begin, end in refusing)
    return Refusal(not is_answered, listed(each for each in named if each), refusing)


def listed(missing: Iterable[str]) -> str:
    """Return all that is missing as one text, each once."""
    return MISSING_JOIN.join(dict.fromkeys(missing))


def says_missing(sentence: str) -> bool:
    """Whether a sentence says that something is not in the passages."""
    plain = _plain(sentence[:SENTENCE_CHARS])
    return any(phrases.REFUSES.search(each) for each in (plain, *phrases.CLAUSE_ENDS.split(plain)))


def is_refusal(checked: Iterable[tuple[str, bool]]) -> bool:
    """Whether an answer, as (sentence, whether it cites), refuses: it says what is missing and cites nothing else."""
    is_missing, is_answered = False, False
    for text, cites in checked:
        is_missing |= says_missing(text)
        # A chip is no text: in a sentence that refuses, its place among the clauses is not known.
        is_answered |= cites and not says_missing(text) and not phrases.FILLER.search(_plain(text))
    return is_missing and not is_answered


def _plain(text: str, quoted_letter: str = " ") -> str:
    """Return a text of equal length with straight apostrophes, without emphasis and without what it quotes.

    `quoted_letter` stands for each letter within a line that is quoted.
    """
    text = phrases.QUOTED_LINES.sub(lambda found: _LETTER.sub(" ", found[0]), text)
    text = phrases.QUOTED.sub(lambda found: _LETTER.sub(quoted_letter, found[0]), text)
    text = text.replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    return _MARKDOWN.sub(lambda found: " " * len(found[0]), text)


def _sentences(text: str) -> tuple[Span, ...]:
    """Return the spans of an answer's own sentences: what is quoted ends none of them, but may begin one."""
    text = phrases.QUOTED_LINES.sub(lambda found: _LETTER.sub(" ", found[0]), text)
    return sentences(phrases.QUOTED.sub(lambda found: _STOP.sub("x", found[0]), text))


def _not_refusing(plain: str) -> list[str]:
    """Return a sentence that does not refuse, or the clauses that do not of one that does."""
    if not says_missing(plain):
        return [plain]
    clauses = phrases.CLAUSE_ENDS.split(plain)
    return [each for each in clauses if not phrases.REFUSES.search(each)] if len(clauses) > 1 else []


def _answers(clause: str, has_citations: bool) -> bool:
    """Whether a clause answers something: it cites, or it is a statement of an answer that cites nothing at all."""
    if phrases.FILLER.search(clause) or clause.rstrip().endswith((":", "?")):
        return False
    return bool(_CITES.search(clause)) or (not has_citations and len(clause.split()) >= _WORDS_LEAST)


def _missing(sentence: str) -> str:
    """Return what a refusing sentence says is missing, "" where it does not say. It may be a quotation."""
    plain = _plain(sentence, phrases.QUOTED_LETTER)
    for pattern in phrases.MISSING:
        if found := pattern.search(plain):
            begin, end = found.span("missing")
            end = begin + len(phrases.AFTER_MISSING.sub("", plain[begin:end]))
            words = _CITES.sub("", sentence[begin:end]).strip(" .!?:*_\n")
            if words and not phrases.NAMES_NOTHING.fullmatch(words):
                return _unquoted(words)[:MISSING_CHARS]
    return ""


def _unquoted(words: str) -> str:
    """Return words without quotation marks where all of them are quoted."""
    is_quoted = not _plain(words).strip(" ,") and len(words) > 2
    return _MARKS.sub("", words) if is_quoted else words
