"""The card that shows a sentence beside its passage."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from components.html.side_by_side import Compared, card, compared_at
from components.view import View, view_of
from pipeline.events import Event, FieldDelta, PassagesFound, TurnStarted, TurnStopped
from pipeline.passages import Passage
from pipeline.turns.sentence_checks import SentenceChecks

BOILER = (
    "# The Alba\n\nThe **boiler** of the Alba works at 9 bar & heats [1.5 litres](a.md). Anna Rossi built it in Turin."
    "\n\n| Part | Weight |\n|---|---|\n| boiler | 12 kg |"
)
MILK = "Milk is steamed at 65 °C <at most>."
PASSAGES = (
    Passage(1, "alba.pdf", "Alba", "Parts", BOILER, 1.0, document_id="d", start=0, end=99, first_page=3),
    Passage(2, "milk.md", "Milk", "", MILK, 1.0),
)


def answered(said: str, language: str = "en") -> View:
    checks = SentenceChecks()
    started = TurnStarted(
        turn_id="t", conversation_id="c", question="How?", model="m", program="ChainOfThought", language=language
    )
    events: list[Event] = [started, PassagesFound(query="q", passages=PASSAGES), FieldDelta(field="answer", text=said)]
    ending = TurnStopped(partial={}, saved=True)
    return view_of([*events, *(check for each in [*events, ending] for check in checks.derive(each)), ending])


def shown(view: View, name: str = "answer-0", number: int | None = None) -> str:
    compared = compared_at(view, name, number)
    assert compared is not None
    return card(compared)


def sides(html: str) -> list[str]:
    """What is read on each side, without the letters of pairs."""
    both = re.findall(r'<p class="text" dir="auto">(.*?)</p>', html, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<sup.*?</sup>|<[^>]*>", "", each)).split()) for each in both]


def places(html: str, kind: str) -> list[str]:
    """The letter and the text of each place of a kind, on both sides."""
    found = re.findall(
        rf'<(?:u|strong) class="{kind}"(?: data-pair="(\w)")?>(.*?)(?:<sup.*?)?</(?:u|strong)>', html, re.DOTALL
    )
    return [f"{letter}:{unescape(text)}" for letter, text in found]


def test_both_texts_are_read_without_their_signs_and_around_the_place_alone() -> None:
    html = shown(answered("- The **boiler** of the Alba works at 6 bar [1]."))
    here, there = sides(html)
    assert here == "The boiler of the Alba works at 6 bar."
    assert there == "… The boiler of the Alba works at 9 bar & heats 1.5 litres. Anna Rossi built it in Turin. …"


def test_what_matches_has_the_same_letter_on_both_sides_and_what_differs_too() -> None:
    html = shown(answered("The boiler of the Alba works at 6 bar [1]."))
    assert places(html, "same") == ["a:The boiler of the Alba works at", "a:The   boiler   of the Alba works at"]
    assert places(html, "differs") == ["b:6 bar", "b:9 bar"]
    assert "“9 bar” stands in [1], the answer says “6 bar”." in unescape(html)


def test_the_card_says_verdict_reason_and_place_in_its_name_once() -> None:
    view = answered(
        "The boiler of the Alba works at 6 bar [1]. Cats dislike paint [2]. Milk is steamed at 65 °C at most [2]."
    )
    assert 'aria-label="not found. [2] does not say it. 2 of 2 doubtful"' in shown(view, "answer-1")
    assert "of 2 doubtful" not in shown(view, "answer-2")


def test_another_passage_than_that_of_the_verdict_can_be_shown() -> None:
    view = answered("Milk is steamed at 65 °C at most [1].")
    assert "wrong source" in shown(view)
    assert sides(shown(view))[1] == MILK
    assert sides(shown(view, number=1))[1].startswith("… The boiler") or "Alba" in sides(shown(view, number=1))[1]


def test_without_a_passage_the_reason_stands_in_its_place() -> None:
    html = shown(answered("- Cats dislike the smell of paint."))
    assert sides(html) == [
        "Cats dislike the smell of paint.",
        "None of the 2 passages that were found holds enough of its words.",
    ]
    assert "<footer></footer>" in html
    unknown = shown(answered("Cats dislike the smell of paint [7]."))
    assert sides(unknown)[1] == "2 passages were found. Their numbers are 1 to 2."


def test_the_actions_are_those_that_the_sentence_has() -> None:
    view = answered("Milk is steamed at 65 °C at most [1]. The boiler of the Alba works at 9 bar [1].")
    acts = [re.findall(r"<footer>.*", shown(view, name))[0] for name in ("answer-0", "answer-1")]
    assert [re.findall(r'data-act="([\w-]+)"', each) for each in acts] == [
        ["show-source", "repair"],
        ["show-source", "show-page"],
    ]
    assert 'data-document="d" data-page="3" data-start="0" data-end="99"' in acts[1]


def test_a_card_is_in_the_language_of_the_question_and_holds_no_foreign_html() -> None:
    html = shown(answered("Milk <b>is</b> steamed at 85 °C <at most> [2].", "de"))
    assert "Die Antwort sagt" in html
    assert "<at" not in html
    assert "<b>is" not in html


def test_a_sentence_that_is_not_there_has_no_card() -> None:
    view = answered("Milk is steamed [2].")
    assert compared_at(view, "answer-9") is None
    assert compared_at(view, "") is None
    odd = compared_at(view, "answer-0", 99)
    assert odd is not None
    assert card(replace(odd, check=replace(odd.check, start=1)))  # of a text that was stored otherwise
    assert isinstance(odd, Compared)
