"""Findings as models write them: each is read, and no text is lost."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.programs.findings import Finding, read_findings

HIGH, LOW = Finding("high", "The date is missing [2]", (2,)), Finding("low", "A name is short [1][3]", (1, 3))
SAID = HIGH.text, LOW.text


@pytest.mark.parametrize(
    "text",
    [
        f"- high | {SAID[0]}\n- low | {SAID[1]}",
        f"- high|{SAID[0]}\n- low|{SAID[1]}",
        f"* **High** | {SAID[0]}\n* **Low** | {SAID[1]}",
        f"**High:** {SAID[0]}\n\n**Low:** {SAID[1]}",
        f"1. [HIGH] {SAID[0]}\n2. [LOW] {SAID[1]}",
        f"1) High – {SAID[0]}\n2) Low – {SAID[1]}",
        f"- **Severity: High** | {SAID[0]}\n- **Severity: Low** | {SAID[1]}",
        f"- Severity: high; Finding: {SAID[0]}\n- Severity: low; Finding: {SAID[1]}",
        f"🔴 HIGH: {SAID[0]}\n🟢 LOW: {SAID[1]}",
        f"- hoch | {SAID[0]}\n- niedrig | {SAID[1]}",
        f"- Schweregrad: hoch – {SAID[0]}\n- Schweregrad: niedrig – {SAID[1]}",
        f"- {SAID[0]} | high\n- {SAID[1]} | low",
        "- The date is missing (high) [2]\n- A name is short (Severity: Low) [1][3]",
        f"### High\n- {SAID[0]}\n\n### Low severity\n- {SAID[1]}",
        f"**Hoch**: {SAID[0]}\n\n**Niedrig:** {SAID[1]}",
        f"Severity: High\nFinding: {SAID[0]}\n\nSeverity: Low\nFinding: {SAID[1]}",
        "1. Finding: The date is missing\n   Severity: High\n   Passage: 2\n"
        "2. Finding: A name is short\n   Severity: Low\n   Passages: 1, 3",
        f"| Severity | Finding |\n|---|---|\n| High | {SAID[0]} |\n| **low** | {SAID[1]} |",
        "| # | Befund | Schweregrad | Passage |\n|:-|-|-|-:|\n| 1 | The date is missing | hoch | 2 |\n"
        "| 2 | A name is short | niedrig | [1][3] |",
        '[{"severity": "high", "finding": "The date is missing", "passage": 2},\n'
        ' {"severity": "low", "text": "A name is short", "passages": [1, 3]}]',
        '```json\n{"finding": "The date is missing [2]", "severity": "High"}\n'
        '{"finding": "A name is short [1][3]", "severity": "low"}\n```',
    ],
)
def test_findings_are_read_in_whatever_form_they_are_written(text: str) -> None:
    assert read_findings(text) == (HIGH, LOW)


@pytest.mark.parametrize(
    "text", ["", "\n", "No findings.", "- High temperatures spoil tea.", "### High", "| a | b |\n|---|---|\n| c | d |"]
)
def test_what_is_no_finding_stays_as_it_is(text: str) -> None:
    assert "".join(map(str, read_findings(text))) == text.strip()


def test_text_between_findings_stays_where_it_is() -> None:
    text = f"These were found:\n\n- high | {SAID[0]}\n\nNothing more.\nTruly."
    assert read_findings(text) == ("These were found:", HIGH, "Nothing more.\nTruly.")


def test_a_finding_goes_on_in_the_lines_indented_below_it() -> None:
    assert read_findings("- high | The date\n  is missing [2]") == (HIGH,)


def test_a_word_that_says_more_than_its_severity_and_other_columns_stay_in_the_text() -> None:
    table = "| Severity | Finding | Remedy |\n|---|---|---|\n| Critical | No date | Add one |"
    assert read_findings(table) == (Finding("high", "Critical: No date Remedy: Add one"),)


def test_a_heading_that_says_more_than_a_severity_stays_with_its_findings() -> None:
    assert read_findings("### Critical\n- No date [1]\n- ") == (Finding("high", "Critical: No date [1]", (1,)), "- ")


def test_json_that_is_still_being_written_shows_what_is_whole() -> None:
    text = '[{"severity": "high", "finding": "The date is missing", "passage": 2}, {"severity": "lo'
    assert read_findings(text) == (HIGH, '{"severity": "lo')


@pytest.mark.parametrize(
    "part", ["(", "-", "|", "1", " ", "*", "- ", "[1]", "severity ", "high ", "(high ", "\\|", "> "]
)
def test_a_long_line_is_read_in_a_time_that_grows_with_it(part: str) -> None:
    for line in (part * 3_000, f"| {part * 3_000} |", f"a|b\n{part * 3_000}x"):
        read_findings(line)


@pytest.mark.parametrize("line", ["|", "- high | a"])
def test_many_lines_are_read_in_a_time_that_grows_with_them(line: str) -> None:
    assert steps_to_read([line] * 600) < 6 * steps_to_read([line] * 150)


def steps_to_read(lines: Sequence[str]) -> int:
    """Return how many lines of code run while these lines are read."""
    taken = 0

    def count(*_: object) -> Any:
        nonlocal taken
        taken += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        read_findings("\n".join(lines))
    finally:
        sys.settrace(before)
    return taken


WORD = re.compile(r"\w+")
PARTS = ["high", "Low", "mittel", "severity", "|", ":", "- ", "1. ", "**", "[2]", "\n", "\n\n", " ", "(", ")", "# "]
PARTS += ["passage", "finding", "|-|-|\n", "[{", '"', "}", "alpha", "beta", "gamma", "  ", ";", "```", "critical"]
# Words that become part of a finding's structure; all others have to be there afterwards.
STRUCTURE = {"high", "low", "mittel", "severity", "finding", "passage", "1", "2"}


@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
def test_no_text_is_lost(text: str) -> None:
    kept = " ".join(each if isinstance(each, str) else each.text for each in read_findings(text))
    assert words(kept) == words(text)


def words(text: str) -> list[str]:
    return sorted(word for word in WORD.findall(text.casefold()) if word not in STRUCTURE)
