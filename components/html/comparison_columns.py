"""One column of a comparison: its settings, what its model answers, and how that turned out. Pure.

Of a blind comparison it holds the answer with what that cites, and nothing that tells the columns apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from textwrap import shorten

from markupsafe import Markup

from components.html import field_blocks, recovery_notes, waiting
from components.html.html_elements import NOTHING, Elements, attribute, badge, button, dollars, icon, joined, measured
from components.html.markdown import plain
from components.html.render_cache import RenderCache
from components.html.timeline import step_name
from components.html.verdict_marks import SHOWN
from components.option_controls import title
from components.view import StepView, View
from i18n import available, text
from i18n.messages import failure_text
from pipeline.citations.answer_differences import Differing
from pipeline.citations.markers import markers
from pipeline.comparison import Column
from pipeline.events import TurnFailed, TurnFinished, TurnStopped
from pipeline.exchange_costs import Cost
from pipeline.options import TextBox, options_of
from pipeline.passages import Passage
from pipeline.settings import BUILTIN_MODEL
from pipeline.turns.sentence_checks import counted

LETTERS = "ABCD"
SHOWN_CHARS = 110  # of a sentence in the list of differences
FIGURES = ("first_word", "total", "pace", "tokens", "cost")
BEST_IS_MOST = frozenset({"pace"})

_SHELL = Markup(
    '<article class="turn compared{kind}" data-turn="{turn}" data-state="{state}" data-said="" data-at="{at_s:.2f}" '
    'aria-label="{label}"></article>'
)
_HEAD = Markup(
    '<header class="compared-head kept"><div><b class="letter">{letter}</b><h2>{name}</h2>{state}{tools}</div>'
    '<p class="differs">{knobs}</p></header>'
)
_STEP = Markup('<li class="{}"><i></i>{}<span class="sr"> {}</span><b{}>{}</b></li>')
_STEPS = Markup('<ol class="steps kept" aria-label="{}">{}</ol>')
_REASONING = Markup(
    '<details class="thought kept"><summary>{title}<em>{extent}</em></summary><div>{said}</div></details>'
)
_ANSWER = Markup('<div class="answer">{}</div>')
_SAID = Markup('<div class="said reason">{}</div>')
_FIGURE = Markup("<div{}><dd>{}</dd><dt>{}</dt></div>")
_STEP_STATES = {"waiting": "wait", "running": "run", "done": "done", "skipped": "skip", "broken": "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownColumn:
    """A column with its turn as it stands; `view` is None before that has begun, and for one that was refused.

    `differs` names the knobs that are not the same in all columns. `form` is where its settings are chosen, of a
    comparison that was not asked yet. `best` are its best figures among `FIGURES`, and `differences` what its answer
    says alone, once all have ended.
    """

    letter: str
    column: Column
    turn_id: str = ""
    view: View | None = None
    refusal: str = ""
    differs: tuple[str, ...] = ()
    is_blind: bool = False
    is_asking: bool = False
    reused_search: bool = False
    best: frozenset[str] = frozenset()
    differences: Sequence[Differing] = ()
    form: Markup | None = None
    can_be_removed: bool = False


def column(shown: ShownColumn, cache: RenderCache) -> Elements:
    """Return the column: its shell, its head, then what is there of its turn."""
    view = shown.view
    elements = [_shell(shown), cache.once("compared head", _key(shown), partial(_head, shown))]
    if shown.form is not None:
        return [*elements, shown.form]
    if shown.refusal:
        return [*elements, Markup('<p class="note">{}<span>{}</span></p>').format(icon("warn", 14), shown.refusal)]
    if view is None:
        doing = text("compare.waits_for_place") if shown.is_asking else text("compare.not_asked")
        return [*elements, Markup('<p class="quiet">{}</p>').format(doing)]
    # The fields beside the answer, and their titles, would tell which program wrote it.
    said = [*cache.wrapped(view, "answer", _ANSWER)] if shown.is_blind else field_blocks.fields(view, cache)
    if not shown.is_blind:
        elements += [_steps(shown, view), *_reasoning(shown, view, cache)]
    elements += said
    if view.ending is None and not said:
        elements += [] if shown.is_blind else recovery_notes.now(view)
        elements += [_waiting(shown, view)]
    elements += [*_ending(shown, view), *_differences(shown), *_sources(shown, view, cache)]
    if shown.is_blind:
        return elements
    return [*elements, _verdicts(view), _figures(shown, view), *_default(shown, view)]


def name_of(shown: ShownColumn) -> str:
    """Return what a column is called: its model, or its letter alone while it is hidden."""
    return text("compare.hidden_answer", letter=shown.letter) if shown.is_blind else shown.column.model


def differing(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the names of the knobs that are not the same in all columns."""
    first, *others = columns
    names = ["model"] if any(each.model != first.model for each in others) else []
    names += [
        each.name
        for each in options_of(type(first.options))
        if any(getattr(other.options, each.name) != getattr(first.options, each.name) for other in others)
    ]
    return (*names, "streams") if any(each.streams != first.streams for each in others) else tuple(names)


def knob_title(name: str) -> str:
    """Return what a knob is called."""
    return text(f"compare.knob_{name}") if name in ("model", "streams") else title(name)


def knob_value(column: Column, name: str) -> str:
    """Return a knob of a column in words."""
    if name == "model":
        return column.model
    if name == "streams":
        return text("compare.streams_on" if column.streams else "compare.streams_off")
    value = getattr(column.options, name)
    option = next(each for each in options_of(type(column.options)) if each.name == name)
    if isinstance(option.control, TextBox):
        return text("compare.own_text") if value else text("compare.usual_text")
    if isinstance(value, bool):
        return text("compare.streams_on" if value else "compare.streams_off")
    if value in (None, ()):
        return text("compare.usual")
    return f"{value:g}" if isinstance(value, float) else ", ".join(value) if isinstance(value, tuple) else str(value)


def figures_of(view: View, *, streams: bool) -> Mapping[str, float | None]:
    """Return the figures of a turn that has ended, in seconds, tokens and dollars; what is not known is None.

    Where the answer is not shown while it is written, its first word is seen at the end. The built-in model has its
    quotes at once and only writes them out: it has neither a pace nor tokens.
    """
    if not isinstance(view.ending, TurnFinished):
        return dict.fromkeys(FIGURES)
    found, is_quoted = view.metrics, view.model == BUILTIN_MODEL
    first = found.first_token_s if streams else found.total_s
    pace, tokens = (None, None) if is_quoted else (found.tokens_per_s, found.tokens or None)
    return dict(zip(FIGURES, (first, found.total_s, pace, tokens, view.ending.cost), strict=True))


def best_of(views: Sequence[View | None], columns: Sequence[Column]) -> list[frozenset[str]]:
    """Return for each column the figures in which it is better than another and none is better."""
    best: list[set[str]] = [set() for _ in columns]
    figures = [
        figures_of(view, streams=each.streams) if view else {} for view, each in zip(views, columns, strict=True)
    ]
    for name in FIGURES:
        known = [value for each in figures if (value := each.get(name)) is not None]
        if len(known) < 2 or min(known) == max(known):
            continue
        wanted = max(known) if name in BEST_IS_MOST else min(known)
        for at, each in enumerate(figures):
            if each.get(name) == wanted:
                best[at].add(name)
    return [frozenset(each) for each in best]


def _key(shown: ShownColumn) -> object:
    view = shown.view
    state = (view.ending, bool(view.text("answer")), view.step("retrieve").state) if view else None
    return shown.letter, shown.column, shown.differs, shown.is_blind, shown.can_be_removed, state, shown.is_asking


def _shell(shown: ShownColumn) -> Markup:
    view = shown.view
    is_running = shown.is_asking and not shown.refusal and (view is None or view.ending is None)
    state = "draft" if shown.form is not None else "running" if is_running else "ended"
    writing = " writing" if view and view.ending is None and view.text("answer") else ""
    return _SHELL.format(
        kind=writing + (" blind" if shown.is_blind else ""),
        turn=shown.turn_id,
        state=state,
        at_s=view.at_s if view else 0,
        label=text("compare.column", letter=shown.letter),
    )


def _head(shown: ShownColumn) -> Markup:
    tools = NOTHING
    if shown.can_be_removed:
        label = text("compare.remove_column", letter=shown.letter)
        tools = Markup(
            '<button type="button" data-act="compare-remove" aria-label="{0}" title="{0}">{1}</button>'
        ).format(label, icon("close", 15))
    knobs = NOTHING
    if not shown.is_blind:
        values = [
            Markup("<b>{}: {}</b>").format(knob_title(each), knob_value(shown.column, each)) for each in shown.differs
        ]
        rest = text("compare.else_same") if shown.differs else text("compare.same_as_others")
        knobs = Markup("{} <span>{}</span>").format(Markup(" ").join(values), rest)
    return _HEAD.format(letter=shown.letter, name=plain(name_of(shown)), state=_state(shown), tools=tools, knobs=knobs)


def _state(shown: ShownColumn) -> Markup:
    view = shown.view
    if shown.form is not None:
        return NOTHING
    if shown.refusal:
        return badge("warn", text("compare.not_asked_badge"))
    if view is None:
        return badge("search", text("compare.waiting")) if shown.is_asking else NOTHING
    match view.ending:
        case TurnFinished():
            return badge("good", text("compare.done"))
        case TurnFailed():
            return badge("warn", text("compare.failed"))
        case TurnStopped():
            return badge("stop", text("compare.stopped"))
        case None:
            doing = "compare.writing" if view.text("answer") else "compare.working"
            return Markup('<span class="badge search running"><i></i>{}</span>').format(text(doing))


def _waiting(shown: ShownColumn, view: View) -> Markup:
    return Markup('<p class="quiet">{}</p>').format(text("compare.working")) if shown.is_blind else waiting.place(view)


def _steps(shown: ShownColumn, view: View) -> Markup:
    items = joined(_step(each, shown) for each in view.steps if each.state != "skipped")
    return _STEPS.format(text("compare.steps", letter=shown.letter), items)


def _step(step: StepView, shown: ShownColumn) -> Markup:
    took, began = "", NOTHING
    if step.state == "running":
        began = Markup(' data-began="{:g}"').format(step.began_s)
    elif step.state in ("done", "broken"):
        took = measured(step.took_s)
    if step.name == "retrieve" and shown.reused_search:
        took = text("compare.searched_once")
    return _STEP.format(_STEP_STATES[step.state], step_name(step), text(f"step.state_{step.state}"), began, took)


def _reasoning(shown: ShownColumn, view: View, cache: RenderCache) -> Elements:
    if "reasoning" in view.hidden:
        return []
    parts = [*cache.wrapped(view, "thinking", _SAID), *cache.wrapped(view, "reasoning", _SAID)]
    if not parts or not (shown.column.streams or view.ending):
        return []
    words, step = len(f"{view.text('thinking')} {view.text('reasoning')}".split()), view.step("reason")
    name = Markup('{}<span class="sr"> {}</span>').format(text("reasoning.title"), shown.letter)
    extent = text("reasoning.extent", count=words, seconds=f"{step.took_s:.1f}")
    return [_REASONING.format(title=name, extent=extent, said=joined(parts))]


def _ending(shown: ShownColumn, view: View) -> Elements:
    match view.ending:
        case TurnFailed():
            said = failure_text(view.ending, view.language)
        case TurnStopped() if not view.text("answer"):
            said = text("turn.nothing_written", available(view.language))
        case _:
            return [] if shown.is_blind or view.ending is None else _recovered(view)
    note = Markup('<p class="note"{}>{}<span>{}</span></p>').format(
        attribute("lang", available(view.language)),
        icon("warn", 14),
        text("compare.failed") if shown.is_blind else said,
    )
    return [note]


def _recovered(view: View) -> Elements:
    badges = recovery_notes.badges(view)
    return [badges] if badges else []


def _differences(shown: ShownColumn) -> Elements:
    """Return what this answer alone says, and where others say otherwise, as a list under it."""
    if not shown.differences:
        return []
    rows = joined(
        Markup("<li><b>{}</b> {}{}</li>").format(
            text(f"compare.said_{each.kind}"),
            plain(shorten(each.shown, SHOWN_CHARS, placeholder=" …")),
            Markup('<span class="muted"> {}</span>').format(_letters(each)) if each.others else NOTHING,
        )
        for each in shown.differences
    )
    return [
        Markup('<ul class="differences" aria-label="{}">{}</ul>').format(
            text("compare.differences", letter=shown.letter), rows
        )
    ]


def _letters(difference: Differing) -> str:
    said = ((LETTERS[each.column], shorten(each.text, SHOWN_CHARS, placeholder=" …")) for each in difference.others)
    return "; ".join(f"{letter}: “{each}”" for letter, each in said)


def _sources(shown: ShownColumn, view: View, cache: RenderCache) -> Elements:
    passages = view.passages
    if shown.is_blind:  # how many there are would tell the columns apart
        cited = {number for each in markers(str(view.text("answer"))) for number in each.numbers}
        passages = tuple(each for each in passages if each.number in cited)
    if not passages:
        return []
    key = passages, shown.is_blind, shown.letter
    return [cache.once("compared sources", key, lambda: _strip(shown, passages))]


def _strip(shown: ShownColumn, passages: Sequence[Passage]) -> Markup:
    best = max(each.score for each in passages)
    rows = joined(_source(shown, each, best) for each in passages)
    return Markup('<ol class="strip kept" aria-label="{}">{}</ol>').format(
        text("compare.sources", letter=shown.letter), rows
    )


def _source(shown: ShownColumn, passage: Passage, best: float) -> Markup:
    path = " · ".join(each for each in (passage.title, passage.section) if each)
    score = NOTHING
    if not shown.is_blind:
        share = max(0.0, min(1.0, passage.score / best)) if best > 0 else 0.0
        score = Markup('<span class="share"><i style="--share:{:.2f}"></i></span><em>{:.2f}</em>').format(
            share, passage.score
        )
    return Markup(
        '<li data-n="{number}" tabindex="-1"><details><summary><b class="number">{number}</b>'
        '<span>{path}</span>{score}</summary><p dir="auto">{said}</p></details></li>'
    ).format(number=passage.number, path=plain(path), score=score, said=plain(passage.text))


def _verdicts(view: View) -> Markup:
    counts, lang = counted(each for each in view.checks if each.verdict in SHOWN), available(view.language)
    facts = [
        Markup('<li class="verdict" data-v="{}"><i aria-hidden="true"></i><b>{}</b> {}</li>').format(
            label, counts[label], text(f"verdict_name.{label}", lang)
        )
        for label in SHOWN
        if label in counts
    ]
    return Markup('<ul class="compared-verdicts"{}>{}</ul>').format(attribute("lang", lang), joined(facts))


def _figures(shown: ShownColumn, view: View) -> Markup:
    values = figures_of(view, streams=shown.column.streams)
    written = {
        "first_word": _seconds(values["first_word"]),
        "total": _seconds(values["total"]),
        "pace": "–" if values["pace"] is None else f"{values['pace']:.0f}",
        "tokens": _tokens(view, values["tokens"]),
        "cost": _cost(view),
    }
    rows = joined(
        _FIGURE.format(
            attribute("class", "best" if name in shown.best else ""),
            Markup("{}{}").format(
                written[name],
                Markup('<span class="sr"> {}</span>').format(text("compare.best")) if name in shown.best else NOTHING,
            ),
            text(f"compare.figure_{name}"),
        )
        for name in FIGURES
    )
    return Markup('<dl class="figures">{}</dl>').format(rows)


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def _tokens(view: View, tokens: float | None) -> str:
    if view.estimate and view.ending is None and view.model != BUILTIN_MODEL:
        return f"{view.estimate.tokens} …"
    return "–" if tokens is None else f"{tokens:.0f}"


def _cost(view: View) -> str:
    if not isinstance(view.ending, TurnFinished):
        return "–"
    return dollars(Cost(view.ending.cost, view.ending.usage.exact)) or text("compare.free")


def _default(shown: ShownColumn, view: View) -> Elements:
    if not isinstance(view.ending, TurnFinished):
        return []
    return [
        Markup('<p class="compared-do">{}</p>').format(
            button("compare-default", text("compare.make_default"), of=shown.letter)
        )
    ]
