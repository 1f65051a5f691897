"""Verdicts on the page: a chip says its sentence's verdict, and a summary leads through the doubtful sentences."""

from __future__ import annotations

import re
from html import unescape

from components.html.render_cache import RenderCache
from components.html.verdict_marks import FieldMarks, summary
from components.panes import chat
from components.view import View, reduce, view_of
from pipeline.events import Event, FieldDelta, FieldReset, PassagesFound, SentenceChecked, TurnStarted, TurnStopped
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
    marks = FieldMarks("answer")
    marks.update(view)
    assert marks.chips == []


def test_a_doubtful_sentence_is_underlined_where_it_stands_whatever_is_inside_of_it() -> None:
    said = f"- **Cats** dislike `paint` & the *smell* of it [2].\n- {TAMPING} [2]\n\nA car has four wheels."
    html = chat.article(view_of(turn(answered(said))))
    assert underlined(html) == {
        "answer-0": "Cats dislike paint & the smell of it.",
        "answer-2": "A car has four wheels.",
    }
    assert re.search(r"<strong><span [^>]*>Cats</span></strong>", html)


def test_an_underlined_sentence_leaves_what_is_read_and_its_formulas_as_they_are() -> None:
    said = "It costs \\(m c\\) and $4.20 <b> per wheel of paint [2]. Dogs dislike it, too [1][2]."
    marked = chat.article(view_of(turn(answered(said))))
    plain = chat.article(view_of([each for each in turn(answered(said)) if not isinstance(each, SentenceChecked)]))
    assert read(marked) == read(plain)
    assert re.findall(r"<math.*?</math>", marked) == re.findall(r"<math.*?</math>", plain)
    assert 'class="doubted"' in marked


def test_a_wrong_number_keeps_its_text_and_gets_ours_beside_it() -> None:
    html = chat.article(view_of(turn(answered(f"{PRESSURE[:-1]} [2]. More of it [1]."))))
    assert verdicts_in(html) == [("2", "wrong_source"), ("1", "not_found")]
    (ours,) = re.findall(r'<a class="cite"[^>]*data-n="2"[^>]*>2</a>(<a class="ours repointed".*?</a>)', html)
    assert 'data-n="1"' in ours
    assert 'href="#src-1"' in ours
    assert f'data-quote="{PRESSURE}"' in ours
    assert read(ours) == ""  # no text of ours is part of the answer
    assert "the answer cites 2, 1 says it" in ours


def test_a_sentence_without_a_number_gets_ours_behind_it_where_a_passage_says_it() -> None:
    html = chat.article(view_of(turn(answered(f"{TAMPING} A car has four wheels and no lid."))))
    (before, ours) = re.findall(r'(.{40})<a class="ours added"([^>]*)>', html)[0]
    assert before.endswith("with a tamper.</span>")
    assert 'data-n="2"' in ours
    assert html.count('class="ours') == 1


def test_sentences_of_a_growing_answer_are_underlined_as_those_of_the_whole() -> None:
    said = (
        f"{PRESSURE[:-1]} [2].\n\n1. A car has four wheels.\n2. {TAMPING}\n\nCats dislike paint [1]. Dogs do not [1]."
    )
    pieces = [said[at : at + 5] for at in range(0, len(said), 5)]
    view, cache = View(), RenderCache()
    for event in turn(*map(answered, pieces)):
        view = reduce(view, event)
        grown = "".join(cache.blocks(view, "answer"))
    assert grown == "".join(RenderCache().blocks(view_of(turn(answered(said))), "answer"))
    assert len(underlined(grown)) == 5


def underlined(html: str) -> dict[str, str]:
    """The text of each underlined sentence by the name of its verdict."""
    found: dict[str, str] = {}
    for name, text in re.findall(r'<span class="doubted[^"]*"[^>]*data-check="([\w-]+)">(.*?)</span>', html):
        found[name] = found.get(name, "") + unescape(text)
    return {name: re.sub(r"[\u2060\u202f]|(?<= )\s", "", text) for name, text in found.items()}


def read(html: str) -> str:
    """What is read of the answer's blocks."""
    return re.sub(r"<[^>]*>", "", "".join(re.findall(r'<div class="answer">(.*?)</div>', html)) or html)


def test_the_summary_counts_verdicts_and_says_of_each_doubtful_sentence_why() -> None:
    (html,) = summary(view_of(turn(answered(ANSWER))))
    counts = re.findall(r'data-v="(\w+)"><i aria-hidden="true"></i><b>(\d+)</b>', html)
    assert counts == [("verbatim", "2"), ("not_found", "1"), ("uncited", "1")]
    assert re.findall(r'<li[^>]*data-check="([\w-]+)"', html) == ["answer-2", "answer-3"]
    assert 'data-act="through-doubtful"' in html
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
    assert "<li" not in html
    assert "through-doubtful" not in html
    assert 'data-act="marks"' in html
