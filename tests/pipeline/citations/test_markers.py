from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.citations.markers import incomplete_marker_start, leaked_marker_chars, markers

PIECES = st.sampled_from(
    [
        *(
            "a",
            "Z",
            "1",
            "2",
            "9",
            "0",
            " ",
            "\n",
            "[",
            "]",
            "(",
            ")",
            "^",
            ",",
            ";",
            "-",
            "–",
            ".",
            "=",
            ":",
            "!",
            "\\",
        ),
        *(
            "`",
            "``",
            "$",
            "$$",
            "\\(",
            "\\)",
            "\\[",
            "\\]",
            "【",
            "】",
            "†",
            "source",
            "Source ",
            "Quelle ",
            "and",
            "und",
        ),
        *("[1]", "[2, 3]", "[1-3]", "[[4]]", "^[1]", "[^2]", "(Source 1)", "【1†source】", "[1](https://a.example/b)"),
        *(
            "arr[1] = 5",
            "f(arr[2])",
            "weeks[1]",
            "[1]: x",
            "```\n",
            "来源1",
            "（出典2）",
            "\ue200",
            "\ue201",
            "f(",
            "$5",
            "x",
        ),
    ]
)
TEXT = st.lists(PIECES, max_size=30).map("".join)


def cited(text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(text[marker.start : marker.end], marker.numbers) for marker in markers(text)]


@pytest.mark.parametrize(
    ("marker", "numbers"),
    [
        ("[1]", (1,)),
        ("[12]", (12,)),
        ("[0]", (0,)),
        ("[1, 2]", (1, 2)),
        ("[1,2,4]", (1, 2, 4)),
        ("[1; 2]", (1, 2)),
        ("[1 und 2]", (1, 2)),
        ("[1 and 3]", (1, 3)),
        ("[1-3]", (1, 2, 3)),
        ("[1–3]", (1, 2, 3)),
        ("[2 to 4]", (2, 3, 4)),
        ("[1, 3-4]", (1, 3, 4)),
        ("[[4]]", (4,)),
        ("[^1]", (1,)),
        ("^[1]", (1,)),
        ("[ 1 ]", (1,)),
        ("[Source 1]", (1,)),
        ("[source: 2]", (2,)),
        ("[Sources 1, 2 and 3]", (1, 2, 3)),
        ("[Source 1, Source 2]", (1, 2)),
        ("[Quelle 1]", (1,)),
        ("[Passage 3]", (3,)),
        ("[Doc #2]", (2,)),
        ("[来源1]", (1,)),
        ("[citation:1]", (1,)),
        ("[Source 1: Storing coffee]", (1,)),
        ("[Source 1, p. 3]", (1,)),
        ("(Source 2, p. 3)", (2,)),
        ("[1†L3-L5]", (1,)),
        ("(Source 2)", (2,)),
        ("(Sources 1 and 2)", (1, 2)),
        ("（来源2）", (2,)),
        ("【1】", (1,)),
        ("【1, 2】", (1, 2)),
        ("【2†source】", (2,)),
        ("【4:0†guide.pdf】", (4,)),
        ("［2］", (2,)),
        ("[1](https://a.example/b)", (1,)),
        ("[1](#src-1)", (1,)),
        ("[1]()", (1,)),
    ],
)
@pytest.mark.parametrize(
    "before", ["Beans stay fresh ", "Beans stay fresh.", "**Fresh** (see ", "保存更久", "\n- ", "94 °C", "| a | "]
)
def test_what_cites_is_found_wherever_it_stands(marker: str, numbers: tuple[int, ...], before: str) -> None:
    assert cited(f"{before}{marker}. And so on.") == [(marker, numbers)]


@pytest.mark.parametrize(
    "text",
    [
        *("(1)", "(1999)", "[2019]", "[sic]", "[x]", "[ ]", "[5 reasons]", "[01]", "[]", "[a1]", "[1.5]", "[n]", "[²]"),
        *("[0, 1]", "[0-9]", "[3-1]", "[1-2-3]", "[1 2]", "(see 1)", "(Table 2)"),
        *(
            "arr[1] = 5",
            "f(arr[2])",
            "f(x, arr[2])",
            "print([1, 2])",
            "x = [1, 2]",
            "a[1]",
            "x_i[2]",
            "a.b[1]",
            "m[2] = 3",
        ),
        *(
            "total = prices[1] + prices[2]",
            "items[1].append(3)",
            "rows[1][i]",
            "args[1]",
            "count[1] += 1",
            "if n[1] == 2",
            "$PATH[1]",
            "foo()[1]",
        ),
        *("see `arr[3]` there", "``a`[1]``", "```\n[1]\n```", "- a\n  ```py\n  x[1]\n  ```", r"\[1\]", r"\[2]"),
        *(r"\(v_{[1]}\)", r"\[ A[1] = [2] \]", "$x[1]$", "$$\nA = [1]\n$$"),
        *(
            "[1]: https://a.example",
            "[^1]: A note.",
            "> [2]: https://a.example",
            "[words][1]",
            "![1](http://a.example/p.png)",
        ),
    ],
)
def test_what_only_looks_like_a_citation_is_none(text: str) -> None:
    assert cited(f"{text}\nEnd.") == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Roasted beans keep for weeks[1]. Ground ones do not[2][3].", [1, 2, 3]),
        ("the pH[1], 12 g[2], 94 °C[1], the world's[3], CO2[2], the iPhone[1], in the U.S.[2]", [1, 2, 1, 3, 2, 1, 2]),
        ("[1](note) and [2](see there)", [1, 2]),
        ("Stale![1] Really?[2]", [1, 2]),
        ("As [1]: beans", [1]),
        ("weeks[1]<br>days[2]", [1, 2]),
        ("It costs $5 [1] or $6 [2].", [1, 2]),
        ("an open `code [1]", [1]),
        ("[see](https://a.example)[2]", [2]),
    ],
)
def test_a_word_before_it_or_a_sign_behind_it_makes_no_index_of_a_citation(text: str, numbers: list[int]) -> None:
    assert [number for marker in markers(text) for number in marker.numbers] == numbers


@settings(deadline=None)
@given(TEXT)
def test_markers_stand_in_order_and_apart_in_any_text(text: str) -> None:
    found = markers(text)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(marker.numbers and 0 <= marker.start < marker.end <= len(text) for marker in found)


@settings(deadline=None, max_examples=300)
@given(TEXT)
def test_nothing_shown_of_a_growing_line_turns_out_to_be_a_part_of_a_marker(text: str) -> None:
    whole = {(marker.start, marker.end) for marker in markers(text) if "`" not in text and "$" not in text}
    for size in range(len(text)):
        shown = incomplete_marker_start(text[:size])
        assert not [span for span in whole if span[0] < shown < span[1] and text[span[0]] != "!" and "](" not in text]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Fresh [", "Fresh "),
        ("Fresh [1", "Fresh "),
        ("Fresh [1, ", "Fresh "),
        ("Fresh [1 an", "Fresh "),
        ("Fresh [Sour", "Fresh "),
        ("Fresh [[4]", "Fresh "),
        ("Fresh ^", "Fresh "),
        ("Fresh [1]", "Fresh [1]"),
        ("Fresh [1](", "Fresh [1]"),
        ("Fresh [1](https://a.exam", "Fresh [1]"),
        ("Fresh (", "Fresh "),
        ("Fresh (Sou", "Fresh "),
        ("Fresh (Source 1", "Fresh "),
        ("Fresh (Stale", "Fresh (Stale"),
        ("Fresh [sic", "Fresh [sic"),
        ("保存【2†so", "保存"),
        ("Fresh [Source 1: Stor", "Fresh "),
        ("Fresh (Source 1, p. ", "Fresh "),
        ("cite \ue200cite\ue202turn0", "cite "),
        ("order[1]", "order"),
        ("order[1] ", "order"),
        ("order[1] and", "order[1] and"),
        ("[1]", ""),
        ("- see\n[1]", "- see\n"),
    ],
)
def test_half_a_marker_is_held_back_and_text_is_not(text: str, shown: str) -> None:
    assert text[: incomplete_marker_start(text)] == shown


def test_what_a_tool_left_in_private_characters_has_its_length() -> None:
    assert leaked_marker_chars("a\ue200cite\ue202turn0search0\ue201b", 1) == 19
    assert leaked_marker_chars("\ue202b", 0) == 1
    assert leaked_marker_chars("abc", 0) == 0
