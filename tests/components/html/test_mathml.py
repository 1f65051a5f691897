import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.html.mathml import DEPTH, mathml
from tests.components.html.test_markdown import Page

DEEP = [
    "{" * 1_999 + "x",
    "x^{" * 600 + "}" * 600,
    r"\sqrt" * 499,
    r"\frac{" * 300 + "x" + "}{y}" * 300,
    r"\not" * 499,
    r"\hat{" * 300 + "x" + "}" * 300,
    r"\begin{matrix}" * 60 + r"\end{matrix}" * 60,
    r"\color{red}" * 180 + "x",
    r"\def\a{\a\a}\a",
    r"\def\a{xxxxxxxxxx}\def\b{\a\a\a\a\a\a\a\a\a\a}\def\c{\b\b\b\b\b\b\b\b\b\b}" + r"\c" * 300,
    "x" + "'" * 1_999,
    "&" * 2_000,
]
TEX = st.lists(
    st.sampled_from(
        [
            *(
                "x",
                "1",
                "{",
                "}",
                "_",
                "^",
                "&",
                "\\\\",
                " ",
                "<",
                ">",
                '"',
                "'",
                "%",
                "#",
                "~",
                "é",
                "温",
                "\0",
                "\ud800",
            ),
            *(r"\frac", r"\sqrt", r"\left(", r"\right)", r"\text{", r"\begin{matrix}", r"\end{matrix}", r"\color{red}"),
            *(r"\href{javascript:x}{y}", r"\hspace{9em}", r"\def\a", r"\a", r"\boxed", r"\operatorname{", r"\tag{1}"),
            *(r"\begin{align}", r"\end{align}", r"\unicode{60}", r"\not", "<script>", "&lt;", "\ufdd0", "\U0001f600"),
        ]
    ),
    max_size=25,
).map("".join)


@pytest.mark.parametrize(
    ("tex", "parts"),
    [
        ("E = mc^2", ["<msup><mi>c</mi><mn>2</mn></msup>"]),
        (r"\lambda_1", ["<msub><mi>λ</mi><mn>1</mn></msub>"]),
        (r"\int_0^1 \frac{1}{3}", ["∫", "<mfrac><mn>1</mn><mn>3</mn></mfrac>"]),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", ["<mtable", "<mtd><mn>4</mn></mtd>"]),
        (r"\text{Kosten} < 5", ["<mtext>Kosten</mtext>", "<mo>&lt;</mo>"]),
        (r"\begin{align} a &= b \tag{1} \end{align}", ["<mtable", "<mtext>(1)</mtext>"]),
        (r"\begin{equation}x\label{y}\end{equation}", ["<mi>x</mi>"]),
        (r"20\,\celsius", ["<mo>∘</mo>"]),
    ],
)
def test_a_formula_is_set_by_the_browser_alone(tex: str, parts: list[str]) -> None:
    html = mathml(tex, is_display=True)
    assert html is not None
    assert html.startswith('<math display="block" alttext="')
    assert all(part in html for part in parts)
    Page(html)


@pytest.mark.parametrize(
    "tex",
    [
        *(r"\unknown{x}", r"\frac{1}{", "{", "a & b", r"\href{javascript:alert(1)}{x}", r"\url{javascript:x}", "\x01"),
        *(r"\hspace{99999em}", r"\genfrac{(}{)}{9999em}{0}{a}{b}", "x" * 2_001, *DEEP),
    ],
)
def test_what_cannot_be_set_or_is_out_of_measure_is_left_to_be_shown_as_it_is(tex: str) -> None:
    assert mathml(tex, is_display=False) is None


def test_as_many_levels_as_people_write_are_set() -> None:
    nested = r"\sqrt{1 + " * (DEPTH // 4) + "x" + "}" * (DEPTH // 4)
    assert mathml(nested, is_display=True)


@settings(deadline=None, max_examples=500)
@given(TEX | st.text(st.characters(codec=None), max_size=40), st.booleans())
def test_no_tex_brings_more_into_the_page_than_is_listed(tex: str, is_display: bool) -> None:
    html = mathml(tex, is_display=is_display)
    if html is not None:
        Page(html).text.encode()
