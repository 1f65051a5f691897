"""Text of models and documents → safe HTML strings: everything that reaches the page passes through here.

Knows Markdown and citations, no gradio and no events. Whatever comes in, what goes out holds only the tags, attributes
and link schemes that `tests/components/test_markdown.py` lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name

from components.growing import RULES_OFF, last_block_line, steady
from pipeline.conversation import Span

# Pygments' lexers are quadratic in hostile text. Of these, 4,000 characters cost at most a quarter of a second
# (measured); other languages and longer code are shown without colours. C, C++ and Java cost three times as much.
# fmt: off
LANGUAGES = frozenset({
    "bash", "css", "diff", "go", "html", "ini", "javascript", "js", "json", "kotlin", "py", "python", "ruby", "rust",
    "sh", "sql", "toml", "ts", "typescript", "xml", "yaml",
})
# fmt: on
COLOURED_CHARS = 4_000

_UNSHOWABLE = re.compile("[\0\ud800-\udfff\ufdd0-\ufdef]")  # NUL, lone surrogates, noncharacters
_LINE_END = re.compile(r"\r\n?")
_SAFE_LINK = re.compile(r"https?://|mailto:", re.IGNORECASE)
_LINK_WITH_SCHEME = re.compile(r"[^/?#]*:|//")
_CITATION = re.compile(r"\[([1-9][0-9]{0,2})\]")
_NARROW_NBSP, _WORD_JOINER = "\u202f", "\u2060"
_BREAKS = ("softbreak", "hardbreak")
_MARK_ON, _MARK_OFF = "\ufdd0", "\ufdd1"  # cleaned text cannot hold them
_MARKED = re.compile(f"{_MARK_ON}([^<{_MARK_ON}{_MARK_OFF}]*+){_MARK_OFF}")
_LINK_TARGET = re.compile(r"\]\([^()\s]*+\)|<[^<>\s]*+>")

Env = MutableMapping[str, Any]


class Blocks:
    """Markdown that grows, as HTML blocks: finished top-level blocks are rendered once, only the last one per update.

    Every chunking of a text ends in the blocks of the whole text.
    """

    def __init__(self, titles: Sequence[str] = ()) -> None:
        self._titles = tuple(titles)
        self._done: list[str] = []
        self._tail = ""
        self._has_new_lines = False

    def add(self, text: str) -> None:
        """More text, cut anywhere."""
        self._tail += text
        self._has_new_lines = self._has_new_lines or "\n" in text

    def parts(self, final: bool = False) -> tuple[str, ...]:
        """All blocks so far, finished ones as the same objects again. `final`: nothing is held back."""
        if self._has_new_lines:
            self._freeze()
        tail = self._tail if final else steady(_clean(self._tail))
        return (*self._done, *blocks_of(tail, self._titles))

    def _freeze(self) -> None:
        self._has_new_lines = False
        end = self._tail.rindex("\n") + 1
        lines = [line + "\n" for line in _clean(self._tail[:end]).split("\n")[:-1]]
        last = last_block_line(lines)
        self._done += blocks_of("".join(lines[:last]), self._titles)
        self._tail = "".join(lines[last:]) + self._tail[end:]


def blocks_of(text: str, titles: Sequence[str] = ()) -> tuple[str, ...]:
    """Whole Markdown → its top-level blocks as safe HTML; `[n]` becomes a link where there is an n-th title."""
    return tuple(_rendered(_clean(text), titles))


def plain(text: str) -> str:
    """Text as it is, for a line or a bubble; line ends stay line ends."""
    return f'<span dir="auto">{escape(_clean(text))}</span>'


def passage(text: str, spans: Sequence[Span]) -> str:
    """A document's Markdown as safe HTML, with the spans marked, except those in link targets and across emphasis."""
    targets = [match.span() for match in _LINK_TARGET.finditer(text)]
    words = [span for span in spans if not any(start < span[1] and span[0] < end for start, end in targets)]
    html = "\n".join(_rendered(_with_spans(text, words)))
    return _MARKED.sub(r"<mark>\1</mark>", html).replace(_MARK_ON, "").replace(_MARK_OFF, "")


def _with_spans(text: str, spans: Sequence[Span]) -> str:
    """Cleaned text with the marks' signs around the spans, which may overlap and come in any order."""
    pieces, at = [], 0
    for start, end in sorted(spans):
        start, end = max(start, at), min(end, len(text))
        if start < end:
            pieces += [_clean(text[at:start]), _MARK_ON, _clean(text[start:end]), _MARK_OFF]
            at = end
    return "".join([*pieces, _clean(text[at:])])


def _clean(text: str) -> str:
    return _LINE_END.sub("\n", _UNSHOWABLE.sub("\ufffd", text))


def _rendered(text: str, titles: Sequence[str] = ()) -> Iterator[str]:
    env: Env = {"titles": titles}
    block: list[Token] = []
    for token in _markdown.parse(text, env):
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield _markdown.renderer.render(block, _markdown.options, env).rstrip("\n")
            block = []


class _SafeMarkdown(MarkdownIt):
    """Links without a scheme (a document's own files) are parsed, so that `_outline` can leave only their text."""

    def validateLink(self, url: str) -> bool:
        return bool(_SAFE_LINK.match(url)) or not _LINK_WITH_SCHEME.match(url)


class _Renderer(RendererHTML):
    """The HTML of what differs from markdown-it's own; its rules are its method names."""

    def cite(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        number = tokens[idx].meta["number"]
        label = escape(_clean(f"Source {number}: {env['titles'][number - 1]}"))
        return f'<a class="cite" href="#src-{number}" data-n="{number}" aria-label="{label}">{number}</a>'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        code, language = tokens[idx].content, tokens[idx].info.strip().partition(" ")[0].lower()
        if language not in LANGUAGES:
            return f'<pre tabindex="0" dir="ltr"><code>{escape(code)}</code></pre>\n'
        coloured = highlight(code, _lexer(language), _code_html) if len(code) <= COLOURED_CHARS else escape(code)
        return f'<pre tabindex="0" dir="ltr" data-language="{language}"><code>{coloured}</code></pre>\n'

    code_block = fence

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return '<div class="table" tabindex="0"><table dir="auto">\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return "</table></div>\n"


_code_html = HtmlFormatter(nowrap=True)


@lru_cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False)


def _outline(state: StateCore) -> None:
    """Mark the outermost blocks for right-to-left text, and keep headings below those of the page."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.attrs, token.tag = {"class": token.tag} if token.nesting == 1 else {}, "h3"
        if token.level == 0 and token.nesting == 1 and token.type != "table_open":
            token.attrSet("dir", "auto")


def _links(state: StateCore) -> None:
    """Turn `[n]` into citations, and leave of links only safe ones, never one within another."""
    count = len(state.env.get("titles", ()))
    for block in state.tokens:
        if block.children:
            block.children = _linked(block.children, count)


def _linked(tokens: Sequence[Token], count: int) -> list[Token]:
    out: list[Token] = []
    open_links: list[bool] = []  # True for those that are kept
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrs.get("href", ""))
            open_links.append(bool(_SAFE_LINK.match(href)) and not any(open_links))
            token.attrs = {"href": href, "rel": "noopener nofollow", "target": "_blank"}
            out += [token] if open_links[-1] else []
        elif token.type == "link_close":
            out += [token] if open_links.pop() else []
        elif token.type == "text" and not any(open_links):
            _add_cited(out, token.content, count)
        else:
            out.append(token)
    return out


def _add_cited(out: list[Token], text: str, count: int) -> None:
    """The text with its citations as tokens of their own, glued to what is before them and to a full stop behind."""
    at = 0
    for match in _CITATION.finditer(text):
        if int(match[1]) > count:
            continue
        before = text[at : match.start()]
        glue = _NARROW_NBSP if before[-1:].isspace() else _WORD_JOINER
        if not before and out and out[-1].type in _BREAKS:
            out.pop()
            glue = _NARROW_NBSP
        out.append(Token("text", "", 0, content=before.rstrip() + glue))
        out.append(Token("cite", "a", 0, meta={"number": int(match[1])}))
        at = match.end()
    out.append(Token("text", "", 0, content=(_WORD_JOINER if at else "") + text[at:]))


def _safe_markdown() -> MarkdownIt:
    markdown = _SafeMarkdown("js-default", {"maxNesting": 20}, renderer_cls=_Renderer).disable(RULES_OFF)
    markdown.core.ruler.after("inline", "links", _links)
    markdown.core.ruler.push("outline", _outline)
    return markdown


_markdown = _safe_markdown()
