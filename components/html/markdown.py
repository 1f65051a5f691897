"""Turns text of models and documents into safe HTML. Such text reaches the page only through this module.

It knows Markdown and citations, no gradio and no events. The output of any input holds only the tags, attributes and
link schemes that `tests/components/html/test_markdown.py` lists; that test is why it may call its output `Markup`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from functools import cache, lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name

import i18n
from components.html.mathml import mathml
from components.html.streaming_markdown import last_block_line, steady
from pipeline.markdown.blocks import RULES_OFF, clean
from pipeline.markdown.syntax import add_syntax
from pipeline.passages import Span

# Pygments' lexers are quadratic in hostile text. Of these, 4,000 characters cost at most a quarter of a second
# (measured); other languages and longer code are shown without colours. C, C++ and Java cost three times as much.
# fmt: off
LANGUAGES = frozenset({
    "bash", "css", "diff", "go", "html", "ini", "javascript", "js", "json", "kotlin", "py", "python", "ruby", "rust",
    "sh", "sql", "toml", "ts", "typescript", "xml", "yaml",
})
# fmt: on
COLOURED_CHARS = 4_000
LABEL_CHARS = 40  # of a code block's first line, in the name of its button
LONG_FORMULA_CHARS = 40  # a longer one in a sentence scrolls by itself
HIGHEST_HEADING = 3  # the page has h1, its panes and questions h2

_SAFE_LINK = re.compile(r"https?://|mailto:", re.IGNORECASE)
_LINK_WITH_SCHEME = re.compile(r"[^/?#]*:|//")
_NARROW_NBSP, _WORD_JOINER = "\u202f", "\u2060"
_WORDS_BEHIND = re.compile(r"\s+\w")
_BREAKS = ("softbreak", "hardbreak")
_MARK_ON, _MARK_OFF = "\ufdd0", "\ufdd1"  # cleaned text cannot hold them
_MARKED = re.compile(f"{_MARK_ON}([^<{_MARK_ON}{_MARK_OFF}]*+){_MARK_OFF}")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}", re.ASCII)
_LINK_TARGET = re.compile(r"\]\([^()\s]*+\)|<[^<>\s]*+>")

Env = MutableMapping[str, Any]


class HtmlBlocks:
    """Markdown that grows, as HTML blocks: finished top-level blocks are rendered once, only the last one per update.

    Every chunking of a text ends in the blocks of the whole text.
    """

    def __init__(self, titles: Sequence[str] = ()) -> None:
        self._titles = tuple(titles)  # "" where there is no source of that number
        self._levels: list[int] = []  # of the headings that the finished blocks are below
        self._done: list[Markup] = []
        self._tail = ""
        self._has_new_lines = False

    def add(self, text: str) -> None:
        """More text, cut anywhere."""
        self._tail += text
        self._has_new_lines = self._has_new_lines or "\n" in text

    def parts(self, final: bool = False) -> tuple[Markup, ...]:
        """All blocks so far, finished ones as the same objects again. `final`: nothing is held back."""
        if self._has_new_lines:
            self._freeze()
        tail = self._tail if final else steady(clean(self._tail))
        return (*self._done, *_rendered(clean(tail), _answer(self._titles, self._levels)))

    def _freeze(self) -> None:
        self._has_new_lines = False
        end = self._tail.rindex("\n") + 1
        lines = [line + "\n" for line in clean(self._tail[:end]).split("\n")[:-1]]
        last = last_block_line(lines)
        env = _answer(self._titles, self._levels)
        self._done += _rendered("".join(lines[:last]), env)
        self._levels = env["levels"]
        self._tail = "".join(lines[last:]) + self._tail[end:]


def blocks_of(text: str, titles: Sequence[str] = ()) -> tuple[Markup, ...]:
    """Whole Markdown → its top-level blocks as safe HTML; `[n]` becomes a link where there is an n-th title."""
    return tuple(_rendered(clean(text), _answer(titles)))


def language_name(language: str) -> str:
    """Return what people call a language that stands behind a fence; a general word where nobody knows it."""
    known = _language_names().get(language)
    return known or (language if _LANGUAGE.fullmatch(language) else i18n.text("answer.code"))


def plain(text: str) -> Markup:
    """Return the text as it is, for a line or a bubble; line ends stay line ends."""
    return Markup(f'<span dir="auto">{escape(clean(text))}</span>')


def passage(text: str, spans: Sequence[Span]) -> Markup:
    """A document's Markdown as safe HTML, with the spans marked, except those in link targets and across emphasis.

    Its `[1]` and its dollars are a document's own: they stay as they are.
    """
    targets = [match.span() for match in _LINK_TARGET.finditer(text)]
    words = [span for span in spans if not any(start < span[1] and span[0] < end for start, end in targets)]
    html = "\n".join(_rendered(_with_spans(text, words), {}))
    return Markup(_MARKED.sub(r"<mark>\1</mark>", html).replace(_MARK_ON, "").replace(_MARK_OFF, ""))


def _with_spans(text: str, spans: Sequence[Span]) -> str:
    """Cleaned text with the marks' signs around the spans, which may overlap and come in any order."""
    pieces, at = [], 0
    for start, end in sorted(spans):
        start, end = max(start, at), min(end, len(text))
        if start < end:
            pieces += [clean(text[at:start]), _MARK_ON, clean(text[start:end]), _MARK_OFF]
            at = end
    return "".join([*pieces, clean(text[at:])])


def _answer(titles: Sequence[str], levels: Sequence[int] = ()) -> Env:
    """The context in which the blocks of an answer are rendered: the sources, and the headings that they are below."""
    return {"titles": titles, "levels": list(levels)}


def _rendered(text: str, env: Env) -> Iterator[Markup]:
    markdown = _answers if "titles" in env else _passages
    block: list[Token] = []
    for token in markdown.parse(text, env):
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield Markup(markdown.renderer.render(block, markdown.options, env).rstrip("\n"))
            block = []


class _SafeMarkdown(MarkdownIt):
    """Links without a scheme (a document's own files) are parsed, so that `_outline` can leave only their text."""

    def validateLink(self, url: str) -> bool:
        return bool(_SAFE_LINK.match(url)) or not _LINK_WITH_SCHEME.match(url)


class _Renderer(RendererHTML):
    """The HTML of what differs from markdown-it's own; its rules are its method names."""

    def citation(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        titles: Sequence[str] = env["titles"]
        marks = []
        for first, last in tokens[idx].meta["ranges"]:
            if first > 0 and last <= len(titles) and all(titles[first - 1 : last]):
                marks += [_chip(number, titles[number - 1]) for number in range(first, last + 1)]
            else:
                marks.append(_unsourced(f"{first}" if first == last else f"{first}–{last}"))
        return _WORD_JOINER.join(marks)

    def formula(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        tex, is_display = tokens[idx].content, tokens[idx].meta["is_display"]
        html = mathml(tex, is_display=is_display) or f"<code>{escape(tex)}</code>"
        if not is_display and len(tex) <= LONG_FORMULA_CHARS:
            return html
        return f'<span class="formula{" display" if is_display else ""}" tabindex="0" dir="ltr">{html}</span>'

    def formula_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        tex = tokens[idx].content
        html = mathml(tex, is_display=True)
        if html is None:
            return f'<pre tabindex="0" dir="ltr"><code>{escape(tex)}</code></pre>\n'
        return f'<div class="formula" tabindex="0" dir="ltr">{html}</div>\n'

    def task(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        is_done = tokens[idx].meta["is_done"]
        label = i18n.text("answer.task_done" if is_done else "answer.task_open")
        return f'<input type="checkbox" disabled{" checked" * is_done} aria-label="{label}"> '

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        code, language = tokens[idx].content, tokens[idx].info.strip().partition(" ")[0].lower()
        is_coloured = language in LANGUAGES and len(code) <= COLOURED_CHARS
        html = highlight(code, _lexer(language), _code_html) if is_coloured else escape(code)
        named = f' data-language="{language}"' if _LANGUAGE.fullmatch(language) else ""
        pre = f'<pre tabindex="0" dir="ltr"{named}><code>{html}</code></pre>'
        return f'<div class="code">{_code_head(language, code)}{pre}</div>\n' if "titles" in env else f"{pre}\n"

    code_block = fence

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return '<div class="table" tabindex="0"><table dir="auto">\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return "</table></div>\n"


@lru_cache(maxsize=500)
def _chip(number: int, title: str) -> str:
    label = escape(clean(i18n.text("answer.source", number=number, title=title)))
    return f'<a class="cite" href="#src-{number}" data-n="{number}" aria-label="{label}">{number}</a>'


def _unsourced(numbers: str) -> str:
    why = i18n.text("answer.no_source", numbers=numbers)
    return f'<span class="unsourced" role="note" title="{why}" aria-label="{why}">[{numbers}]</span>'


def _code_head(language: str, code: str) -> str:
    """The language, and a button whose name tells one block from another."""
    name = language_name(language)
    first_line = code.strip().partition("\n")[0].strip()
    label = escape(clean(i18n.text("answer.copy_code", name=name, line=first_line[:LABEL_CHARS])))
    button = f'<button type="button" data-act="copy-code" aria-label="{label}"></button>'
    return f'<div class="code-head" dir="ltr"><span>{escape(name)}</span>{button}</div>'


@cache
def _language_names() -> dict[str, str]:
    """{what stands behind a fence: what people call the language}."""
    names = {alias: name for name, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}
    plain_text = i18n.text("answer.plain_text")
    return names | {"text": plain_text, "txt": plain_text, "plaintext": plain_text}


_code_html = HtmlFormatter(nowrap=True)


@lru_cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False)


def _outline(state: StateCore) -> None:
    """Mark the outermost blocks for right-to-left text, and keep headings below those of the page, without a gap."""
    levels: list[int] = state.env.setdefault("levels", [])
    for token in state.tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while levels and levels[-1] >= level:
                levels.pop()
            levels.append(level)
            token.attrs = {"class": token.tag}
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(HIGHEST_HEADING + len(levels) - 1, 6)}"
        if token.level == 0 and token.nesting == 1 and token.type != "table_open":
            token.attrSet("dir", "auto")


def _links(state: StateCore) -> None:
    """Leave of links only safe ones, never one within another, and glue citations to what is before them."""
    for block in state.tokens:
        if block.children:
            block.children = _glued(_linked(block.children))


def _linked(tokens: Sequence[Token]) -> list[Token]:
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
        else:
            out.append(token)
    return out


def _glued(tokens: Sequence[Token]) -> list[Token]:
    """A citation never stands alone on a line: no break before it, nor before a full stop behind it."""
    out: list[Token] = []
    for at, token in enumerate(tokens):
        if token.type != "citation":
            out.append(token)
            continue
        is_apart = bool(out) and (out[-1].type in _BREAKS or out[-1].content[-1:].isspace())
        if out and out[-1].type in _BREAKS and not (out[-1].type == "hardbreak" and _leads(tokens[at + 1 : at + 2])):
            out.pop()
        elif out and out[-1].type == "text":
            out[-1].content = out[-1].content.rstrip()
        if not out or out[-1].type not in _BREAKS:
            out.append(Token("text", "", 0, content=_NARROW_NBSP if is_apart else _WORD_JOINER))
        out += [token, Token("text", "", 0, content=_WORD_JOINER)]
    return out


def _leads(behind: Sequence[Token]) -> bool:
    """Whether words of the same line follow: then the citation begins a line, as in a list of sources."""
    return bool(behind) and behind[0].type == "text" and bool(_WORDS_BEHIND.match(behind[0].content))


def _safe_markdown() -> MarkdownIt:
    markdown = _SafeMarkdown("js-default", {"maxNesting": 20}, renderer_cls=_Renderer).disable(RULES_OFF)
    add_syntax(markdown)
    markdown.core.ruler.after("inline", "links", _links)
    markdown.core.ruler.push("outline", _outline)
    return markdown


_answers = _safe_markdown()
_passages = _safe_markdown().disable(["formula", "formula_block", "citation"])
