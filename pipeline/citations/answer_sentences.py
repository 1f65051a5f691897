"""Cuts a growing Markdown answer into its sentences with their citations, each as soon as it is complete. Pure.

A list item, a table's row and a heading end sentences; code in fences is none. Whatever pieces the text arrives in, the
sentences are the same: what more text could still change is held back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from pipeline.citations.formulas import may_become_formula
from pipeline.citations.markers import Marker, incomplete_marker_start, markers
from pipeline.citations.sentences import is_table_row, sentences
from pipeline.passages import Span

SentenceKind = Literal["text", "heading", "table_head", "table_row"]

_WORD = re.compile(r"\w|^[ \t]*\|", re.MULTILINE)
_WORDS = re.compile(r"\w+")
_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d{1,3}[.)])?[ \t]*(`{3,}|~{3,})")
_MAY_BE_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d{1,3}[.)])?[ \t]*[`~]{0,2}\Z")
_EMPHASIS = re.compile(r"\*\*|__|~~|(?<!\w)[*_](?=\w)|(?<=[\w.!?…])[*_](?!\w)")
_CODE_MARK = re.compile("`")
_BLANK = re.compile(r"\s")  # without one, no word ends
_MAY_END = re.compile(r"[.!?…]\S*\s+\S+\s|[。\uff01\uff1f\n]")  # without one of these, no sentence ends
_CLOSED_WORD = re.compile(r"\S+\s")
_ENDED = re.compile(r"[.!?…][\"'”’»“)]*\s+\Z")
_GOES_ON = re.compile(r"\s+[a-zäöüß]")
_TABLE_RULE = re.compile(r"[ \t]*\|?[\s:|-]*\Z")
_HEADING = re.compile(r"[ \t>]*#{1,6}\s")
_FORMULA_START = re.compile(r"[\\$]")
_GLUE = " \t\u2060\u202f*_~"


CLAUSE_WORDS = 3  # from so many words on, what stands before a citation is a clause of its own


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence at [start, end) with its citation markers; `text` has blanks for markers and emphasis, as many.

    `marks` are its markers as (place in `text`, numbers).
    """

    start: int
    end: int
    text: str
    citations: tuple[int, ...]
    kind: SentenceKind
    marks: tuple[tuple[Span, tuple[int, ...]], ...] = ()

    @property
    def clauses(self) -> tuple[AnswerSentence, ...]:
        """Its parts that cite different passages: "… at 9 bar [1] and … at 65 °C [2]"; one for all others.

        A part ends behind its markers, or, where markers lead ("[1] says …, [2] says …"), before the next ones.
        """
        groups = self._groups()
        ends = [end for (_, end), _ in groups]
        if groups and not self._is_clause(0, groups[0][0][0]):
            ends = [begin for (begin, _), _ in groups[1:]] + ends[-1:]
        bounds = list(pairwise([0, *ends[:-1], len(self.text)]))
        are_several = len({numbers for _, numbers in groups}) > 1
        if not are_several or self._is_of_all(groups[-1][0][0]) or not all(self._is_clause(*each) for each in bounds):
            return (self,)
        return tuple(
            AnswerSentence(self.start + begin, self.start + end, self.text[begin:end], numbers, self.kind)
            for (begin, end), (_, numbers) in zip(bounds, groups, strict=True)
        )

    def _groups(self) -> list[tuple[Span, tuple[int, ...]]]:
        """Return the markers, neighbours together."""
        groups: list[tuple[Span, tuple[int, ...]]] = []
        for (begin, end), numbers in self.marks:
            if groups and not _WORD.search(self.text, groups[-1][0][1], begin):
                (first, _), before = groups.pop()
                groups.append(((first, end), (*before, *numbers)))
            else:
                groups.append(((begin, end), numbers))
        return groups

    def _is_of_all(self, begin: int) -> bool:
        """Whether markers stand behind the sentence's stop, and so are those of all of it."""
        return bool(_ENDED.search(self.text[:begin] + " "))

    def _is_clause(self, begin: int, end: int) -> bool:
        return len(_WORDS.findall(self.text, begin, end)) >= CLAUSE_WORDS


class AnswerSentences:
    """Reads an answer as it grows: `add` and `end` return the sentences that have become complete."""

    def __init__(self) -> None:
        self._text = ""
        self._block = 0  # where the first block begins that may still change
        self._said = 0  # up to where sentences have been returned

    def add(self, text: str) -> list[AnswerSentence]:
        """Append text."""
        self._text += text
        may_end = _BLANK.search(text) and _MAY_END.search(self._text[self._said :].lstrip())
        return self._complete(is_end=False) if may_end else []

    def end(self) -> list[AnswerSentence]:
        """Return what the answer ends with."""
        return self._complete(is_end=True)

    def _complete(self, *, is_end: bool) -> list[AnswerSentence]:
        found: list[AnswerSentence] = []
        while (size := _closed_block_chars(self._text, self._block, is_end=is_end)) is not None:
            found += self._new(_sentences_of(self._text[self._block : self._block + size[0]], is_whole=True))
            self._block += size[1]
            if self._block >= len(self._text):
                return found
        if not is_end:
            found += self._new(_sentences_of(_without_fence(self._text[self._block :]), is_whole=False))
        return found

    def _new(self, sentences: Sequence[AnswerSentence]) -> Iterator[AnswerSentence]:
        for each in sentences:
            start, end = self._block + each.start, self._block + each.end
            if start >= self._said:
                self._said = end
                yield replace(each, start=start, end=end)


def _closed_block_chars(text: str, begin: int, *, is_end: bool) -> tuple[int, int] | None:
    """Return the length of the block at `begin`, and with what divides it from the next; None while it is open.

    A block ends at an empty line, before a fence and around a heading; a fence is skipped as a whole.
    """
    at = begin
    while at < len(text):
        line_end = text.find("\n", at)
        line = text[at : line_end if line_end >= 0 else len(text)]
        if opened := _FENCE.match(line):
            behind = _fence_end(text, line_end, opened[1], is_end=is_end)
            if at > begin:
                return at - begin, at - begin
            return None if behind is None else (0, behind - begin)
        if at > begin and _HEADING.match(line):
            return at - begin, at - begin
        if line_end < 0:
            break
        if _HEADING.match(line):
            return line_end - begin, line_end + 1 - begin
        if not line.strip(" \t>\r"):
            return at - begin, line_end + 1 - begin
        at = line_end + 1
    return (len(text) - begin, len(text) - begin) if is_end and begin < len(text) else None


def _fence_end(text: str, line_end: int, fence: str, *, is_end: bool) -> int | None:
    """Return where the code of a fence ends; None while it is open."""
    closing = re.compile(rf"[ \t>]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*\Z")
    at = line_end + 1
    while line_end >= 0 and at < len(text):
        next_end = text.find("\n", at)
        if next_end < 0:
            break
        if closing.match(text[at:next_end]):
            return next_end + 1
        at = next_end + 1
    return len(text) if is_end else None


def _without_fence(block: str) -> str:
    """Return a block without a last line that may become a fence."""
    line = block.rfind("\n") + 1
    return block[:line] if _MAY_BE_FENCE.match(block[line:]) or _FENCE.match(block[line:]) else block


def _sentences_of(block: str, *, is_whole: bool) -> list[AnswerSentence]:
    text = block if is_whole else block[: _decided_chars(block)]
    found = markers(text)
    plain = _blanked(text, found)
    cut = _with_subjects(plain, found)
    spans = [(begin, end) for begin, end in sentences(cut) if _WORD.search(cut, begin, end)]
    cited = _cited(text, spans, found)
    kinds = _kinds(plain, spans)
    complete = len(spans) if is_whole else _complete_count(cut, spans)
    return [
        _sentence(
            plain, spans[at], [marker for marker, place in zip(found, cited, strict=True) if place == at], kinds[at]
        )
        for at in range(complete)
    ]


def _sentence(plain: str, span: Span, own: Sequence[Marker], kind: SentenceKind) -> AnswerSentence:
    start = min([span[0], *(marker.start for marker in own)])
    end = max([span[1], *(marker.end for marker in own)])
    numbers = dict.fromkeys(number for marker in own for number in marker.numbers)
    marks = tuple(((marker.start - start, marker.end - start), marker.numbers) for marker in own)
    return AnswerSentence(start, end, plain[start:end], tuple(numbers), kind, marks)


def _decided_chars(text: str) -> int:
    """Return how much of a growing block no further text can change in its markers, code and formulas."""
    ends = [incomplete_marker_start(text)]
    if len(_CODE_MARK.findall(text)) % 2:
        ends.append(text.rfind("`"))
    ends += [match.start() for match in _FORMULA_START.finditer(text) if may_become_formula(text, match.start())][:1]
    return min(ends)


def _blanked(text: str, found: Sequence[Marker]) -> str:
    for marker in found:
        text = text[: marker.start] + " " * (marker.end - marker.start) + text[marker.end :]
    return _EMPHASIS.sub(lambda match: " " * len(match[0]), text)


def _with_subjects(plain: str, found: Sequence[Marker]) -> str:
    """Put a word in the place of a marker that begins a sentence: "… at 9 bar. [1] says that …"."""
    for marker in found:
        if _ENDED.search(plain[: marker.start]) and _GOES_ON.match(plain, marker.end):
            plain = plain[: marker.start] + "X".ljust(marker.end - marker.start, "x") + plain[marker.end :]
    return plain


def _cited(text: str, spans: Sequence[Span], found: Sequence[Marker]) -> list[int]:
    """Return for each marker the sentence that it belongs to: that around or before it; at a line's start the next."""
    places = []
    for marker in found:
        line = text[text.rfind("\n", 0, marker.start) + 1 : marker.start]
        for other in found:
            if other.end <= marker.start:
                line = line.replace(text[other.start : other.end], "")
        leads = not line.strip(_GLUE + "-•>|#")
        before = [at for at, (begin, _) in enumerate(spans) if begin <= marker.start]
        behind = [at for at, (_, end) in enumerate(spans) if end > marker.start]
        chosen = behind[:1] if (leads and behind) or not before else before[-1:]
        places.append(chosen[0] if chosen else -1)
    return places


def _kinds(text: str, spans: Sequence[Span]) -> list[SentenceKind]:
    kinds: list[SentenceKind] = []
    for at, (begin, end) in enumerate(spans):
        row = text[begin:end]
        if not is_table_row(row):
            kinds.append("heading" if _HEADING.match(row) else "text")
        elif _TABLE_RULE.match(row):
            kinds.append("table_head")
        else:
            following = text[slice(*spans[at + 1])] if at + 1 < len(spans) else ""
            is_head = is_table_row(following) and bool(_TABLE_RULE.match(following))
            kinds.append("table_head" if is_head else "table_row")
    return kinds


def _complete_count(text: str, spans: Sequence[Span]) -> int:
    """Return how many sentences have ended: those behind which the first word of another one stands."""
    for count in range(len(spans) - 1, 0, -1):
        begin, _ = spans[count]
        if _is_decided(text, spans, count) and _CLOSED_WORD.match(text, begin):
            return count
    return 0


def _is_decided(text: str, spans: Sequence[Span], count: int) -> bool:
    """Whether a row's next row shows if it is the head of a table."""
    if not is_table_row(text[slice(*spans[count - 1])]):
        return True
    return not _TABLE_RULE.match(text[spans[count][0] :]) or "\n" in text[spans[count][0] :]
