import re
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser
from itertools import pairwise
from math import isqrt
from operator import mul

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from components.html.markdown import COLOURED_CHARS, LANGUAGES, HtmlBlocks, blocks_of, passage, plain
from tests.effort import costs_less, grows_linearly
from tests.provider import RICH

LONG_ANSWER = RICH * 20
TITLES = ("Roasting", 'The "perfect" <cup>', "Öl & Wasser")
VOID = {"br", "hr", "input"}
FLAGS = {"checked", "disabled"}  # attributes without a value
# fmt: off
MATHML = (
    "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts", "mroot",
    "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover",
)
MATHML_ATTRIBUTES = (
    "accent", "accentunder", "depth", "displaystyle", "fence", "form", "height", "largeop", "linethickness", "lspace",
    "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rspace", "scriptlevel", "separator", "stretchy",
    "style", "symmetric", "voffset", "width",
)
# fmt: on
ATTRIBUTES = {
    **{tag: set(MATHML_ATTRIBUTES) for tag in MATHML},
    "math": {"alttext", "display"},
    "button": {"type", "data-act", "aria-label"},
    "input": {"type", "disabled", "checked", "aria-label"},
    "li": {"class"},
    "a": {"href", "rel", "target", "class", "data-n", "aria-label"},
    "code": set(),
    "div": {"class", "tabindex", "dir"},
    **{tag: {"class", "dir"} for tag in ("h3", "h4", "h5", "h6")},
    "ol": {"start", "dir"},
    "pre": {"tabindex", "dir", "data-language"},
    "span": {"class", "dir", "tabindex", "role", "title", "aria-label"},
    "table": {"dir"},
    **{tag: {"dir"} for tag in ("p", "ul", "blockquote")},
    **{tag: {"style"} for tag in ("td", "th")},
    **{tag: set[str]() for tag in ("b", "br", "em", "hr", "i", "mark", "s", "strong", "tbody", "thead", "tr")},
}
CODE_HEAD = re.compile('<div class="code-head" dir="ltr"><span>[^<]*</span><button [^>]*></button></div>')
CODE = re.compile("<pre.*?</pre>|<code>.*?</code>", re.DOTALL)
LENGTH = re.compile(r"-?\d{0,2}(\.\d{1,10})?(r?em|ex|px|pt|%)?")
WORD = re.compile("[a-z]+( [a-z]+)*")
VALUES = {
    **dict.fromkeys(MATHML_ATTRIBUTES, WORD),
    **dict.fromkeys(
        ("depth", "height", "linethickness", "lspace", "maxsize", "minsize", "rspace", "voffset", "width"), LENGTH
    ),
    "alttext": re.compile(r"(?s).*"),
    "aria-label": re.compile(r"Source \d: .*|No source has the number \d+(–\d+)?|done|to do|Copy .*"),
    "class": re.compile(r"cite|unsourced|table|task|code|code-head|formula( display)?|h[1-6]|[a-z][a-z0-9]{0,2}"),
    "data-act": re.compile("copy-code"),
    "data-language": re.compile(r"[\w+#.-]{1,30}", re.ASCII),
    "data-n": re.compile(r"[1-3]"),
    "dir": re.compile(r"auto|ltr"),
    "display": re.compile("block"),
    "href": re.compile(r"#src-[1-3]|(?:https?://|mailto:)[^\s\"<>]*", re.IGNORECASE),
    "rel": re.compile("noopener nofollow"),
    "role": re.compile("note"),
    "scriptlevel": re.compile(r"[+-]?\d"),
    "start": re.compile(r"\d{1,9}"),
    "style": re.compile(r"text-align:(left|center|right)|([a-z-]+: ?[a-z0-9.% -]+;?)+"),
    "tabindex": re.compile("0"),
    "target": re.compile("_blank"),
    "title": re.compile(r"No source has the number \d+(–\d+)?"),
    "type": re.compile("button|checkbox"),
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
            if name in FLAGS:
                assert value is None
                continue
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
    """The text of an answer; the invisible glue around citations and the names of languages are left out."""
    return Page(CODE_HEAD.sub("", html)).text.replace("\u2060", "").replace("\u202f", " ")


def view(text: str, final: bool = False) -> str:
    """What a reader sees of a text that has grown to here."""
    blocks = HtmlBlocks(TITLES)
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
    r"$\text{<script>alert(1)</script>}$",
    r"\(\href{javascript:alert(1)}{x}\) \(\url{javascript:x}\) \(\unicode{60}script\unicode{62}\)",
    r"\[\color{red;x:url(//e)}x \class{a}{b} \style{color:red}{c} \htmlData{a=b}{c} \cssId{x}{y}\]",
    r"$$\text{\"><img src=x onerror=alert(1)>} \tag{<b onclick=x>}$$",
    "$$\n<img src=x onerror=alert(1)>\n$$",
    "$<!--x$ $]]>$ $<!DOCTYPE x>$ $&lt;$ $&#60;b&#62;$",
    "$\ufdd0x\ufdd1$ $\x01$ $\ud800$ \\(\u202ex\\)",
    r"\(\hspace{999999em}x\) \(\rule{9999em}{9999em}\) \(\textcolor{white}{x}\) \(\def\a{\a\a}\a\)",
    "a<br onclick=alert(1)>b<br/ x><BR/><br<br>",
    "- [x] <b onclick=x>\n- [ ]\n- [x](javascript:alert(1))\n1. [X] [1]",
    '[9] [1, 99] [1-3](javascript:alert(1)) [2](https://a.example/"onclick=x) 【1†"><script>】 (Source 1"><b>)',
    "\ue200cite\ue202<script>\ue201 [1](<b>) ^[2] [^3] [[1]] ［2］",
    '```"onclick=alert(1)//\n<b>"\'\n```\n~~~c++ x\n"><script>alert(1)</script>\n~~~',
    "**重要：**<b>x</b>**「」**",
]
# Texts of about `size` repetitions of something that a parser could read again and again.
GROWTH: tuple[Callable[[int], str], ...] = (
    lambda size: "a" * 10 * size,
    lambda size: " " * 10 * size + "a",
    lambda size: "\n" * 10 * size,
    lambda size: "[" * size + "]" * size,
    lambda size: "[" * (size // 2) + "a" + "](b)" * (size // 2),
    lambda size: " ".join("`" * length for length in range(isqrt(9 * size))),
    lambda size: "".join(" " * (2 * depth) + "- a\n" for depth in range(isqrt(4 * size))),
    lambda size: "|" * size + "\n" + "|-" * size + "\n",
    lambda size: "a|" * 30 + "\n" + "-|" * 30 + "\n" + "x\n" * size,
    lambda size: "\\[\n" * (size // 2) + "\\]\n" * (size // 2),
    lambda size: "f(" * size + "[1]" * (size // 10),
    lambda size: "[" + "1, " * size + "2]",
    lambda size: "```python\n" + "('\"" * 3 * size,
    *(
        partial(mul, piece)
        for piece in (
            *("> ", ">", "[", "![", "[a](", "*", "**a *b ", "***a** b*", "_a ", "~~a ", "`a", "<", "<a ", "- ", "1. "),
            *("|a\n", "a\n", "&a", "\\", "[1]", "\n[1]", "<br>", "- [ ] a\n", "**重", "# a\n\n## b\n\n", "```\n"),
            *("$", "$$", "$x ", "$$x ", "\\(", "\\[", "\\(x\\) ", "$x$ ", "\n$$\n", "\n\\[\n"),
            *("^", "^[", "【", "(", "(Source ", "[1, ", "[1,", "\ue200", "x[1] ", "[1](", "[[1"),
        )
    ),
)
STRUCTURE = (
    r"$,$$,\(,\),\[,\],\frac{1}{2},x_1,<br>,- [x] ,[1-2],[9],(Source 1),【2】,^[,重要：,```\\n,"
    "\r\n,\n\n,    ,[1],[2,[9],```,```py\n,**,- ,1. ,| a | b |\n,|---|---|\n,---,===,> ,[x](http://a.b),[x]: /u\n"
)
PIECES = st.sampled_from([*"abc \n\t*_`~#>-+=|:![]()<&\\0129.", *STRUCTURE.split(","), *"é\u05d0\ud800\0\r", *VECTORS])
MARKDOWN = st.lists(PIECES, max_size=40).map("".join)
SHORT = st.lists(PIECES, max_size=12).map("".join)


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


@pytest.mark.parametrize("text_of", GROWTH, ids=range(len(GROWTH)))
def test_the_cost_of_any_text_grows_with_its_length_alone(text_of: Callable[[int], str]) -> None:
    def rendered(size: int) -> None:
        blocks = HtmlBlocks(TITLES)
        blocks.add(text_of(size))
        for html in (blocks.parts(), blocks.parts(final=True)):
            Page("".join(html))

    assert grows_linearly(rendered, 600)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_hostile_code_costs_less_to_colour_than_forty_long_answers(language: str) -> None:
    def coloured() -> None:
        for piece in ("\n", "\n ", '"\\', "&", "=", ":", "@", "'", "{\\"):
            blocks_of(f"```{language}\n{piece * (COLOURED_CHARS // len(piece) - 1)}\n```")

    assert costs_less(coloured, partial(blocks_of, LONG_ANSWER), 40)


@settings(deadline=None)
@given(st.lists(MARKDOWN, max_size=8), st.data())
def test_any_chunking_ends_in_the_blocks_of_the_whole_text(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=30)))
    blocks = HtmlBlocks(TITLES)
    for start, end in pairwise([0, *cuts, len(whole)]):
        blocks.add(whole[start:end])
        Page("".join(blocks.parts()))
    assert blocks.parts(final=True) == blocks_of(whole, TITLES)


@settings(deadline=None)
@given(SHORT)
def test_one_character_at_a_time_ends_in_the_blocks_of_the_whole_text(text: str) -> None:
    blocks = HtmlBlocks(TITLES)
    for character in text:
        blocks.add(character)
        blocks.parts()
    assert blocks.parts(final=True) == blocks_of(text, TITLES)


def test_finished_blocks_are_the_same_objects_in_every_later_view() -> None:
    blocks = HtmlBlocks(TITLES)
    blocks.add("First [1].\n\n- a\n- b\n\nThird\n")
    before = blocks.parts()
    blocks.add(" goes on.\n\nFourth")
    after = blocks.parts()
    assert [old is new for old, new in zip(before, after, strict=False)] == [True, True, False]


def test_the_cost_of_an_update_does_not_grow_with_the_text() -> None:
    def grown(paragraphs: int) -> None:
        blocks = HtmlBlocks(TITLES)
        for number in range(paragraphs):
            for word in range(25):
                blocks.add(f"word{word} ")
                blocks.parts()
            blocks.add(f"and that [1].\n\nParagraph {number} begins: ")

    assert grows_linearly(grown, 25)


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
        ("As said [1, 2", "As said"),
        ("As said [Sour", "As said"),
        ("As said (Source 1", "As said"),
        ("As said【1†so", "As said"),
        ("As said ^", "As said"),
        ("As said [1](https://a.exam", "As said 1"),
        ("So order[1] ", "So order"),
        ("So order[1] = 5", "So order[1] = 5"),
        ("So \\", "So"),
        ("So \\(x", "So"),
        ("So \\(x^2\\)", "So x2"),
        ("So\n\\[\nx\n+ y", "So"),
        ("So\n$$\nx\n- y\n", "So"),
        ("- So\n\n  $$\n  x\n", "So"),
        ("It rose from $1,243 to $2", "It rose from $1,243 to"),
        ("It rose from $1,243 to ", "It rose from $1,243 to"),
        ("It is $x_1 + ", "It is"),
        ("It is $x_1$ and", "It is x1 and"),
        ("one<br", "one"),
        ("one<br>two", "one\ntwo"),
        ("- [", ""),
        ("- [x", ""),
        ("- [x] ", ""),
        ("- [x] one", "one"),
        ("`code $x [1", "code $x [1"),
        ("```sh\necho $HOME [1", "echo $HOME [1"),
        ("**重要：", "重要："),
    ],
)
def test_what_would_look_different_a_moment_later_is_held_back(text: str, visible: str) -> None:
    assert view(text) == visible


@pytest.mark.parametrize(
    "text", ["As said [1", "It is **very", "- one\n- ", "| a | b |\n|--", "Run `make", "Done.\n\n#"]
)
def test_nothing_is_held_back_at_the_end(text: str) -> None:
    blocks = HtmlBlocks(TITLES)
    blocks.add(text)
    assert blocks.parts(final=True) == blocks_of(text, TITLES)


def test_a_rich_answer_shows_no_markup_while_it_grows() -> None:
    """Whole formulas and chips come one after the other, and none that was there is taken back."""
    blocks, formulas, chips = HtmlBlocks(TITLES), 0, 0
    for character in RICH:
        blocks.add(character)
        html = "\n".join(blocks.parts())
        text = Page(CODE.sub("", html)).text
        assert not set("\\`*【") & set(text), text[-60:]
        assert "[" not in re.sub(r"\[9\]|\w\[\d\]", "", text)
        assert (html.count("<math"), html.count('class="cite')) >= (formulas, chips)
        formulas, chips = html.count("<math"), html.count('class="cite')
    assert (formulas, chips) == (6, 11)
    assert blocks.parts(final=True) == blocks_of(RICH, TITLES)


def test_a_citation_is_a_link_to_its_source_with_an_escaped_title() -> None:
    [html] = blocks_of("Yes[2].", TITLES)
    label = "Source 2: The &quot;perfect&quot; &lt;cup&gt;"
    assert f'<a class="cite" href="#src-2" data-n="2" aria-label="{label}">2</a>' in html


@pytest.mark.parametrize(
    "text",
    [
        *("[4]", "[0]", "[01]", "[1000]", "`[1]`", "```\n[1]\n```", "    [1]", r"\[1\]", "[²]", "[n]", "[2-4]"),
        *("[2019]", "[sic]", "[x]", "(1)", "[0, 1]", "arr[1] = 5", "f(arr[2])", "a.b[1]", "$v[1]$", "\\(v_{[1]}\\)"),
        *("[1]: https://a.example", "[a [1] b](https://a.example)", "$$\nA[1]\n$$"),
    ],
)
def test_what_cites_no_passage_stays_text(text: str) -> None:
    assert "cite" not in "".join(blocks_of(text, TITLES))


@pytest.mark.parametrize(
    "text", ["a [1].", "a\n[1].", "a  \n[1].", "weeks[1].", "**a** [1].", "**a**\n[1].", "*a [1]*."]
)
def test_a_citation_never_stands_alone_on_a_line(text: str) -> None:
    [html] = blocks_of(text, TITLES)
    assert re.search(r"[\u202f\u2060]<a class", html)
    assert "</a>\u2060" in html
    assert not re.search(r"\s<a", html.replace("\u202f", ""))


def chips(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'class="cite" href="#src-\d" data-n="(\d)"', html)]


FLASHES = re.compile(r"\[\d|【|\[cite|\*\*|\$\$|\$`|\\\(|\[X|<su")


def outline(html: str) -> str:
    """Citations as {n}, formulas as ⟦…⟧, and of all else the tags without attributes."""
    html = re.sub(r'<a class="cite"[^>]*data-n="(\d)"[^>]*>\d</a>', r"{\1}", html)
    html = re.sub(r"<math.*?</math>", lambda match: f"⟦{re.sub('<[^>]*>', '', match[0])}⟧", html, flags=re.DOTALL)
    return re.sub(r"<(/?\w+)[^>]*>", r"<\1>", html).replace("\u2060", "").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("As [Sources 1 and 2] say.", "<p>As {1}{2} say.</p>"),
        ("See [1](https://a.example/c_(d)).", "<p>See {1}.</p>"),
        ("Beans [1, p. 5] and [2, pp. 3–4].", "<p>Beans {1} and {2}.</p>"),
        ("Beans.[cite_start] More [cite: 1, 2]", "<p>Beans. More {1}{2}</p>"),
        ("Beans<sup>[1]</sup> and 10<sup>2</sup>.", "<p>Beans{1} and 10&lt;sup&gt;2&lt;/sup&gt;.</p>"),
        ("豆は数週間[1]新鮮です【2】。", "<p>豆は数週間{1}新鮮です{2}。</p>"),
        ("see section [1] of, but x[1][2] and matrix[i][1]", "<p>see section {1} of, but x[1][2] and matrix[i][1]</p>"),
        (
            "## Beans [1]\n\n**Keep [2].** *Air [3]*",
            "<h3>Beans {1}</h3><p><strong>Keep {2}.</strong> <em>Air {3}</em></p>",
        ),
        ("> Beans [1]\n> keep [2]", "<blockquote>\n<p>Beans {1}\nkeep {2}</p>\n</blockquote>"),
        (r"\(\operatorname{argmax}_x f\)", "<p>⟦argmaxx\u2061f⟧</p>"),
        (r"\(\textcolor{red}{x} + y\)", "<p>⟦x+y⟧</p>"),
        ("$`x^2`$ is it", "<p>⟦x2⟧ is it</p>"),
        (
            "1. First\n   $$\n   x^2\n   $$\n2. Second [1]",
            "<ol>\n<li>First<div>⟦x2⟧</div>\n</li>\n<li>Second {1}</li>\n</ol>",
        ),
        ("US$5, $5M, $5-10, $1,000.50, \\$5 and 5$", "<p>US$5, $5M, $5-10, $1,000.50, $5 and 5$</p>"),
        ("costs $5.00-$7, $HOME/$USER, $(ls)", "<p>costs $5.00-$7, $HOME/$USER, $(ls)</p>"),
        (
            '**「重要」**です。**"重要"**：*斜体*。次',
            '<p><strong>「重要」</strong>です。<strong>"重要"</strong>：<em>斜体</em>。次</p>',
        ),
        (
            "**Note:**text and **a.**b, snake_case_word",
            "<p><strong>Note:</strong>text and <strong>a.</strong>b, snake_case_word</p>",
        ),
        ("* [X] **done** [1]", "<ul>\n<li><input> <strong>done</strong> {1}</li>\n</ul>"),
        ("a<br/>b<BR>c<br onclick=x>", "<p>a<br>\nb<br>\nc&lt;br onclick=x&gt;</p>"),
    ],
)
def test_what_models_write_is_read_and_never_flashes(text: str, seen: str) -> None:
    assert outline("".join(blocks_of(text, TITLES))).replace("&quot;", '"') == seen
    growing = HtmlBlocks(TITLES)
    for sign in text:
        growing.add(sign)
        shown = re.sub("<[^>]*>", "", outline("".join(growing.parts())))
        assert set(FLASHES.findall(shown)) <= set(FLASHES.findall(seen)), shown
    assert growing.parts(final=True) == blocks_of(text, TITLES)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Weeks [1, 2].", [1, 2]),
        ("Minutes [1-3].", [1, 2, 3]),
        ("更久【1】。另见【2†source】。", [1, 2]),
        ("Light[^1], air [Source 2].", [1, 2]),
        ("Weeks[1]. Days[2][3].", [1, 2, 3]),
        ("[1](https://evil.example) ^[2] [[3]]", [1, 2, 3]),
        ("| a | b |\n|---|---|\n| x [1] | `y\\|z` [2] |", [1, 2]),
    ],
)
def test_every_form_of_a_citation_becomes_links_to_its_sources(text: str, numbers: list[int]) -> None:
    html = "".join(blocks_of(text, TITLES))
    assert chips(html) == numbers
    assert not set("[]^【】†") & set(shown(html))
    assert "evil" not in html


@pytest.mark.parametrize(
    ("text", "titles", "numbers", "unsourced"),
    [
        ("So [9].", TITLES, [], ["[9]"]),
        ("So [1, 9].", TITLES, [1], ["[9]"]),
        ("So [2-5].", TITLES, [], ["[2–5]"]),
        ("So [1].", (), [], ["[1]"]),
    ],
)
def test_a_number_without_a_passage_is_seen_as_such(
    text: str, titles: tuple[str, ...], numbers: list[int], unsourced: list[str]
) -> None:
    [html] = blocks_of(text, titles)
    assert chips(html) == numbers
    assert re.findall(r'<span class="unsourced" role="note" title="No source[^>]*>([^<]*)<', html) == unsourced


def test_what_a_tool_left_in_private_characters_is_not_shown() -> None:
    assert shown("".join(blocks_of("So \ue200cite\ue202turn0search0\ue201it is.", TITLES))) == "So it is."


def test_a_passage_keeps_its_own_brackets_dollars_and_code_without_a_button() -> None:
    text = "See [1] and [9], $5$, (Source 1).\n\n```python\nx = 1\n```"
    html = passage(text, ())
    assert shown(html) == "See [1] and [9], $5$, (Source 1).\nx = 1\n"
    assert "<button" not in html


def test_formulas_stand_in_their_sentence_or_on_their_own_line() -> None:
    html = blocks_of("So \\(x\\) is $y_1$:\n\\[\na\n+ b\n\\]\nand $$c$$ d", TITLES)
    assert [block[:9] for block in html] == ['<p dir="a', "<div clas", '<p dir="a']
    assert "".join(html).count("<math") == 4
    assert "".join(html).count('display="block"') == 2


@pytest.mark.parametrize("text", ["$5 to $6", "US$ 3", "It was $5; both paid $6.", r"\[1\]", "\\(see the note\\)"])
def test_dollars_stay_dollars_and_brackets_brackets(text: str) -> None:
    assert shown("".join(blocks_of(text, TITLES))) == text.replace("\\", "")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"so \(\bad{\)", r"<code>\bad{</code>"),
        ("$$\n\\bad{\n$$", '<pre tabindex="0" dir="ltr"><code>\\bad{</code></pre>'),
    ],
)
def test_a_formula_that_cannot_be_set_is_shown_as_it_was_written(text: str, html: str) -> None:
    assert html in "".join(blocks_of(text, TITLES))


def test_what_opens_a_formula_and_never_closes_it_swallows_no_more_than_its_paragraph() -> None:
    html = blocks_of("\\[ x\n+ y\n\n- one\n\n$$\n\n# Two", TITLES)
    assert [re.match(r"<(\w+)", block).group(1) for block in html] == ["p", "ul", "p", "h3"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("**重要：**请密封。", "重要："),
        ("**これは太字です。**次の文。", "これは太字です。"),
        ("これは**「重要」**です。", "「重要」"),
        ("他说**“是”**的", "“是”"),
        ("**마크다운(Markdown)**은", "마크다운(Markdown)"),
        ("中**English!**文", "English!"),
        ("**bold** text", "bold"),
    ],
)
def test_bold_may_stand_beside_chinese_japanese_and_korean(text: str, bold: str) -> None:
    assert f"<strong>{bold}</strong>" in "".join(blocks_of(text))


@pytest.mark.parametrize("text", ["a ** b ** c", "snake_case_name", "**a **b", "2*3*4 and 5 * 6"])
def test_elsewhere_emphasis_is_that_of_commonmark(text: str) -> None:
    plain_markdown = MarkdownIt("js-default").render(text)
    assert "".join(blocks_of(text)).replace(' dir="auto"', "") == plain_markdown.strip()


def test_a_line_break_is_the_only_html_that_is_read() -> None:
    assert blocks_of("a<br>b<BR/>c<br x>d") == ('<p dir="auto">a<br>\nb<br>\nc&lt;br x&gt;d</p>',)


def test_task_lists_have_boxes_that_nobody_can_tick() -> None:
    [html] = blocks_of("- [ ] one\n- [x] **two**\n- [y] three")
    assert html.count('<li class="task"><input type="checkbox" disabled') == 2
    assert html.count(" checked") == 1
    assert shown(html).split() == ["one", "two", "[y]", "three"]


def test_code_says_its_language_and_each_button_its_code() -> None:
    html = "".join(blocks_of("- a\n\n  ```python\n  x = 1  # n\n  ```\n\n```c++\ny\n```\n\n```\n<z>\n```", TITLES))
    assert re.findall(r'code-head" dir="ltr"><span>([^<]*)', html) == ["Python", "C++", "Code"]
    labels = ["Copy Python: x = 1  # n", "Copy C++: y", "Copy Code: &lt;z&gt;"]
    assert re.findall(r'aria-label="([^"]*)"', html) == labels
    assert 'data-language="python"' in html
    assert '<span class="c1"># n</span>' in html


def test_headings_begin_below_those_of_the_page_and_leave_out_no_level() -> None:
    text = "## A\n\n#### B\n\n### C\n\n# D\n\n###### E\n\n"
    blocks = HtmlBlocks(TITLES)
    for character in text:
        blocks.add(character)
        blocks.parts()
    tags = [block[:3] for block in blocks.parts(final=True)]
    assert tags == ["<h3", "<h4", "<h4", "<h3", "<h4"]


def test_citations_that_begin_lines_leave_the_lines_apart() -> None:
    [html] = blocks_of("Sources:<br>[1] Roasting<br>[2] Grinding", TITLES)
    assert html.count("<br>\n<a class") == 2


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
