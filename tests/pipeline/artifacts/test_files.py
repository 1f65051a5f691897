"""What is downloaded: safe names, types that no browser runs, and cells that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.artifacts.files import BYTE_ORDER_MARK, csv_file_of, csv_of, file_of, safe_name
from pipeline.artifacts.finder import ArtifactFinder
from pipeline.events import ArtifactFound, FieldDelta, TurnStopped


def first_of(text: str) -> ArtifactFound:
    finder = ArtifactFinder()
    found = [*finder.derive(FieldDelta(field="answer", text=text))]
    return [*found, *finder.derive(TurnStopped(partial={}, saved=True))][0]


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of(first_of(text), text), newline="")))


def table_of(*cells: str) -> str:
    rows = "".join(f"| {cell} | x |\n" for cell in cells)
    return f"| Name | Other |\n|---|---|\n{rows}"


@pytest.mark.parametrize(
    ("text", "name", "media_type", "content"),
    [
        ("```html\n<b>hi</b>\n```", "b hi b.html", "text/plain", "<b>hi</b>\n"),
        ("```svg\n<svg/>\n```", "svg.svg", "text/plain", "<svg/>\n"),
        ("```js\n// src/../app.js\nx\n```", "app.js", "text/plain", "// src/../app.js\nx\n"),
        ("```python\ndef grind(): ...\n```", "grind.py", "text/plain", "def grind(): ...\n"),
        ("```weird-language!\nx\n```", "x.txt", "text/plain", "x\n"),
        ("> ```\n> a\n> ```", "a.txt", "text/plain", "a\n"),
        ("$$x^2$$", "formula 1.tex", "text/plain", "x^2"),
        ("```md\n# A/B: ..\n```", "A B.md", "text/markdown", "# A/B: ..\n"),
        ("- | a | b |\n  |---|---|\n  | 1 | 2 |", "a, b.md", "text/markdown", "| a | b |\n|---|---|\n| 1 | 2 |\n"),
    ],
)
def test_an_artifact_is_a_file_that_no_browser_runs(text: str, name: str, media_type: str, content: str) -> None:
    file = file_of(first_of(text), text)
    assert (file.name, file.media_type, file.text) == (name, f"{media_type}; charset=utf-8", content)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@sum", "'@sum"),
        ("\uff1d1", "'\uff1d1"),
        ("&#9;=1", "'\t'=1"),
        ("&nbsp;=1", "'\u00a0=1"),
        ("<br>=1", "'\n=1"),
        ("**=1**", "'=1"),
        ("a;=1; -2", "a;'=1;' -2"),
        ("a&#9;=1", "a\t'=1"),
        ("a = b; c", "a = b; c"),
        ("a = b", "a = b"),
        ("5", "5"),
        ("a \\| b", "a | b"),
        ("**bold** `code` [link](https://a.example)", "bold code link"),
        ('say "hi", twice', 'say "hi", twice'),
        ("$x^2$", "x^2"),
    ],
)
def test_a_cell_is_plain_text_and_no_formula(cell: str, written: str) -> None:
    text = table_of(cell)
    assert rows_of(text) == [["Name", "Other"], [written, "x"]]


def test_csv_has_a_byte_order_mark_and_the_line_ends_of_the_standard() -> None:
    text = table_of("Crème", "b")
    file = csv_file_of(first_of(text), text)
    assert file.text == f"{BYTE_ORDER_MARK}Name,Other\r\nCrème,x\r\nb,x\r\n"
    assert (file.name, file.media_type) == ("Name, Other.csv", "text/csv; charset=utf-8")


@given(st.text(max_size=20))
def test_no_cell_begins_as_a_formula(cell: str) -> None:
    text = table_of(cell.replace("\n", " ").replace("\r", " ").replace("|", " "))
    signs = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    assert not any(each.lstrip().startswith(signs) for row in rows_of(text) for each in row)


@given(st.text())
def test_any_title_gives_a_name_that_is_safe_everywhere(title: str) -> None:
    name = safe_name(title, "md", "table")
    assert name.endswith(".md")
    assert len(name) <= 100
    assert not set(name) & set('/\\:*?"<>|\0\n\r\u202e')
    assert not name.startswith((".", " "))
    assert safe_name("con", "md", "table") == "table con.md"
