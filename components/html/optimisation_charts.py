"""The two drawings of an optimisation: the scores of its trials over calls, and the intervals before and after."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from markupsafe import Markup

from components.html.html_elements import NOTHING, joined
from i18n import text
from pipeline.experiments.intervals import Interval
from pipeline.optimisation.values import Optimisation, Trial

WIDTH, HEIGHT = 424, 168
LEFT, RIGHT, TOP, BOTTOM = 30, 12, 16, 24
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def score(value: float) -> str:
    """Write a score from 0 to 1 without the zero before its point."""
    return f"{value:.2f}".removeprefix("0") if value < 1 else "1.00"


def trials_chart(found: Optimisation) -> Markup:
    """Draw each trial as a dot, the best score so far as steps, and the base as a line; nothing before the first."""
    trials = found.trials
    if not trials:
        return NOTHING
    at = list(accumulate((each.calls for each in trials), initial=len(found.before)))[1:]
    most = max(found.plan.calls, at[-1])

    def place(calls: int, value: float) -> tuple[float, float]:
        across = LEFT + (WIDTH - LEFT - RIGHT) * calls / most
        return round(across, 1), round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value), 1)

    base_y = place(0, trials[0].score)[1]
    labels = [_number(LEFT, HEIGHT - 6, "0", "middle"), _number(WIDTH - RIGHT, HEIGHT - 6, _calls(most), "end")]
    base = Markup('<line class="base" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(LEFT, WIDTH - RIGHT, y=base_y)
    title = text("optimise.chart", trials=str(len(trials)), best=score(max(each.score for each in trials)))
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}{}</svg>').format(
        WIDTH,
        HEIGHT,
        title,
        joined(_level(value, place(0, value)[1]) for value in TICKS),
        joined(labels),
        base,
        _steps(trials, at, place),
        _best_label(found, at, place),
    )


def intervals_chart(before: Interval, after: Interval) -> Markup:
    """Draw both means with their intervals on one scale from 0 to 1."""
    rows = ((before, "before", 16), (after, "after", 40))
    marks = joined(
        Markup('<line class="level" x1="{x}" x2="{x}" y1="4" y2="52"/>{}').format(
            _number(_across(tick), 66, score(tick) if 0 < tick < 1 else f"{tick:.0f}", "middle"), x=_across(tick)
        )
        for tick in TICKS
    )
    return Markup('<svg class="chart" viewBox="0 0 336 70" role="img" aria-label="{}">{}{}</svg>').format(
        text("optimise.intervals_chart"), marks, joined(_interval(*each) for each in rows)
    )


def _across(value: float) -> float:
    return round(62 + 258 * value, 1)


def _interval(interval: Interval, name: str, y: int) -> Markup:
    low, high = interval.low or 0.0, 1.0 if interval.high is None else interval.high
    return Markup(
        '<g class="{name}"><text class="word" x="0" y="{text_y}">{word}</text>'
        '<line x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
        '<line class="end" x1="{low}" x2="{low}" y1="{top}" y2="{bottom}"/>'
        '<line class="end" x1="{high}" x2="{high}" y1="{top}" y2="{bottom}"/>'
        '<circle cx="{mean}" cy="{y}" r="5"/></g>'
    ).format(
        name=name,
        word=text(f"optimise.{name}"),
        y=y,
        text_y=y + 4,
        top=y - 5,
        bottom=y + 5,
        low=_across(low),
        high=_across(high),
        mean=_across(interval.mean),
    )


def _level(value: float, y: float) -> Markup:
    line = Markup('<line class="level" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(LEFT, WIDTH - RIGHT, y=y)
    return line + _number(LEFT - 5, y + 4, score(value) if 0 < value < 1 else f"{value:.0f}", "end")


def _number(x: float, y: float, value: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, value)


def _calls(count: int) -> str:
    return text("optimise.calls", count=str(count))


def _steps(trials: Sequence[Trial], at: Sequence[int], place: object) -> Markup:
    assert callable(place)
    best, path, dots = 0.0, "", []
    for trial, calls in zip(trials, at, strict=True):
        best = max(best, trial.score)
        x, y = place(calls, best)
        path += f"H{x}V{y}" if path else f"M{x},{y}"
        dot_x, dot_y = place(calls, trial.score)
        kind = "best" if trial.kept and trial.index else ""
        dots.append(Markup('<circle class="{}" cx="{}" cy="{}" r="3.5"/>').format(kind, dot_x, dot_y))
    return Markup('<path d="{}"/>{}').format(path, joined(dots))


def _best_label(found: Optimisation, at: Sequence[int], place: object) -> Markup:
    assert callable(place)
    best = found.best
    if best is None:
        return NOTHING
    x, y = place(at[best.index], best.score)
    said = text("optimise.best_is", score=score(best.score), trial=str(best.index))
    anchor = "start" if x < WIDTH / 3 else "end" if x > WIDTH * 2 / 3 else "middle"
    return Markup('<text class="said" x="{}" y="{}" text-anchor="{}">{}</text>').format(x, max(y - 7, 10), anchor, said)
