"""Which answers are documents by themselves, and which would better be one.

A document is long, and has a title over at least two sections, or is a letter. It begins at its title or its salutation
and ends with the text, or before a line (`---`) that only a short remark follows. An answer that is long and has much
structure, but no title of its own, would better be a document: the page offers to make one of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markdown_it.token import Token

from pipeline.artifacts.titles import heading_title, shortened
from pipeline.markdown.blocks import clean, structure

DOCUMENT_CHARS, LETTER_CHARS = 600, 200
REMARK_CHARS = 300  # behind the last line of a document
LONG_CHARS, LONG_BLOCKS = 1_200, 4  # from which on an answer would better be a document

_SALUTATION = re.compile(
    r"(?:dear|to whom it may concern|sehr geehrte[rs]?|liebe[rs]?|guten tag)\b[^\n]{0,80}[,:!]", re.IGNORECASE
)
_CLOSING = re.compile(
    r"(?:(?:yours )?(?:sincerely|faithfully|truly)|(?:kind|best|warm) (?:regards|wishes)|regards|"
    r"mit (?:freundlichen|besten|herzlichen) gr(?:ü|ue)(?:ß|ss)en|"
    r"(?:freundliche|beste|viele|herzliche) gr(?:ü|ue)(?:ß|ss)e)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"(?:subject|betreff)\s*:\s*(\S[^\n]*)", re.IGNORECASE)
_STRUCTURE = frozenset(
    {"heading_open", "bullet_list_open", "ordered_list_open", "table_open", "fence", "formula_block"}
)


class Document(NamedTuple):
    """A title and the characters of the text that the document is."""

    title: str
    start: int
    end: int


class _Heading(NamedTuple):
    level: int
    title: str
    start: int


@dataclass(slots=True)
class Outline:
    """What the top-level blocks of a text tell of it; they are added in their order."""

    headings: list[_Heading] = field(default_factory=list)
    rule_at: int | None = None  # the last line across the text
    salutation: tuple[str, int] | None = None
    subject: tuple[str, int] | None = None
    is_closed: bool = False  # by the end of a letter
    structured_blocks: int = 0

    @classmethod
    def of(cls, text: str) -> Outline:
        """The outline of a whole text."""
        outline, tokens = cls(), structure(clean(text))
        for at, token in enumerate(tokens):
            if token.level == 0 and token.nesting >= 0 and token.map:
                outline.add(tokens, at, token.map[0])
        return outline

    @property
    def title(self) -> str:
        """The first heading, else the subject or the salutation of a letter; "" without any of them."""
        if self.headings:
            return self.headings[0].title
        return (self.subject or self.salutation or ("", 0))[0]

    def add(self, tokens: Sequence[Token], at: int, start: int) -> None:
        """Add the block that opens at a place of the tokens and at a character of the text."""
        token = tokens[at]
        self.structured_blocks += token.type in _STRUCTURE
        if token.type == "heading_open":
            self.headings.append(_Heading(int(token.tag[1]), heading_title(tokens[at + 1].content), start))
        elif token.type == "hr":
            self.rule_at = start
        elif token.type == "paragraph_open":
            self._add_paragraph(tokens[at + 1].content, start)

    def document(self, end: int) -> Document | None:
        """Return the document that a text of so many characters holds, if any."""
        title = self._title_over_sections()
        if title and self._end(title.start, end) - title.start >= DOCUMENT_CHARS:
            return Document(title.title, title.start, self._end(title.start, end))
        if self.salutation and self.is_closed:
            title_of, start = self.salutation
            if self.subject and self.subject[1] <= start:
                title_of, start = self.subject
            if self._end(start, end) - start >= LETTER_CHARS:
                return Document(title_of, start, self._end(start, end))
        return None

    def _add_paragraph(self, content: str, start: int) -> None:
        lines = [line.strip("*_ \t") for line in content.split("\n")]
        subject = next((match for match in map(_SUBJECT.match, lines) if match), None)
        if subject and self.subject is None:
            self.subject = shortened(subject[1]), start
        if self.salutation is None and any(map(_SALUTATION.match, lines)):
            self.salutation = shortened(next(line for line in lines if _SALUTATION.match(line))), start
        elif self.salutation and any(map(_CLOSING.match, lines)):
            self.is_closed = True

    def _title_over_sections(self) -> _Heading | None:
        """The first heading, if all others are below it and there are at least two."""
        if len(self.headings) < 3:
            return None
        first, *others = self.headings
        return first if all(each.level > first.level for each in others) else None

    def _end(self, start: int, end: int) -> int:
        is_remark = self.rule_at is not None and self.rule_at > start and end - self.rule_at <= REMARK_CHARS
        return self.rule_at if is_remark and self.rule_at is not None else end


def would_be_document(text: str) -> bool:
    """Whether an answer is so long and has so much structure that it would better be a document."""
    if len(text) < LONG_CHARS:
        return False
    return Outline.of(text).structured_blocks >= LONG_BLOCKS
