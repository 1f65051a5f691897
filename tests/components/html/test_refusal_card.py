"""A refusal on the page: what is missing, where was looked, what comes closest, and what can be done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markupsafe import Markup

from components.html import answer_head, refusal_card
from components.html.refusal_card import closest
from components.html.render_cache import RenderCache
from components.panes import chat
from components.view import View, view_of
from i18n import CATALOGUE, text
from pipeline.events import Event, FieldDelta, LookedIn, Parts, PassagesFound, TurnFinished, TurnStarted, Usage, Warned
from pipeline.passages import Passage
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import AskOptions

POT = Passage(1, "a.md", "Pot", "Heat", "The pot is hot. A machine has *9 bar*.", 2.0, document_id="d", start=0, end=30)
SHOP = replace(POT, number=2, title="Shop", section="", text="| Item | Price |\n| --- | --- |\n| Sieve | low |")
SAID = "The pot has 9 bar [1]."
FINISHED = TurnFinished(
    fields={"answer": SAID},
    passages=(POT, SHOP),
    usage=Usage(1, 1, exact=True),
    cost=None,
    finish="stop",
    model="m",
    cached=False,
    saved=True,
    missing="a blue sieve; who sells it",
    looked_in=LookedIn(14, 212),
)


def turn(ending: TurnFinished = FINISHED, language: str = "en", model: str = "m", warned: bool = False) -> View:
    events: list[Event] = [
        TurnStarted(turn_id="t", conversation_id="c", question="q", model=model, program="p", language=language),
        PassagesFound(query="pot <b>", passages=(POT, SHOP), quality="weak"),
        FieldDelta(field="answer", text=ending.fields["answer"]),
        *([Warned(code="unsupported", values={"doubtful": 3, "claims": 4})] if warned else []),
        replace(ending, model=model),
    ]
    return view_of(events, View(asked=AskOptions()))


def card(view: View, rating: int = 0) -> str:
    return "".join(refusal_card.card(view, -1 if rating < 0 else 0))


@pytest.mark.parametrize("language", list(CATALOGUE))
def test_the_card_says_what_is_missing_where_was_looked_and_what_comes_closest(language: str) -> None:
    html = card(turn(language=language))
    assert text("refusal.title", language) in html
    assert '<li><span dir="auto">a blue sieve</span></li><li><span dir="auto">who sells it</span></li>' in html
    assert text("refusal.passages", language, count=212) in html
    assert '<span class="query"><span dir="auto">pot &lt;b&gt;</span></span>' in html
    assert 'data-n="2" data-title="Shop"' in html
    assert "“Sieve · low”" in html
    assert f'lang="{language}"' in html


def test_nothing_is_shown_where_nothing_is_missing_or_the_turn_still_runs() -> None:
    assert card(turn(replace(FINISHED, missing=None))) == ""
    assert card(replace(turn(), ending=None)) == ""


def test_what_was_searched_is_left_out_where_it_is_not_known() -> None:
    assert text("refusal.looked_in") not in card(turn(replace(FINISHED, looked_in=None)))


def test_the_built_in_model_is_not_sure_where_it_quotes_what_comes_closest() -> None:
    assert text("refusal.unsure") in card(turn(model=BUILTIN_MODEL))
    assert text("refusal.title") in card(turn(replace(FINISHED, abstained=True), model=BUILTIN_MODEL))
    assert text("refusal.title") in card(turn(replace(FINISHED, parts=Parts(2, 1)), model=BUILTIN_MODEL))


def test_the_answer_to_one_part_is_not_what_comes_closest_to_the_other() -> None:
    asked = replace(turn(replace(FINISHED, missing="a zebra")), question="How much bar has a machine, and a zebra?")
    assert text("refusal.closest") in card(asked)
    partial = replace(turn(replace(FINISHED, missing="a zebra", parts=Parts(2, 1))), question=asked.question)
    assert text("refusal.closest") not in card(partial)
    assert text("refusal.closest") in card(turn(replace(FINISHED, parts=Parts(2, 1))))


def test_a_wrong_refusal_is_a_dislike() -> None:
    assert 'data-act="in-there" aria-label="It is in there answer 1" aria-pressed="false"' in card(turn())
    assert 'aria-pressed="true"' in card(turn(), rating=-1)


def test_more_passages_are_offered_until_there_are_no_more() -> None:
    assert 'data-act="search-more"' in card(turn())
    most = replace(turn(), asked=AskOptions(passages_wanted=20))
    assert 'data-act="search-more"' not in card(most)


def test_the_closest_sentence_shares_most_words_and_none_is_made_up() -> None:
    found = closest("how many bar has a machine", "", (SHOP, POT))
    assert found is not None
    begin, end = found.cut.spans[found.place]
    assert (found.passage, found.cut.text[begin:end]) == (POT, "A machine has 9 bar.")
    assert closest("zebra", "zebra", (SHOP, POT)) is None
    by_question = closest("zebra", "hot pots", (SHOP, POT))
    assert by_question is not None
    assert (by_question.passage, by_question.place) == (POT, 0)


def test_the_line_above_an_answer_takes_its_place_from_the_beginning() -> None:
    running, ended = replace(turn(), ending=None), turn(replace(FINISHED, parts=Parts(2, 1)))
    place = chat.render(running, RenderCache()).index(answer_head.head(running))
    assert answer_head.head(running) == Markup('<p class="answer-head"></p>')
    assert answer_head.head(ended) == chat.render(ended, RenderCache())[place]
    assert "<b>Answered</b> 1 of 2 parts" in answer_head.head(ended)


def test_the_line_says_that_claims_are_not_found() -> None:
    assert "Check this answer: 3 of 4 statements" in answer_head.head(turn(warned=True))
    assert "Check this answer" not in answer_head.head(replace(turn(warned=True), ending=None))


def test_the_line_is_empty_where_the_answer_says_it_itself() -> None:
    assert answer_head.head(turn(replace(FINISHED, abstained=True))) == Markup('<p class="answer-head"></p>')
    assert answer_head.head(turn(model=BUILTIN_MODEL)) == Markup('<p class="answer-head"></p>')
    assert "Answered in part" in answer_head.head(turn())
