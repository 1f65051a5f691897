from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.citations.sentences import sentences, without_list_marker


def texts(text: str) -> list[str]:
    return [text[begin:end] for begin, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It boils. It cools! Does it?", ["It boils.", "It cools!", "Does it?"]),
        ("Dr. Smith paid 1.5 bar at 9 a.m. today.", ["Dr. Smith paid 1.5 bar at 9 a.m. today."]),
        ("He came at 5 p.m. The bar was shut.", ["He came at 5 p.m.", "The bar was shut."]),
        ("Am 3. Mai kam er. Dann ging er.", ["Am 3. Mai kam er.", "Dann ging er."]),
        ("Im 19. Jahrhundert, z. B. in Wien.", ["Im 19. Jahrhundert, z. B. in Wien."]),
        ("Ludwig XIV. war König. Er trank Kaffee.", ["Ludwig XIV. war König.", "Er trank Kaffee."]),
        ("J. A. Hobson met E. I. du Pont. He left.", ["J. A. Hobson met E. I. du Pont.", "He left."]),
        ("Am 3. Oktober kam J. A. Hobson.", ["Am 3. Oktober kam J. A. Hobson."]),
        ("J. A. Hobson wrote it. A few read it.", ["J. A. Hobson wrote it.", "A few read it."]),
        ("E. I. du Pont made powder. We met I. M. Pei.", ["E. I. du Pont made powder.", "We met I. M. Pei."]),
        (
            "By W. E. B. Du Bois and J.R.R. Tolkien. Both wrote.",
            ["By W. E. B. Du Bois and J.R.R. Tolkien.", "Both wrote."],
        ),
        ("Harry S. Truman met C. S. Lewis. They ate.", ["Harry S. Truman met C. S. Lewis.", "They ate."]),
        ("Von J. W. v. Goethe. Es war gut.", ["Von J. W. v. Goethe.", "Es war gut."]),
        ("Sie kam am 5. 3. 2010 an. Danach nicht.", ["Sie kam am 5. 3. 2010 an.", "Danach nicht."]),
        ("That was plan A. A day later it failed.", ["That was plan A.", "A day later it failed."]),
        ("“It is hot.” She left.", ["“It is hot.”", "She left."]),
        ("wrapped\nlines are one\nsentence. Two.", ["wrapped\nlines are one\nsentence.", "Two."]),
        ("no full stop\n\nnext block", ["no full stop", "next block"]),
        ("- one\n- two. Three.\n2. four", ["- one", "- two.", "Three.", "2. four"]),
        ("| a. B | c |\n| --- | --- |\n| 1 | 2 |", ["| a. B | c |", "| --- | --- |", "| 1 | 2 |"]),
        ("  \n ", []),
    ],
)
def test_sentences_end_where_a_reader_says(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@given(st.one_of(st.text(max_size=120), st.text(alphabet='aB1 .!?|-\n"”)Drz', max_size=60)))
def test_nothing_but_blanks_is_lost_and_the_order_is_kept(text: str) -> None:
    spans = sentences(text)
    assert "".join("".join(texts(text)).split()) == "".join(text.split())
    assert all(begin < end for begin, end in spans)
    assert [begin for begin, _ in spans] == sorted(begin for begin, _ in spans)


def test_a_sentence_is_read_without_the_mark_of_its_item() -> None:
    assert [without_list_marker(each) for each in ("- one", "12. two", "> three", "1.5 bar")] == [
        "one",
        "two",
        "three",
        "1.5 bar",
    ]
