"""Measures how often a model is wrong in the second check; prints its tables, and stores the rates for the page.

    MODELS='[…]' python -m bench.second_stage FILE.json [FILE.json …] --model LABEL [--most 50] [--save]

The sentences are those of `bench.verdicts`, right ones and ones with a planted error, as far as words alone call them
`weak`: only those are asked about. As many right ones as wrong ones are drawn. Each is judged by itself against the
passage that it cites, where an answer's weak sentences would share one call. *False pass*: an error that is called
supported. *False alarm*: a right sentence that is called anything else. `--save` stores the counts in DATA_DIR.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

from bench.corruptions import PLANTS
from bench.planted import Case, cases
from bench.verdicts import checked
from pipeline.citations.restating import plain_text
from pipeline.errors import GlassboxError
from pipeline.inquiries.calls import Calls
from pipeline.inquiries.rates import ErrorRates, save_rates
from pipeline.inquiries.results import Judgement
from pipeline.inquiries.second_check import Doubtful, judgements_of, queue_for
from pipeline.models.catalogue import Models
from pipeline.programs.judge import FIELD, Judge
from pipeline.replies.adapters import adapter_for
from pipeline.settings import Settings, load

QUESTION = "What do the passages say?"


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with the model's verdict; `judgement` is None where the call failed."""

    case: Case
    judgement: Judgement | None
    took_s: float

    @property
    def passes(self) -> bool:
        """Whether the model calls the sentence supported."""
        return self.judgement is not None and self.judgement.verdict == "supported"

    @property
    def is_silent(self) -> bool:
        """Whether there is no verdict that can be used."""
        return self.judgement is None or self.judgement.verdict is None


def main() -> None:
    """Print the tables of a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", required=True, help="a label of MODELS")
    parser.add_argument("--most", type=int, default=50, help="right sentences, and as many with an error")
    parser.add_argument("--passages", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", action="store_true", help="store the rates in DATA_DIR")
    options = parser.parse_args()
    settings = load()
    entry = Models(settings).entry(options.model)
    if entry is None:
        parser.error("--model names no label of MODELS")
    drawn = list(weak_cases(options.files, options.passages, options.seed, options.most))
    judged, spent = asyncio.run(judge(settings, options.model, drawn))
    print("\n".join([*table(judged), "", spent]))
    if options.save:
        save_rates(settings.data_dir, entry.model, rates_of(judged))


def weak_cases(files: Iterable[Path], passages: int, seed: int, most: int) -> Iterator[Case]:
    """Draw right sentences and planted errors that are `weak`, as many of each."""
    every = [case for file in files for case in cases(file, passages, seed, 1)]
    Random(seed).shuffle(every)
    right, wrong = ([case for case in every if case.planted in kinds] for kinds in ([""], PLANTS))
    for group in (right, wrong):
        yield from islice((case for case in group if [v.label for v in checked(case).verdicts] == ["weak"]), most)


async def judge(settings: Settings, label: str, drawn: Sequence[Case]) -> tuple[list[Judged], str]:
    """Ask about each case → the verdicts, and what the calls took and cost."""
    models = Models(settings)
    calls = Calls(models, settings, label, None, None)
    adapter, judged = adapter_for(is_local=models.is_local(label)), list[Judged]()
    for case in drawn:
        doubtful = Doubtful("answer", 0, plain_text(case.answer), (case.right,))
        queue, began = queue_for(QUESTION, [doubtful], case.passages), time.monotonic()
        inputs = {"question": QUESTION, "drafts": queue.drafts()}
        try:
            said = await calls.ask(Judge(), inputs, (FIELD,), adapter, needed=FIELD)
            found = judgements_of(said.get(FIELD, ""), queue)[0]
        except GlassboxError:
            found = None
        judged.append(Judged(case, found, time.monotonic() - began))
    times = sorted(each.took_s for each in judged) or [0.0]
    cost = "unknown" if calls.cost.usd is None else f"{calls.cost.usd:.4f} USD"
    return judged, f"{calls.count} calls, {times[len(times) // 2]:.1f} s each (median), cost {cost}"


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """Show by language how often the model is wrong, and how often it says nothing that can be used."""
    yield "| sentences | language | n | supported | otherwise | no verdict |"
    yield "|---|---|---|---|---|---|"
    for name, is_error in (("right", False), ("planted errors", True)):
        for language in sorted({each.case.language for each in judged}):
            group = [each for each in judged if bool(each.case.planted) == is_error and each.case.language == language]
            passed, silent = sum(each.passes for each in group), sum(each.is_silent for each in group)
            yield f"| {name} | {language} | {len(group)} | {passed} | {len(group) - passed - silent} | {silent} |"


def rates_of(judged: Sequence[Judged]) -> ErrorRates:
    """Return the counts that the page shows."""
    errors = [each for each in judged if each.case.planted]
    right = [each for each in judged if not each.case.planted]
    return ErrorRates(
        errors=len(errors),
        passed=sum(each.passes for each in errors),
        right=len(right),
        doubted=sum(not each.passes and not each.is_silent for each in right),
        silent=sum(each.is_silent for each in judged),
        measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
    )


if __name__ == "__main__":
    main()
