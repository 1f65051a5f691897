"""Chooses the sentences of a passage that hold most of a claim: cheap, by the words that are the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pipeline.citations.alignment import Source, weight
from pipeline.citations.tokens import Token

SENTENCES_MAX = 3
BESIDE_GAIN, DISTANT_GAIN = 0.12, 0.2  # the least share of a claim that another sentence must add


def rough_coverage(claim: Sequence[Token], source: Source) -> tuple[float, tuple[int, ...]]:
    """Return the share of a claim in up to three sentences of a passage, and their numbers.

    They are chosen one after the other, each for what the ones before do not hold.
    """
    total = sum(map(weight, claim)) or 1.0
    left = [(weight(token) / total, bits) for token in claim if (bits := source.sentences.get(token.key))]
    chosen: list[int] = []
    share = 0.0
    while left and len(chosen) < SENTENCES_MAX:
        gains = [0.0] * len(source.spans)
        for worth, bits in left:
            for number in _numbers(bits):
                gains[number] += worth
        best = max(range(len(gains)), key=lambda number: (gains[number] - _wanted(number, chosen), -number))
        if gains[best] <= _wanted(best, chosen):
            break
        chosen.append(best)
        share += gains[best]
        left = [(worth, bits) for worth, bits in left if not bits >> best & 1]
    return share, tuple(sorted(chosen))


def _wanted(number: int, chosen: Sequence[int]) -> float:
    """Return the share of a claim that a sentence must add to those that are chosen."""
    if not chosen:
        return 0.0
    return BESIDE_GAIN if number - 1 in chosen or number + 1 in chosen else DISTANT_GAIN


@lru_cache(maxsize=10_000)
def _numbers(bits: int) -> tuple[int, ...]:
    """Return the numbers of the bits that are set."""
    return tuple(at for at in range(bits.bit_length()) if bits >> at & 1)
