"""Judges how likely a passage says a claim: a logistic regression on what was compared. Pure.

`python -m bench.support_weights FILE…` fits the weights. Differences that are certain are no measures: with a wrong
number, unit, date, negation or opposite a claim is not supported, whatever else it says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.citations.alignment import Aligned, Source
from pipeline.citations.neighbours import contested_facts, torn_names
from pipeline.citations.tokens import Key
from pipeline.verdicts import Difference, DifferenceKind

SUPPORTED_MIN = 0.6  # of `support_of`
HELD_MIN = 0.5  # the share of a claim's weight that a passage holds which supports it
CERTAIN: frozenset[DifferenceKind] = frozenset(("number", "unit", "date", "negation", "opposite"))


class Measures(NamedTuple):
    """What speaks for a claim and against it.

    `coverage` is the share of the claim that the passage holds, `order` that of its words that follow as there. A name
    in another's place, or moved, and a quantifier that the passage lacks ("only") count for as much as the order is
    kept: in other words, places say little. The rest are counts: quantifiers replaced, facts that stand beside others
    in the passage, torn names, names that the passage lacks (not in German, where a noun may be a paraphrase), names
    and words that only a passage has that is not cited.
    """

    coverage: float
    order: float
    replaced: float
    moved: float
    quantities: int
    unsaid: float
    contested: int
    torn: int
    unknown: int
    foreign_names: int
    foreign_words: int


# Of the measures in their order.
WEIGHTS, CONSTANT = (0.55, 1.65, -3.67, -2.71, -3.14, -1.86, -0.67, -1.39, -1.32, -1.15, -0.2), -0.06


def measures_of(
    aligned: Aligned,
    coverage: float,
    differences: Sequence[Difference],
    known: frozenset[Key],
    others: Sequence[Source],
) -> Measures:
    """Measure an alignment; `known` are words besides the passage's, `others` the passages that are not cited."""
    absent = [
        token
        for token, place in zip(aligned.claim, aligned.places, strict=True)
        if place is None
        and token.kind != "function"
        and token.key not in aligned.source.places
        and token.key not in known
    ]
    foreign = [token for token in absent if any(token.key in each.places for each in others)]

    def count(kind: DifferenceKind, *, has_source: bool) -> int:
        return sum(each.kind == kind and (each.source is not None) is has_source for each in differences)

    return Measures(
        coverage=coverage,
        order=aligned.order,
        replaced=aligned.order * count("name", has_source=True),
        moved=aligned.order * count("order", has_source=True),
        quantities=count("quantity", has_source=True),
        unsaid=aligned.order * count("quantity", has_source=False),
        contested=contested_facts(aligned),
        torn=torn_names(aligned),
        unknown=count("name", has_source=False) if aligned.source.language != "de" else 0,
        foreign_names=sum(token.is_capital for token in foreign),
        foreign_words=sum(not token.is_capital for token in foreign),
    )


def support_of(measures: Measures) -> float:
    """Return the probability (0 to 1) that a claim without certain differences is right, where every second one is."""
    total = CONSTANT + sum(weight * each for weight, each in zip(WEIGHTS, measures, strict=True))
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))
