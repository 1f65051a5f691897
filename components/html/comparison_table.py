"""The questions of a comparison of several: what each column scored, and what each wins against the first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from components.html.comparison_columns import LETTERS
from components.html.html_elements import NOTHING, Elements, joined
from components.html.markdown import plain
from i18n import text
from pipeline.comparison import Round
from pipeline.experiments.intervals import Interval
from pipeline.experiments.paired_scores import AgainstFirst, MetricRow
from pipeline.experiments.scores import METRICS, MetricName, Scores

_TABLE = Markup(
    '<div class="table rounds" tabindex="0" role="region" aria-label="{name}"><table><thead><tr>{head}</tr></thead>'
    "<tbody>{body}</tbody></table></div>"
)
_HEAD, _ROW, _CELL = Markup('<th scope="col">{}</th>'), Markup("<tr>{}</tr>"), Markup("<td>{}</td>")
_ROW_NAME = Markup('<th scope="row">{}</th>')
_QUESTION = Markup('<button type="button" data-act="compare-round" data-round="{}"{}>{}</button>')


def table(rounds: Sequence[Round], at: int, scores: Sequence[Sequence[Scores]], rows: Sequence[MetricRow]) -> Elements:
    """Return both tables: each metric over all questions, then each question, which opens its answers."""
    letters = [LETTERS[place] for place in range(len(rounds[0].cells))]
    done = sum(all(any(score is not None for score in cell.values()) for cell in each) for each in scores)
    said = Markup('<p class="muted small" role="status">{}</p>').format(
        text("compare.rounds_done", count=done, questions=len(rounds))
    )
    return [said, *([_metrics(rows, letters)] if rows else []), _questions(rounds, at, scores, letters)]


def _metrics(rows: Sequence[MetricRow], letters: Sequence[str]) -> Markup:
    heads = [text("compare.metric"), *letters]
    heads += [text("compare.against", letter=each, first=letters[0]) for each in letters[1:]]
    body = joined(
        _ROW.format(
            joined(
                [
                    _ROW_NAME.format(text(f"compare.metric_{row.name}")),
                    *(_CELL.format(_interval(row.name, mean)) for mean in row.means),
                    *(_CELL.format(_against(row, each)) for each in row.against),
                ]
            )
        )
        for row in rows
    )
    return _TABLE.format(name=text("compare.over_all"), head=joined(map(_HEAD.format, heads)), body=body)


def _questions(rounds: Sequence[Round], at: int, scores: Sequence[Sequence[Scores]], letters: Sequence[str]) -> Markup:
    rows = joined(
        _ROW.format(
            joined(
                [
                    _ROW_NAME.format(_question(place, each, is_shown=place == at)),
                    *(_CELL.format(_cell(cell)) for cell in scores[place]),
                    _CELL.format(_vote(each)),
                ]
            )
        )
        for place, each in enumerate(rounds)
    )
    heads = [text("compare.question"), *letters, text("compare.voted")]
    return _TABLE.format(name=text("compare.by_question"), head=joined(map(_HEAD.format, heads)), body=rows)


def _question(place: int, round_: Round, *, is_shown: bool) -> Markup:
    current = Markup(' aria-current="true"') if is_shown else NOTHING
    return _QUESTION.format(place, current, plain(f"{place + 1}. {round_.question}"))


def _cell(scores: Scores) -> str:
    supported, gold, total_s = scores["supported"], scores["gold"], scores["total_s"]
    parts = [] if gold is None else [text("compare.gold_yes" if gold else "compare.gold_no")]
    parts += [] if supported is None else [text("compare.supported_short", share=_value("supported", supported))]
    parts += [] if total_s is None else [_value("total_s", total_s)]
    return " · ".join(parts) or "–"


def _vote(round_: Round) -> str:
    match round_.vote:
        case None:
            return "–"
        case int(place):
            return LETTERS[place]
        case "tie":
            return text("compare.tie")
        case _:
            return text("compare.none_good")


def _interval(name: MetricName, interval: Interval | None, *, is_difference: bool = False) -> str:
    if interval is None:
        return "–"
    sign = "+" if is_difference and interval.mean > 0 else ""
    written = f"{sign}{_value(name, interval.mean)}"
    if interval.low is None or interval.high is None:
        return written
    return f"{written} ({_value(name, interval.low)} … {_value(name, interval.high)})"


def _against(row: MetricRow, against: AgainstFirst) -> Markup:
    """Return wins, ties and losses, and the difference, in words where its interval leaves out 0."""
    counted = text("compare.wins", wins=against.wins, ties=against.ties, losses=against.losses)
    difference, kind = against.difference, ""
    if difference and difference.leaves_out_zero:
        kind = "better" if (difference.mean > 0) == row.higher_is_better else "worse"
    told = text(f"compare.{kind}") if kind else text("compare.no_difference")
    return Markup('{}<br>{} <span class="{}">{}</span>').format(
        counted, _interval(row.name, difference, is_difference=True), kind or "muted", told
    )


def _value(name: MetricName, value: float | None) -> str:
    if value is None:
        return "–"
    if METRICS[name].is_share:
        written = f"{value * 100:.0f} %"
    else:
        written = f"{value:.4f} $" if name == "cost" else f"{value:.2f} s"
    return written.replace("-", "\N{MINUS SIGN}")
