"""Fits the weights of `pipeline/citations/support.py`; prints them with the share of each group that would pass.

    python -m bench.support_weights FILE.json … [FOLDER …] [--sentences 4]

Files and folders are those of `bench/verdicts.py`; of sets that people have marked, examples with odd numbers are
fitted and even ones are shown. Groups weigh alike, however many cases they have. Right claims that are verbatim and
claims with a certain difference are no part of the fit, since their verdict does not ask for a probability.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.hallucinations import examples, is_hallucination_set
from bench.planted import STATEMENT, UNANSWERABLE, cases
from pipeline.citations.alignment import Source
from pipeline.citations.answer_sentences import AnswerSentences
from pipeline.citations.claims import Claim
from pipeline.citations.comparison import compare
from pipeline.citations.sentences import sentences
from pipeline.citations.support import HELD_MIN, SUPPORTED_MIN, Measures
from pipeline.retrieval.terms import detected_language

STATEMENT_WEIGHT, SOURCE_WEIGHT, MARKED_WEIGHT = 2.0, 0.5, 0.3  # of a group; 1 for the others
PENALTY, STEPS = 3.0, 30


class Row(NamedTuple):
    """A claim with its measures, None where none are needed; `passes` is known then."""

    group: str
    is_right: bool
    is_fitted: bool
    measures: Measures | None
    passes: bool


def main() -> None:
    """Fit on all files together."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--sentences", type=int, default=4, help="of each paragraph")
    options = parser.parse_args()
    rows: list[Row] = []
    for file in options.files:
        rows += _marked(file) if is_hallucination_set(file) else _planted(file, options.sentences)
    weights = fitted([row for row in rows if row.is_fitted and row.measures])
    for name, weight in zip((*Measures._fields, "constant"), weights, strict=True):
        print(f"{name:15} {weight:6.2f}")
    print("\n| group | right | n | passes |\n|---|---|---|---|")
    for group, is_right, is_fitted in sorted({(row.group, row.is_right, row.is_fitted) for row in rows}):
        own = [row for row in rows if (row.group, row.is_right, row.is_fitted) == (group, is_right, is_fitted)]
        share = sum(_passes(row, weights) for row in own) / len(own)
        print(f"| {group}{'' if is_fitted else ', not fitted'} | {is_right} | {len(own)} | {share:.3f} |")


def fitted(rows: Sequence[Row]) -> np.ndarray:
    """Return the weights of the measures and the constant, by Newton's method with a small penalty."""
    sizes = Counter((row.group, row.is_right) for row in rows)
    worth = np.array([_group_weight(row) / sizes[row.group, row.is_right] for row in rows])
    worth *= len(rows) / worth.sum()
    values = np.array([row.measures for row in rows], float)
    mean, spread = values.mean(0), values.std(0) + 1e-9
    inputs = np.column_stack([(values - mean) / spread, np.ones(len(rows))])
    right = np.array([row.is_right for row in rows], float)
    weights = np.zeros(inputs.shape[1])
    penalty = np.diag([PENALTY] * values.shape[1] + [0.0])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (worth * (right - chance)) - penalty @ weights
        curve = (inputs * (worth * chance * (1 - chance))[:, None]).T @ inputs + penalty
        weights += np.linalg.solve(curve, slope)
    scaled = weights[:-1] / spread
    return np.append(scaled, weights[-1] - scaled @ mean)


def _group_weight(row: Row) -> float:
    if row.group.startswith("marked"):
        return MARKED_WEIGHT
    if row.group in ("wrong source", UNANSWERABLE):
        return SOURCE_WEIGHT
    return STATEMENT_WEIGHT if row.group.startswith(STATEMENT) and row.is_right else 1.0


def _passes(row: Row, weights: np.ndarray) -> bool:
    if row.measures is None:
        return row.passes
    total = float(np.append(row.measures, 1.0) @ weights)
    return row.measures.coverage >= HELD_MIN and bool(1 / (1 + np.exp(-total)) >= SUPPORTED_MIN)


def _planted(file: Path, most: int) -> Iterator[Row]:
    for case in cases(file, 6, 1, most):
        if case.citation is not None:
            texts = [each.text for each in case.passages]
            cited = texts.pop(case.citation - 1)
            group = "near" if case.wording != STATEMENT else STATEMENT
            if case.planted in ("cited passage", UNANSWERABLE):
                group = UNANSWERABLE if case.planted == UNANSWERABLE else "wrong source"
            name = f"{group}, {case.language}" if group in ("near", STATEMENT) else group
            yield from _rows(case.answer, cited, texts, name, not case.planted, is_fitted=True)


def _marked(path: Path) -> Iterator[Row]:
    for each in examples(path):
        for begin, end in sentences(each.answer):
            is_right = not any(first < end and begin < last for first, last in each.wrong)
            text = each.answer[begin:end]
            yield from _rows(
                text, "\n\n".join(each.sources), (), f"marked, {path.name}", is_right, is_fitted=each.number % 2 == 1
            )


def _rows(
    text: str, cited: str, others: Sequence[str], group: str, is_right: bool, *, is_fitted: bool
) -> Iterator[Row]:
    """Iterate over the claims of a text (seldom more than one)."""
    reader = AnswerSentences()
    for sentence in [*reader.add(text), *reader.end()]:
        claim, source = Claim(sentence), _source(cited)
        if claim.claims_nothing:
            continue
        found = compare(claim.tokens(source.language), source, others=[_source(each) for each in others])
        measures = None if found.has_certain_difference else found.measures
        yield Row(group, is_right, is_fitted, measures, found.is_verbatim)


@lru_cache(maxsize=500)
def _source(text: str) -> Source:
    return Source(text, detected_language(text))


if __name__ == "__main__":
    main()
