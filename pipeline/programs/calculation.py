"""Calculates an arithmetic expression by parsing it; nothing is ever evaluated as code. Pure.

An expression that is valid Python has Python's meaning. Beyond that, numbers, percents and signs are read as people
write them where only one reading makes sense: `12,5 × 4`, `1.234,50 + 1`, `19 % of 250`, `2^10`. Length, depth and size
of all results are limited, so that a calculation takes less than a millisecond or so.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

MOST_CHARS, MOST_DEPTH, MOST_TOKENS = 500, 40, 200
MOST_BITS = 1024  # of an integer: some 300 digits
SHOWN_DIGITS = 15  # significant ones of a result that is no integer: 0.1 + 0.2 is 0.3

UNREADABLE = (
    "This cannot be calculated. Write numbers with + - * / // % ** and parentheses; the functions are abs, ceil, floor,"
    " max, min, round and sqrt."
)
TOO_LONG = f"This is too long or too deeply nested. Calculate it in parts of at most {MOST_CHARS} characters."
TOO_LARGE = "The result is too large to be calculated."
BY_ZERO = "This divides by zero."
NOT_REAL = "This has no real number as its result."
WHICH_NUMBER = "It is not clear which number is meant, since a comma may separate thousands or decimals. Write 1234.5."
WHICH_PERCENT = "It is not clear what % means here. Write 10 % of 200 as 0.1 * 200, and 200 plus 10 % as 200 * 1.1."

Number = int | float

# How people and models write signs, besides Python's own.
_MINUS, _TIMES, _DIVIDED = "\u2212\u2013\ufe63\uff0d", "\u00d7\u00b7\u2219\u22c5\u2715", "\u00f7\u2236"
_SIGNS = str.maketrans(
    dict.fromkeys(_MINUS, "-") | dict.fromkeys(_TIMES, "*") | dict.fromkeys(_DIVIDED, "/") | {"²": "**2", "³": "**3"}
)
_PLAIN = r"(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_WRITTEN = r"(?:\d+(?:[.,_]\d+)*\.?|\.\d+)(?:[eE][+-]?\d+)?"
_REST = r"(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|//|[-+*/%^(),;])"
_TOKEN = re.compile(rf"\s*(?:(?P<number>{_WRITTEN})|{_REST})")
_TOKEN_IN_CALL = re.compile(rf"\s*(?:(?P<number>{_PLAIN})|{_REST})")  # where commas separate arguments
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")
_CROSS = re.compile(r"(?<=[\d)])(?<!\b0)\s*[xX]\s*(?=[\d(.])")  # "3 x 4", but not 0x10
_OF = frozenset({"of", "von"})


class CalculationFault(Exception):
    """An expression that cannot be calculated; its only argument says why, for the model."""


def calculate(expression: str) -> str:
    """Return the result as text: an integer in full, anything else with SHOWN_DIGITS. Raises CalculationFault."""
    return _shown(_value(_parsed(expression), 0))


def _shown(value: Number) -> str:
    return str(value) if isinstance(value, int) else f"{value:.{SHOWN_DIGITS}g}"


# Reading


def _parsed(expression: str) -> ast.expr:
    if len(expression) > MOST_CHARS:
        raise CalculationFault(TOO_LONG)
    text = _CROSS.sub("*", expression.translate(_SIGNS)).strip().rstrip("=? ")
    tokens = _tokens(text)
    if len(tokens) > MOST_TOKENS:
        raise CalculationFault(TOO_LONG)
    try:
        return ast.parse(" ".join(tokens), mode="eval").body
    except (SyntaxError, ValueError):
        raise CalculationFault(UNREADABLE) from None
    except (RecursionError, MemoryError):
        raise CalculationFault(TOO_LONG) from None


def _tokens(text: str) -> list[str]:
    """Return the tokens of an expression as Python writes them."""
    tokens: list[str] = []
    in_calls: list[bool] = []  # for each open parenthesis: whether commas in it separate arguments
    at = 0
    while at < len(text):
        match = (_TOKEN_IN_CALL if in_calls and in_calls[-1] else _TOKEN).match(text, at)
        if match is None:
            raise CalculationFault(UNREADABLE)
        token, at = match[0].strip(), match.end()
        if token == "(":
            is_call = bool(tokens) and tokens[-1] in FUNCTIONS
            in_calls.append(is_call and _separates_by_comma(text, at))
        elif token == ")" and in_calls:
            in_calls.pop()
        if token == "%":
            at = _take_percent(tokens, text, at)
        else:
            tokens.append(_as_python(token, is_number=match["number"] is not None))
    return tokens


def _as_python(token: str, *, is_number: bool) -> str:
    if is_number:
        return _number(token)
    return {"^": "**", ";": ","}.get(token, token)


def _separates_by_comma(text: str, start: int) -> bool:
    """Whether commas separate the arguments of the call that begins at `start`; a semicolon does so where it stands.

    Raises CalculationFault where some commas seem to be decimal ones: `max(1,5, 2,5)`.
    """
    depth, inside = 1, ""
    for sign in text[start:]:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            break
        inside += sign if depth == 1 else " "
    if ";" in inside:
        return False
    if re.search(r"\d,\d", inside) and re.search(r",\s", inside):
        raise CalculationFault(WHICH_NUMBER)
    return True


def _number(written: str) -> str:
    """Return a number as Python writes it. Raises CalculationFault where it may mean two things."""
    mantissa, exponent = re.fullmatch(r"([^eE]*)(.*)", written, re.DOTALL).groups()  # type: ignore[union-attr]
    commas, dots = mantissa.count(","), mantissa.count(".")
    whole = mantissa.replace("_", "")
    if commas and dots:
        decimal = max(",", ".", key=mantissa.rfind)
        groups, _, rest = whole.rpartition(decimal)
        if not _GROUPED.fullmatch(groups):
            raise CalculationFault(WHICH_NUMBER)
        whole = f"{re.sub('[.,]', '', groups)}.{rest}"
    elif commas > 1 or dots > 1:
        if not _GROUPED.fullmatch(whole):
            raise CalculationFault(WHICH_NUMBER)
        whole = re.sub("[.,]", "", whole)
    elif commas:
        if _GROUPED.fullmatch(whole):
            raise CalculationFault(WHICH_NUMBER)
        whole = whole.replace(",", ".")
    return (whole.lstrip("0") or "0" if whole.isdigit() else whole) + exponent


def _take_percent(tokens: list[str], text: str, end: int) -> int:
    """Read the percent sign before text[end]: as Python's remainder before an operand, else as a percentage.

    Returns the place after it. Raises CalculationFault where both are likely.
    """
    after = text[end:].lstrip()
    if re.match(r"[\d.(]|[^\W\d]", after) and not _is_of(after):
        tokens.append("%")
        return end
    is_summed = re.match(rf"[+-]\s+{_WRITTEN}\s*%(?!\s*[\d(.])", after)  # `5% + 3%`
    if re.match(r"[+-]", after) and not is_summed:
        if re.match(r"[+-]\s", after):  # `10% - 3`
            raise CalculationFault(WHICH_PERCENT)
        tokens.append("%")
        return end
    begins = _operand(tokens)
    is_added = begins > 1 and tokens[begins - 1] in ("+", "-") and tokens[begins - 2] not in ("(", ",", *_BINARY)
    is_added = is_added and tokens[begins - 4 : begins - 1] != ["/", "100", ")"]  # `5% + 3%`
    if is_added and not (_is_of(after) or re.match(r"[*/]", after)):  # `200 + 10%`
        raise CalculationFault(WHICH_PERCENT)
    tokens[begins:] = ["(", *tokens[begins:], "/", "100", ")"]
    if _is_of(after):
        tokens.append("*")
        return end + len(text[end:]) - len(after) + re.match(r"\w+", after).end()  # type: ignore[union-attr]
    return end


def _is_of(text: str) -> bool:
    word = re.match(r"\w+", text)
    return word is not None and word[0].casefold() in _OF


def _operand(tokens: list[str]) -> int:
    """Return the place where the last operand begins. Raises CalculationFault where there is none."""
    if tokens and tokens[-1] != ")":
        if re.match(r"[\d.]", tokens[-1]):
            return len(tokens) - 1
        raise CalculationFault(UNREADABLE)
    depth = 0
    for at in range(len(tokens) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[at], 0)
        if depth == 0:
            return at - (at > 0 and tokens[at - 1] in FUNCTIONS)
    raise CalculationFault(UNREADABLE)


# Calculating


def _value(node: ast.expr, depth: int) -> Number:
    if depth > MOST_DEPTH:
        raise CalculationFault(TOO_LONG)
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _bounded(value)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=operand):
            value = _value(operand, depth + 1)
            return value if isinstance(sign, ast.UAdd) else -value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _applied(_OPERATORS[type(op)], _value(left, depth + 1), _value(right, depth + 1))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return _applied(FUNCTIONS[name], *(_value(each, depth + 1) for each in args))
    raise CalculationFault(UNREADABLE)


def _applied(function: Callable[..., Number], *values: Number) -> Number:
    """Return the result of one operation, bounded."""
    try:
        return _bounded(function(*values))
    except ZeroDivisionError:
        raise CalculationFault(BY_ZERO) from None
    except OverflowError:
        raise CalculationFault(TOO_LARGE) from None
    except ValueError:
        raise CalculationFault(NOT_REAL) from None
    except TypeError:
        raise CalculationFault(UNREADABLE) from None


def _bounded(value: Number) -> Number:
    if isinstance(value, complex):
        raise CalculationFault(NOT_REAL)
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise CalculationFault(TOO_LARGE)
    elif not math.isfinite(value):
        raise CalculationFault(TOO_LARGE)
    return value


def _power(base: Number, exponent: Number) -> Number:
    """Return base ** exponent; raises OverflowError before an integer grows beyond MOST_BITS."""
    is_whole = isinstance(base, int) and isinstance(exponent, int)
    if is_whole and abs(exponent) * (int(abs(base)).bit_length() - 1) > MOST_BITS:
        raise OverflowError
    result: Number = base**exponent
    return result


def _rounded(value: Number, digits: Number = 0) -> Number:
    if not isinstance(digits, int):
        raise TypeError
    if abs(digits) > MOST_BITS:
        raise OverflowError
    return round(value, digits) if digits else round(value)


def _least(first: Number, *others: Number) -> Number:
    return min((first, *others))


def _most(first: Number, *others: Number) -> Number:
    return max((first, *others))


_OPERATORS: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod,
        ast.Pow: _power,
    }
)
_BINARY = frozenset({"+", "-", "*", "/", "//", "%", "**"})
FUNCTIONS: Mapping[str, Callable[..., Number]] = MappingProxyType(
    {
        "abs": abs,
        "ceil": math.ceil,
        "floor": math.floor,
        "max": _most,
        "min": _least,
        "round": _rounded,
        "sqrt": math.sqrt,
    }
)
