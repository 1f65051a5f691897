import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.citations.formulas import code_end, formula_at, may_become_formula

PIECES = st.sampled_from(
    [
        *(
            "$",
            "$$",
            "\\(",
            "\\)",
            "\\[",
            "\\]",
            "\\",
            "\n",
            "\n\n",
            " ",
            "x",
            "5",
            "1,243",
            " to ",
            "both",
            "_1",
            "^2",
        ),
        *("\\frac{1}{2}", "\\text{", "}", "=", ";", ".", "US", "th", "t", "s", "温", "a*b", "`"),
    ]
)
TEXT = st.lists(PIECES, max_size=25).map("".join)


def formulas(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        formula = formula_at(text, at)
        if formula:
            found.append(formula.tex)
        at = formula.end if formula else at + 1 + (text[at] == "\\")
    return found


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        (r"so \(E = mc^2\), and", "E = mc^2"),
        (r"\[ x \\[2pt] y \]", r"x \\[2pt] y"),
        ("$$\na\n= b\n$$", "a\n= b"),
        ("$x$", "x"),
        ("the $n$th", "n"),
        ("$k$-means", "k"),
        ("设$x$为", "x"),
        ("($a*b*c$)", "a*b*c"),
        (r"$2 \times 3$", r"2 \times 3"),
        (r"$90\,^\circ\text{C is hot}$", r"90\,^\circ\text{C is hot}"),
        (r"\(5\)", "5"),
        (r"$\$5$", r"\$5"),
    ],
)
def test_mathematics_between_its_delimiters_is_a_formula(text: str, tex: str) -> None:
    assert formulas(text) == [tex]


@pytest.mark.parametrize(
    "text",
    [
        "The price rose from $1,243 to $2,500.",
        "It was $5; both paid $6 and nobody $7.",
        "US$ 3 and A$5 to US$ 4",
        "5$ or 10$",
        "$5-$10, $5–$10, $20/month or $200/year ($16/mo)",
        "echo $HOME/$USER and $PATH",
        "buy $AAPL and sell $TSLA",
        "$5 and 10$ per bag",
        "$name is what they call it$",
        "$5 美元和$",
        r"\$5 and \$6",
        "$ x $",
        "$x\n\ny$",
        "$$5 and $$6",
        r"\[1\] and \[1, 2\] and \[sic\]",
        r"\(see the note\)",
        "$$$$",
        r"\(\)",
    ],
)
def test_amounts_names_and_escaped_brackets_are_text(text: str) -> None:
    assert formulas(text) == []


@settings(deadline=None, max_examples=300)
@given(TEXT)
@example("$\\($th")
@example("the $n$th.")
@example("$5-$s, $5-$ten")
def test_a_text_that_grows_never_changes_its_mind_about_what_is_no_formula(text: str) -> None:
    for at in range(len(text)):
        whole = formula_at(text, at)
        for size in range(at + 1, len(text)):
            before = text[:size]
            if not may_become_formula(before, at):
                now = formula_at(before, at)
                assert (now and now.end) == (whole and whole.end)


@pytest.mark.parametrize(
    "text", ["$1,243 to ", "$5; both ", "US$ ", "$ ", "$x\n", "\\(a\n\n", "\\a", "$x$ ", "$x$th ", "$5-$x"]
)
def test_money_is_shown_at_once(text: str) -> None:
    assert not may_become_formula(text, text.find("$") if "$" in text else 0)


@pytest.mark.parametrize(
    "text", ["$", "$x", "$2", "$$", "$$x$", "\\", "\\(", "\\(x", "\\(x\\", "\\[\nx\n", "$x$", "$x$t", "$x$th"]
)
def test_half_a_formula_may_still_become_one(text: str) -> None:
    assert may_become_formula(text, 0)


def test_a_code_span_ends_with_as_many_backticks() -> None:
    assert code_end("``a`b`` c", 0) == 7
    assert code_end("`a", 0) is None
