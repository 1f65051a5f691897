"""Artifacts are found as soon as they are complete, and every chunking of a text gives the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.artifacts.files import artifacts_of, content_of
from pipeline.artifacts.finder import ArtifactFinder
from pipeline.artifacts.scanning import PARSED_TIMES, FieldScanner
from pipeline.events import ArtifactFound, Event, FieldDelta, FieldReset, TurnStopped
from pipeline.markdown import blocks

ENDING = TurnStopped(partial={}, saved=True)
TABLE = "| Method | Grind |\n|:--|--:|\n| A \\| b | **1** |\n| C | 2 |\n"
POLICY = "# Travel policy\n\n## Scope\n\n" + "All trips. " * 40 + "\n\n## Cost\n\n" + "We pay. " * 40


def found(*texts: str, field: str = "answer") -> list[ArtifactFound]:
    finder = ArtifactFinder()
    events: list[Event] = [*(FieldDelta(field=field, text=text) for text in texts), ENDING]
    return [each for event in events for each in finder.derive(event)]


def said(text: str) -> list[tuple[str, str, str, str]]:
    return [(each.type, each.language, each.title, text[each.start : each.end]) for each in found(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```python\n# app.py\nx = 1\n```\n", ("code", "python", "app.py", "```python\n# app.py\nx = 1\n```")),
        ("~~~\nplain\n~~~", ("code", "", "plain", "~~~\nplain\n~~~")),
        ("```sql\nCREATE TABLE beans (id int);\n", ("code", "sql", "beans", "```sql\nCREATE TABLE beans (id int);")),
        ('```js title="a/main.js"\nx\n```', ("code", "js", "main.js", '```js title="a/main.js"\nx\n```')),
        ("## Set-up\n\n```sh\nls\n```", ("code", "sh", "Set-up", "```sh\nls\n```")),
        ("````md\n# A *b*\n```\nx\n```\n````", ("document", "markdown", "A b", "````md\n# A *b*\n```\nx\n```\n````")),
        ("- a\n  ```py\n  def f(): ...\n  ```\n", ("code", "py", "f", "```py\n  def f(): ...\n  ```")),
        ("> ```\n> a\n> ```\n", ("code", "", "a", "```\n> a\n> ```")),
        (TABLE, ("table", "", "Method, Grind", TABLE.rstrip())),
        (f"**Grind sizes**\n\n{TABLE}", ("table", "", "Grind sizes", TABLE.rstrip())),
        ("1. x\n\n   | a | b |\n   |---|---|\n", ("table", "", "a, b", "| a | b |\n   |---|---|")),
        ("a\n\n$$\nE = mc^2\n$$\n", ("formula", "latex", "E = mc^2", "$$\nE = mc^2\n$$")),
        ("$$\na \\, b \\quad c\n$$\n", ("formula", "latex", "a b c", "$$\na \\, b \\quad c\n$$")),
        ("\\[ x^2 \\]", ("formula", "latex", "x^2", "\\[ x^2 \\]")),
        ("so $$x^2$$ holds, not `$$y$$`.\n", ("formula", "latex", "x^2", "$$x^2$$")),
        ("```math\nx^2\n```", ("formula", "latex", "x^2", "```math\nx^2\n```")),
        (f"Here it is:\n\n{POLICY}", ("document", "markdown", "Travel policy", POLICY)),
        (f"{POLICY}\n\n---\nShall I go on?", ("document", "markdown", "Travel policy", f"{POLICY}\n\n")),
        (
            f"Dear Ms Lee,\n\n{'Thank you. ' * 30}\n\nKind regards,\nA.",
            ("document", "markdown", "Dear Ms Lee,", f"Dear Ms Lee,\n\n{'Thank you. ' * 30}\n\nKind regards,\nA."),
        ),
    ],
)
def test_an_artifact_is_found_with_its_type_language_title_and_place(
    text: str, expected: tuple[str, str, str, str]
) -> None:
    assert said(text) == [expected]


def test_a_sign_of_a_quote_in_indented_code_is_code() -> None:
    text = "  ```diff\n> a\n  > b\n  ```\n> > ```\n> > > c\n> > ```\n"
    first, second = found(text)
    assert (content_of(first, text), content_of(second, text)) == ("> a\n> b\n", "> c\n")


@pytest.mark.parametrize(
    "text",
    [
        "plain `code` and $5 | 3",
        "    indented = code\n",
        "```\n\n```\n",
        "| no | table |\n",
        "# Short\n\n## a\n\n## b\n",
        "",
    ],
)
def test_what_is_no_artifact_is_not_found(text: str) -> None:
    assert said(text) == []


def test_a_block_is_found_with_the_line_that_completes_it() -> None:
    scanner = FieldScanner()
    assert scanner.add("```py\nx = 1\n``") == []
    assert [each.type for each in scanner.add("`\n")] == ["code"]
    assert scanner.add(TABLE) == []
    assert [each.type for each in scanner.add("\n")] == ["table"]
    assert [each.type for each in scanner.add("- a\n  ```\n  b\n  ```\n")] == ["code"]


def test_a_reset_withdraws_the_artifacts_of_its_field_and_indices_go_on() -> None:
    finder, code = ArtifactFinder(), "```\na\n```\n"
    events: list[Event] = []
    for event in (
        FieldDelta(field="answer", text=code),
        FieldDelta(field="summary", text=code),
        FieldReset(field="answer"),
        FieldDelta(field="answer", text=f"new\n{code}"),
        ENDING,
    ):
        events += [event, *finder.derive(event)]
    assert [(each.index, each.field, each.start) for each in artifacts_of(events)] == [
        (1, "summary", 0),
        (2, "answer", 4),
    ]


def test_what_a_model_writes_for_itself_is_not_searched() -> None:
    assert found("```\na\n```\n", field="reasoning") == []


BLOCKS = (
    "```",
    "~~~",
    "````md\n",
    "| a | b |\n",
    "|---|---|\n",
    "$$",
    "\\[",
    "\\]",
    "# T\n",
    "---\n",
    "Dear A,\n",
    "Regards,\n",
)
PARTS = ("\n", "\n\n", "\r\n", "\r", "- ", "  ", "1. ", "> ", "py", " a", "x^2", "`", "\0", "|", "\t")
PIECES = st.sampled_from([*BLOCKS, *PARTS, "\n"])
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@given(TEXTS, st.lists(st.integers(0, 120), max_size=20))
def test_every_chunking_gives_the_same_artifacts(text: str, cuts: Sequence[int]) -> None:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[first:last] for first, last in pairwise(places)]
    assert found(*pieces) == found(text) == found(*text)


@given(TEXTS)
def test_what_is_found_is_what_is_shown(text: str) -> None:
    """Every fence and table of the whole text is found once, in its order, and holds what the block holds."""
    shown = [token for token in blocks.structure(blocks.clean(text)) if token.type in ("fence", "table_open")]
    shown = [token for token in shown if token.type == "table_open" or token.content.strip()]
    artifacts = [
        each
        for each in found(text)
        if each.type != "formula" and not (each.type == "document" and is_whole(each, text))
    ]
    assert len(artifacts) == len(shown)
    for artifact, token in zip(artifacts, shown, strict=True):
        assert (artifact.type == "table") == (token.type == "table_open")
        slice_of = text[artifact.start : artifact.end]
        assert slice_of.startswith(token.markup)
        assert not slice_of.endswith(("\n", "\r"))
        if token.type == "fence" and "\t" not in text:
            assert content_of(artifact, text).strip() == token.content.strip()


def is_whole(artifact: ArtifactFound, text: str) -> bool:
    """Whether it is a document that no fence holds."""
    return artifact.type == "document" and text[artifact.start] not in "`~"


def test_finding_costs_no_more_than_the_text_is_long() -> None:
    """A list of thousands of items is one block: it is parsed as often as PARSED_TIMES allows."""
    parsed = 0
    scanner = FieldScanner()
    text = "- a\n\n  ```\n  b\n  ```\n" * 2_000
    for line in text.splitlines(keepends=True):
        before = scanner._credit
        scanner.add(line)
        parsed += before + PARSED_TIMES * len(line) - scanner._credit
    assert parsed <= PARSED_TIMES * len(text)
    assert len(scanner.end()) < 2_000  # most were found before


def test_no_artifact_is_found_twice() -> None:
    text = "- a\n\n  ```\n  b\n  ```\n" * 50
    artifacts = found(*text)
    assert [replace(each, index=0) for each in artifacts] == [replace(each, index=0) for each in found(text)]
    assert len({each.start for each in artifacts}) == len(artifacts) == 50
