"""What is shown of an inquiry: its cost before, its progress, its result, and why there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.html.inquiries import SecondOpinion, StandsOn, second_opinion, stands_on, stands_on_button
from components.html.verdict_marks import summary
from components.view import View, view_of
from i18n import CATALOGUE, text
from i18n.inquiries import counterfactual_text, price_text, rates_text
from i18n.messages import fault_message_text
from pipeline.events import FieldDelta, PassagesFound, TurnStarted, TurnStopped
from pipeline.exchange_costs import Cost
from pipeline.inquiries.rates import ErrorRates
from pipeline.inquiries.results import Counterfactual, Judgement, Price, SecondCheck, Trial
from pipeline.messages import Message
from tests.scripted import PASSAGE, checked

PRICE = Price(model="m<1>", calls=4, prompt_tokens=100, reply_tokens=10, cost=0.002)
ASKED = Counterfactual(field="answer", index=0, sentence="Hot.", model="m<1>", planned=((), (1,), (2,), (1, 2)))
HALF = replace(ASKED, trials=(Trial(left_out=(), outcome="said"), Trial(left_out=(1,), outcome="gone")))
DONE = replace(HALF, conclusion="stands_on", passages=(1,), calls=3, cost=Cost(0.0015, exact=True))
LANGUAGES = pytest.mark.parametrize("lang", list(CATALOGUE))
SAID = "Tea wants 80 °C [1]."
JUDGED = SecondCheck(
    model="judge",
    asked=(("answer", 0),),
    judgements=(Judgement(field="answer", index=0, verdict="partly", problem="<no> heat"),),
    calls=1,
)


def view(lang: str = "en", verdict: str = "weak") -> View:
    started = TurnStarted(turn_id="t", conversation_id="c", question="q", model="m", program="p", language=lang)
    check = checked(0, len(SAID), "weak" if verdict == "weak" else "verbatim")
    found = PassagesFound(query="q", passages=(PASSAGE,))
    ending = TurnStopped(partial={"answer": SAID}, saved=True)
    return view_of([started, found, FieldDelta(field="answer", text=SAID), check, ending])


@LANGUAGES
def test_the_button_names_the_cost_and_becomes_the_one_that_stops(lang: str) -> None:
    button = stands_on_button(StandsOn(PRICE), lang)
    assert text("inquiry.which_passage", lang) in button
    assert price_text(PRICE, lang).replace("<1>", "&lt;1&gt;") in button
    assert text("inquiry.stop", lang) in stands_on_button(StandsOn(PRICE, HALF), lang)
    assert stands_on_button(StandsOn(PRICE, DONE), lang) == ""
    assert stands_on_button(StandsOn(None), lang) == ""


@LANGUAGES
def test_the_calls_so_far_are_listed_and_what_follows_stands_above_them(lang: str) -> None:
    running = stands_on(StandsOn(PRICE, HALF), lang)
    assert 'aria-busy="true"' in running
    assert running.count("<li ") == 2
    done = stands_on(StandsOn(PRICE, DONE), lang)
    assert counterfactual_text(DONE, lang) in done
    assert "$0.0015" in done
    assert "busy" not in done
    assert stands_on(None, lang) == ""


@LANGUAGES
def test_after_a_fault_or_a_stop_it_can_be_asked_again(lang: str) -> None:
    failed = StandsOn(PRICE, replace(ASKED, fault=Message("idle_timeout")))
    assert fault_message_text(Message("idle_timeout"), lang) in stands_on(failed, lang)
    stopped = StandsOn(PRICE, HALF, is_stopped=True)
    assert text("inquiry.stopped", lang) in stands_on(stopped, lang)
    refused = StandsOn(PRICE, refusal="Why <not>.")
    assert "Why &lt;not&gt;." in stands_on(refused, lang)
    for each in (failed, stopped, refused):
        assert text("inquiry.which_passage", lang) in stands_on_button(each, lang)


@LANGUAGES
def test_a_second_opinion_is_offered_with_its_cost_and_says_what_was_judged(lang: str) -> None:
    one = replace(PRICE, model="judge", calls=1)
    offered = second_opinion(view(lang), SecondOpinion(one))
    assert text("inquiry.about_weak", lang, count=1) in offered
    assert price_text(one, lang) in offered
    rates = ErrorRates(passed=1, errors=10, doubted=2, right=10, silent=0, measured_on="2026-11-29")
    judged = second_opinion(view(lang), SecondOpinion(one, JUDGED, rates=rates))
    assert text("second.partly", lang) in judged
    assert "&lt;no&gt; heat" in judged
    assert 'data-check="answer-0"' in judged
    assert rates_text(rates, lang) in judged
    assert 'data-act="second-check"' not in judged
    failed = second_opinion(view(lang), SecondOpinion(one, found=replace(JUDGED, judgements=(), fault=Message("auth"))))
    assert 'role="alert"' in failed
    assert 'data-act="second-check"' in failed
    for nothing in (SecondOpinion(None), SecondOpinion(replace(one, calls=0))):
        assert "<button" not in second_opinion(view(lang), nothing)


def test_only_an_answer_with_weak_sentences_has_a_place_for_it() -> None:
    assert '<div class="second"></div>' in "".join(summary(view()))
    assert "second" not in "".join(summary(view(verdict="verbatim")))
