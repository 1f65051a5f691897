"""TeX → MathML that a browser sets by itself, or nothing where it cannot be set.

A library translates; what it says reaches the page only when every element, attribute and value of it is on the lists
below, written out again and escaped here.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from html import escape, unescape
from xml.parsers import expat

from math_core import LatexError, LatexToMathML

# The library descends once per nested group, and the limit of characters bounds those. It needs 8 MB for the deepest;
# a thread of a server may have half a megabyte, and what runs out of its stack takes the whole process with it.
TEX_CHARS = 2_000
STACK_BYTES = 64 * 1024 * 1024
MATHML_CHARS = 40_000
DEPTH = 40  # of elements within each other; a browser lays out each level several times

# What models write although it is no mathematics of TeX itself.
_MACROS = {
    # A colour would be of no use in the dark.
    "colorbox": r"\text{#2}",
    "textcolor": "#2",
    "celsius": r"{}^{\circ}\mathrm{C}",
    "ce": r"\mathrm{#1}",
    "euro": r"\text{€}",
    "large": "",
    "Large": "",
    "small": "",
    "smash": "#1",
    "textnormal": r"\text{#1}",
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(align|alignat|split|gather|multline|equation)\*?\}(?:(?<=\})\{\d\})?")
_INNER = {"align": "aligned", "alignat": "aligned", "split": "aligned", "gather": "gathered", "multline": "gathered"}
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;)[A-Za-z]+;")  # HTML has names that XML has not
_LABEL = re.compile(r"\\(?:label\{[^{}]*\}|nonumber\b|notag\b)")
_TAG = re.compile(r"\\tag\*?\{([^{}]*)\}")

_LENGTH = r"-?\d{0,2}(?:\.\d{1,10})?(?:r?em|ex|px|pt|%)?"
_VALUES = {
    **dict.fromkeys(
        (
            "accent",
            "accentunder",
            "displaystyle",
            "fence",
            "largeop",
            "movablelimits",
            "separator",
            "stretchy",
            "symmetric",
        ),
        re.compile("true|false"),
    ),
    **dict.fromkeys(
        ("depth", "height", "linethickness", "lspace", "maxsize", "minsize", "rspace", "voffset", "width"),
        re.compile(_LENGTH),
    ),
    "display": re.compile("block|inline"),
    "form": re.compile("prefix|infix|postfix"),
    "mathvariant": re.compile("normal"),
    "notation": re.compile(r"[a-z]{1,24}(?: [a-z]{1,24}){0,3}"),
    "scriptlevel": re.compile(r"[+-]?\d"),
    "style": re.compile(
        rf"(?:(?:text-align|justify-items):\s?[a-z]+;?|(?:width|(?:padding|margin)-(?:left|right|top|bottom)):\s?{_LENGTH};?"
        r"|border-(?:top|bottom|left|right):\s?0?\.\d+em (?:solid|dashed) currentcolor;?|\s)*"
    ),
}
_DROPPED = {
    "class": re.compile(r"[\w -]*"),
    "style": re.compile(r"(?:background-)?color:#[0-9A-F]{6};"),
}  # of no use in the dark
# fmt: off
_ELEMENTS = frozenset({
    "b", "em", "i", "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom",
    "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd",
    "mtext", "mtr", "munder", "munderover",
})
# fmt: on


@lru_cache(maxsize=512)
def mathml(tex: str, *, is_display: bool) -> str | None:
    """The formula as a `math` element, or None."""
    if len(tex) > TEX_CHARS:
        return None
    try:
        written = _worker().submit(_library().convert_with_local_state, _plainer(tex), displaystyle=is_display).result()
        return _Listed(tex).of(written) if len(written) <= MATHML_CHARS else None
    except (LatexError, UnicodeEncodeError, expat.ExpatError, _NotListed):
        return None
    except RuntimeError:  # no thread can be started, or the process is at its end
        return None


class _NotListed(Exception):
    """Something that is not on the lists."""


class _Listed:
    """Writes out what is on the lists, and stops at anything else."""

    def __init__(self, tex: str) -> None:
        self._tex = tex
        self._out: list[str] = []
        self._depth = 0

    def of(self, xml: str) -> str:
        if "<!" in xml or "<?" in xml or not xml.startswith("<math"):
            raise _NotListed
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = lambda text: self._out.append(escape(text))
        parser.Parse(_ENTITY.sub(lambda match: unescape(match[0]), xml), True)
        return "".join(self._out)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if name not in _ELEMENTS or (name == "math") != (self._depth == 1) or self._depth > DEPTH:
            raise _NotListed
        kept = {key: value for key, value in attributes.items() if not _is_dropped(key, value)}
        if name == "math":
            kept["alttext"] = self._tex
        elif any(key not in _VALUES or not _VALUES[key].fullmatch(value) for key, value in kept.items()):
            raise _NotListed
        written = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
        self._out.append(f"<{name}{written}>")

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._out.append(f"</{name}>")


def _is_dropped(key: str, value: str) -> bool:
    return key in _DROPPED and bool(_DROPPED[key].fullmatch(value))


def _plainer(tex: str) -> str:
    """Without numbers of equations, which would stand in an answer as if they cited something."""

    def inner(match: re.Match[str]) -> str:
        return f"\\{match[1]}{{{_INNER[match[2]]}}}" if match[2] in _INNER else ""

    return _ENVIRONMENT.sub(inner, _TAG.sub(r"\\qquad\\text{(\1)}", _LABEL.sub("", tex)))


@cache
def _library() -> LatexToMathML:
    return LatexToMathML(macros=_MACROS, fancy_error=False, max_expansions=50)


@cache
def _worker() -> ThreadPoolExecutor:
    worker = ThreadPoolExecutor(1, "mathml")
    before = threading.stack_size(STACK_BYTES)
    try:
        worker.submit(_library).result()
    finally:
        threading.stack_size(before)
    return worker
