import re
import time
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.markdown import COLOURED_CHARS, LANGUAGES, Blocks, blocks_of, passage, plain

TITLES = ("Roasting", 'The "perfect" <cup>', "Öl & Wasser")
VOID = {"br", "hr"}
ATTRIBUTES = {
    "a": {"href", "rel", "target", "class", "data-n", "aria-label"},
    "code": set(),
    "div": {"class", "tabindex"},
    "h3": {"class", "dir"},
    "ol": {"start", "dir"},
    "pre": {"tabindex", "dir", "data-language"},
    "span": {"class", "dir"},
    "table": {"dir"},
    **{tag: {"dir"} for tag in ("p", "ul", "blockquote")},
    **{tag: {"style"} for tag in ("td", "th")},
    **{tag: set[str]() for tag in ("br", "em", "hr", "li", "mark", "s", "strong", "tbody", "thead", "tr")},
}
VALUES = {
    "aria-label": re.compile(r"Source \d: .*"),
    "class": re.compile(r"cite|table|h[1-6]|[a-z][a-z0-9]{0,2}"),
    "data-language": re.compile("|".join(LANGUAGES)),
    "data-n": re.compile(r"[1-3]"),
    "dir": re.compile(r"auto|ltr"),
    "href": re.compile(r"#src-[1-3]|(?:https?://|mailto:)[^\s\"<>]*", re.IGNORECASE),
    "rel": re.compile("noopener nofollow"),
    "start": re.compile(r"\d{1,9}"),
    "style": re.compile("text-align:(left|center|right)"),
    "tabindex": re.compile("0"),
    "target": re.compile("_blank"),
}


class Page(HTMLParser):
    """Reads our HTML as a browser would, and stops at whatever is not on the lists above."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open_tags = "", list[str]()
        self.feed(html)
        self.close()
        assert self.open_tags == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        assert set(names) <= ATTRIBUTES[tag], (tag, names)
        for name, value in attrs:
            assert value is not None
            assert VALUES[name].fullmatch(value), (name, value)
        assert not (tag == "a" and "a" in self.open_tags)
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    handle_pi = unknown_decl = handle_comment


def shown(html: str) -> str:
    """The visible text; the invisible glue around citations is left out."""
    return Page(html).text.replace("\u2060", "").replace("\u202f", " ")


def view(text: str, final: bool = False) -> str:
    """What a reader sees of a text that has grown to here."""
    blocks = Blocks(TITLES)
    blocks.add(text)
    return shown("\n".join(blocks.parts(final))).strip()


VECTORS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<style>*{display:none}</style>",
    '<meta http-equiv="refresh" content="0;url=//evil">',
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:image/png;base64,AAAA)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](\\\\evil.example)",
    '[x](http://a "onmouseover=alert(1)")',
    "[x](http://a\"onmouseover='alert(1))",
    "[a <https://b.example> [1] c](https://d.example)",
    "<javascript:alert(1)>",
    "<https://a.example/\"onclick='x'>",
    "![x](http://evil.example/p.png)",
    "[x]: javascript:alert(1)\n\n[x]",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} {% raw %} <%= 1 %>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x&#62; &#0; &#xD800; &bogus;",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>\nx\n```',
    "```python onload=x\nx = '<b>'\n```",
    "    <script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "| <b> | [1] |\n|:--|--:|\n| <i onclick=x> | `|` |",
    "1000000. <b>\n2. [x](javascript:1)",
    "# <h1 onclick=x>\n===\n###### [1]",
    "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c",
    "\0<\0script\0> \ud800 \udfff \ufdd0x\ufdd1 \x1b[31m \ufeff",
    "<!-- c --><![CDATA[x]]><?php x ?><!DOCTYPE html>",
    "[1]<[2]>[3][4](javascript:x)[[1]]([1])",
    "> - > - 1. > # [1] <b>",
]
GROWTH = [
    "a" * 100_000,
    " " * 100_000 + "a",
    "\n" * 100_000,
    "> " * 10_000,
    ">" * 10_000,
    "[" * 10_000,
    "[" * 10_000 + "]" * 10_000,
    "![" * 10_000,
    "[a](" * 10_000,
    "[" * 5_000 + "a" + "](b)" * 5_000,
    "*" * 10_000,
    "**a *b " * 10_000,
    "***a** b*" * 5_000,
    "_a " * 10_000,
    "~~a " * 10_000,
    "`a" * 10_000,
    " ".join("`" * size for size in range(300)),
    "<" * 10_000,
    "<a " * 10_000,
    "- " * 10_000,
    "1. " * 10_000,
    "".join(" " * (2 * depth) + "- a\n" for depth in range(200)),
    "|" * 10_000 + "\n" + "|-" * 10_000 + "\n",
    "a|" * 300 + "\n" + "-|" * 300 + "\n" + "x\n" * 3_000,
    "|a\n" * 10_000,
    "a\n" * 10_000,
    "&a" * 10_000,
    "\\" * 10_000,
    "[1]" * 10_000,
    "\n[1]" * 10_000,
    "```\n" * 10_000,
    "```python\n" + "('\"" * 30_000,
]
STRUCTURE = (
    "\r\n,\n\n,    ,[1],[2,[9],```,```py\n,**,- ,1. ,| a | b |\n,|---|---|\n,---,===,> ,[x](http://a.b),[x]: /u\n"
)
PIECES = st.sampled_from([*"abc \n\t*_`~#>-+=|:![]()<&\\0129.", *STRUCTURE.split(","), *"é\u05d0\ud800\0\r", *VECTORS])
MARKDOWN = st.lists(PIECES, max_size=40).map("".join)


@pytest.mark.parametrize("text", VECTORS)
def test_hostile_text_comes_out_as_text(text: str) -> None:
    for html in [
        "".join(blocks_of(text, TITLES)),
        plain(text),
        passage(text, [(1, 9), (12, 13)]),
    ]:
        Page(html)
        html.encode()


@settings(deadline=None)
@given(MARKDOWN | st.text(st.characters(codec=None)))
def test_only_listed_tags_attributes_and_links_come_out_of_any_text(text: str) -> None:
    Page("".join(blocks_of(text, TITLES))).text.encode()


@settings(deadline=None)
@given(MARKDOWN, st.lists(st.tuples(st.integers(-2, 80), st.integers(-2, 80))))
def test_any_spans_in_any_text_give_safe_html(text: str, spans: list[tuple[int, int]]) -> None:
    html = passage(text, spans)
    Page(html).text.encode()
    assert not {"\ufdd0", "\ufdd1"} & set(html)


@pytest.mark.parametrize("text", GROWTH, ids=range(len(GROWTH)))
def test_no_text_costs_more_than_two_seconds(text: str) -> None:
    blocks = Blocks(TITLES)
    begun_s = time.process_time()
    blocks.add(text)
    running, whole = blocks.parts(), blocks.parts(final=True)
    took_s = time.process_time() - begun_s
    Page("".join(running))
    Page("".join(whole))
    assert took_s < 2


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_code_costs_more_than_a_second_to_colour(language: str) -> None:
    for piece in ("\n", "\n ", '"\\', "&", "=", ":", "@", "'", "{\\"):
        code = piece * (COLOURED_CHARS // len(piece) - 1)
        begun_s = time.process_time()
        blocks_of(f"```{language}\n{code}\n```")
        assert time.process_time() - begun_s < 1


@settings(deadline=None)
@given(st.lists(MARKDOWN, max_size=8), st.data())
def test_any_chunking_ends_in_the_blocks_of_the_whole_text(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=30)))
    blocks = Blocks(TITLES)
    for start, end in pairwise([0, *cuts, len(whole)]):
        blocks.add(whole[start:end])
        Page("".join(blocks.parts()))
    assert blocks.parts(final=True) == blocks_of(whole, TITLES)


@settings(deadline=None)
@given(MARKDOWN)
def test_one_character_at_a_time_ends_in_the_blocks_of_the_whole_text(text: str) -> None:
    blocks = Blocks(TITLES)
    for character in text:
        blocks.add(character)
        blocks.parts()
    assert blocks.parts(final=True) == blocks_of(text, TITLES)


def test_finished_blocks_are_the_same_objects_in_every_later_view() -> None:
    blocks = Blocks(TITLES)
    blocks.add("First [1].\n\n- a\n- b\n\nThird\n")
    before = blocks.parts()
    blocks.add(" goes on.\n\nFourth")
    after = blocks.parts()
    assert [old is new for old, new in zip(before, after, strict=False)] == [True, True, False]


def test_the_cost_of_an_update_does_not_grow_with_the_text() -> None:
    blocks = Blocks(TITLES)
    costs_s = []
    for number in range(400):
        begun_s = time.process_time()
        for word in range(25):
            blocks.add(f"word{word} ")
            blocks.parts()
        blocks.add(f"and that [1].\n\nParagraph {number} begins: ")
        costs_s.append(time.process_time() - begun_s)
    assert sum(costs_s[-100:]) < 2 * sum(costs_s[:100])


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("As said [", "As said"),
        ("As said [1", "As said"),
        ("As said [1]", "As said 1"),
        ("It is **very", "It is very"),
        ("It is **very*", "It is very"),
        ("It is **", "It is"),
        ("Run `make", "Run make"),
        ("Run `make **x", "Run make **x"),
        ("Done.\n\n-", "Done."),
        ("Done.\n\n1.", "Done."),
        ("Done.\n--", "Done."),
        ("Done.\n\n##", "Done."),
        ("- one\n- ", "one"),
        ("Table:\n\n| a | b |\n", "Table:"),
        ("Table:\n\n| a | b |\n|--", "Table:"),
        ("Table:\n\n| a |\n|---|\n| 1 |\n| 2", "Table:\n\n\n\na\n\n\n\n\n1"),
        ("```\n| a |\n| b", "| a |\n| b"),
        ("```\nx = 1\n``", "x = 1"),
    ],
)
def test_what_would_look_different_a_moment_later_is_held_back(text: str, visible: str) -> None:
    assert view(text) == visible


@pytest.mark.parametrize(
    "text", ["As said [1", "It is **very", "- one\n- ", "| a | b |\n|--", "Run `make", "Done.\n\n#"]
)
def test_nothing_is_held_back_at_the_end(text: str) -> None:
    blocks = Blocks(TITLES)
    blocks.add(text)
    assert blocks.parts(final=True) == blocks_of(text, TITLES)


def test_a_citation_is_a_link_to_its_source_with_an_escaped_title() -> None:
    [html] = blocks_of("Yes[2].", TITLES)
    label = "Source 2: The &quot;perfect&quot; &lt;cup&gt;"
    assert f'<a class="cite" href="#src-2" data-n="2" aria-label="{label}">2</a>' in html


@pytest.mark.parametrize(
    "text", ["[4]", "[0]", "[01]", "[1000]", "`[1]`", "```\n[1]\n```", "    [1]", r"\[1\]", "[²]", "[n]"]
)
def test_what_cites_no_passage_stays_text(text: str) -> None:
    assert "cite" not in "".join(blocks_of(text, TITLES))


@pytest.mark.parametrize("text", ["a [1].", "a\n[1].", "a  \n[1].", "a[1].", "**a** [1].", "**a**\n[1].", "*a [1]*."])
def test_a_citation_never_stands_alone_on_a_line(text: str) -> None:
    [html] = blocks_of(text, TITLES)
    assert re.search(r"[\u202f\u2060]<a class", html)
    assert "</a>\u2060" in html
    assert not re.search(r"\s<a", html.replace("\u202f", ""))


def test_links_open_elsewhere_and_tell_nothing() -> None:
    [html] = blocks_of('[x](https://a.example "t")')
    assert html == '<p dir="auto"><a href="https://a.example" rel="noopener nofollow" target="_blank">x</a></p>'


def test_links_between_documents_leave_their_text() -> None:
    assert blocks_of("See [Roasting](roasting.md).") == ('<p dir="auto">See Roasting.</p>',)


def test_code_keeps_every_character_and_gets_its_colours() -> None:
    code = "\n\n  def f():\n\treturn '<b>' & 1\n\n"
    [html] = blocks_of(f"```python\n{code}```")
    assert shown(html) == code
    assert '<span class="k">def</span>' in html


def test_a_table_can_scroll_by_itself_and_by_keyboard() -> None:
    [html] = blocks_of("| a | b |\n|---|---|\n| 1 | 2 |")
    assert html.startswith('<div class="table" tabindex="0"><table')
    assert html.endswith("</table></div>")


@pytest.mark.parametrize("text", ["a", "# a", "- a", "1. a", "> a", "| a |\n|---|\n| b |"])
def test_every_block_finds_the_direction_of_its_own_text(text: str) -> None:
    [html] = blocks_of(text)
    assert html.count('dir="auto"') == 1


def test_marks_stand_around_their_words_whatever_the_order() -> None:
    html = passage("hot & cold coffee", [(11, 17), (0, 3), (1, 3)])
    assert html == '<p dir="auto"><mark>hot</mark> &amp; cold <mark>coffee</mark></p>'


def test_a_passage_shows_its_tables_with_the_words_marked() -> None:
    text = "**Hot** [hot](hot.md)\n\n| hot |\n|---|\n| cold |"
    html = passage(text, [match.span() for match in re.finditer("hot", text, re.IGNORECASE)])
    assert "<strong><mark>Hot</mark></strong> <mark>hot</mark>" in html
    assert "<th><mark>hot</mark></th>" in html
    assert "\ufdd0" not in html


def test_line_ends_and_spaces_of_plain_text_stay() -> None:
    assert shown(plain("a\n  b\r\nc")) == "a\n  b\nc"
