"""What stands around the columns of a comparison: the presets above, the vote and what the marks mean below. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from components.html.comparison_columns import LETTERS, differing, knob_title, knob_value
from components.html.html_elements import NOTHING, Elements, icon, joined, notice
from i18n import text
from pipeline.comparison import MOST_COLUMNS, Column, Comparison, Tally

PRESETS = ("model", "passages", "program", "instructions", "stream")
_SAME_SHOWN = ("model", "passages_wanted", "program")

_PRESET = Markup('<button type="button" data-act="compare-preset" data-preset="{}" aria-pressed="{}"{}>{}</button>')
_BUTTON = Markup('<button type="button" class="btn" data-act="{}">{}{}</button>')


def bar(
    columns: Sequence[Column],
    comparison: Comparison | None,
    presets: Mapping[str, str],
    chosen: str,
    *,
    is_blind: bool,
    is_hidden: bool,
) -> Elements:
    """Return what differs and what is the same, the presets and the switch for a blind comparison.

    `presets` says why one cannot be chosen, "" for one that can. Nothing of the columns is said while they are hidden.
    """
    names = differing(columns)
    told = NOTHING
    if not is_hidden:
        differs = ", ".join(map(knob_title, names)).lower() or text("compare.nothing")
        alike = [each for each in _SAME_SHOWN if each not in names]
        same = " · ".join(f"{knob_title(each).lower()} {knob_value(columns[0], each)}" for each in alike)
        told = Markup('<span class="badge search">{}</span>{}').format(
            text("compare.differs", what=differs),
            Markup('<span class="badge">{}</span>').format(text("compare.same", what=same)) if same else NOTHING,
        )
    buttons = joined(
        _PRESET.format(
            each,
            str(each == chosen).lower(),
            Markup(' disabled title="{}"').format(presets[each]) if presets[each] else NOTHING,
            text(f"compare.preset_{each}"),
        )
        for each in PRESETS
    )
    return [
        Markup('<div class="compare-bar kept" data-conversation="{}"><p>{}</p>{}{}</div>').format(
            comparison.id if comparison else "",
            told,
            Markup('<div class="segments" role="group" aria-label="{}">{}</div>').format(
                text("compare.presets"), buttons
            ),
            Markup('<label class="blind"><input type="checkbox" data-switch="blind"{}>{}</label>').format(
                Markup(" checked") if is_blind else NOTHING, text("compare.blind")
            ),
        )
    ]


def actions(
    count: int, *, is_running: bool, is_draft: bool, refusal: str = "", sets: Sequence[tuple[str, str]] = ()
) -> Elements:
    """Return the buttons beside the question, the sets of questions, and why the last one was not asked."""
    buttons = [_BUTTON.format("compare-stop", icon("stop", 14), text("compare.stop_all"))] if is_running else []
    if not is_running and not is_draft:
        buttons.append(_BUTTON.format("compare-edit", icon("edit", 14), text("compare.settings_again")))
    if not is_running and count < MOST_COLUMNS:
        buttons.append(_BUTTON.format("compare-add", NOTHING, text("compare.add_column")))
    buttons += [_sets(sets)] if sets else []
    row = Markup('<div class="compare-do">{}</div>').format(joined(buttons))
    return [row, *([notice("bad", "", refusal, [])] if refusal else [])]


def _sets(sets: Sequence[tuple[str, str]]) -> Markup:
    option = Markup('<option value="{}">{}</option>')
    rows = joined(option.format(name, title) for name, title in [("", text("compare.from_set")), *sets])
    return Markup('<select class="sets" data-set aria-label="{}">{}</select>').format(text("compare.from_set"), rows)


def foot(
    comparison: Comparison | None, at: int, tally: Tally | None, *, can_vote: bool, is_hidden: bool, has_marks: bool
) -> Elements:
    """Return the vote and its tally, and what the marks mean; nothing before anything was asked."""
    if comparison is None:
        return []
    return [
        _vote(comparison, at, tally, can_vote=can_vote, is_hidden=is_hidden),
        _legend(comparison, has_marks=has_marks, is_hidden=is_hidden),
    ]


def _vote(comparison: Comparison, at: int, tally: Tally | None, *, can_vote: bool, is_hidden: bool) -> Markup:
    cast = comparison.rounds[at].vote
    choices = [(str(each), text("compare.is_better", letter=LETTERS[each])) for each in range(len(comparison.columns))]
    choices += [("tie", text("compare.tie")), ("none", text("compare.none_good"))]
    buttons = joined(
        Markup(
            '<button type="button" class="btn" data-act="compare-vote" data-vote="{}" aria-pressed="{}"{}>{}</button>'
        ).format(
            value,
            str(str(cast) == value).lower(),
            NOTHING if can_vote else Markup(" disabled"),
            label,
        )
        for value, label in choices
    )
    when = text("compare.vote_later") if cast is None and not can_vote else ""
    return Markup(
        '<section class="vote kept" aria-label="{which}"><b>{which}</b>{buttons}'
        '<span class="muted small num">{tally}</span><span class="muted small" role="status">{when}</span></section>'
    ).format(which=text("compare.which"), buttons=buttons, tally="" if is_hidden else _tally(tally), when=when)


def _tally(tally: Tally | None) -> str:
    if tally is None or not tally.votes:
        return ""
    counts = [f"{LETTERS[at]} {count}" for at, count in enumerate(tally.better)]
    counts += [text("compare.ties", count=tally.ties)] if tally.ties else []
    counts += [text("compare.none_counted", count=tally.none_good)] if tally.none_good else []
    return text("compare.so_far", count=tally.votes, counts=" · ".join(counts))


def _legend(comparison: Comparison, *, has_marks: bool, is_hidden: bool) -> Markup:
    marks = [
        Markup('<span><i class="only"></i>{}</span>').format(text("compare.legend_only")),
        Markup('<span><i class="otherwise"></i>{}</span>').format(text("compare.legend_otherwise")),
    ]
    best = Markup('<span><i class="best">●</i>{}</span>').format(
        text("compare.legend_best", count=len(comparison.columns))
    )
    blind = Markup("<span>{}</span>").format(text("compare.blind_hides"))
    return Markup('<p class="compare-legend muted small">{}{}{}</p>').format(
        joined(marks) if has_marks else NOTHING, NOTHING if is_hidden else best, blind
    )
