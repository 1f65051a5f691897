import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.intervals import mcnemar
from pipeline.experiments.intervals import Interval, amount, paired, pairs_needed, share

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)
PAIRS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)
ANSWERED = st.lists(st.tuples(st.sampled_from((0.0, 1.0)), st.sampled_from((0.0, 1.0))), min_size=1, max_size=14)


def interval_of(pairs: list[tuple[float, float]]) -> Interval:
    found = paired([before for before, _ in pairs], [after for _, after in pairs])
    assert found is not None
    return found


@given(SHARES)
def test_a_share_lies_in_its_interval_between_0_and_1(values: list[float]) -> None:
    found = share(values)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= 1
    assert found.n == len(values)


def test_wilsons_interval_is_the_published_one() -> None:
    found = share([1.0] * 12 + [0.0] * 3)
    assert found is not None
    assert (round(found.low or 0, 3), round(found.high or 0, 3)) == (0.548, 0.93)


def test_all_right_of_a_few_is_not_certain() -> None:
    found = share([1.0, 1.0, 1.0])
    assert found is not None
    assert found.low is not None
    assert found.low < 0.5


def test_nothing_has_no_interval() -> None:
    assert (share([]), amount([]), paired([], [])) == (None, None, None)


@given(PAIRS)
def test_a_paired_difference_lies_in_its_interval(pairs: list[tuple[float, float]]) -> None:
    found = interval_of(pairs)
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= 1


@given(ANSWERED.map(lambda pairs: pairs[:12]))  # of more, random subsets count
def test_the_other_way_round_is_the_same_interval_mirrored(pairs: list[tuple[float, float]]) -> None:
    one, other = interval_of(pairs), interval_of([(after, before) for before, after in pairs])
    assert one.low == pytest.approx(-(other.high or 0), abs=1e-9)
    assert one.high == pytest.approx(-(other.low or 0), abs=1e-9)


@given(PAIRS)
def test_equal_scores_give_equal_intervals(pairs: list[tuple[float, float]]) -> None:
    assert interval_of(pairs) == interval_of(pairs)


@given(ANSWERED)
def test_of_right_and_wrong_answers_the_interval_leaves_out_0_exactly_where_mcnemars_test_rejects(
    pairs: list[tuple[float, float]],
) -> None:
    wins = sum(after > before for before, after in pairs)
    losses = sum(after < before for before, after in pairs)
    assert interval_of(pairs).leaves_out_zero == (mcnemar(wins, losses) <= 0.05)


@pytest.mark.parametrize("size", [5, 6, 8, 10])
def test_under_every_exchange_of_two_settings_at_most_5_percent_leave_out_0(size: int) -> None:
    """The exact null distribution: any of the pairs may be exchanged where both settings are alike."""
    drawn = random.Random(size)
    for _ in range(5):
        pairs = [(drawn.random(), drawn.choice((0.0, 1.0, drawn.random()))) for _ in range(size)]
        alarms = sum(
            interval_of([(b, a) if kept else (a, b) for (b, a), kept in zip(pairs, signs, strict=True)]).leaves_out_zero
            for signs in itertools.product((True, False), repeat=size)
        )
        assert alarms <= 0.05 * 2**size


def test_questions_that_all_end_alike_leave_the_interval_open() -> None:
    found = interval_of([(1.0, 1.0)] * 20)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_five_amounts_have_no_bounds_and_six_have() -> None:
    five, six = amount([1.0, 2.0, 3.0, 4.0, 5.0]), amount([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert five is not None
    assert six is not None
    assert (five.low, five.high) == (None, None)
    assert (six.low, six.high) != (None, None)


def test_how_many_pairs_are_needed_falls_with_the_difference() -> None:
    before = [0.0] * 20
    few, many = [1.0] * 4 + [0.0] * 16, [1.0] * 12 + [0.0] * 8
    small, large = pairs_needed(before, few), pairs_needed(before, many)
    assert small is not None
    assert large is not None
    assert small > large >= 6
    assert pairs_needed(before, before) is None
