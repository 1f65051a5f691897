"""What a model is asked about an answer that has ended, and what came of it. Pure.

The button names the cost; progress and result stand in elements that are drawn anew as an inquiry goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from markupsafe import Markup

from components.html.html_elements import NOTHING, attribute, dollars, icon, joined, shortened
from components.html.markdown import plain
from components.html.verdict_marks import check_name
from components.view import View
from i18n import available, text
from i18n.inquiries import (
    counterfactual_text,
    judgement_text,
    left_out_text,
    outcome_text,
    price_text,
    rates_text,
)
from i18n.messages import fault_message_text
from pipeline.citations.sentences import without_list_marker
from pipeline.exchange_costs import Cost
from pipeline.inquiries.rates import ErrorRates
from pipeline.inquiries.results import Counterfactual, Judgement, Price, SecondCheck, SecondVerdict

Found = TypeVar("Found", Counterfactual, SecondCheck)

SENTENCE_CHARS = 160
_JUDGED: tuple[SecondVerdict | None, ...] = ("supported", "partly", "not_supported", "contradicted", None)
_ASK = Markup(
    '<button type="button" data-act="{act}"{model}{label}>{icon}<span>{question} <small>{price}</small></span></button>'
)
_STOP = Markup('<button type="button" data-act="stop-inquiry"{label}>{icon}{stop}</button>')


@dataclass(frozen=True, slots=True)
class _Asked(Generic[Found]):
    """An inquiry: its price, None where it cannot be asked, and what is found.

    `is_stopped`: it was stopped before it was over. `refusal` is why it could not be begun.
    """

    price: Price | None
    found: Found | None = None
    is_stopped: bool = False
    refusal: str = ""

    @property
    def is_running(self) -> bool:
        """Whether more will be found."""
        return self.found is not None and not self.found.is_over and not self.is_stopped


@dataclass(frozen=True, slots=True)
class StandsOn(_Asked[Counterfactual]):
    """The inquiry which passage a sentence stands on."""

    @property
    def may_ask(self) -> bool:
        """Whether it can be asked now."""
        has_result = self.found is not None and self.found.conclusion is not None
        return self.price is not None and not self.is_running and not has_result


@dataclass(frozen=True, slots=True)
class SecondOpinion(_Asked[SecondCheck]):
    """The second check of one answer; `rates` say how often its model errs."""

    rates: ErrorRates | None = None

    @property
    def may_ask(self) -> bool:
        """Whether it can be asked now."""
        has_result = self.found is not None and bool(self.found.judgements)
        return self.price is not None and self.price.calls > 0 and not self.is_running and not has_result


def stands_on_button(asked: StandsOn, lang: str) -> Markup:
    """Return the button that asks, with the cost, or the one that stops."""
    if asked.is_running:
        return _STOP.format(label=NOTHING, icon=icon("stop", 14), stop=text("inquiry.stop", lang))
    if not asked.may_ask or asked.price is None:
        return NOTHING
    return _ASK.format(
        act="stands-on",
        model=NOTHING,
        label=NOTHING,
        icon=icon("search", 14),
        question=text("inquiry.which_passage", lang),
        price=price_text(asked.price, lang),
    )


def stands_on(asked: StandsOn | None, lang: str) -> Markup:
    """Return what was found so far, call by call, and what follows from it. It has no height while that is nothing."""
    if asked is None:
        return NOTHING
    found = asked.found
    lines = [Markup('<p class="bad">{}</p>').format(asked.refusal)] if asked.refusal else []
    if found is not None:
        trials = joined(
            Markup('<li data-outcome="{}">{}: <b>{}</b></li>').format(
                each.outcome or "unusable", left_out_text(found, each.left_out, lang), outcome_text(each, lang)
            )
            for each in found.trials
        )
        said = text("inquiry.stopped", lang) if asked.is_stopped else counterfactual_text(found, lang)
        if asked.is_running:
            said = text("inquiry.running", lang, model=found.model, done=len(found.trials), most=len(found.planned))
        lines.append(Markup("<p{}>{}</p>").format(attribute("class", "bad" if found.fault else ""), said))
        lines += [Markup("<ol>{}</ol>").format(trials)] if trials else []
        lines += [_paid(found.model, found.calls, found.cost, lang)] if not asked.is_running else []
    return Markup('<div class="inquiry" role="status"{}>{}</div>').format(
        Markup(' aria-busy="true" data-follow') if asked.is_running else NOTHING, joined(lines)
    )


def second_opinion(view: View, asked: SecondOpinion) -> Markup:
    """Return the place under an answer's summary: the button, the progress, or what the model says of each sentence."""
    lang = available(view.language)
    answer = text("turn.of_answer", lang, place=view.place)
    lines = [Markup('<p class="bad" role="alert">{}</p>').format(asked.refusal)] if asked.refusal else []
    if (found := asked.found) is not None and not asked.is_stopped:
        if found.fault:
            lines.append(Markup('<p class="bad" role="alert">{}</p>').format(fault_message_text(found.fault, lang)))
        elif asked.is_running:
            said = text("inquiry.asking", lang, model=found.model)
            lines.append(Markup('<p role="status" aria-busy="true" data-follow>{}</p>').format(said))
        else:
            lines += _judged(view, found, asked.rates, lang, answer)
    if asked.is_stopped:
        lines.append(Markup('<p role="status">{}</p>').format(text("inquiry.stopped", lang)))
    if asked.is_running:
        name = attribute("aria-label", f"{text('inquiry.stop', lang)}, {answer}")
        lines.append(_STOP.format(label=name, icon=icon("stop", 14), stop=text("inquiry.stop", lang)))
    elif asked.may_ask and asked.price is not None:
        lines.append(_ask_second(view, asked.price, asked.rates, lang, answer))
    return Markup('<div class="opinion"{}>{}</div>').format(attribute("lang", lang), joined(lines))


def _ask_second(view: View, price: Price, rates: ErrorRates | None, lang: str, answer: str) -> Markup:
    weak = sum(each.verdict == "weak" for each in view.checks)
    question, cost = text("inquiry.about_weak", lang, count=weak), price_text(price, lang)
    title = attribute("title", rates_text(rates, lang))
    return _ASK.format(
        act="second-check",
        model=attribute("data-model", price.model) + title,
        label=attribute("aria-label", f"{question} {cost}, {answer}"),
        icon=icon("search", 14),
        question=question,
        price=cost,
    )


def _judged(view: View, found: SecondCheck, rates: ErrorRates | None, lang: str, answer: str) -> list[Markup]:
    counts = [
        (verdict, count) for verdict in _JUDGED if (count := sum(each.verdict == verdict for each in found.judgements))
    ]
    said = ", ".join(f"{count} {text(_second(verdict), lang)}" for verdict, count in counts)
    rows = joined(_row(view, each, lang, answer) for each in found.judgements)
    heading = text("inquiry.says", lang, model=found.model, said=said)
    return [
        Markup('<p role="status"><b>{}</b></p>').format(heading),
        Markup("<ul>{}</ul>").format(rows),
        _paid(found.model, found.calls, found.cost, lang, rates_text(rates, lang)),
    ]


def _second(verdict: SecondVerdict | None) -> str:
    return f"second.{verdict or 'none'}"


def _row(view: View, judgement: Judgement, lang: str, answer: str) -> Markup:
    check = next((each for each in view.checks if (each.field, each.index) == (judgement.field, judgement.index)), None)
    if check is None:
        return NOTHING
    said = " ".join(str(view.text(check.field))[check.start : check.end].split())
    cut = without_list_marker(shortened(said, SENTENCE_CHARS))
    problem = Markup('<span class="problem">{}</span>').format(judgement.problem) if judgement.problem else NOTHING
    return Markup(
        '<li data-check="{}" data-second="{}"><button type="button" data-act="compare" aria-label="{}">{}</button> '
        "<b>{}</b> {}</li>"
    ).format(
        check_name(check),
        judgement.verdict or "none",
        f"{text('inquiry.judged', lang)}: {cut} {answer}",
        plain(cut),
        judgement_text(judgement, lang),
        problem,
    )


def _paid(model: str, calls: int, cost: Cost, lang: str, more: str = "") -> Markup:
    """Return how often which model was asked, what it cost, and what else is to be known."""
    facts = [text("inquiry.asked", lang, model=model, count=calls), dollars(cost), more]
    return Markup('<p class="paid">{}</p>').format(" · ".join(each for each in facts if each))
