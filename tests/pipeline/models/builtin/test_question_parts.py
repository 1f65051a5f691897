"""A question is split where it clearly asks several things, in English and German, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.builtin.question_parts import part_queries, parts_of
from pipeline.models.builtin.question_things import Rest, rest_of


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("What is crema and who discovered it?", ["What is crema", "who discovered it"]),
        ("What is crema? And why does it form?", ["What is crema", "why does it form"]),
        ("What is crema, but why does it form?", ["What is crema", "why does it form"]),
        ("Does it foam, and does the milk curdle?", ["Does it foam", "does the milk curdle"]),
        ("Tell me what crema is and who discovered it.", ["Tell me what crema is", "who discovered it"]),
        ("I like foam. What is crema? Who made it?", ["What is crema", "Who made it"]),
        ("When was it opened, who opened it, and why?", ["When was it opened", "who opened it", "why"]),
        ("When and where did he open it?", ["When did he open it", "where did he open it"]),
        ("When and by whom is it sold?", ["When is it sold", "by whom is it sold"]),
        ("Was ist Crema und woraus besteht sie?", ["Was ist Crema", "woraus besteht sie"]),
        ("Wie laut ist sie? Und darf man das?", ["Wie laut ist sie", "darf man das"]),
        ("Warum ist er bitter, und hilft dagegen Salz?", ["Warum ist er bitter", "hilft dagegen Salz"]),
        ("Wer hat sie wann und wo verkauft?", ["Wer hat sie wann verkauft", "Wer hat sie wo verkauft"]),
    ],
)
def test_each_part_is_in_the_questions_words(question: str, parts: list[str]) -> None:
    assert [part.text for part in parts_of(question)] == parts


@pytest.mark.parametrize(
    "question",
    [
        "What is crema?",
        "What is crema? Thanks!",
        "How do I store beans? I have a fridge.",
        "What do oxygen, moisture and heat do to coffee?",
        "Who signed the charter but was exempt from it?",
        "Which drink is it which has foam and which is hot?",
        "Beans and what they are",
        "Was kostet eine Kanne und ein Sieb?",
        "Is it warm? Is it cold? Is it dry? Is it wet? Is it gone?",
        f"What is crema? {'And why? ' * 200}",
        "",
    ],
)
def test_any_other_question_is_one_part(question: str) -> None:
    assert [part.question for part in parts_of(question)] == [question]


def test_a_part_that_points_back_leans_on_the_parts_before_it() -> None:
    alone, leaning, there = part_queries("I was in Rome. What is crema? Who made it? What is sold there?", ("q", "a"))
    assert (alone.question, alone.past) == ("What is crema?", ())
    assert leaning.past == (("I was in Rome. What is crema?", 0.4),)
    assert there.past == (("I was in Rome. What is crema? Who made it?", 0.4),)


def test_the_first_part_of_a_follow_up_leans_on_the_turn_before() -> None:
    first, second = part_queries("And why does it form? Who saw it first?", ("What is crema?", "Foam [1]."))
    assert [text for text, _ in first.past] == ["What is crema?", "Foam  ."]
    assert [text for text, _ in second.past] == ["why does it form?"]


@pytest.mark.parametrize(
    ("question", "absent", "rest", "things"),
    [
        ("How hot is it in La Paz and in Bern?", ["Bern"], "How hot is it in La Paz?", ["Bern"]),
        ("How hot is it in Bern and in La Paz?", ["Bern"], "How hot is it in La Paz?", ["Bern"]),
        ("Who makes the Silvia and the Rocket R58?", ["Rocket", "R58"], "Who makes the Silvia?", ["the Rocket R58"]),
        ("Who grows most of tea, of cocoa and of rye?", ["cocoa", "rye"], "Who grows most of tea?", ["cocoa", "rye"]),
        ("Where do latte and mazagran come from?", ["mazagran"], None, []),
        ("Where does a latte and a mazagran come from?", ["mazagran"], "Where does a latte come from?", ["a mazagran"]),
        ("Wer war Gast im Central und im Prückel?", ["Prückel"], "Wer war Gast im Central?", ["Prückel"]),
        ("Was braucht man für 3 Tassen und für 18 Tassen?", ["18"], "Was braucht man für 3 Tassen?", ["18 Tassen"]),
    ],
)  # fmt: skip
def test_things_that_are_nowhere_are_taken_out(
    question: str, absent: list[str], rest: str | None, things: list[str]
) -> None:
    assert rest_of(question, absent) == (Rest(rest, tuple(things)) if rest else None)


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("How hot is it in La Paz and in Bern?", []),
        ("How hot is it in La Paz?", ["Paz"]),
        ("How do I clean and descale a kettle?", ["descale"]),
        ("How hot is it in La Paz and in Bern?", ["hot"]),
        ("What is the difference between Rome and Bern?", ["Bern"]),
        ("Wie unterscheiden sich Rom und Bern?", ["Bern"]),
    ],
)
def test_nothing_else_is_taken_out(question: str, absent: list[str]) -> None:
    assert rest_of(question, absent) is None


@given(st.text(max_size=120), st.lists(st.text(max_size=5), max_size=3))
def test_any_text_is_a_question_of_at_least_one_part(question: str, absent: list[str]) -> None:
    assert len(parts_of(question)) == len(part_queries(question, None)) >= 1
    rest_of(question, absent)
