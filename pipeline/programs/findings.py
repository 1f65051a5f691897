"""Reads the text of the field `findings` into findings: `- high | text of the finding [2]`. Pure.

Models also write bold or bracketed severities, labels ("Severity: High"), severities behind the text, headings above a
list, lines that belong together, tables, JSON and German words. Invariant: no text is lost. What cannot be read is
returned as it stands, and `[n]` stay in the text of their finding.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import regex

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `text` is Markdown and holds the `[n]` of its passages; `passages` are their numbers."""

    severity: Severity
    text: str
    passages: tuple[int, ...] = ()


# The words that are replaced by the severity, and others that mean one and stay in the text.
_WORDS: dict[Severity, str] = {
    "high": r"high|hoch|hohe[rs]?",
    "medium": r"medium|mittel|mittlere[rs]?",
    "low": r"low|niedrig(?:e[rs]?)?",
}
_OTHER_WORDS: dict[Severity, str] = {
    "high": r"critical|severe|major|kritisch(?:e[rs]?)?|schwer(?:wiegend)?|gravierend",
    "medium": r"moderate|mäßig|mässig",
    "low": r"minor|gering(?:e[rs]?)?|geringfügig|leicht",
}
_SEVERITY = "(?:" + "|".join(f"(?P<{name}>{_WORDS[name]}|{_OTHER_WORDS[name]})" for name in SEVERITIES) + r")\b"
_OF_RISK = r"(?:[ \-](?:severity|risk|priority|risiko|schwere|schweregrad|priorität))?"
_LABEL = (
    r"\b(?:severity(?:[ _]level)?|risk(?:[ _]level)?|priority|level|schweregrad|schwere|risiko(?:stufe)?|priorität|"
    r"einstufung|stufe)\b"
)
_FINDING_LABEL = (
    r"(?:findings?|issue|observation|description|text|statement|befund|feststellung|beschreibung|aussage|problem)"
    r"(?: ?\#?\d{1,3})?"
)
_PASSAGE_LABEL = (
    r"(?:passages?|passage[ _](?:number|id)s?|citations?|sources?|evidence|references?|passagen?|abschnitte?|quellen?|"
    r"belege?|fundstellen?)"
)
_MARKS = r"[*_`\"'“”„\[\]()<>{}\p{So}\ufe0f]"  # what models put around a word
_AROUND = rf"(?:{_MARKS}|\s)*+"
_NUMBER = r"(?:no\.?|nr\.?|n[ro]|\#|id|index)"
_ITEM = regex.compile(r"\s*(?:(?:[-*+•‣▪–—]|\d{1,3}[.)]|\(\d{1,3}\))\s+|>\s*)+")
_HEADING = regex.compile(r"\s*\#{1,6}\s+")
_CITES = regex.compile(r"\[\s*\^?\d{1,3}(?:\s*[,;\-–]\s*\d{1,3})*\s*\]")
_DIGITS = regex.compile(r"\d{1,3}")
_RULE = regex.compile(r"\s*+\|?\s*+:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)*+\|?\s*+")
_FENCE = regex.compile(r"\s*(?:`{3,}|~{3,})\s*\w*\s*")
_FLAGS = regex.IGNORECASE | regex.V0


def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, _FLAGS)


_ALONE = _compiled(rf"{_AROUND}(?P<label>{_LABEL}{_AROUND}[:=]?)?{_AROUND}{_SEVERITY}{_OF_RISK}{_AROUND}[:.]?{_AROUND}")
_FIRST = _compiled(
    rf"{_AROUND}(?:{_LABEL}{_AROUND}[:=]?)?{_AROUND}{_SEVERITY}{_OF_RISK}"
    rf"(?:{_MARKS}*\s*:{_MARKS}*\s*|{_MARKS}*\s*[|·]\s*|{_MARKS}*\s+[\-–—]+\s+|{_MARKS}+[\-–—.,]?\s+)(?P<text>\S.*)"
)
_LABELLED = _compiled(
    rf"(?P<before>.*?)[\s;,|·(\-–—]{{0,8}}+{_MARKS}{{0,8}}+{_LABEL}{_AROUND}[:=]{_AROUND}{_SEVERITY}{_OF_RISK}{_MARKS}*"
    r"[\s;,|·)]*(?P<after>.*)"
)
_LAST = _compiled(
    rf"(?P<before>.*\S)\s{{0,8}}[(\[]\s?{_MARKS}{{0,4}}+{_SEVERITY}{_OF_RISK}[*_`]{{0,4}}\s?[)\]][*_`]{{0,4}}"
    r"(?P<after>[\s.]*+(?:\[[\d,;\s]++\][\s.]*+)*+)"
)
_FINDING_LINE = _compiled(rf"{_AROUND}{_FINDING_LABEL}{_MARKS}*\s*:{_MARKS}*\s*(?P<text>.*)")
_PASSAGE_LINE = _compiled(rf"{_AROUND}{_PASSAGE_LABEL}{_MARKS}*\s*:{_MARKS}*\s*(?P<text>.*)")
_SEVERITY_NAME = _compiled(rf"{_AROUND}{_LABEL}{_AROUND}")
_FINDING_NAME = _compiled(rf"{_AROUND}{_FINDING_LABEL}{_AROUND}")
_PASSAGE_NAME = _compiled(rf"{_AROUND}{_PASSAGE_LABEL}{_AROUND}")
_NUMBERS = _compiled(
    rf"{_AROUND}(?:{_PASSAGE_LABEL}\s*)?{_NUMBER}?{_AROUND}\d{{1,3}}+(?:{_AROUND}[,;&/]?{_AROUND}\b\d{{1,3}}+)*+{_AROUND}"
)
_NUMBER_NAME = _compiled(rf"{_AROUND}{_NUMBER}{_AROUND}")


def read_findings(text: str) -> tuple[Finding | str, ...]:
    """Return the findings of a text that may still grow, in its order, and as a `str` each part that is none."""
    return tuple(_from_json(text) or _Lines().read(text.splitlines()))


# Lines


@dataclass(slots=True)
class _Draft:
    """Lines that may together be a finding."""

    lines: list[str]
    severity: Severity | None = None
    texts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """A heading that gives a severity to the list below it."""

    line: str
    severity: Severity
    kept: Sequence[str] = ()  # its word, where that says more than the severity
    is_used: bool = False


class _Lines:
    """Reads lines one after another."""

    def __init__(self) -> None:
        self._items: list[Finding | str | _Group] = []
        self._draft: _Draft | None = None
        self._group: _Group | None = None

    def read(self, lines: Sequence[str]) -> Iterator[Finding | str]:
        """Return the findings and, joined, the lines between them."""
        at = 0
        while at < len(lines):
            rows = _table_at(lines, at)
            if rows:
                self._flush()
                self._items += _from_table(rows)
            else:
                self._line(lines[at])
            at += len(rows) or 1
        self._flush()
        return _joined(self._items)

    def _line(self, line: str) -> None:
        if not line.strip():
            self._blank(line)
            return
        item = _ITEM.match(line)
        body = line[item.end() :] if item else line
        heading = _HEADING.match(body)
        body = body[heading.end() :] if heading else body
        if found := _ALONE.fullmatch(body):
            self._severity(line, found)
        elif finding := _finding(body):
            self._flush()
            self._items.append(finding)
        elif found := _PASSAGE_LINE.fullmatch(body):
            self._passage(line, found["text"])
        elif found := _FINDING_LINE.fullmatch(body):
            self._text(line, found["text"], begins=True)
        elif heading:
            self._flush()
            self._group = None
            self._items.append(line)
        else:
            self._text(line, body, begins=bool(item) and not line[:1].isspace())

    def _severity(self, line: str, found: regex.Match[str]) -> None:
        severity = _severity_in(found)
        draft = self._draft
        if draft and draft.severity is None and (found["label"] or line[:1].isspace()):
            draft.severity = severity
            draft.lines.append(line)
            draft.texts += _kept(found)
        elif found["label"]:
            self._flush()
            self._draft = _Draft([line], severity, _kept(found))
        else:
            self._flush()
            self._group = _Group(line, severity, _kept(found))
            self._items.append(self._group)

    def _text(self, line: str, text: str, *, begins: bool) -> None:
        draft, last = self._draft, self._items[-1] if self._items else None
        if draft and draft.severity and not draft.texts:
            draft.lines.append(line)
            draft.texts.append(text)
        elif begins and self._group and text.strip():
            self._flush()
            self._group.is_used = True
            self._items.append(_made(self._group.severity, [*self._group.kept, text]))
        elif not begins and draft:
            draft.lines.append(line)
            draft.texts.append(text)
        elif not begins and isinstance(last, Finding) and line[:1].isspace():
            self._items[-1] = _made(last.severity, [last.text, text])
        else:
            self._flush()
            self._draft = _Draft([line], texts=[text])

    def _passage(self, line: str, text: str) -> None:
        last = self._items[-1] if self._items else None
        if self._draft:
            self._draft.lines.append(line)
            self._draft.texts.append(_cited(text))
        elif isinstance(last, Finding):
            self._items[-1] = _made(last.severity, [last.text, _cited(text)])
        else:
            self._text(line, _cited(text), begins=True)

    def _blank(self, line: str) -> None:
        if self._draft and self._draft.severity and self._draft.texts:
            self._flush()
        elif self._draft:
            self._draft.lines.append(line)
        else:
            self._items.append(line)

    def _flush(self) -> None:
        draft, self._draft = self._draft, None
        if draft and draft.severity and any(each.strip() for each in draft.texts):
            self._items.append(_made(draft.severity, draft.texts))
        elif draft:
            self._items += draft.lines


def _joined(items: Iterable[Finding | str | _Group]) -> Iterator[Finding | str]:
    """Yield the findings, and the lines between two of them as one text."""
    lines: list[str] = []
    for item in items:
        if isinstance(item, _Group):
            lines += [] if item.is_used else [item.line]
        elif isinstance(item, str):
            lines.append(item)
        else:
            yield from _block(lines)
            lines = []
            yield item
    yield from _block(lines)


def _block(lines: Sequence[str]) -> list[str]:
    text = "\n".join(lines).strip("\n")
    return [text] if text.strip() else []


def _finding(line: str) -> Finding | None:
    """Read a line that is a whole finding."""
    cells = [cell.strip() for cell in regex.split(r"(?<!\\)\|", line.strip().strip("|"))]
    if len(cells) > 1 and (finding := _from_cells(cells)):
        return finding
    if found := _FIRST.fullmatch(line):
        return _made(_severity_in(found), [*_kept(found), _unlabelled(found["text"])])
    for pattern in (_LABELLED, _LAST):
        found = pattern.fullmatch(line)
        if found and (text := _around(found["before"], found["after"])):
            return _made(_severity_in(found), [*_kept(found), text])
    return None


def _around(before: str, after: str) -> str:
    """Join what stands before and behind a severity."""
    before, after = _unlabelled(before).strip(), _unlabelled(after).strip()
    if after[:1] in tuple(":.,;") and after:
        after = after[1:].lstrip() if before[-1:] in ("", *":.,;!?") else after
        return before + after if after[:1] in tuple(":.,;") else f"{before} {after}".strip()
    return f"{before} {after}".strip()


def _from_cells(cells: Sequence[str], names: Sequence[str] = ()) -> Finding | None:
    """Make a finding of the cells of a row, one of which is its severity."""
    found = [(at, match) for at, cell in enumerate(cells) if (match := _ALONE.fullmatch(cell))]
    if not found:
        return None
    place, match = found[0]
    texts = [*_kept(match)]
    for at, cell in enumerate(cells):
        name = names[at] if at < len(names) else ""
        if at == place or not cell or (_NUMBER_NAME.fullmatch(name) and cell.strip(". ").isdigit()):
            continue
        is_passage = bool(_PASSAGE_NAME.fullmatch(name)) or (not name and at > 0 and bool(_NUMBERS.fullmatch(cell)))
        is_plain = not name or bool(_FINDING_NAME.fullmatch(name)) or is_passage
        texts.append(_cited(cell) if is_passage else _unlabelled(cell) if is_plain else f"{name.strip('* ')}: {cell}")
    return _made(_severity_in(match), texts) if any(text.strip() for text in texts) else None


def _made(severity: Severity, texts: Iterable[str]) -> Finding:
    text = " ".join(part for each in texts if (part := each.strip()))
    numbers = dict.fromkeys(int(digits) for cite in _CITES.findall(text) for digits in _DIGITS.findall(cite))
    return Finding(severity, text, tuple(numbers))


def _cited(text: str) -> str:
    """Write the numbers of a text that holds nothing else as `[n]`."""
    if not _NUMBERS.fullmatch(text):
        return text
    return "".join(f"[{number}]" for number in _DIGITS.findall(text))


def _unlabelled(text: str) -> str:
    found = _FINDING_LINE.fullmatch(text)
    return found["text"] if found and found["text"].strip() else text


def _severity_in(found: regex.Match[str]) -> Severity:
    return next(name for name in SEVERITIES if found[name] is not None)


def _kept(found: regex.Match[str]) -> list[str]:
    """Return the word for the severity where it says more than that."""
    severity = _severity_in(found)
    return [] if _compiled(_WORDS[severity]).fullmatch(found[severity]) else [f"{found[severity]}:"]


# Tables


def _table_at(lines: Sequence[str], start: int) -> Sequence[str]:
    """Return the lines of a table that begins at a line, none where none does."""
    head, rule = lines[start], lines[start + 1] if start + 1 < len(lines) else ""
    if "|" not in head or "|" not in rule or not _RULE.fullmatch(rule):
        return ()
    end = next((at for at in range(start, len(lines)) if "|" not in lines[at]), len(lines))
    return lines[start:end]


def _from_table(lines: Sequence[str]) -> list[Finding | str | _Group]:
    head, _, *rows = lines
    names = _cells(head)
    found = [_from_cells(_cells(row), names) for row in rows]
    if not any(found):
        return list(lines)
    is_known = any(_SEVERITY_NAME.fullmatch(name) for name in names)
    before = [] if is_known else [head]
    return [*before, *(finding or row for finding, row in zip(found, rows, strict=True))]


def _cells(row: str) -> list[str]:
    body = row.strip().removeprefix("|")
    body = body.removesuffix("|") if not body.endswith("\\|") else body
    return [cell.strip() for cell in regex.split(r"(?<!\\)\|", body)]


# JSON


def _from_json(text: str) -> list[Finding | str]:
    """Read a list of objects, also one that is not complete; () for any other text."""
    body = "\n".join(line for line in text.splitlines() if not _FENCE.fullmatch(line)).strip()
    if not regex.match(r"\[\s*\{|\{\s*\"", body):
        return []
    items: list[Finding | str] = []
    at = len(body) - len(body.lstrip("[ \n\t"))
    decoder = json.JSONDecoder()
    while at < len(body):
        try:
            value, end = decoder.raw_decode(body, at)
        except ValueError:
            break
        items.append(_from_object(value) or body[at:end])
        at = end + len(body[end:]) - len(body[end:].lstrip(", \n\t"))
    rest = body[at:].strip("] \n\t")
    return [*items, *([rest] if rest else [])] if any(isinstance(each, Finding) for each in items) else []


def _from_object(value: Any) -> Finding | None:
    if not isinstance(value, dict):
        return None
    names = [regex.sub(r"[_\s]+", " ", str(name)) for name in value]
    return _from_cells([_written(each) for each in value.values()], names)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
