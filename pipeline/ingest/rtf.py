"""Reads RTF: paragraphs, headings, tables, notes and the title, without hidden text.

Of the libraries tried, striprtf writes cells as text between bars, which a text may hold too, and keeps hidden text. A
file is a stream of groups, control words and text in the code page of the font; an unknown destination is skipped.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace

from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract

_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})? ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<sign>[^a-zA-Z])|"
    r"(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\"
)
_SKIPPED = frozenset(
    [
        "filetbl",
        "listtable",
        "listoverridetable",
        "rsidtbl",
        "generator",
        "themedata",
        "colorschememapping",
        "datastore",
        "latentstyles",
        "xmlnstbl",
        "fldinst",
        "pict",
        "objdata",
        "nonshppict",
        "bkmkstart",
        "bkmkend",
        "atnid",
        "atnauthor",
        "atnref",
        "atndate",
        "pntxta",
        "pntxtb",
        "nonesttables",
        "revtbl",
        "mmathPr",
        "userprops",
        "doccomm",
        "company",
        "operator",
        "author",
        "keywords",
        "subject",
        "category",
        "manager",
        "hlinkbase",
        "pgptbl",
        "passwordhash",
        "wgrffmtfilter",
        "template",
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
        "footerr",
        "footerf",
        "ftnsep",
        "ftnsepc",
        "ftncn",
        "aftnsep",
        "aftnsepc",
        "aftncn",
        "private",
        "xe",
        "tc",
        "tcn",
        "rxe",
        "ud",
    ]
)
_READ_THOUGH_MARKED = frozenset(["shpinst", "shptxt", "shppict", "footnote", "annotation", "nesttableprops", "ud"])
_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    134: "gb18030",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
_SIGNS = {
    "tab": "\t",
    "line": "\n",
    "lquote": "\N{LEFT SINGLE QUOTATION MARK}",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "endash": "–",
    "emdash": "—",
    "enspace": " ",
    "emspace": " ",
    "qmspace": " ",
}
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*([1-6])", re.IGNORECASE)
_TITLE = re.compile(r"(?:title|titel)", re.IGNORECASE)
_TABLES = ("fonttbl", "colortbl", "stylesheet", "info")  # destinations that tell of the text and hold none
_TINY_HALF_POINTS = 2
_WHITE = [255, 255, 255]


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits and its end undoes."""

    is_skipped: bool = False
    is_hidden: bool = False
    is_tiny: bool = False
    is_white: bool = False
    is_shaded: bool = False
    destination: str = ""
    codec: str = ""  # of the font, "" for that of the file
    skips: int = 1  # characters that follow \\u for readers without Unicode


@dataclass(slots=True)
class _Row:
    """The row being read: its finished cells, and how the cells of its definition are merged."""

    cells: list[str] = field(default_factory=list)
    merges: list[str] = field(default_factory=list)  # "", "left" or "above"
    merge: str = ""


def rtf_extract(content: bytes) -> Extract:
    """Read a file. Damaged groups end where the file ends."""
    return _Reader(content.decode("latin-1")).read()


class _Reader:
    """State of one file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._blocks = ExtractBuilder()
        self._state, self._stack = _State(), [_State()]
        self._codec = "cp1252"
        self._colours, self._colour = list[list[int]](), list[int]()
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._styles: dict[int, int] = {}  # style → level of its heading
        self._style_name, self._style, self._style_level = "", 0, 0
        self._title: list[str] = []
        self._bytes = bytearray()
        self._paragraph: list[str] = []
        self._level, self._is_cell = 0, False
        self._row, self._rows = _Row(), list[list[str]]()
        self._notes: list[str] = []
        self._outer: list[str] = []  # the paragraph around a note
        self._to_skip = 0
        self._is_marked = False  # whether \\* came right before
        self._begins = False  # whether a group has just begun

    def read(self) -> Extract:
        """Read the file to its end."""
        at, end = 0, len(self._source)
        while at < end:
            token = _TOKEN.match(self._source, at)
            if token is None:
                break
            at = token.end()
            if token["brace"]:
                self._brace(token["brace"])
            elif token["word"]:
                number = int(token["number"]) if token["number"] else None
                if token["word"] == "bin":
                    at += max(0, number or 0)
                else:
                    self._word(token["word"], number)
            elif token["byte"]:
                self._byte(int(token["byte"], 16))
            elif token["sign"]:
                self._sign(token["sign"])
            elif token["text"]:
                self._text(token["text"])
            self._begins = bool(token["brace"] == "{" or (self._begins and token["sign"] == "*"))
        self._end_paragraph()
        self._end_table()
        for note in self._notes:
            self._blocks.add(note)
        return self._blocks.extract(one_line("".join(self._title)))

    # Groups

    def _brace(self, brace: str) -> None:
        self._flush()
        self._to_skip = 0
        if brace == "{":
            self._stack.append(self._state)
            self._is_marked = False
            return
        if (
            self._state.destination in ("footnote", "annotation")
            and self._stack[-1].destination != self._state.destination
        ):
            self._end_note()
        if self._state.destination == "style" and self._stack[-1].destination == "stylesheet":
            self._end_style()
        if self._stack:
            self._state = self._stack.pop()

    def _begin_destination(self, word: str) -> bool:
        """Enter the destination that a group names first, and return whether the word is one."""
        if word in _TABLES:
            self._state = replace(self._state, destination=word)
        elif word == "title" and self._state.destination == "info":
            self._state = replace(self._state, destination="title")
        elif word in ("footnote", "annotation") and not self._state.is_skipped:
            self._state = replace(self._state, destination=word)
            self._outer, self._paragraph = self._paragraph, []
        elif word in _SKIPPED or (self._is_marked and word not in _READ_THOUGH_MARKED):
            self._state = replace(self._state, is_skipped=True)
        else:
            return False
        return True

    def _end_note(self) -> None:
        text = one_line("".join(self._paragraph))
        self._paragraph = self._outer
        if text:
            self._notes.append(text)

    def _end_style(self) -> None:
        name = one_line(self._style_name).rstrip(";")
        found = _HEADING.match(name)
        level = int(found[1]) if found else 1 if _TITLE.fullmatch(name) else self._style_level
        if level:
            self._styles[self._style] = level
        self._style_name, self._style, self._style_level = "", 0, 0

    # Words

    def _word(self, word: str, number: int | None) -> None:
        if self._begins and self._begin_destination(word):
            return
        self._is_marked = False
        state = self._state
        if state.destination == "stylesheet" and self._begins:
            self._state = state = replace(state, destination="style")
        if word == "u":
            self._unicode(number or 0)
        elif word == "uc":
            self._state = replace(state, skips=max(0, number or 0))
        elif word == "ansicpg" and number:
            self._codec = _known(f"cp{number}", self._codec)
        elif word in ("mac", "pc", "pca"):
            self._codec = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        elif word in ("f", "fcharset", "cpg"):
            self._take_font(word, number or 0)
        elif word == "outlinelevel" and state.destination == "style":
            self._style_level = min((number or 0) + 1, 6)
        elif word in ("s", "cs", "ds", "ts") and state.destination == "style":
            self._style = number if word == "s" and number is not None else -1
        elif word in ("v", "deleted"):
            self._flush()
            self._state = replace(state, is_hidden=number != 0)
        elif word == "fs":
            self._flush()
            self._state = replace(state, is_tiny=number is not None and number <= _TINY_HALF_POINTS)
        elif word in ("red", "green", "blue"):
            self._colour.append(number or 0)
        elif word in ("cf", "cb", "highlight", "chcbpat", "cbpat"):
            self._flush()
            self._take_colour(word, number or 0)
        elif word == "plain":
            self._flush()
            self._state = replace(state, is_hidden=False, is_tiny=False, is_white=False, codec="")
        elif not state.is_skipped and state.destination not in (*_TABLES, "style", "title"):
            self._paragraph_word(word, number)

    def _paragraph_word(self, word: str, number: int | None) -> None:
        if word in _SIGNS:
            self._put(_SIGNS[word])
        elif word in ("par", "sect", "page", "column"):
            self._end_paragraph()
        elif word == "pard":
            self._level, self._is_cell = 0, False
        elif word == "intbl":
            self._is_cell = True
        elif word == "s":
            self._level = self._styles.get(number or 0, 0)
        elif word == "outlinelevel":
            self._level = min((number or 0) + 1, 6) if (number or 0) < 6 else 0
        elif word == "trowd":
            self._row.merges, self._row.merge = [], ""
        elif word in ("clmrg", "clvmrg"):
            self._row.merge = "left" if word == "clmrg" else "above"
        elif word == "cellx":
            self._row.merges.append(self._row.merge)
            self._row.merge = ""
        elif word == "cell":
            self._flush()
            self._row.cells.append(one_line("".join(self._paragraph)))
            self._paragraph = []
        elif word == "row":
            self._end_row()
        elif word in ("nestcell", "nestrow"):
            self._put(" ")

    def _take_font(self, word: str, number: int) -> None:
        if self._state.destination == "fonttbl":
            if word == "f":
                self._font = number
            else:
                codec = _CHARSETS.get(number, "") if word == "fcharset" else _known(f"cp{number}", "")
                self._fonts[self._font] = codec or self._fonts.get(self._font, "")
        elif word == "f":
            self._flush()
            self._state = replace(self._state, codec=self._fonts.get(number, ""))

    def _take_colour(self, word: str, number: int) -> None:
        if word == "cf":
            is_white = 0 < number < len(self._colours) and self._colours[number] == _WHITE
            self._state = replace(self._state, is_white=is_white)
        else:
            self._state = replace(self._state, is_shaded=number > 0)

    # Text

    def _unicode(self, number: int) -> None:
        self._flush()
        self._put(chr(number % 65_536))
        self._to_skip = self._state.skips

    def _byte(self, value: int) -> None:
        if self._to_skip:
            self._to_skip -= 1
        else:
            self._bytes.append(value)

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self._is_marked = True
        elif sign in "{}\\":
            self._text(sign)
        elif sign == "~":
            self._put("\xa0")
        elif sign == "_":
            self._put("\N{NON-BREAKING HYPHEN}")
        elif sign in "\r\n":
            self._end_paragraph()

    def _text(self, text: str) -> None:
        skipped = min(self._to_skip, len(text))
        self._to_skip -= skipped
        if not self._state.is_skipped:
            self._bytes += text[skipped:].encode("latin-1", "replace")

    def _flush(self) -> None:
        """Decode the bytes so far. They are kept until then, since a character may have two of them."""
        if self._bytes:
            text = self._bytes.decode(self._state.codec or self._codec, "replace")
            self._bytes.clear()
            self._put(text)

    def _put(self, text: str) -> None:
        self._flush()
        state = self._state
        is_unseen = state.is_white and not (state.is_shaded or self._is_cell)
        if state.destination == "colortbl":
            self._colours += [self._colour] * text.count(";")
            self._colour = []
        if state.is_skipped or state.is_hidden or state.is_tiny or is_unseen:
            return
        if state.destination == "title":
            self._title.append(text)
        elif state.destination == "style":
            self._style_name += text
        elif state.destination not in _TABLES:
            self._paragraph.append(text)

    # Blocks

    def _end_paragraph(self) -> None:
        self._flush()
        if self._state.destination in ("footnote", "annotation") or self._is_cell:
            self._paragraph.append("\n")
            return
        text = "\n".join(filter(None, map(one_line, _joined(self._paragraph).split("\n"))))
        self._paragraph = []
        if not text:
            return
        self._end_table()
        if self._level:
            self._blocks.heading(self._level, text)
        else:
            self._blocks.add(text)

    def _end_row(self) -> None:
        self._flush()
        above = self._rows[-1] if self._rows else []
        cells: list[str] = []
        for number, cell in enumerate(self._row.cells):
            merge = self._row.merges[number] if number < len(self._row.merges) else ""
            if merge == "left" and cells:
                cell = cells[-1]
            elif merge == "above" and number < len(above):
                cell = above[number]
            cells.append(cell)
        self._rows.append(cells)
        self._row = _Row(merges=self._row.merges)
        self._paragraph = []

    def _end_table(self) -> None:
        if self._rows:
            self._blocks.table(self._rows)
            self._rows = []


def _joined(parts: list[str]) -> str:
    """Join text; halves of a pair that \\u wrote one by one become one character."""
    return "".join(parts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _known(codec: str, otherwise: str) -> str:
    try:
        return codecs.lookup(codec).name
    except LookupError:
        return "utf-8" if codec == "cp65001" else otherwise
