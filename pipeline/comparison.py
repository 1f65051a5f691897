"""A comparison: the same questions asked with two to four settings side by side. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.messages import StoredMessage
from pipeline.turn import DEFAULTS, AskOptions

LEAST_COLUMNS, MOST_COLUMNS = 2, 4
MOST_QUESTIONS = 100  # of one comparison

# Which column is better, from 0; or that none is better than the others, or that none is good.
Vote = int | Literal["tie", "none"]


@dataclass(frozen=True, slots=True)
class Column:
    """One of the settings: which model answers, how, and whether its answer is shown while it is written."""

    model: str
    options: AskOptions = DEFAULTS
    streams: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A question in one column: the id that its turn has or will have.

    `reused_search`: its passages are those that another column had searched for. `refusal` is why it was not asked, as
    the area and the code of the error.
    """

    turn_id: str
    reused_search: bool = False
    refusal: StoredMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One question with a cell for each column, and the vote on it, None before it is cast.

    `expected` are texts of which a right answer holds one.
    """

    question: str
    cells: tuple[Cell, ...]
    vote: Vote | None = None
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The columns in the order in which they are shown, and the rounds in the order in which they are asked.

    `id` is that of its conversation, which holds its turns. Where it `is_blind` the order is random, and nothing of a
    column is shown before the vote. `created_at` is in seconds since the epoch.
    """

    id: str
    columns: tuple[Column, ...]
    rounds: tuple[Round, ...]
    is_blind: bool = False
    created_at: float = 0.0

    def with_round(self, at: int, changed: Round) -> Comparison:
        """Return the comparison with another round in that place."""
        return replace(self, rounds=(*self.rounds[:at], changed, *self.rounds[at + 1 :]))

    def with_cell(self, at: int, column: int, changed: Cell) -> Comparison:
        """Return the comparison with another cell in that place."""
        cells = self.rounds[at].cells
        return self.with_round(at, replace(self.rounds[at], cells=(*cells[:column], changed, *cells[column + 1 :])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The votes on comparisons of the same columns: how many there are, and how they fell."""

    votes: int
    better: tuple[int, ...]  # by the columns of the comparison that was asked for
    ties: int
    none_good: int


def tally_of(comparison: Comparison, others: Sequence[Comparison]) -> Tally:
    """Count the votes of all comparisons, the first included, that have the same columns in whatever order."""
    same = [each for each in others if _has_same_columns(each, comparison)]
    cast = [(each, round_.vote) for each in same for round_ in each.rounds if round_.vote is not None]
    chosen = [each.columns[vote] for each, vote in cast if isinstance(vote, int) and vote < len(each.columns)]
    return Tally(
        votes=len(cast),
        better=tuple(chosen.count(column) for column in comparison.columns),
        ties=sum(vote == "tie" for _, vote in cast),
        none_good=sum(vote == "none" for _, vote in cast),
    )


def _has_same_columns(one: Comparison, other: Comparison) -> bool:
    left = list(other.columns)
    for column in one.columns:
        if column not in left:
            return False
        left.remove(column)
    return not left
