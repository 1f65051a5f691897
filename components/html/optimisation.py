"""The page of optimisations as HTML: the thumbs, the form that starts a run, the run, and its result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import ndiff

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, attribute, icon, joined, shortened
from components.html.optimisation_charts import intervals_chart, score, trials_chart
from i18n import text
from i18n.messages import fault_message_text
from pipeline.experiments.question_sets import BUNDLED
from pipeline.optimisation.examples import LEAST
from pipeline.optimisation.service import Estimate
from pipeline.optimisation.values import (
    CALLS_DEFAULT,
    CALLS_MOST,
    RATINGS,
    Comparison,
    Optimisation,
    Row,
    comparison_of,
)
from pipeline.optimisation.wire import OPTIMIZERS
from pipeline.turn import Turn

SHOWN_TRIALS, SHOWN_ROWS, SHOWN_CHARS = 8, 4, 240
NAMES = {"bootstrap": "BootstrapFewShot", "mipro": "MIPROv2", "gepa": "GEPA"}  # the same in every language


def thumbs(turns: Sequence[Turn]) -> Elements:
    """Return what the visitor has rated, disliked answers first, with what was said of them."""
    ups = sum(turn.rating > 0 for turn in turns)
    head = _head("thumbs", text("optimise.ups", ups=str(ups), downs=str(len(turns) - ups)))
    rows = joined(_thumb(turn) for turn in sorted(turns, key=lambda turn: turn.rating))
    said = text("optimise.needed", least=str(LEAST), count=str(len(turns)))
    foot = Markup('<p class="muted small foot">{}</p>').format(said)
    return [head, Markup('<div class="thumbs">{}</div>').format(rows), foot]


def _thumb(turn: Turn) -> Markup:
    liked = turn.rating > 0
    said = turn.feedback.comment or turn.feedback.corrected
    return Markup('<div class="thumb {}">{}<div><span class="sr">{}</span>{}{}</div></div>').format(
        "up" if liked else "down",
        icon("like" if liked else "dislike"),
        text("optimise.up" if liked else "optimise.down"),
        shortened(turn.question, SHOWN_CHARS),
        Markup("<q>“{}”</q>").format(shortened(said, SHOWN_CHARS)) if said else NOTHING,
    )


def form(
    programs: Mapping[str, str], models: Sequence[str], thumbs_count: int, own_sets: Mapping[str, str]
) -> Elements:
    """Return the form that starts a run. `programs` and `own_sets` of questions are titles by name."""
    thumbs_title = text("optimise.ratings", count=str(thumbs_count))
    sets = {RATINGS: thumbs_title, BUNDLED: text("optimise.bundled"), **own_sets}
    chosen = RATINGS if thumbs_count >= LEAST else BUNDLED
    methods: dict[str, str] = {name: text(f"optimise.{name}") for name in OPTIMIZERS}
    fields = (
        _select("program", programs),
        _select("model", {label: label for label in models}),
        _select("questions", sets, chosen),
        _select("optimizer", methods, "bootstrap"),
        _number("calls", 1, CALLS_MOST, str(CALLS_DEFAULT), "1"),
        _number("max_usd", 0, 1000, "", "0.01"),
    )
    start = Markup('<button type="button" data-act="optimise-start" class="btn primary"{}>{}</button>').format(
        NOTHING if models else Markup(" disabled"), text("optimise.start")
    )
    note = NOTHING if models else Markup('<p class="note">{}</p>').format(text("optimise.no_model"))
    return [
        _head("run", text("optimise.nothing_asked")),
        Markup('<div><form class="optimise-form" aria-label="{}">{}</form>{}</div>').format(
            text("optimise.form"), joined(fields), note
        ),
        Markup('<div class="do">{}</div>').format(start),
    ]


def _select(name: str, options: Mapping[str, str], chosen: str = "") -> Markup:
    listed = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == chosen else NOTHING, title
        )
        for value, title in options.items()
    )
    return Markup('<label><span>{}</span><select name="{}">{}</select></label>').format(
        text(f"optimise.field.{name}"), name, listed
    )


def _number(name: str, least: int, most: int, value: str, step: str) -> Markup:
    return Markup(
        '<label><span>{}</span><input name="{}" type="number" min="{}" max="{}" step="{}" value="{}" placeholder="{}"/>'
        "</label>"
    ).format(text(f"optimise.field.{name}"), name, least, most, step, value, text("optimise.unlimited"))


def estimate_line(estimate: Estimate) -> Elements:
    """Return what a run would ask and cost, and how its questions are divided."""
    split = estimate.split
    said = text(
        "optimise.estimate",
        calls=str(estimate.calls),
        cost=text("optimise.unknown_cost") if estimate.cost is None else _usd(estimate.cost),
        training=str(len(split.training) + len(split.validation)),
        held_out=str(len(split.held_out)),
    )
    return [Markup('<p class="muted small estimate" role="status">{}</p>').format(said)]


def refusal(said: str) -> Elements:
    """Return why nothing can be started."""
    return [Markup('<p class="note" role="alert">{}{}</p>').format(icon("warn", 14), said)]


def run(found: Optimisation) -> Elements:
    """Return the run: how far it is, its scores, the best instruction against the base, and its trials."""
    plan = found.plan
    said = NAMES.get(plan.optimizer) or text("optimise.labelled_short")
    head = _head("run", f"{said} · {text('optimise.asks', model=plan.model)}")
    parts = [head, _progress(found), _figures(found)]
    if found.fault:
        parts += refusal(fault_message_text(found.fault))
    if found.trials:
        title = text("optimise.scores", count=str(len(found.split.validation)))
        parts += [
            Markup("<div><h3>{}</h3>{}</div>").format(title, trials_chart(found)),
            _difference(found),
            _trials(found),
        ]
    else:
        waiting = text("optimise.measuring" if found.phase == "before" else "optimise.searching")
        parts.append(Markup('<p class="muted small">{}</p>').format(waiting if not found.is_over else ""))
    parts.append(Markup('<p class="muted small foot">{}</p>').format(text("optimise.ends")))
    return parts


def _progress(found: Optimisation) -> Markup:
    share = min(100, round(100 * found.calls / found.plan.calls))
    buttons = [] if found.is_over else [_button("stop", "stop", found, icon("stop", 14))]
    if found.state in ("interrupted", "stopped", "failed"):
        buttons.append(_button("resume", "resume", found))
    if found.is_over:
        buttons.append(_button("new", "new", found))
    return Markup(
        '<div class="far"><div class="meter" role="progressbar" aria-label="{}" aria-valuenow="{share}" '
        'aria-valuemin="0" aria-valuemax="100"><i style="width:{share}%"></i></div>{buttons}</div>'
    ).format(text("optimise.progress"), share=share, buttons=joined(buttons))


def _figures(found: Optimisation) -> Markup:
    plan = found.plan
    spent = _usd(found.cost) if found.priced else text("optimise.unknown_cost")
    limit = text("optimise.of", most=_usd(plan.max_usd)) if plan.max_usd is not None else ""
    said = [
        Markup("<span><b>{}</b> {}</span>").format(found.calls, text("optimise.of_calls", most=str(plan.calls))),
        Markup("<span><b>{}</b> {}</span>").format(spent, limit),
        Markup("<span>{}</span>").format(_left(found)),
        Markup("<span>{}</span>").format(text("optimise.trial", number=str(max(len(found.trials) - 1, 0)))),
    ]
    return Markup('<p class="figures num muted small">{}</p>').format(joined(said))


def _left(found: Optimisation) -> str:
    if found.is_over:
        return text(f"optimise.state.{found.state}")
    if not found.calls:
        return text("optimise.begins")
    seconds = found.took_s / found.calls * max(found.plan.calls - found.calls, 0)
    if seconds < 60:
        return text("optimise.seconds_left", count=str(max(round(seconds / 5) * 5, 5)))
    return text("optimise.minutes_left", count=str(round(seconds / 60)))


def _difference(found: Optimisation) -> Markup:
    """Return the best instruction line by line against the base, and the examples that it has."""
    best = found.best
    if best is None:
        return NOTHING
    kinds = {"+ ": "added", "- ": "removed", "  ": ""}
    lines = [
        (kinds[line[:2]], line[2:])
        for line in ndiff(found.instruction.splitlines(), best.instruction.splitlines())
        if line[:2] in kinds
    ]
    added, removed = (sum(kind == name for kind, _ in lines) for name in ("added", "removed"))
    shown = [*lines, *(("added", text("optimise.example", question=each[0], answer=each[1])) for each in best.demos)]
    drawn = joined(
        Markup('<div class="{}"><span class="sr">{}</span>{}</div>').format(
            kind, text(f"optimise.{kind}") if kind else "", shortened(said, 2 * SHOWN_CHARS)
        )
        for kind, said in shown
    )
    count = text("optimise.lines", added=str(added + len(best.demos)), removed=str(removed))
    return Markup('<div><h3>{}<span class="muted small num">{}</span></h3><div class="diff">{}</div></div>').format(
        text("optimise.against"), count, drawn
    )


def _trials(found: Optimisation) -> Markup:
    best = found.best
    rows = joined(
        Markup("<tr{}><td>{} · {}</td><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            attribute("class", "won" if best and each.index == best.index else ""),
            each.index,
            _what(found, each.instruction, len(each.demos)),
            score(each.score),
            each.calls,
            text(
                "optimise.best" if best and each.index == best.index else "optimise.yes" if each.kept else "optimise.no"
            ),
        )
        for each in reversed(found.trials[-SHOWN_TRIALS:])
    )
    names = ("latest", "score", "calls_made", "kept")
    heads = joined(Markup('<th scope="col">{}</th>').format(text(f"optimise.{name}")) for name in names)
    return Markup('<table class="num"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(heads, rows)


def _what(found: Optimisation, instruction: str, demos: int) -> str:
    """Say what is new in a candidate: its first new line, else how many examples it has."""
    known = set(found.instruction.splitlines())
    line = next((each for each in instruction.splitlines() if each.strip() and each not in known), "")
    if line:
        return shortened(line, 60)
    return text("optimise.with_examples", count=str(demos)) if demos else text("optimise.as_it_is")


def result(found: Optimisation | None) -> Elements:
    """Return before and after on the held-out questions, and what can be done with what was found."""
    if found is None:
        return [_head("result", ""), Markup('<p class="muted small">{}</p>').format(text("optimise.no_result"))]
    head = _head("result", text("optimise.unseen", count=str(len(found.split.held_out))))
    compared = comparison_of(found)
    if compared is None or (not found.after and not found.is_over):
        told = text("optimise.wait") if not found.is_over else text("optimise.not_measured")
        return [head, Markup('<p class="muted small">{}</p>').format(told)]
    shown = (_means(compared), _table(compared), _actions(found, compared), _verdict(found, compared))
    return [head, *(each for each in (*shown, _changes(compared)) if each)]


def _means(compared: Comparison) -> Markup:
    better, worse = (sum(row.change == kind for row in compared.rows) for kind in ("better", "worse"))
    difference = compared.difference
    bounds = (
        ""
        if difference.low is None or difference.high is None
        else f" [{_signed(difference.low)}, {_signed(difference.high)}]"
    )
    said = text("optimise.difference", difference=f"{_signed(difference.mean)}{bounds}", count=str(difference.n))
    return Markup(
        '<div><div class="means num"><span>{}</span><i class="muted">→</i><b>{}</b><em class="{}">{}</em></div>'
        '{}<p class="muted small num">{}</p></div>'
    ).format(
        score(compared.before.mean),
        score(compared.after.mean),
        "good" if compared.improved else "open",
        text("optimise.changes", better=str(better), worse=str(worse)),
        intervals_chart(compared.before, compared.after),
        said,
    )


def _table(compared: Comparison) -> Markup:
    rows = joined(
        Markup('<tr class="{}"><td title="{question}">{question}</td><td>{}</td><td>{}</td></tr>').format(
            row.change, score(row.before.score), score(row.after.score), question=row.question
        )
        for row in compared.rows
    )
    heads = joined(
        Markup('<th scope="col">{}</th>').format(each)
        for each in (
            text("optimise.held_out", count=str(len(compared.rows))),
            text("optimise.before"),
            text("optimise.after"),
        )
    )
    return Markup('<table class="num"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(heads, rows)


def _actions(found: Optimisation, compared: Comparison) -> Markup:
    if not found.is_over or not found.has_found:
        return NOTHING
    use = _button("use", "use" if compared.improved else "use_anyway", found, primary=compared.improved)
    undo = _button("undo", "undo", found)
    return Markup('<div class="do">{}</div>').format(undo if found.used else use)


def _verdict(found: Optimisation, compared: Comparison) -> Markup:
    if found.used:
        said = text("optimise.used", name=found.used)
    elif compared.improved:
        said = text("optimise.proven")
    elif not found.has_found:
        said = text("optimise.nothing_better")
    else:
        settled = compared.settled_by
        more = text("optimise.settled", count=str(settled)) if settled else ""
        said = f"{text('optimise.no_gain', count=str(compared.difference.n))} {more}".strip()
    return Markup('<p class="verdict small" role="status">{}</p>').format(said)


def _changes(compared: Comparison) -> Markup:
    changed = [row for row in compared.rows if row.change != "same"][:SHOWN_ROWS]
    return Markup('<div class="changes">{}</div>').format(joined(map(_changed, changed)))


def _changed(row: Row) -> Markup:
    answers: Iterable[tuple[str, str]] = (("before", row.before.answer), ("after", row.after.answer))
    said = joined(
        Markup("<p><b>{}</b> {}</p>").format(
            text(f"optimise.{name}"), shortened(answer, SHOWN_CHARS) or text("optimise.no_answer")
        )
        for name, answer in answers
    )
    return Markup('<h3>{} <em class="{}">{}</em></h3>{}').format(
        row.question, row.change, text(f"optimise.{row.change}"), said
    )


def _head(name: str, state: str) -> Markup:
    return Markup('<h2>{}<span class="muted small">{}</span></h2>').format(text(f"optimise.head.{name}"), state)


def _button(name: str, key: str, found: Optimisation, sign: Markup = NOTHING, *, primary: bool = False) -> Markup:
    return Markup('<button type="button" data-act="optimise-{}" data-id="{}" class="btn{}">{}{}</button>').format(
        name, found.id, " primary" if primary else "", sign, text(f"optimise.{key}")
    )


def _usd(value: float) -> str:
    return f"${value:.2f}" if not value or value >= 0.01 else f"${value:.4f}"


def _signed(value: float) -> str:
    return ("\N{MINUS SIGN}" if value < 0 else "+") + score(abs(value))
