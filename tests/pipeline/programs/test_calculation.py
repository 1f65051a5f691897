"""The calculator: Python's arithmetic on what is valid Python, people's where that is clear, and never code."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.programs import calculation
from pipeline.programs.calculation import CalculationFault, calculate


def outcome(expression: str) -> str:
    """The result, or the text of the fault."""
    try:
        return calculate(expression)
    except CalculationFault as fault:
        return str(fault)


NUMBER = st.integers(0, 999).map(str) | st.floats(0, 999, allow_nan=False).map(lambda value: f"{value:.4f}")


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", " + ", " - ", " % ", " ** "])
    return st.one_of(
        st.tuples(inner, operator, inner).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-({text})"),
        inner.map(lambda text: f"abs({text})"),
        st.tuples(inner, inner).map(lambda both: f"max({both[0]}, {both[1]})"),
        inner.map(lambda text: f"round({text}, 2)"),
    )


EXPRESSION = st.recursive(NUMBER, _combined, max_leaves=8)


@settings(deadline=None, max_examples=300)
@given(EXPRESSION)
def test_an_expression_that_is_valid_python_has_pythons_value(expression: str) -> None:
    result = outcome(expression)
    if result in (calculation.BY_ZERO, calculation.TOO_LARGE, calculation.NOT_REAL, calculation.TOO_LONG):
        return
    expected = eval(expression, {"__builtins__": {}}, {"abs": abs, "max": max, "round": round})
    assert float(result) == pytest.approx(expected, rel=1e-13)
    if isinstance(expected, int):
        assert result == str(expected)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=600) | st.text("0123456789.,;%+-*/^() eE_xabsofmin", max_size=600))
@example("9**9**9")
@example("(" * 400 + "1" + ")" * 400)
@example("-" * 400 + "1")
@example("1" * 500)
@example("2**(2**(2**(2**9)))")
@example("10**300 * 10**300")
@example("max(" * 50)
@example("1e999")
@example("0**-1")
@example("((1e300)**2)%1")
@example("__import__('os').system('true')")
def test_any_text_has_a_result_or_a_fault_with_a_constant_text(expression: str) -> None:
    result = outcome(expression)
    if result not in vars(calculation).values():
        assert math.isfinite(float(result))
        assert len(result) < 320


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("2 * 18", "36"),
        ("0.1 + 0.2", "0.3"),
        ("6 / 2", "3"),
        ("7 // 2 + 7 % 3", "4"),
        ("2 ** 10", "1024"),
        ("-2 ** 2", "-4"),
        ("-(3 - 5)", "2"),
        ("round(2.5) + min(3, 1, 2) + max(4, 5) + abs(-1) + sqrt(16)", "13"),
        ("floor(2.9) + ceil(2.1)", "5"),
        # As people write it
        ("12,5 × 4", "50"),
        ("1.234,50 + 1", "1235.5"),
        ("1,234.50 + 1", "1235.5"),
        ("1,234,567 + 1.234.567", "2469134"),
        ("0,125 · 8", "1"),
        ("max(1,5; 2,5)", "2.5"),
        ("max(1,5)", "5"),
        ("19% of 250", "47.5"),
        ("19 % von 250", "47.5"),
        ("250 * 19 %", "47.5"),
        ("(10 + 5)% * 2", "0.3"),
        ("5% + 3%", "0.08"),
        ("(19 % - 7 %) * 200", "24"),
        ("10 % 3", "1"),
        ("10 % -3", "-2"),
        ("2^10", "1024"),
        ("5² \u2212 3", "22"),
        ("3 x 4", "12"),
        ("10 ÷ 4 =", "2.5"),
        ("007", "7"),
    ],
)
def test_what_is_clear_is_calculated(expression: str, result: str) -> None:
    assert calculate(expression) == result


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("1,234 + 1", calculation.WHICH_NUMBER),
        ("1.234,5,6", calculation.WHICH_NUMBER),
        ("max(1,5, 2,5)", calculation.WHICH_NUMBER),
        ("200 + 10%", calculation.WHICH_PERCENT),
        ("10% - 3", calculation.WHICH_PERCENT),
        ("10% - 3 % 2", calculation.WHICH_PERCENT),
        ("200 + 10% + 5%", calculation.WHICH_PERCENT),
        ("1 / 0", calculation.BY_ZERO),
        ("5 % 0", calculation.BY_ZERO),
        ("0 ** -1", calculation.BY_ZERO),
        ("9**9**9", calculation.TOO_LARGE),
        ("1e999", calculation.TOO_LARGE),
        ("1e308 * 10", calculation.TOO_LARGE),
        ("10**300 * 10**300", calculation.TOO_LARGE),
        ("sqrt(-1)", calculation.NOT_REAL),
        ("(-8) ** (1/3)", calculation.NOT_REAL),
        ("(" * 240 + "1" + ")" * 240, calculation.TOO_LONG),
        ("-" * 60 + "1", calculation.TOO_LONG),
        ("1+" * 300 + "1", calculation.TOO_LONG),
        ("", calculation.UNREADABLE),
        ("two plus two", calculation.UNREADABLE),
        ("2 +* 3", calculation.UNREADABLE),
        ("0x10", calculation.UNREADABLE),
        ("round", calculation.UNREADABLE),
        ("max()", calculation.UNREADABLE),
        ("round(1, 2, 3)", calculation.UNREADABLE),
        ("(1).__class__", calculation.UNREADABLE),
        ("[1, 2]", calculation.UNREADABLE),
        ("1 if 1 else 2", calculation.UNREADABLE),
        ("print(1)", calculation.UNREADABLE),
        ("True + 1", calculation.UNREADABLE),
    ],
)
def test_what_is_not_says_why(expression: str, why: str) -> None:
    with pytest.raises(CalculationFault) as caught:
        calculate(expression)
    assert caught.value.args == (why,)
