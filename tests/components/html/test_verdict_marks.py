"""Verdicts on the page: a chip says its sentence's verdict, and a summary leads through the doubtful sentences."""

from __future__ import annotations

import re

from components.html.render_cache import RenderCache
from components.html.verdict_marks import chip_marks, summary
from components.panes import chat
from components.view import View, reduce, view_of
from pipeline.events import Event, FieldDelta, FieldReset, PassagesFound, TurnStarted, TurnStopped
from pipeline.passages import Passage
from pipeline.turns.sentence_checks import SentenceChecks

TAMPING = "The barista presses the ground coffee flat with a tamper."
PRESSURE = "A machine presses water through the coffee with about 9 bar."
PASSAGES = tuple(
    Passage(number=number, document="a.md", title=f"Espresso {number}", section="", text=text, score=1.0)
    for number, text in enumerate((PRESSURE, TAMPING), 1)
)
ANSWER = (
    f"{PRESSURE[:-1]} [1]. {TAMPING[:-1]} [1][2]. Cats dislike the smell of paint [2][9]. A car has <b>four</b> wheels."
)


def turn(*events: Event, language: str = "en", ends: bool = True) -> list[Event]:
    """A turn with its verdicts."""
    started = TurnStarted(
        turn_id="t", conversation_id="c", question="How?", model="m", program="ChainOfThought", language=language
    )
    checks, said = SentenceChecks(), list[Event]()
    ending = [TurnStopped(partial={}, saved=True)] if ends else []
    for event in [started, PassagesFound(query="q", passages=PASSAGES), *events, *ending]:
        derived = checks.derive(event)
        said += [*derived, event] if event in ending else [event, *derived]
    return said


def answered(text: str) -> FieldDelta:
    return FieldDelta(field="answer", text=text)


def verdicts_in(html: str) -> list[tuple[str, str]]:
    """The number and the verdict of each chip, "" where it has none."""
    return [
        (chip[1], (re.search(r'data-v="(\w+)"', chip[0]) or ["", ""])[1])
        for chip in re.finditer(r'<a class="cite"[^>]*data-n="(\d+)"[^>]*>', html)
    ]


def test_every_chip_of_a_sentence_has_its_verdict_in_colour_name_and_reason() -> None:
    html = chat.article(view_of(turn(answered(ANSWER))))
    assert verdicts_in(html) == [("1", "verbatim"), ("1", "verbatim"), ("2", "verbatim"), ("2", "not_found")]
    assert re.search(r'aria-label="[^"]*, verbatim"', html)
    assert 'data-why="[1] says it word for word."' in html


def test_a_chip_has_its_verdict_as_soon_as_its_sentence_is_complete_and_blocks_before_stay() -> None:
    pieces = [f"{PRESSURE[:-1]} [1].\n\n", f"{TAMPING[:-1]} [2]. ", "More of it "]
    view, cache, seen = View(), RenderCache(), []
    for event in turn(*map(answered, pieces), ends=False):
        view = reduce(view, event)
        seen.append(cache.blocks(view, "answer"))
    assert verdicts_in("".join(seen[-1])) == [("1", "verbatim"), ("2", "verbatim")]
    first = [blocks[0] for blocks in seen if len(blocks) > 1]
    assert all(block is first[0] for block in first)


def test_a_reset_takes_the_verdicts_away() -> None:
    view = view_of(turn(answered(ANSWER), FieldReset(field="answer"), answered("Nothing [1] "), ends=False))
    assert not view.checks
    assert chip_marks(view, "answer") == ()


def test_the_summary_counts_verdicts_and_says_of_each_doubtful_sentence_why() -> None:
    (html,) = summary(view_of(turn(answered(ANSWER))))
    counts = re.findall(r'data-v="(\w+)"><i aria-hidden="true"></i><b>(\d+)</b>', html)
    assert counts == [("verbatim", "2"), ("not_found", "1"), ("uncited", "1")]
    assert html.count("<li") == 2
    assert "[2] does not say it." in html
    assert "&lt;b&gt;four&lt;/b&gt;" in html
    assert "<b>four" not in html


def test_the_summary_comes_with_the_ending_in_the_language_of_the_question() -> None:
    assert not summary(view_of(turn(answered(ANSWER), ends=False)))
    (html,) = summary(view_of(turn(answered(ANSWER), language="de")))
    assert "nicht gefunden" in html
    assert 'lang="de"' in html


def test_an_answer_without_claims_has_no_summary_and_one_without_doubt_no_list() -> None:
    assert not summary(view_of(turn(answered("I hope that helps!"))))
    (html,) = summary(view_of(turn(answered(f"{PRESSURE} [1]"))))
    assert html.startswith("<p")
