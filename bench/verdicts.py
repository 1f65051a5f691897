"""Measures the verdicts on planted errors in right, cited answers; prints its tables and the errors by kind.

    python -m bench.verdicts FILE.json [FILE.json …] [--passages 6] [--errors 30] [--seed 1]

A file in SQuAD's format is a source of right sentences (`bench/planted.py`), each checked as it is and with one
planted error (`bench/corruptions.py`). *False pass*: an error that is `verbatim` or `supported`. *False alarm*: a
right one that is neither. A folder, or a JSON file with `samples`, is a set of answers whose errors people have
marked (`bench/hallucinations.py`); a file `.jsonl` holds verdicts that people called wrong (`bench/reported.py`).
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.corruptions import PLANTS
from bench.hallucinations import checked_example, examples, hallucination_table, is_hallucination_set
from bench.planted import STATEMENT, UNANSWERABLE, WORDINGS, Case, cases
from bench.reported import is_report_set, report_table, reported
from i18n.messages import verdict_text
from pipeline.citations.checker import Checker
from pipeline.verdicts import Verdict

PASSES = ("verbatim", "supported")
BAR_CHARS = 40  # of a bar that stands for 1


@dataclass(frozen=True, slots=True)
class Result:
    """A case with its verdicts, of which a wrongly cut sentence has several."""

    case: Case
    verdicts: tuple[Verdict, ...]
    cpu_s: float

    @property
    def passes(self) -> bool:
        """Whether every part of the sentence is said to be supported."""
        return all(each.label in PASSES for each in self.verdicts)

    @property
    def score(self) -> float:
        """The lowest support of its parts."""
        return min(each.score for each in self.verdicts)

    @property
    def is_statement(self) -> bool:
        """Whether it says it in other words than the passage."""
        return self.case.wording == STATEMENT


def main() -> None:
    """Print the tables of all files together."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--passages", type=int, default=6)
    parser.add_argument("--sentences", type=int, default=1, help="of each paragraph")
    parser.add_argument("--errors", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    results: list[Result] = []
    for file in options.files:
        if is_report_set(file):
            print("\n".join(report_table(file.name, reported(file))), end="\n\n", flush=True)
        elif is_hallucination_set(file):
            checked_examples = [checked_example(each) for each in examples(file)]
            print("\n".join(hallucination_table(file.name, checked_examples)), end="\n\n", flush=True)
        else:
            results += [checked(case) for case in cases(file, options.passages, options.seed, options.sentences)]
    if results:
        for table in (false_passes, false_alarms, citations, calibration, costs):
            print("\n".join(table(results)), end="\n\n")
        print("\n".join(errors(results, options.errors)))


def checked(case: Case) -> Result:
    """Check one answer, as it would arrive."""
    checker = Checker(case.passages)
    began_s = time.process_time()
    verdicts = [*checker.add(case.answer), *checker.end()]
    return Result(case, tuple(verdicts), time.process_time() - began_s)


def false_passes(results: Sequence[Result]) -> Iterator[str]:
    """Show by kind of error and language how many errors pass, in sentences near the passage and in statements."""
    languages = _languages(results)
    yield "| planted error |" + "".join(f" {each}: n, passes | statements: n, pass |" for each in languages)
    yield "|---|" + "---|---|" * len(languages)
    for kind in (*PLANTS, "all", UNANSWERABLE):
        cells = []
        for language in languages:
            group = [
                r
                for r in results
                if r.case.language == language and (r.case.planted == kind or (kind == "all" and _is_error(r)))
            ]
            for is_statement in (False, True):
                own = [r for r in group if r.is_statement is is_statement]
                cells.append(f"{len(own)}, {_share(r.passes for r in own)}")
        yield f"| {kind} | {' | '.join(cells)} |"


def false_alarms(results: Sequence[Result]) -> Iterator[str]:
    """Show by wording and language how many right sentences do not pass."""
    yield "| right answers | language | n | false alarm | verdicts |"
    yield "|---|---|---|---|---|"
    for language in _languages(results):
        right = [r for r in results if not r.case.planted and r.case.language == language]
        groups = {wording: [r for r in right if r.case.wording == wording] for wording in (*WORDINGS, STATEMENT)}
        groups["all but statements"] = [r for r in right if not r.is_statement]
        for wording, group in groups.items():
            alarms = _share(not r.passes for r in group)
            yield f"| {wording} | {language} | {len(group)} | {alarms} | {_labels(group)} |"


def citations(results: Sequence[Result]) -> Iterator[str]:
    """Show how many wrong citations are re-pointed, right ones harmed, and missing ones seen."""
    yield "| answers | swapped | re-pointed rightly | right | re-pointed wrongly | uncited | seen | passage named |"
    yield "|---|---|---|---|---|---|---|---|"
    for language in _languages(results):
        for is_statement in (False, True):
            own = [r for r in results if r.case.language == language and r.is_statement is is_statement]
            moved = [r for r in own if r.case.planted == "cited passage"]
            right = [r for r in own if not r.case.planted]
            bare = [r for r in own if r.case.planted == "no citation"]
            cells = (
                len(moved),
                _share(_is_repointed(r) for r in moved),
                len(right),
                _share(any(v.label == "wrong_source" for v in r.verdicts) for r in right),
                len(bare),
                _share(any(v.label == "uncited" for v in r.verdicts) for r in bare),
                _share(any(v.suggested == r.case.right for v in r.verdicts) for r in bare),
            )
            yield f"| {language}{', statements' if is_statement else ''} | {' | '.join(map(str, cells))} |"


def _is_repointed(result: Result) -> bool:
    return any(v.suggested == result.case.right and v.label == "wrong_source" for v in result.verdicts)


def calibration(results: Sequence[Result]) -> Iterator[str]:
    """Plot for each language and band of the score the share of right sentences: one for each planted error."""
    for language in _languages(results):
        judged = [r for r in results if r.case.language == language and (not r.case.planted or _is_error(r))]
        yield f"{language}: score, sentences, right"
        for low in range(9, -1, -1):
            band = [not r.case.planted for r in judged if low == min(9, int(10 * r.score))]
            share = sum(band) / len(band) if band else 0.0
            bar = "█" * round(BAR_CHARS * share)
            yield f"{low / 10:.1f}–{(low + 1) / 10:.1f} {len(band):6} {_share(band):>6} {bar}".rstrip()
        yield ""


def costs(results: Sequence[Result]) -> Iterator[str]:
    """Show the CPU of a sentence; preparing the passages is a turn's, not a sentence's."""
    times = sorted(1000 * r.cpu_s for r in results)
    mean, late = sum(times) / len(times), times[int(0.99 * len(times))]
    passages = len(results[0].case.passages)
    yield f"CPU of a sentence, {passages} passages: mean {mean:.2f} ms, 99 % {late:.2f} ms, n = {len(times)}"


def errors(results: Sequence[Result], count: int) -> Iterator[str]:
    """List wrong verdicts, as many of each kind as there is room for: `count` in all, or all there are."""
    kinds: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        wording = STATEMENT if result.is_statement else "near the passage"
        if _is_error(result) and result.passes:
            kinds[f"false pass, {result.case.planted}, {wording}, {result.case.language}"].append(result)
        elif not result.case.planted and not result.passes:
            kinds[f"false alarm, {wording}, {result.case.language}"].append(result)
    shown = _shared_out({kind: len(group) for kind, group in kinds.items()}, count)
    for kind, group in sorted(kinds.items()):
        yield f"\n{kind}: {len(group)}"
        for result in group[: shown[kind]]:
            verdict = min(result.verdicts, key=lambda each: each.score)
            yield f"- {result.case.answer}\n  {verdict.label} {verdict.score}: {verdict_text(verdict.reason)}"


def _shared_out(sizes: dict[str, int], count: int) -> dict[str, int]:
    """Give each kind one place after the other until all places are taken."""
    shown = dict.fromkeys(sizes, 0)
    while sum(shown.values()) < min(count, sum(sizes.values())):
        for kind in sorted(sizes):
            if shown[kind] < sizes[kind] and sum(shown.values()) < count:
                shown[kind] += 1
    return shown


def _is_error(result: Result) -> bool:
    return result.case.planted in PLANTS


def _languages(results: Iterable[Result]) -> list[str]:
    return sorted({result.case.language for result in results})


def _share(hits: Iterable[bool]) -> str:
    counted = list(hits)
    return f"{sum(counted) / len(counted):.3f}" if counted else "–"


def _labels(results: Iterable[Result]) -> str:
    counts = Counter(verdict.label for result in results for verdict in result.verdicts)
    return ", ".join(f"{label} {count}" for label, count in counts.most_common())


if __name__ == "__main__":
    main()
