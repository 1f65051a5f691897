"""Reads PDF into text with pages and headings; every character can be mapped back to its place on the page.

Every run of blanks on a page, line ends included, becomes one character of the text: a space inside a paragraph, a
line feed at its end. So the text of a page has the same length wherever paragraphs end, and a span of it maps to
pdfium's characters from this page alone; `pictures` highlights passages that way. A table is written as Markdown; what
is not on the page, such as the line between two cells, has the place of the character before it.
"""

from __future__ import annotations

import ctypes
import math
import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, pairwise, takewhile
from typing import Any
from unicodedata import normalize

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from pipeline.errors import IngestFault
from pipeline.ingest import Unread
from pipeline.ingest.chunks import Extract, Heading, Table
from pipeline.ingest.pdf_characters import characters
from pipeline.ingest.pdf_fields import Field, fields_of
from pipeline.ingest.pdf_hyphens import DASHES, EN_DASH, joint, remember
from pipeline.ingest.pdf_order import Piece, ordered, outside_text, pieces_of
from pipeline.ingest.pdf_tables import Block, Word, anchor_of, blocks_of
from pipeline.ingest.progress import told
from pipeline.ingest.recognition import DPI, LONGEST_PIXELS, program, recognised
from pipeline.ingest.visible import unseen

LETTERS = 10  # a page with fewer letters and with a picture is a scan
HEADING_CHARS = 160  # a longer line is not a heading
HEADING_SHARE = 0.2  # of all lines; if more look like headings, none counts
FIELD = 0x4000_0000  # places from here on are those of the values of a form
FIELD_POINTS, LETTER_POINTS = 14.0, 5.0  # height of a value's first line, and width of its letters, at most
_FIRST_MARK = 0x300  # the first character that joins the one before it
_HYPHENS = (2, 0xFFFE)  # pdfium's codes for a hyphen at a line's end
_SHORT = 0.75  # of the page's usual line length; a shorter line ends its paragraph
_ENTRY = 0.6  # of it; two such lines in a row are a list, a table or an address
SLANT = 0.3  # sine of the angle from which on a line is no heading
DIRECTED = 20  # characters whose direction is asked for
TITLE_SIZE = 1.15  # of the usual height of letters, that those of a title have at least
TITLE_LINES = 4  # of the largest type at most
REPEATED, REPEATED_SHARE = 3, 0.25  # pages, and share of all, on which a running head stands at least
CONTENTS_LINES, CONTENTS_GAP = 3, 2  # the fewest lines of contents, and the most other lines between two of them
RAGGED_LINES, RAGGED_SHARE = 8, 0.35  # the fewest lines, and the share of wide ones below which lines are not folded
_LEADER = re.compile(r"(?:[.·_…]\s?){4,}")
_ENTRY_OF_CONTENTS = re.compile(r"(?:[.·_…]\s?){4,}\s*[\divxlcIVXLC]+(?:[-.]\d+)?\s*\Z")
_NUMBERS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{3}")
_SCANNED_HEIGHT = 10.0  # points: the same for all lines, so that none looks like a heading
_BULLET = re.compile(r"[•◦▪‣·●○■□◆➢➤✓✔*–—-] |\(?\d{1,2}[.)] |\(?[a-z]\) ")
_INKED = re.compile(r"\S+")
_RUN, _CHARACTER = re.compile(r"[!-~]+|.", re.DOTALL), re.compile(".", re.DOTALL)  # most words are read at once
_BOLD = re.compile(rb"bold|black|heavy", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table in the text of its page: `start` to `body` name its columns, and `sides` are theirs, in points."""

    start: int
    body: int
    end: int
    sides: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text; `places[n]` is pdfium's index of its n-th character, `lines` are (start, end) in the text.

    The rows of `tables` are no lines.
    """

    text: str
    places: Sequence[int]
    lines: Sequence[tuple[int, int]]
    tables: Sequence[PageTable] = ()


@dataclass(slots=True)
class _Page:
    text: str
    lines: Sequence[tuple[int, int]]
    looks: Sequence[tuple[float, bool]]  # per line: height of its characters in points, and whether it is bold
    tables: Sequence[PageTable] = ()
    scanned: bool = False
    breaks: set[int] = field(default_factory=set)  # offsets of lines that begin a paragraph


def opened(content: bytes) -> pdfium.PdfDocument:
    """Open a document. Raises IngestFault for one that is locked or damaged."""
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        raise IngestFault("encrypted" if error.err_code == raw.FPDF_ERR_PASSWORD else "broken") from error
    if document.get_formtype() != raw.FORMTYPE_NONE:
        document.init_forms()
    return document


def page_text(page: Any, textpage: Any, number: int) -> PageText:
    """Return the visible text of a page, with each run of blanks or line ends as one character and none at its ends.

    `number` is the page's number, from 0.
    """
    found, fields = _as_written(page, textpage, number), fields_of(page)
    rotation = _direction(textpage, found) if found.text else page.get_rotation()
    words = list(_words(textpage, found, rotation))
    for are_notes in (True, False):  # a value may belong to words that were written over the page
        if new := [(number, each) for number, each in enumerate(fields) if each.is_note == are_notes]:
            found = _filled(found, words, new, rotation)
            words = list(_words(textpage, found, rotation, fields))
    starts = frozenset(start for start, _ in found.lines)
    pieces = pieces_of(words, (), starts)
    if blocks := blocks_of(outside_text(pieces), partial(_split, textpage, found.places, rotation)):
        pieces = pieces_of(words, blocks, starts)
    reading = ordered(pieces)
    return _arranged(found, reading) if blocks or reading is not pieces else found


def _as_written(page: Any, textpage: Any, number: int) -> PageText:
    """Return the visible text of a page in the order of its file."""
    hidden = unseen(page, textpage, number)
    found = characters(textpage)
    remember(page.pdf, number, found)
    letters: list[str] = []
    places = array("I")
    starts = [0]
    blank = high = 0  # pending blank: 1 a space, 2 a line end; first half of a surrogate pair
    hyphen = -1  # pending hyphen of a line's end
    for run in (_CHARACTER if hidden else _RUN).finditer(found):
        index = run.start()
        if hidden and index in hidden:
            continue
        code = ord(found[index])
        if code == 32:
            blank = blank or 1
            continue
        if not 32 < code < 127:  # few characters are outside ASCII, so these checks are rare
            if kind := _blank(code):
                blank = max(blank, kind)
                continue
            if code in _HYPHENS:
                hyphen = index
                continue
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if high and 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + code - 0xDC00
            high = 0
            if not _is_letter(code):
                continue
        if blank == 2 and hyphen < 0 and _ends_in_hyphen(letters, code):
            hyphen = places[-1]  # pdfium tells only those between letters
        if hyphen >= 0 and letters:
            written = places[-1] == hyphen
            before = _word_before(letters[:-1] if written else letters)
            between = joint(before, _word_after(found, index), page.pdf, number)
            if not written and between:
                letters.append("-")
                places.append(hyphen)
            if between == "- ":
                letters.append("\n")
                places.append(index - 1)
            starts.append(len(letters))
            hyphen, blank = -1, 0
        if blank and letters:
            letters.append(" " if blank == 1 else "\n")
            places.append(index - 1)
            if blank == 2:
                starts.append(len(letters))
        blank = 0
        letter = chr(code)
        if code >= _FIRST_MARK and letters and len(joined := normalize("NFC", letters[-1] + letter)) == 1:
            letters[-1] = joined  # a letter and its accent, at the letter's place
            continue
        letters.append(letter)
        places.append(index)
        letters += found[index + 1 : run.end()]
        places.extend(range(index + 1, run.end()))
    text = "".join(letters)
    ends = [start - (text[start - 1 : start] == "\n") for start in starts[1:]]
    return PageText(text, places, [line for line in zip(starts, [*ends, len(text)], strict=True) if line[0] < line[1]])


def _ends_in_hyphen(letters: Sequence[str], code: int) -> bool:
    """Whether a word or number goes on with the next character; a dash joins only the digits of a range."""
    if len(letters) < 2 or letters[-1] not in DASHES or not letters[-2].isalnum() or not chr(code).isalnum():
        return False
    return letters[-1] != EN_DASH or (letters[-2].isdigit() and chr(code).isdigit())


def _word_before(letters: Sequence[str]) -> str:
    """Return the letters and digits at the end."""
    begin = len(letters)
    while begin and letters[begin - 1].isalnum():
        begin -= 1
    return "".join(letters[begin:])


def _word_after(text: str, index: int) -> str:
    """Return the letters and digits from a character on."""
    return "".join(takewhile(str.isalnum, islice(text, index, index + 60)))


def _direction(textpage: Any, found: PageText) -> int:
    """Return by how many degrees clockwise the page is turned to read most of its text; a table may lie on its side."""
    step = max(1, len(found.places) // DIRECTED)
    angles = [raw.FPDFText_GetCharAngle(textpage.raw, place) for place in found.places[::step]]
    turns = Counter(-round(math.degrees(angle) / 90) % 4 for angle in angles if angle >= 0)
    return 90 * turns.most_common(1)[0][0] if turns else 0


def _filled(found: PageText, words: Sequence[Word], new: Sequence[tuple[int, Field]], rotation: int) -> PageText:
    """Return the text with numbered values: a tick before its words, others behind the words left of or above them."""
    inserted: list[tuple[int, float, float, int, str]] = []
    for number, value in new:
        left, top, right, bottom = _displayed(*value.box, rotation)
        anchor = anchor_of((left, top, right, bottom), words, is_right=value.is_tick)
        is_before = anchor is None or (value.is_tick and anchor.left > right - 2)
        at = 0 if anchor is None else anchor.start if is_before else anchor.end
        inserted.append((at, top, left, number, f"{value.text} " if is_before else f" {value.text}"))
    letters: list[str] = []
    places = array("I")
    moved: list[tuple[int, int]] = []  # offset, and by how much the text behind it is moved
    past = 0
    for at, _, _, number, text in sorted(inserted):
        letters += [*found.text[past:at], *text]
        places.extend(found.places[past:at])
        places.extend([FIELD + number] * len(text))
        past = at
        moved.append((at, len(letters) - at))
    if not found.text:
        letters.pop()
        places.pop()
    letters += found.text[past:]
    places.extend(found.places[past:])

    def shifted(offset: int, *, is_end: bool) -> int:
        at = bisect_right(moved, (offset, len(letters))) if is_end else bisect_left(moved, (offset, 0))
        return offset + (moved[at - 1][1] if at else 0)

    lines = [(shifted(start, is_end=False), shifted(end, is_end=True)) for start, end in found.lines]
    return PageText("".join(letters), places, lines or [(0, len(letters))])


def _words(textpage: Any, found: PageText, rotation: int, fields: Sequence[Field] = ()) -> Iterator[Word]:
    """Iterate over the words of a page as it is displayed; one that is divided at a line's end is two."""
    box, handle = raw.FS_RECTF(), textpage.raw
    get, reference, text, places = raw.FPDFText_GetLooseCharBox, ctypes.byref(box), found.text, found.places
    for line_start, line_end in found.lines:
        for match in _INKED.finditer(text, line_start, line_end):
            start, end = match.span()
            if fields and places[start] >= FIELD:
                yield _of_field(found, start, end, fields[places[start] - FIELD], rotation)
                continue
            get(handle, places[start], reference)
            left, bottom, right, top = box.left, box.bottom, box.right, box.top
            if end - start > 1:
                get(handle, places[end - 1], reference)
                left, right = min(left, box.left), max(right, box.right)
                bottom, top = min(bottom, box.bottom), max(top, box.top)
            if rotation:
                yield Word(start, end, *_displayed(left, bottom, right, top, rotation), match[0])
            else:
                yield Word(start, end, left, -top, right, -bottom, match[0])


def _of_field(found: PageText, start: int, end: int, value: Field, rotation: int) -> Word:
    """Return a word of a value; its width is its share of the value's box."""
    text, place = found.text[start:end], found.places[start]
    begin = start
    while begin and found.places[begin - 1] == place:
        begin -= 1
    left, bottom, right, top = value.box
    share = min((right - left) / max(1, len(value.text)), LETTER_POINTS)
    first = left + share * (start - begin)
    box = (first, max(bottom, top - FIELD_POINTS), first + share * len(text), top)
    return Word(start, end, *_displayed(*box, rotation), text)


def _displayed(
    left: float, bottom: float, right: float, top: float, rotation: int
) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom with y growing downwards, after the page is turned."""
    match rotation:
        case 90:
            return bottom, left, top, right
        case 180:
            return -right, bottom, -left, top
        case 270:
            return -top, -right, -bottom, -left
        case _:
            return left, -top, right, -bottom


def _split(textpage: Any, places: Sequence[int], rotation: int, word: Word, lefts: Sequence[float]) -> list[Word]:
    """Divide a word before each character that begins a column at one of `lefts`."""
    parts, begin = [word], word.start
    for at in range(word.start + 1, word.end):
        box = _box(textpage, places[at])
        left, top, right, bottom = _displayed(box.left, box.bottom, box.right, box.top, rotation)
        last = parts[-1]
        if any(last.left < each and abs(left - each) < 0.5 * (right - left) + 0.5 for each in lefts):
            last.end, last.right, last.text = at, left, word.text[begin - word.start : at - word.start] or last.text
            parts.append(Word(at, word.end, left, top, word.right, bottom, word.text))
            begin = at
    return parts


def _arranged(found: PageText, pieces: Sequence[Piece]) -> PageText:
    """Return the text of the pieces in their order, with tables as Markdown, and with prose column by column."""
    page = _Arranged(found)
    line_starts = {start for start, _ in found.lines}
    for piece in pieces:
        if piece.block is not None:
            page.add_block(piece.block)
            continue
        after: Word | None = None
        for word in chain.from_iterable(piece.lines):
            page.add_word(word, after, begins_line=word.start in line_starts)
            after = word
    return page.text()


class _Arranged:
    """Builds the text of a page from pieces of it."""

    def __init__(self, found: PageText) -> None:
        self._found = found
        self._parts: list[str] = []
        self._length = 0
        self._places = array("I")
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._tables: list[PageTable] = []
        self._open = False  # whether a line is being written

    def add_word(self, word: Word, before: Word | None, *, begins_line: bool) -> None:
        """Add a word behind the one that was before it."""
        if begins_line or before is None:
            glued = before is not None and before.end == word.start
            self._end_line()
            if not glued:
                self._mark("\n")
            self._starts.append(self._length)
            self._open = True
        elif before.end < word.start:
            self._mark(" ")
        self._copy(word)

    def add_block(self, block: Block) -> None:
        """Add a table, or prose line by line."""
        self._end_line()
        for line in block.lines:
            self._mark("\n")
            self._starts.append(self._length)
            for at, word in enumerate(line):
                if at and line[at - 1].end != word.start:
                    self._mark(" ")
                self._copy(word)
            self._ends.append(self._length)
        if block.rows:
            self._add_table(block)

    def _add_table(self, block: Block) -> None:
        self._mark("\n")
        start = body = self._length
        for number, row in enumerate(block.rows):
            if number:
                self._mark("\n")
            self._begin_row(row)
            for cell in row:
                self._mark(" ")
                for at, word in enumerate(cell):
                    if at:
                        self._mark(" ")
                    self._copy(word, in_table=True)
                self._mark(" |" if cell else "|")
            if number == 0 and block.has_header:
                self._mark("\n|" + " --- |" * len(row))
                body = self._length + 1
        self._tables.append(PageTable(start, min(body, self._length), self._length, block.sides))

    def _begin_row(self, row: Sequence[Sequence[Word]]) -> None:
        """Write the line before the first cell; its place is in this row, so that nothing of another one is marked."""
        first = next((cell[0].start for cell in row if cell), 0)
        self._parts.append("|")
        self._length += 1
        self._places.append(self._found.places[first])

    def _copy(self, word: Word, *, in_table: bool = False) -> None:
        text = self._found.text[word.start : word.end]
        if in_table and "|" in text:
            for at in range(word.start, word.end):
                self._mark("\\" if self._found.text[at] == "|" else "")
                self._add(self._found.text[at], at)
        else:
            self._add(text, word.start)

    def _add(self, text: str, at: int) -> None:
        self._parts.append(text)
        self._length += len(text)
        self._places.extend(self._found.places[at : at + len(text)])

    def _mark(self, marks: str) -> None:
        """Add what is not on the page, but nothing at its start."""
        if self._length and marks:
            self._parts.append(marks)
            self._length += len(marks)
            self._places.extend([self._places[-1]] * len(marks))

    def _end_line(self) -> None:
        if self._open:
            self._ends.append(self._length)
        self._open = False

    def text(self) -> PageText:
        """Return the text of the page."""
        self._end_line()
        lines = [line for line in zip(self._starts, self._ends, strict=True) if line[0] < line[1]]
        return PageText("".join(self._parts), self._places, lines, self._tables)


def _blank(code: int) -> int:
    """Return 1 for a blank, 2 for a line end, 0 for any other character."""
    if code in (10, 13, 0x2028, 0x2029):
        return 2
    return int(code in (9, 11, 12, 32, 0xA0, 0x3000) or 0x2000 <= code <= 0x200A)


def _is_letter(code: int) -> bool:
    """Whether it is text: no control character, soft hyphen, invisible tag or half of a surrogate pair."""
    return (159 < code < 0xD800 or 0xE000 <= code < 0xE0000 or 0xE0080 <= code <= 0x10FFFF) and code != 0xAD


def pdf_extract(content: bytes, most_pages: int) -> Extract:
    """Read all pages. Raises IngestFault for a locked, damaged, scanned or over-long file."""
    with opened(content) as document:
        if len(document) > most_pages:
            raise IngestFault("too_many_pages")
        found = [_read_page(document, number) for number in told(range(len(document)), len(document))]
        if not any(found):
            raise IngestFault("broken")
        pages = [page or _Page("", (), ()) for page in found]
        _refuse_scans(pages)
        starts = _starts(pages)
        bookmarked = list(_bookmarked(document, pages))
        repeated = _repeated(pages)
        headed = bookmarked or list(_by_looks(pages, repeated))
        metadata = document.get_metadata_dict()
    headings = _in_order(pages, starts, headed)
    text = _folded(pages, starts, headings)
    title = metadata.get("Title", "").strip()
    is_in_text = title and _compact(title)[0] in _compact(text[:3000])[0]
    return Extract(
        text,
        tuple(headings),
        title if is_in_text else _largest(pages, repeated) or _only_top(bookmarked),
        markdown=False,
        page_starts=tuple(starts),
        keeps_places=True,
        tables=tuple(_tables(pages, starts)),
        unindexed=_contents(pages, starts),
        unread=_unread(pages),
    )


def _unread(pages: Sequence[_Page]) -> tuple[tuple[Unread, int], ...]:
    scanned = sum(page.scanned and _few_letters(page.text) for page in pages)
    return (("page", scanned),) if scanned else ()


def _tables(pages: Sequence[_Page], starts: Sequence[int]) -> Iterator[Table]:
    """Iterate over the tables of all pages. One that goes on from the page before has its names there."""
    last: PageTable | None = None
    names = (0, 0)
    for page, start in zip(pages, starts, strict=True):
        for table in page.tables:
            goes_on = last is not None and table.start == table.body and _same_columns(last, table)
            names = names if goes_on else (start + table.start, start + table.body)
            yield Table(start + table.start, start + table.body, start + table.end, names if goes_on else (0, 0))
            last = table
        if not page.tables:
            last = None


def _same_columns(table: PageTable, other: PageTable) -> bool:
    pairs = zip(table.sides, other.sides, strict=False)
    return len(table.sides) == len(other.sides) and all(a[0] < b[1] and b[0] < a[1] for a, b in pairs)


def _read_page(document: pdfium.PdfDocument, number: int) -> _Page | None:
    """Read a page; None for one that cannot be read, so that the others still are."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return None
    try:
        textpage = page.get_textpage()
        found = page_text(page, textpage, number)
        turned = math.radians(_direction(textpage, found))
        looks = [_look(textpage, found.text[start:end], found.places[start:end], turned) for start, end in found.lines]
        textpage.close()
        if (scanned := is_scan(page, found.text)) and program():
            with suppress(IngestFault):  # a page that cannot be recognised has no text, and the others have theirs
                return _recognised(page)
    finally:
        page.close()
    return _Page(found.text, found.lines, looks, found.tables, scanned)


def is_scan(page: Any, text: str) -> bool:
    """Whether a page is a picture of one."""
    return _few_letters(text) and next(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3), None) is not None


def scan(page: Any) -> Image.Image:
    """Return the picture of a page for text recognition."""
    scale = min(DPI / 72, LONGEST_PIXELS / max(page.get_size()))
    picture: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    return picture


def _recognised(page: Any) -> _Page:
    """Read a scanned page; its paragraphs are its lines."""
    found = recognised(scan(page))
    lines = found.paragraphs
    return _Page(found.text, lines, [(_SCANNED_HEIGHT, False)] * len(lines), scanned=True)


def _look(textpage: Any, line: str, places: Sequence[int], turned: float) -> tuple[float, bool]:
    """Return the height of a line's middle character and whether both its ends are bold; a table row has neither."""
    places = [place for place in places if place < FIELD]
    if not places:
        return 0.0, False
    middle = places[len(places) // 2]
    if abs(math.sin(raw.FPDFText_GetCharAngle(textpage.raw, middle) + turned)) > SLANT:
        return 0.0, False  # a stamp at the margin
    box = _box(textpage, middle)
    height = abs(box.top - box.bottom)
    bold = all(_bold(textpage, place) for place in (places[0], places[-1]))
    return round(height, 1), bold and not _has_columns(textpage, line, places, height)


def _has_columns(textpage: Any, line: str, places: Sequence[int], height: float) -> bool:
    """Whether a gap between two words is at least as wide as the line is high."""
    blanks = [at for at, letter in enumerate(line) if letter == " " and 0 < at < len(line) - 1]
    gaps = (_box(textpage, places[at + 1]).left - _box(textpage, places[at - 1]).right for at in blanks)
    return any(gap > height for gap in gaps)


def _box(textpage: Any, place: int) -> Any:
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(textpage.raw, place, box)
    return box


def _bold(textpage: Any, place: int) -> bool:
    if raw.FPDFText_GetFontWeight(textpage.raw, place) >= 600:
        return True
    name = ctypes.create_string_buffer(100)
    raw.FPDFText_GetFontInfo(textpage.raw, place, name, len(name), None)
    return _BOLD.search(name.value) is not None


def _refuse_scans(pages: Sequence[_Page]) -> None:
    """Raise IngestFault for a document of pictures. One page of text is enough to read a document."""
    if any(page.scanned for page in pages) and all(_few_letters(page.text) for page in pages):
        raise IngestFault("scanned")


def _few_letters(text: str) -> bool:
    return len(list(islice(filter(str.isalnum, text), LETTERS))) < LETTERS


def _starts(pages: Sequence[_Page]) -> list[int]:
    """Return where each page begins in the text of all pages; one character separates pages that hold text."""
    starts, length = [], 0
    for page in pages:
        length += bool(length and page.text)
        starts.append(length)
        length += len(page.text)
    return starts


@dataclass(frozen=True, slots=True)
class _Found:
    """A heading on its page (from 0), without lines where only its page is known."""

    page: int
    level: int
    title: str
    start: int = 0
    end: int = 0


def _bookmarked(document: pdfium.PdfDocument, pages: Sequence[_Page]) -> Iterator[_Found]:
    """Iterate over the PDF's bookmarks: level, title and page are exact; the lines are searched."""
    compact: dict[int, tuple[str, list[int]]] = {}
    for bookmark in document.get_toc(max_depth=6):
        target = bookmark.get_dest()
        number = target.get_index() if target else None
        title = " ".join(bookmark.get_title().split())
        if number is None or not 0 <= number < len(pages) or not title:
            continue
        if number not in compact:
            compact[number] = _compact(pages[number].text)
        start, end = _lines_of(title, pages[number], *compact[number])
        yield _Found(number, bookmark.level + 1, title, start, end)


def _compact(text: str) -> tuple[str, list[int]]:
    """Return `text` in lower case without blanks and ligatures, and the offset of each of its characters."""
    pairs = [(folded, place) for place, letter in enumerate(text) if letter > " " for folded in letter.casefold()]
    return "".join(folded for folded, _ in pairs), [place for _, place in pairs]


def _lines_of(title: str, page: _Page, compact: str, places: Sequence[int]) -> tuple[int, int]:
    """Return the complete lines that hold only a title and perhaps a number; (0, 0) for none."""
    wanted, begins = _compact(title)[0], [start for start, _ in page.lines]
    at = compact.find(wanted)
    while at >= 0:
        start = page.lines[bisect_right(begins, places[at]) - 1][0]
        end = page.lines[bisect_right(begins, places[at + len(wanted) - 1]) - 1][1]
        if end - start <= len(title) + 12 and start <= places[at] < end:
            return start, end
        at = compact.find(wanted, at + 1)
    return 0, 0


def _repeated(pages: Sequence[_Page]) -> frozenset[str]:
    """Return the lines that stand on many pages but for their numbers: running heads."""
    seen = Counter(
        line for page in pages for line in {_without_numbers(page.text[slice(*line)]) for line in page.lines}
    )
    return frozenset(line for line, count in seen.items() if count >= max(REPEATED, REPEATED_SHARE * len(pages)))


def _without_numbers(line: str) -> str:
    return _NUMBERS.sub("#", " ".join(line.split()))


def _usual_look(pages: Sequence[_Page]) -> tuple[float, bool] | None:
    """Return the height and boldness of most of the text."""
    sizes: Counter[tuple[float, bool]] = Counter()
    for page in pages:
        for (start, end), look in zip(page.lines, page.looks, strict=True):
            sizes[look] += end - start
    return sizes.most_common(1)[0][0] if sizes else None


def _largest(pages: Sequence[_Page], repeated: Collection[str]) -> str:
    """Return the lines in the largest type of the first page, "" where no type stands out."""
    usual, page = _usual_look(pages), pages[0]
    lines = [
        (look[0], page.text[slice(*line)])
        for line, look in zip(page.lines, page.looks, strict=True)
        if _without_numbers(page.text[slice(*line)]) not in repeated
    ]
    worded = [height for height, text in lines if _WORD.search(text)]
    if usual is None or not worded or max(worded) < TITLE_SIZE * usual[0]:
        return ""
    largest = max(worded)
    first = next(at for at, (height, text) in enumerate(lines) if height == largest and _WORD.search(text))
    kept = [text for _, text in takewhile(lambda line: line[0] >= 0.95 * largest, lines[first:])]
    title = " ".join(" ".join(kept).split())
    is_short = len(kept) <= TITLE_LINES and len(title) <= HEADING_CHARS
    return title if is_short and title[-1] not in ",;" and not _LEADER.search(title) else ""


def _only_top(bookmarked: Sequence[_Found]) -> str:
    """Return the bookmark that all others are below."""
    tops = [each.title for each in bookmarked if each.level == 1]
    return tops[0] if len(tops) == 1 and len(bookmarked) > 1 else ""


def _contents(pages: Sequence[_Page], starts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the spans of dotted contents pages: lines that lead to the numbers of pages, one after the other."""
    spans: list[tuple[int, int]] = []
    entries: list[tuple[int, int]] = []
    missed = 0
    for page, start in zip(pages, starts, strict=True):
        for begin, end in page.lines:
            if _ENTRY_OF_CONTENTS.search(page.text[begin:end]):
                entries.append((start + begin, start + end))
                missed = 0
            elif entries and (missed := missed + 1) > CONTENTS_GAP:
                spans += [(entries[0][0], entries[-1][1])] if len(entries) >= CONTENTS_LINES else []
                entries = []
    spans += [(entries[0][0], entries[-1][1])] if len(entries) >= CONTENTS_LINES else []
    length = starts[-1] + len(pages[-1].text)
    return tuple(spans) if 2 * sum(end - start for start, end in spans) < length else ()


def _by_looks(pages: Sequence[_Page], repeated: Collection[str]) -> Iterator[_Found]:
    """Iterate over lines that stand out: larger than most of the text, or bold where most of it is not."""
    usual = _usual_look(pages)
    if usual is None:
        return
    body, body_bold = usual
    found = (run for number, page in enumerate(pages) for run in _runs(number, page, body, bold=not body_bold))
    runs = [
        run
        for run in found
        if _without_numbers(pages[run[0]].text[slice(*pages[run[0]].lines[run[1]])]) not in repeated
    ]
    if sum(last - first for _, first, last, _ in runs) > HEADING_SHARE * sum(len(page.lines) for page in pages):
        return
    heights = sorted({max(height, body) for *_, height in runs}, reverse=True)
    for number, first, last, height in runs:
        page = pages[number]
        start, end = page.lines[first][0], page.lines[last - 1][1]
        level = min(1 + heights.index(max(height, body)), 6)
        yield _Found(number, level, " ".join(page.text[start:end].split()), start, end)


def _runs(number: int, page: _Page, body: float, *, bold: bool) -> Iterator[tuple[int, int, int, float]]:
    """Iterate over runs of at most three similar lines that stand out: (page, first line, last line + 1, height)."""
    first = 0
    for last in range(1, len(page.lines) + 1):
        if last < len(page.lines) and page.looks[last] == page.looks[first]:
            continue
        height, is_bold = page.looks[first]
        text = page.text[page.lines[first][0] : page.lines[last - 1][1]]
        if (
            last - first <= 3
            and (height >= 1.12 * body or (bold and is_bold and height >= 0.95 * body))
            and 3 <= len(text) <= HEADING_CHARS
            and any(letter.isalpha() for letter in text)
            and text[-1] not in ".,;:"
            and not _LEADER.search(text)
        ):
            yield number, first, last, round(2 * height) / 2
        first = last


def _in_order(pages: Sequence[_Page], starts: Sequence[int], found: Sequence[_Found]) -> list[Heading]:
    """Return headings with offsets in the text of all pages; none overlaps another, each begins a paragraph."""
    headings: list[Heading] = []
    for each in sorted(found, key=lambda each: (each.page, each.start)):
        start, end = starts[each.page] + each.start, starts[each.page] + each.end
        past = headings[-1].end if headings else 0
        headings.append(Heading(each.level, each.title, max(start, past), max(end, past)))
        if each.end:
            after = bisect_left(pages[each.page].lines, (each.end, 0))
            pages[each.page].breaks |= {each.start, *(line[0] for line in pages[each.page].lines[after : after + 1])}
    return headings


def _folded(pages: Sequence[_Page], starts: Sequence[int], headings: Sequence[Heading]) -> str:
    """Return the text of all pages, with line feeds only where paragraphs end."""
    parts: list[str] = []
    ends = {heading.end for heading in headings}
    length, short, before = 0, False, _Page("", (), ())
    for page, start in zip(pages, starts, strict=True):
        if start > length:
            parts.append(
                "\n"
                if short
                or 0 in page.breaks
                or _begins_or_ends_table(before, page)
                or parts[-1][-1] in ".!?:"
                or length in ends
                else " "
            )
        if page.text:
            parts.append(_fold(page))
            start_of_last, end_of_last = page.lines[-1] if page.lines else (0, 0)
            short = end_of_last - start_of_last < _ENTRY * _usual(page)
            before = page
        length = start + len(page.text)
    return "".join(parts)


def _begins_or_ends_table(before: _Page, page: _Page) -> bool:
    """Whether a table stands where one page ends or the next begins."""
    ends = before.tables and before.tables[-1].end == len(before.text)
    return bool(ends or (page.tables and page.tables[0].start == 0))


def _fold(page: _Page) -> str:
    usual = _usual(page)
    letters = list(page.text)
    in_list = False
    after_tables = {table.end + 1 for table in page.tables}
    ragged = _is_ragged(page)
    for (start, end), (following, its_end) in pairwise(page.lines):
        entry, next_entry = (length < _ENTRY * usual for length in (end - start, its_end - following))
        ended = end - start < _SHORT * usual and letters[end - 1] in ".!?:"
        in_list, leaving = entry and next_entry, in_list and entry
        if letters[following - 1] == "\n" and not (
            following in page.breaks
            or following in after_tables
            or ended
            or ragged
            or in_list
            or leaving
            or _BULLET.match(page.text, following)
        ):
            letters[following - 1] = " "
    return "".join(letters)


def _is_ragged(page: _Page) -> bool:
    """Whether a page has lines of any length, as receipts, lists and verses have, and not paragraphs."""
    lengths = sorted(end - start for start, end in page.lines)
    if len(lengths) < RAGGED_LINES:
        return False
    wide = lengths[int(0.95 * (len(lengths) - 1))]
    return sum(length >= 0.75 * wide for length in lengths) < RAGGED_SHARE * len(lengths)


def _usual(page: _Page) -> int:
    """Return the line length such that half of the text is in lines at least as long."""
    lengths = sorted((end - start for start, end in page.lines), reverse=True)
    half = sum(lengths) / 2
    for length in lengths:
        half -= length
        if half <= 0:
            return length
    return 0
