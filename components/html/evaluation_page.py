"""What the page of evaluations shows: the setting, the progress, and a table of questions with the means above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, attribute, joined
from i18n import text
from i18n.evaluations import set_title
from i18n.messages import error_text
from pipeline.citations.markers import markers
from pipeline.errors import GlassboxError
from pipeline.experiments.evaluation import Difference, Evaluation, Row, differences, earlier_rows, summary
from pipeline.experiments.evaluations import Progress
from pipeline.experiments.intervals import Interval
from pipeline.experiments.question_sets import QuestionSet
from pipeline.experiments.scores import METRICS, MetricName
from pipeline.turn import MOST_PASSAGES

SHOWN: tuple[MetricName, ...] = ("gold", "passage_found", "cited", "refused_rightly", "first_token_s", "cost")
NAMED = ("passages_wanted", "program", "mode")  # options with a title of their own here
MODES = ("", "keyword", "vector", "hybrid")
WIDTH_PX, EDGE_PX = 92, 4  # of the picture of an interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything that the page shows. `earlier` is the evaluation that the shown one is compared with."""

    sets: Sequence[QuestionSet] = ()
    models: Sequence[str] = ()
    programs: Sequence[tuple[str, str]] = ()  # name and title
    runs: Sequence[tuple[Evaluation, int]] = ()
    found: Progress | None = None
    earlier: Progress | None = None
    chosen_set: str = ""
    fault: GlassboxError | None = None
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Compared:
    """The rows of the earlier evaluation by question, its means, and the differences."""

    rows: dict[int, Row] = field(default_factory=dict)
    means: dict[MetricName, Interval] = field(default_factory=dict)
    differences: dict[MetricName, Difference] = field(default_factory=dict)


def evaluation_page(shown: Shown) -> Elements:
    """Return the page's blocks."""
    blocks = [_setting(shown), _fault(shown.fault)]
    if shown.found is None:
        return [*blocks, Markup('<p class="evaluate-hint muted">{}</p>').format(text("evaluate.hint"))]
    compared = _compared(shown.found, shown.earlier)
    return [
        *blocks,
        _runs(shown),
        _progress(shown.found, shown.eta_s),
        _filters(shown.found, compared),
        _table(shown.found, compared),
    ]


def run_title(evaluation: Evaluation) -> str:
    """Return what tells an evaluation from others: its set, its model and the options that were chosen."""
    options = [
        f"{text(f'evaluate.{name}') if name in NAMED else name} {getattr(evaluation.options, name)}"
        for name in evaluation.given
        if name not in ("uses_cache", "instructions") and getattr(evaluation.options, name) is not None
    ]
    set_name = set_title(evaluation.title, evaluation.set_name)
    return " · ".join((set_name, evaluation.model, *options))


def _setting(shown: Shown) -> Markup:
    sets = joined(
        _option(each.name, f"{set_title(each.title, each.name)} · {len(each.questions)}", each.name == shown.chosen_set)
        for each in shown.sets
    )
    fields = (
        _select("questions", sets),
        _select("model", joined(_option(each, each) for each in shown.models)),
        _select("program", joined(_option(name, title) for name, title in shown.programs)),
        _field(
            "passages_wanted",
            Markup('<input type="number" name="passages_wanted" min="1" max="{}" value="4">').format(MOST_PASSAGES),
        ),
        _select("mode", joined(_option(each, text(f"evaluate.mode_{each or 'best'}")) for each in MODES)),
    )
    return Markup(
        '<section class="card evaluate-setting" aria-label="{}">{}'
        '<button type="button" class="btn primary" data-act="evaluate">{}</button>'
        '<details class="evaluate-bring"><summary>{}</summary><p class="muted small">{}</p>'
        '<input type="file" accept=".csv,.tsv,.txt,.json,.jsonl" aria-label="{}">'
        '<textarea rows="5" aria-label="{}"></textarea>'
        '<button type="button" class="btn" data-act="bring-set">{}</button></details></section>'
    ).format(
        text("evaluate.setting"),
        joined(fields),
        text("evaluate.run"),
        text("evaluate.bring"),
        text("evaluate.bring_hint"),
        text("evaluate.file"),
        text("evaluate.paste"),
        text("evaluate.add"),
    )


def _field(name: str, control: Markup) -> Markup:
    return Markup("<label><span>{}</span>{}</label>").format(text(f"evaluate.{name}"), control)


def _select(name: str, options: Markup) -> Markup:
    return _field(name, Markup('<select name="{}">{}</select>').format(name, options))


def _option(value: str, title: str, is_chosen: bool = False) -> Markup:
    chosen = Markup(" selected") if is_chosen else NOTHING
    return Markup('<option value="{}"{}>{}</option>').format(value, chosen, title)


def _fault(fault: GlassboxError | None) -> Markup:
    said = error_text(fault) if fault else ""
    return Markup('<p class="evaluate-fault worse" role="alert"{}>{}</p>').format(
        NOTHING if said else Markup(" hidden"), said
    )


def _runs(shown: Shown) -> Markup:
    """Draw the choice of the evaluation that is shown, of an earlier one, and the export."""
    assert shown.found
    now, earlier_id = shown.found.evaluation, shown.earlier.evaluation.id if shown.earlier else ""
    count = len(shown.runs)
    titles = [(each, f"{count - at}: {run_title(each)}") for at, (each, _) in enumerate(shown.runs)]
    runs = joined(_option(each.id, title, each.id == now.id) for each, title in titles)
    others = joined(_option(each.id, title, each.id == earlier_id) for each, title in titles if each.id != now.id)
    return Markup(
        '<div class="evaluate-runs" data-id="{}" data-against="{}"><label><span>{}</span>'
        '<select name="shown" data-change="evaluation">{}</select></label><label><span>{}</span>'
        '<select name="against" data-change="evaluation"><option value="">{}</option>{}</select></label>'
        '<button type="button" class="btn" data-act="export-evaluation">{}</button></div>'
    ).format(
        now.id,
        earlier_id,
        text("evaluate.shown"),
        runs,
        text("evaluate.against"),
        text("evaluate.nothing"),
        others,
        text("evaluate.export"),
    )


def _progress(found: Progress, eta_s: float | None) -> Markup:
    evaluation, done = found.evaluation, len(found.rows)
    spent = sum(row.scores.get("cost") or 0.0 for row in found.rows)
    state = evaluation.state
    facts = [text("evaluate.done", done=done, total=evaluation.total)]
    if state in ("queued", "running") and eta_s is not None:
        facts.append(text("evaluate.eta", seconds=round(eta_s)))
    facts.append(text("evaluate.spent", cost=f"${spent:.4f}"))
    if evaluation.reason:
        facts.append(text(evaluation.reason.code, **evaluation.reason.values))
    act = {"queued": "stop", "running": "stop", "interrupted": "resume"}.get(state)
    button = (
        Markup('<button type="button" class="btn" data-act="{}-evaluation">{}</button>').format(
            act, text(f"evaluate.{act}")
        )
        if act
        else NOTHING
    )
    return Markup(
        '<div class="card evaluate-progress" data-state="{}"><b>{}</b><div class="meter" role="progressbar" '
        'aria-label="{}" aria-valuemin="0" aria-valuemax="{}" aria-valuenow="{}"><i style="width:{:.1f}%"></i></div>'
        "{}{}</div>"
    ).format(
        state,
        text(f"evaluate.state_{state}"),
        text("evaluate.progress"),
        evaluation.total,
        done,
        100 * done / evaluation.total,
        joined(Markup('<span class="muted num">{}</span>').format(each) for each in facts),
        button,
    )


def _compared(found: Progress, earlier: Progress | None) -> _Compared:
    if earlier is None:
        return _Compared()
    sides = earlier.evaluation, earlier.rows, found.evaluation, found.rows
    return _Compared(earlier_rows(*sides), summary(earlier.rows), differences(*sides))


def _filters(found: Progress, compared: _Compared) -> Markup:
    counts = {
        "failing": None,
        "all": len(found.rows),
        "changed": sum(bool(_change(row, compared)) for row in found.rows),
        "newly": sum(_change(row, compared) == "newly_failing" for row in found.rows),
        "unanswerable": sum(found.evaluation.questions[row.index].unanswerable for row in found.rows),
    }
    buttons = joined(
        Markup(
            '<button type="button" class="btn" data-act="filter-rows" data-filter="{}" aria-pressed="{}">{}{}</button>'
        ).format(
            name,
            "true" if name == "failing" else "false",
            text(f"evaluate.filter_{name}"),
            NOTHING if count is None else Markup(" · {}").format(count),
        )
        for name, count in counts.items()
    )
    note = text("evaluate.colours") if compared.means else ""
    return Markup(
        '<div class="evaluate-filters" role="group" aria-label="{}">{}<span class="muted small">{}</span></div>'
    ).format(text("evaluate.filters"), buttons, note)


def _table(found: Progress, compared: _Compared) -> Markup:
    rows = sorted(found.rows, key=lambda row: (-row.misses, row.index))
    failing = [row for row in rows if row.misses]
    passing = [row for row in rows if not row.misses]
    return Markup(
        '<div class="card evaluate-table" tabindex="0" role="region" aria-label="{}"><table>{}'
        "<tbody>{}{}{}{}</tbody></table></div>"
    ).format(
        text("evaluate.table"),
        _head(found, compared),
        _group("failing", len(failing)),
        joined(_row(row, found.evaluation, compared) for row in failing),
        _group("passing", len(passing)),
        joined(_row(row, found.evaluation, compared) for row in passing),
    )


def _group(kind: str, count: int) -> Markup:
    css_class = "worse" if kind == "failing" else "better"
    return Markup('<tr class="group" data-group="{}"><td colspan="{}"><span class="{}">{}</span></td></tr>').format(
        kind, len(SHOWN) + 2, css_class, text(f"evaluate.{kind}", count=count)
    )


def _head(found: Progress, compared: _Compared) -> Markup:
    means = summary(found.rows)
    names = joined(Markup('<th scope="col">{}</th>').format(text(f"evaluate.metric_{name}")) for name in SHOWN)
    is_over = len(found.rows) == found.evaluation.total
    lines = [
        Markup('<tr><th scope="col">{}</th>{}<th scope="col"><span class="sr">{}</span></th></tr>').format(
            text("evaluate.count", done=len(found.rows), total=found.evaluation.total), names, text("evaluate.why")
        ),
        _line(
            "mean",
            text("evaluate.mean" if is_over else "evaluate.mean_so_far"),
            [_amount(name, means[name].mean) if name in means else "–" for name in SHOWN],
        ),
        _line(
            "interval",
            text("evaluate.interval"),
            [_interval(name, means[name], compared.means.get(name)) if name in means else NOTHING for name in SHOWN],
        ),
    ]
    if compared.means:
        pairs = max((each.interval.n for each in compared.differences.values()), default=0)
        lines.append(
            _line(
                "difference",
                text("evaluate.difference", count=pairs),
                [_difference(name, compared.differences.get(name)) for name in SHOWN],
            )
        )
    return Markup("<thead>{}</thead>").format(joined(lines))


def _line(css_class: str, title: str, cells: Sequence[str | Markup]) -> Markup:
    return Markup('<tr class="{}"><th scope="row">{}</th>{}<td></td></tr>').format(
        css_class, title, joined(Markup('<td class="num">{}</td>').format(each) for each in cells)
    )


def _amount(name: MetricName, value: float) -> str:
    if METRICS[name].is_share:
        return f"{100 * value:.0f} %"
    return f"${value:.4f}" if name == "cost" else f"{value:.2f} s"


def _interval(name: MetricName, now: Interval, earlier: Interval | None) -> Markup:
    """Draw an interval: its mean as a dot, the earlier mean as a tick; the bounds in words below."""
    marks = [now.mean, now.high or 0.0, earlier.mean if earlier else 0.0]
    most = 1.0 if METRICS[name].is_share else (1.1 * max(marks) or 1.0)

    def x(value: float) -> float:
        return EDGE_PX + (WIDTH_PX - 2 * EDGE_PX) * min(1.0, max(0.0, value / most))

    low, high = (now.low if now.low is not None else 0.0), (now.high if now.high is not None else most)
    tick = (
        Markup('<line class="tick" x1="{0:.1f}" x2="{0:.1f}" y1="2" y2="14"/>').format(x(earlier.mean))
        if earlier
        else NOTHING
    )
    return Markup(
        '<svg width="{}" height="16" aria-hidden="true"><line class="axis" x1="{}" x2="{}" y1="8" y2="8"/>'
        '<line class="range" x1="{:.1f}" x2="{:.1f}" y1="8" y2="8"/><circle cx="{:.1f}" cy="8" r="4"/>{}</svg>'
        '<span class="muted small">{}</span>'
    ).format(WIDTH_PX, EDGE_PX, WIDTH_PX - EDGE_PX, x(low), x(high), x(now.mean), tick, _bounds(name, now))


def _bounds(name: MetricName, now: Interval) -> str:
    if now.low is None or now.high is None:
        return text("evaluate.too_few")
    if METRICS[name].is_share:
        return f"{now.mean * now.n:.3g}/{now.n} · {100 * now.low:.0f}–{100 * now.high:.0f}"
    digits = 4 if name == "cost" else 2
    return f"{now.low:.{digits}f}–{now.high:.{digits}f}"


def _difference(name: MetricName, found: Difference | None) -> Markup:
    """Draw a paired difference; it has a colour only where its interval leaves out 0."""
    if found is None:
        return NOTHING
    interval = found.interval
    scale, digits = (100.0, 0) if METRICS[name].is_share else (1.0, 4 if name == "cost" else 2)
    bounds = (
        text("evaluate.too_few")
        if interval.low is None or interval.high is None
        else _minus(f"[{scale * interval.low + 0.0:+.{digits}f}, {scale * interval.high + 0.0:+.{digits}f}]")
    )
    is_better = (interval.mean > 0) == METRICS[name].higher_is_better
    css_class = ("better" if is_better else "worse") if interval.leaves_out_zero else "even"
    needed = (
        ""
        if interval.leaves_out_zero or found.pairs_needed is None
        else text("evaluate.needed", count=found.pairs_needed)
    )
    return Markup('<span class="{}"{}>{}</span> <span class="muted">{}</span>').format(
        css_class, attribute("title", needed), _minus(f"{scale * interval.mean + 0.0:+.{digits}f}"), bounds
    )


def _minus(number: str) -> str:
    return number.replace("-", "\u2212")


def _row(row: Row, evaluation: Evaluation, compared: _Compared) -> Markup:
    question, change = evaluation.questions[row.index], _change(row, compared)
    kinds = ["failing"] if row.misses else []
    kinds += ["changed"] if change else []
    kinds += ["newly"] if change == "newly_failing" else []
    kinds += ["unanswerable"] if question.unanswerable else []
    why = _reason(row)
    marked = NOTHING
    if change in ("newly_failing", "newly_passing"):
        css_class = "worse" if change == "newly_failing" else "better"
        marked = Markup('<span class="{}">{}</span>').format(css_class, text(f"evaluate.{change}"))
    return Markup(
        '<tr class="{css}" data-kinds="{kinds}"><th scope="row"><button type="button" data-act="open-row" '
        'data-row="{index}" aria-expanded="false">{question}</button></th>{cells}'
        '<td class="why">{why}{change}</td></tr>'
        '<tr class="detail" data-detail="{index}" data-kinds="{kinds}" hidden>'
        '<td colspan="{columns}">{detail}</td></tr>'
    ).format(
        css="failed" if row.misses else "passed",
        kinds=" ".join(kinds),
        index=row.index,
        question=question.question,
        cells=joined(Markup('<td class="num">{}</td>').format(_score(name, row)) for name in SHOWN),
        why=Markup("<span>{}</span> ").format(text(f"evaluate.reason_{why}")) if why else NOTHING,
        change=marked,
        columns=len(SHOWN) + 2,
        detail=_detail(row, evaluation),
    )


def _score(name: MetricName, row: Row) -> Markup:
    value = row.scores.get(name)
    if value is None:
        return Markup('<span class="muted">–</span>')
    if not METRICS[name].is_share:
        return Markup("{}").format(f"{value:.4f}" if name == "cost" else _amount(name, value))
    if 0 < value < 1:
        return Markup("{}").format(_amount(name, value))
    sign, said, css_class = ("✓", "yes", "better") if value else ("✕", "no", "worse")
    return Markup('<span class="{}" aria-hidden="true">{}</span><span class="sr">{}</span>').format(
        css_class, sign, text(f"evaluate.{said}")
    )


def _detail(row: Row, evaluation: Evaluation) -> Markup:
    question = evaluation.questions[row.index]
    expected = text("evaluate.refusal") if question.unanswerable else " / ".join(question.golds) or "–"
    where = " · ".join(question.documents)
    found = " · ".join(f"{' › '.join(filter(None, (each.title, each.section)))} {each.score:.2f}" for each in row.found)
    fault = text(row.fault) if row.fault.startswith("refused.") else row.fault
    lines = [
        ("expected", Markup("{} <span class='muted'>{}</span>").format(expected, where)),
        ("answered", Markup("{}").format(row.answer or fault or "–")),
        ("found", Markup("{}").format(found or "–")),
    ]
    said = joined(Markup("<dt>{}</dt><dd>{}</dd>").format(text(f"evaluate.{name}"), value) for name, value in lines)
    button = (
        Markup(
            '<button type="button" class="btn" data-act="open-evaluated" data-turn="{}" aria-label="{}">{}</button>'
        ).format(row.turn_id, text("evaluate.open_of", question=question.question), text("evaluate.open"))
        if row.turn_id
        else NOTHING
    )
    return Markup('<div class="evaluate-detail"><dl>{}</dl>{}</div>').format(said, button)


def _change(row: Row, compared: _Compared) -> str:
    """Return how a question ends otherwise than in the earlier evaluation, "" where it does not."""
    before = compared.rows.get(row.index)
    if before is None:
        return ""
    if bool(before.misses) != bool(row.misses):
        return "newly_failing" if row.misses else "newly_passing"
    same = all(before.scores.get(name) == row.scores.get(name) for name in SHOWN if METRICS[name].is_share)
    return "" if same else "changed"


def _reason(row: Row) -> str:
    """Return the name of the first thing that is wrong, "" where nothing is."""
    if row.state != "finished":
        return "failed"
    if row.scores.get("refused_rightly") == 0:
        return "not_refused"
    if (row.scores.get("passage_found") or 0.0) < 1 and row.scores.get("passage_found") is not None:
        return "not_found"
    if row.scores.get("gold") == 0:
        return "not_said"
    if row.scores.get("cited") == 0:
        return "wrong_citation" if markers(row.answer) else "cites_nothing"
    return ""
