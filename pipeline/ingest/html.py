"""Reads HTML into Markdown blocks without hidden content.

One walk over the tree without recursion, so that depth does not matter. Data tables become Markdown tables; a table
with a table or headings in it is layout, and its cells are read one after the other.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract


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
_COLUMNS = 100  # the most columns that one cell may span
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


class _Walker:
    """State of the walk: the open elements, and the words since the last block."""

    def __init__(self, *, is_paper: bool) -> None:
        self.blocks = ExtractBuilder()
        self._is_paper = is_paper
        self._inline: list[str] = []
        self._tables: list[list[list[str]] | None] = []  # the open tables: their rows, None for layout
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
        elif tag in _HEADINGS or tag == "table":
            self._no_data()
            self._flush()
            if tag == "table":
                self._tables.append([])
        elif tag in _BLOCKS or tag == "pre":
            self._begin(tag, attributes)
        return True

    def _begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        rows = self._rows
        if rows is None:
            self._flush()
        elif tag == "tr":
            rows.append([])
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
        tag, rows = node.tag or "", self._rows
        if tag in _HEADINGS:
            self.blocks.heading(_HEADINGS[tag], self._taken())
        elif tag == "table":
            self._tables.pop()
            if rows:
                self.blocks.table(rows)
            self._flush()
        elif tag == "pre":
            self._in_code -= 1
            self._end_code(rows)
        elif rows is not None and tag in ("td", "th"):
            rows[-1:] = [[*(rows[-1] if rows else []), one_line(self._taken()), *[""] * (_columns(node) - 1)]]
        elif rows is not None and tag == "caption":
            self._flush()
        elif tag in _BLOCKS:
            self._inline.append(" ") if rows is not None else self._flush()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            elif tag == "li":
                self._bullet = ""

    @property
    def _rows(self) -> list[list[str]] | None:
        """Return the rows of the innermost table, None outside tables and in layout."""
        return self._tables[-1] if self._tables else None

    def _no_data(self) -> None:
        """The innermost table holds what no cell can: it is layout, and its cells are blocks."""
        if (rows := self._rows) is not None:
            inline, self._inline = self._inline, []
            for cell in (cell for row in rows for cell in row):
                self.blocks.add(cell)
            self._tables[-1], self._inline = None, inline

    def _end_code(self, rows: list[list[str]] | None) -> None:
        if rows is None and (code := self._taken().strip("\n")).strip():
            self.blocks.add(f"```\n{code}\n```")

    def _taken(self) -> str:
        text = "".join(self._inline)
        self._inline.clear()
        return text

    def _flush(self) -> None:
        text = "\n".join(filter(None, (one_line(line) for line in self._taken().split("\n"))))
        if text:
            self.blocks.add(self._bullet + text, tight=bool(self._bullet))
            self._bullet = ""


def _columns(cell: LexborNode) -> int:
    spanned = cell.attributes.get("colspan") or ""
    return max(1, min(int(spanned), _COLUMNS)) if spanned.isdecimal() and len(spanned) < 6 else 1
