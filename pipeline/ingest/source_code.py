"""Reads source code and configuration as they stand; a function, class or table of it is a section.

Definitions are found line by line, by the words that begin them in common languages. A line that is missed costs a
section its name and no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.ingest.blocks import CONTROL
from pipeline.ingest.chunks import Extract, Heading

_MODIFIERS = (
    r"(?:(?:export|default|declare|public|private|protected|internal|static|final|abstract|sealed|partial|virtual|"
    r"override|open|data|async|pub(?:\([\w: ]+\))?|unsafe|const|inline|extern(?: \"\w+\")?|local|suspend|fileprivate|"
    r"mutating|readonly)\s+)*"
)
_KEYWORD = re.compile(
    rf"[ \t]*{_MODIFIERS}(?:def|class|function\*?|fn|fun|func|sub|struct|enum|trait|interface|protocol|extension|"
    r"record|object|module|mod|namespace|defmodule|defp|defn|macro_rules!|proc|message|service|resource|impl(?:<[^>]*>)?)"
    r"\s+(?:\([^)]*\)\s*)?(?P<name>[\w$.:!?]+)"
)
_ARROW = re.compile(
    r"[ \t]*(?:export\s+)?(?:const|let|var)\s+(?P<name>[\w$]+)\s*(?::[^=]+)?=\s*(?:async\s*)?"
    r"(?:function\b|\(?[\w$,\s{}:]*\)?\s*=>)"
)
_SQL = re.compile(
    r"\s*create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+|unique\s+|materialized\s+)?"
    r"(?:table|view|function|procedure|trigger|index|type)\s+(?:if\s+not\s+exists\s+)?(?P<name>[\w.\"`\[\]]+)",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(r"[ \t]*(?P<name>[\w.]+)\s*(?:<-|=)\s*function\b")
_SHELL = re.compile(r"[ \t]*(?P<name>[\w-]+)\s*\(\)\s*\{")
_METHOD = re.compile(
    r"[ \t]*(?:[\w<>\[\],.:?@]+[ \t*&]+)+(?P<name>[~\w$]+(?:::[~\w]+)*)\s*\([^;{}=]*\)[^;{}=()]*\{\s*$"
)
_GO_TYPE = re.compile(r"type\s+(?P<name>\w+)\s+(?:struct|interface)\b")
_INI = re.compile(r"\[+(?P<name>[^\]\[]+)\]+\s*$")
_TEX = re.compile(r"\s*\\(?:chapter|(?:sub)*section)\*?\{(?P<name>[^}]+)\}")
_NO_METHOD = frozenset(
    [
        "if",
        "for",
        "foreach",
        "while",
        "switch",
        "catch",
        "with",
        "using",
        "lock",
        "return",
        "else",
        "elif",
        "do",
        "synchronized",
        "new",
        "throw",
    ]
)
_RULES = (_KEYWORD, _ARROW, _SQL, _ASSIGNED, _SHELL, _GO_TYPE, _METHOD)
_RULES_OF = {"ini": (_INI,), "cfg": (_INI,), "conf": (_INI,), "toml": (_INI,), "tex": (_TEX,)}
_ABOVE = re.compile(
    r"[ \t]*(?:@|#\[|//|/\*|\*|#(?!\s*(?:include|define|if|endif|pragma))|--|;;|\"\"\"|'''|template\s*<)"
)
_LONGEST_LINE = 400  # a longer line is generated code
_LINE_END = re.compile(r"\r\n?")


def code_extract(text: str, name: str) -> Extract:
    """Read a file by its name, whose ending tells which lines begin a section."""
    clean = _LINE_END.sub("\n", text).translate(CONTROL)
    rules = _RULES_OF.get(name.rpartition(".")[2].lower(), _RULES)
    return Extract(clean, tuple(_definitions(clean, rules)), title=name, markdown=False)


def _definitions(text: str, rules: tuple[re.Pattern[str], ...]) -> Iterator[Heading]:
    """Find the definitions; one that is indented belongs to the one above it that is less indented."""
    indents: list[int] = []
    at = above = 0  # above: where the comments and decorators begin that belong to the next definition
    for line in text.split("\n"):
        found = next(filter(None, (rule.match(line) for rule in rules)), None) if len(line) <= _LONGEST_LINE else None
        if found is not None and found["name"] not in _NO_METHOD and line.split(None, 1)[0] not in _NO_METHOD:
            indent = len(line) - len(line.lstrip())
            while indents and indents[-1] >= indent:
                indents.pop()
            indents.append(indent)
            yield Heading(len(indents), found["name"].strip('"`[]:'), above, above)
        at += len(line) + 1
        if found is not None or not _ABOVE.match(line):
            above = at
