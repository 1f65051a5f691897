"""Evaluates settings on a question set and prints a table: `python -m pipeline.experiments.evaluate`.

    python -m pipeline.experiments.evaluate                                  the bundled questions, the default model
    python -m pipeline.experiments.evaluate FILE.csv --model LABEL -k 8      another set and setting
    python -m pipeline.experiments.evaluate --against-k 2 [--against-model LABEL] [--against-program NAME]

With one of `--against-…` the same questions are asked with a second setting, and the table has the paired difference of
the first one to it, with a star where its interval leaves out 0. Settings are those of the app; it uses a data
directory of its own, so the app may run meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from i18n.messages import error_text
from pipeline import settings as app_settings
from pipeline.errors import GlassboxError
from pipeline.experiments.evaluation import Difference, differences, summary
from pipeline.experiments.evaluations import Progress
from pipeline.experiments.intervals import Interval
from pipeline.experiments.questions import Question, read_questions
from pipeline.experiments.scores import METRICS, MetricName
from pipeline.settings import SAMPLE_QUESTIONS
from pipeline.turn import AskOptions, TurnRequest

VISITOR = "evaluate-at-a-terminal"


def main() -> None:
    """Print the table."""
    arguments = _parser().parse_args()
    try:
        questions = read_questions(arguments.questions.read_text(encoding="utf-8"))[: arguments.first]
        found, against = asyncio.run(_evaluated(questions, arguments))
    except GlassboxError as error:
        raise SystemExit(error_text(error)) from None
    for line in table(found, against):
        print(line)


def table(found: Progress, against: Progress | None = None) -> Iterator[str]:
    """Iterate over the lines: a metric with its mean, its interval, and the paired difference."""
    compared: Mapping[MetricName, Difference] = {}
    if against:
        compared = differences(against.evaluation, against.rows, found.evaluation, found.rows)
    yield "| metric | n | mean | 95 % |" + (" against | paired difference |" if against else "")
    yield "|---|---|---|---|" + ("---|---|" if against else "")
    others = summary(against.rows) if against else {}
    for name, interval in summary(found.rows).items():
        line = f"| {name} | {interval.n} | {_number(name, interval.mean)} | {_bounds(name, interval)} |"
        if against:
            other = _number(name, others[name].mean) if name in others else "–"
            line += f" {other} | {_difference(name, compared.get(name))} |"
        yield line


async def _evaluated(questions: Sequence[Question], arguments: argparse.Namespace) -> tuple[Progress, Progress | None]:
    from server import build, index_shared_documents

    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        values = app_settings.load().model_copy(update={"data_dir": Path(folder)})
        parts = build(values)
        try:
            await index_shared_documents(parts)

            async def evaluated(model: str | None, program: str | None, k: int | None) -> Progress:
                options = AskOptions(passages_wanted=k or arguments.k, program=program or arguments.program)
                request = TurnRequest(
                    "",
                    options=options,
                    given=frozenset(("passages_wanted", "program")),
                    visitor=VISITOR,
                    model=model or arguments.model,
                    is_local=True,
                )
                begun = await parts.evaluations.start(questions, request)
                async for _ in parts.evaluations.states(begun.id, VISITOR):
                    pass
                return await parts.evaluations.find(begun.id, VISITOR)

            found = await evaluated(None, None, None)
            second = arguments.against_model, arguments.against_program, arguments.against_k
            return found, await evaluated(*second) if any(second) else None
        finally:
            await parts.close()


def _number(name: MetricName, value: float) -> str:
    return f"{100 * value:.1f} %" if METRICS[name].is_share else f"{value:.4g}"


def _bounds(name: MetricName, interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return "too few"
    return f"{_number(name, interval.low)} to {_number(name, interval.high)}"


def _difference(name: MetricName, found: Difference | None) -> str:
    if found is None:
        return "–"
    star = " *" if found.interval.leaves_out_zero else ""
    return f"{_number(name, found.interval.mean)} ({_bounds(name, found.interval)}){star}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("questions", nargs="?", type=Path, default=SAMPLE_QUESTIONS)
    parser.add_argument("--first", type=int, help="only so many questions")
    parser.add_argument("--model", help="a label of the picker")
    parser.add_argument("--program")
    parser.add_argument("-k", type=int, default=4, help="passages")
    parser.add_argument("--against-model")
    parser.add_argument("--against-program")
    parser.add_argument("--against-k", type=int)
    return parser


if __name__ == "__main__":
    main()
