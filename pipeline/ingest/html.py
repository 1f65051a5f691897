"""Reads HTML into Markdown blocks without hidden content.

One walk over the tree without recursion, so that depth does not matter. Data tables become Markdown tables, in which a
spanning cell stands in each place that it covers, and a table in a cell becomes text of it. Another table with a table
or headings in it is layout, and its cells are read one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.grids import Grid, Merged, add_table


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_DROPPED = _tags(
    "head script style noscript template svg math iframe object embed canvas audio video button select textarea "
    "datalist dialog"
)
_BLOCKS = _tags(
    "html body address article aside blockquote center dd details div dl dt fieldset figcaption figure footer form "
    "header hr legend li main nav ol p section summary ul table thead tbody tfoot tr td th caption"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
LABEL = "\ufdd0"  # around a number of a list that is written before its text; no file has this character
_LABELLED = re.compile(f"{LABEL}([^{LABEL}]*){LABEL}")
_TICKS = {True: "☒ ", False: "☐ "}
_COLUMNS = 100  # the most columns that one cell may span
_ROWS = 65_534  # the most rows, as in the standard
_NAME_CHARS = 80  # a longer cell of the first row does not name a column
_CELL_CHARS = 1000  # a longer cell with a table or headings in it is layout
_GONE = re.compile(r"display:none|visibility:(?:hidden|collapse)")
# Applied to style attributes only: in a style sheet these may be the first frame of an animation.
_UNSEEN = re.compile(
    r"(?:opacity|font-size):(?:0|0?\.0\d*)(?:px|pt|r?em|%)?(?:;|!|$)|font-size:(?:[01](?:\.\d*)?|\.\d+)(?:px|pt)(?:;|!|$)|"
    r"(?:left|top|right|bottom|text-indent|margin-left|margin-top):-\d{3,}|transform:[^;]*(?:scale\(0(?:\.0*)?[,)]|"
    r"translate(?:x|y|3d)?\([^)]*-\d{3,})|(?<![-\w])color:(?:transparent|rgba\([^)]*,0(?:\.0*)?\)|#[0-9a-f]{6}00)|"
    r"content-visibility:hidden"
)
# Applied to style sheets too: clipped to nothing, or moved off the screen.
_CUT = re.compile(
    r"clip:rect\((?:0|1px|0px)|clip-path:(?:inset\((?:50|100)%|circle\(0|polygon\(00\))|(?:left|top):-\d{4,}"
)
_NO_ROOM = re.compile(r"(?:^|;)(?:max-)?(?:height|width):0(?:\.0*)?(?:px|pt|r?em|%)?(?:;|!|$)")
_WHITE = r"(?:white|#fff(?:fff)?(?:ff)?|rgba?\(255,255,255(?:,1)?\)|snow|ivory|#f[d-f]f[d-f]f[d-f])(?:;|!|$)"
_IS_WHITE = re.compile(rf"(?<![-\w])color:{_WHITE}")
_BACKGROUND = re.compile(
    r"background(?:-color|-image)?\s*:\s*([^;}\"']+)|bgcolor\s*=|rel\s*=\s*[\"']?stylesheet", re.IGNORECASE
)
_BLANK_PAPER = re.compile(rf"(?:none|transparent|inherit|initial|{_WHITE})", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_AT_RULE = re.compile(r"@([^{};]*)\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}")
_EVERYWHERE = re.compile(r"media\s+(?:all|screen)\s*")
_BLANKS = re.compile(r"\s+")
_OPENING = re.compile(r"<([a-zA-Z][\w-]*)((?:\s[^<>]*)?)>")
_STYLE = re.compile(r"""\sstyle\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)
_HIDDEN = re.compile(r"\s(?:hidden|popover)(?=[\s=/]|$)", re.IGNORECASE)
_VOID = _tags("area base br col embed hr img input link meta source track wbr")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def html_extract(source: str) -> Extract:
    """Read a page with its title. Its declared language is ignored, since it is too often that of a template."""
    tree = LexborHTMLParser(source)
    is_paper = _is_paper(source)
    _remove_hidden(tree, is_paper=is_paper)
    title, root = tree.css_first("title"), tree.root
    walker = _Walker(is_paper=is_paper)
    if root is not None:
        walker.walk(root)
    return walker.blocks.extract(one_line(title.text()) if title else "")


def _is_paper(source: str) -> bool:
    """Whether the background is white everywhere: no other one is named, and none may come from an external sheet."""
    named = (match[1] for match in _BACKGROUND.finditer(source))
    return all(value is not None and _BLANK_PAPER.fullmatch(_plain(value).strip()) for value in named)


def _remove_hidden(tree: LexborHTMLParser, *, is_paper: bool) -> None:
    """Remove what the page's style sheets hide on every screen."""
    sheets = _COMMENT.sub("", "".join(node.text() for node in tree.css("style")))
    rules = _AT_RULE.sub(lambda rule: rule[2] if _EVERYWHERE.fullmatch(rule[1]) else "", sheets)
    for selector, body in _RULE.findall(rules):
        plain = _plain(body)
        if _GONE.search(plain) or _CUT.search(plain) or (is_paper and _IS_WHITE.search(plain)):
            try:
                hidden = tree.css(selector.strip())
            except (SelectolaxError, ValueError):  # a selector that selectolax does not support
                continue
            for node in hidden:
                if node.tag not in ("html", "body"):
                    node.decompose()


def _plain(style: str) -> str:
    return _BLANKS.sub("", _COMMENT.sub("", style)).lower()


def _hides(style: str, *, is_paper: bool) -> bool:
    plain = _plain(style)
    if (_GONE.search(plain) or _UNSEEN.search(plain) or _CUT.search(plain)) is not None:
        return True
    if "overflow:hidden" in plain and _NO_ROOM.search(plain):
        return True
    return is_paper and _IS_WHITE.search(plain) is not None


def hiding_tag(tag: str) -> str:
    """Return the element name of an opening tag that hides its element, else ""."""
    opened = _OPENING.match(tag)
    if opened is None or opened[1].lower() in _VOID:
        return ""
    style = _STYLE.search(opened[2])
    value = next(filter(None, style.groups()), "") if style else ""
    if opened[1].lower() == "font":
        value = re.sub(r"^\s*color\s*=\s*[\"']?", "color:", opened[2]).rstrip("\"' ")
    return opened[1].lower() if _HIDDEN.search(opened[2]) or _hides(value, is_paper=True) else ""


@dataclass(slots=True)
class _Table:
    """A table that is read: its rows, spanning cells, and the number of its first rows that name columns.

    `is_data` tells that it has names of columns. `outer` are the words of the cell that it stands in, None for a table
    of its own.
    """

    is_data: bool
    outer: list[str] | None = None
    rows: list[list[str]] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    headers: int = 0
    _taken: set[tuple[int, int]] = field(default_factory=set)
    _names_columns: bool = True

    def begin_row(self) -> None:
        """Begin a row."""
        self._end_row()
        self.rows.append([])
        self._names_columns = True

    def add(self, text: str, *, is_name: bool, down: int, over: int) -> None:
        """Add a cell that spans rows and columns."""
        if not self.rows:
            self.begin_row()
        y, row = len(self.rows) - 1, self.rows[-1]
        while (y, len(row)) in self._taken:
            row.append("")
        x = len(row)
        row += [text, *[""] * (over - 1)]
        self._names_columns &= is_name or not text
        if down * over > 1:
            self.merged.append(Merged(y, x, y + down - 1, x + over - 1))
            self._taken.update((y + below, x + right) for below in range(1, min(down, 1000)) for right in range(over))

    def grid(self) -> Grid:
        """Return the table."""
        self._end_row()
        return Grid(self.rows, self.merged, self.headers if self.headers < len(self.rows) else 1)

    def _end_row(self) -> None:
        if self.rows and self._names_columns and self.headers == len(self.rows) - 1:
            self.headers += 1

    def words(self) -> str:
        """Return the table as words of a cell: each row with the names of its columns."""
        names, *rows = ([*row] for row in self.grid().rows if any(row))
        if not rows or not all(names) or len(names) < 2:
            return "; ".join(", ".join(filter(None, row)) for row in [names, *rows])
        pairs = ([f"{name}: {cell}" for name, cell in zip(names, row, strict=False) if cell] for row in rows)
        return "; ".join(map(", ".join, pairs))


class _Walker:
    """State of the walk: the open elements, and the words since the last block."""

    def __init__(self, *, is_paper: bool) -> None:
        self.blocks = ExtractBuilder()
        self._is_paper = is_paper
        self._inline: list[str] = []
        self._tables: list[_Table | None] = []  # the open tables, None for layout
        self._lists: list[int | None] = []  # the open lists: the last item's number, None without numbers
        self._bullet = ""
        self._in_code = 0

    def walk(self, root: LexborNode) -> None:
        """Visit all nodes below `root`, in document order."""
        ahead = [(root, False)]
        while ahead:
            node, read = ahead.pop()
            if read:
                self._leave(node)
                continue
            if (after := node.next) is not None and node.mem_id != root.mem_id:
                ahead.append((after, False))
            if self._enter(node):
                ahead.append((node, True))
                if (below := node.child) is not None:
                    ahead.append((below, False))
        self._flush()

    def _enter(self, node: LexborNode) -> bool:
        """Enter a node and return whether to read its children."""
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            self._inline.append(text if self._in_code else _BLANKS.sub(" ", text))
        if not tag[:1].isalpha() or tag in _DROPPED:
            return False
        attributes = node.attributes
        if "hidden" in attributes or "popover" in attributes:
            return False
        style, colour = attributes.get("style"), (attributes.get("color") if tag == "font" else None)
        if (style and _hides(style, is_paper=self._is_paper)) or (
            colour and _hides(f"color:{colour}", is_paper=self._is_paper)
        ):
            return False
        if tag == "br":
            self._inline.append("\n")
        elif tag == "input" and attributes.get("type") in ("checkbox", "radio"):
            self._inline.append(_TICKS["checked" in attributes])
        elif tag in _HEADINGS or tag == "table":
            self._begin_inner(node, tag)
        elif tag in _BLOCKS or tag == "pre":
            self._begin(tag, attributes)
        return True

    def _begin_inner(self, node: LexborNode, tag: str) -> None:
        """Begin a heading or table. In a cell of data it becomes words, and else it makes a table around it layout."""
        table = self._table
        stays = table is not None and table.is_data and len(_cell_around(node)) <= _CELL_CHARS
        if not stays:
            self._no_data()
            self._flush()
        if tag == "table":
            self._tables.append(_Table(_is_data(node), self._inline if stays else None))
            self._inline = [] if stays else self._inline
        elif stays:
            self._inline.append(" ")

    def _begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        table = self._table
        if table is None:
            self._flush()
        elif tag == "tr":
            table.begin_row()
        else:
            self._inline.append(" ")
        if tag == "pre":
            self._in_code += 1
        elif tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li" and self._lists:
            number = self._lists[-1]
            self._lists[-1] = None if number is None else number + 1
            indent = "  " * min(len(self._lists) - 1, 8)
            self._bullet = f"{indent}- " if number is None else f"{indent}{number + 1}. "

    def _leave(self, node: LexborNode) -> None:
        tag, table = node.tag or "", self._table
        if tag in _HEADINGS and table is None:
            self.blocks.heading(_HEADINGS[tag], _LABELLED.sub(r"\1 ", self._taken()))
        elif tag in _HEADINGS:
            self._inline.append(" ")
        elif tag == "table":
            self._end_table(self._tables.pop())
        elif tag == "pre":
            self._in_code -= 1
            self._end_code(is_cell=table is not None)
        elif table is not None and tag in ("td", "th"):
            down, over = _span(node, "rowspan", _ROWS), _span(node, "colspan", _COLUMNS)
            table.add(one_line(_LABELLED.sub(r"\1 ", self._taken())), is_name=tag == "th", down=down, over=over)
        elif table is not None and tag == "caption":
            self._inline.append(": ") if table.outer is not None else self._flush()
        elif tag in _BLOCKS:
            self._inline.append(" ") if table is not None else self._flush()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            elif tag == "li":
                self._bullet = ""

    def _end_table(self, table: _Table | None) -> None:
        if table is None or table.outer is None:
            if table is not None and table.rows:
                add_table(self.blocks, table.grid())
            self._flush()
        else:
            self._inline = [*table.outer, " ", *self._inline, table.words() if table.rows else "", " "]

    @property
    def _table(self) -> _Table | None:
        """Return the innermost table, None outside tables and in layout."""
        return self._tables[-1] if self._tables else None

    def _no_data(self) -> None:
        """The innermost table holds what no cell can: it is layout, and its cells are blocks."""
        if (table := self._table) is not None:
            inline, self._inline = self._inline, []
            for cell in (cell for row in table.rows for cell in row):
                self.blocks.add(cell)
            self._tables[-1], self._inline = None, inline

    def _end_code(self, *, is_cell: bool) -> None:
        if not is_cell and (code := self._taken().strip("\n")).strip():
            self.blocks.add(f"```\n{code}\n```")

    def _taken(self) -> str:
        text = "".join(self._inline)
        self._inline.clear()
        return text

    def _flush(self) -> None:
        text = "\n".join(filter(None, (one_line(line) for line in self._taken().split("\n"))))
        if text.startswith(LABEL):
            label, _, text = text[1:].partition(LABEL)
            self._bullet = f"{self._bullet[: len(self._bullet) - len(self._bullet.lstrip())]}{label} "
        if text:
            self.blocks.add(self._bullet + text, tight=bool(self._bullet))
            self._bullet = ""


def _span(cell: LexborNode, name: str, most: int) -> int:
    """Return over how many rows or columns a cell reaches; 0 rows are all that follow."""
    spanned = cell.attributes.get(name) or ""
    if name == "rowspan" and spanned == "0":
        return most
    return max(1, min(int(spanned), most)) if spanned.isdecimal() and len(spanned) < 6 else 1


def _is_data(table: LexborNode) -> bool:
    """Whether the first of several rows names columns: by its elements, or by short words in two of them or more."""
    rows = list(_rows(table))
    if len(rows) < 2:
        return False
    if any(cell.tag == "th" for row in rows[:2] for cell in row):
        return True
    names = [one_line(cell.text()) for cell in rows[0]]
    return len(names) > 1 and all(0 < len(name) <= _NAME_CHARS for name in names)


def _rows(table: LexborNode) -> Sequence[Sequence[LexborNode]]:
    """Return the cells of the first rows that are the table's own."""
    rows: list[list[LexborNode]] = []
    for child in table.iter():
        for row in [child] if child.tag == "tr" else child.iter() if child.tag in ("thead", "tbody") else ():
            if row.tag == "tr":
                rows.append([cell for cell in row.iter() if cell.tag in ("td", "th")])
            if len(rows) > 1:
                return rows
    return rows


def _cell_around(node: LexborNode) -> str:
    """Return the text of the cell that a node is in."""
    above = node.parent
    while above is not None and above.tag not in ("td", "th"):
        above = above.parent
    return above.text() if above is not None else ""
