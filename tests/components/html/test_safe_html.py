"""Safe HTML is a type: the checks that every change passes find a text that was not escaped."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from markupsafe import Markup
from mypy import api

from components.html.html_elements import badge, button, notice
from pipeline.settings import ROOT

SOURCE = """
from markupsafe import Markup
from components.html.html_elements import Elements, badge, joined, notice

def made(text: str) -> Elements:
    return [
        EXPRESSION
    ]
"""
ESCAPED = ("Markup('<p>{}</p>').format(text)", "badge('good', text)", "joined([badge('good', text)])")
FORGOTTEN = ("text", "f'<p>{text}</p>'", "'<p>' + text", "''.join([badge('good', text)])", "joined([text])")


def test_mypy_finds_each_text_that_stands_where_html_is_wanted_and_was_not_escaped(tmp_path: Path) -> None:
    for at, expression in enumerate((*FORGOTTEN, *ESCAPED)):
        (tmp_path / f"made_{at}.py").write_text(SOURCE.replace("EXPRESSION", expression))
    out, err, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", str(tmp_path)])
    assert err == ""
    found = sorted(re.findall(r"made_(\d)\.py:.*expected \"Markup\"", out))
    assert found == [str(at) for at in range(len(FORGOTTEN))], out


@pytest.mark.parametrize("said", ["Markup(text)", "Markup(f'<p>{text}</p>')"])
def test_ruff_finds_a_text_that_is_called_html_without_being_escaped(said: str) -> None:
    source = f'"""A pane."""\n\nfrom markupsafe import Markup\n\n\ndef made(text: str) -> Markup:\n    return {said}\n'
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", "components/panes/made.py", "-"]
    found = subprocess.run(command, input=source, capture_output=True, text=True, check=False, cwd=ROOT)
    assert "S704" in found.stdout


def test_a_text_becomes_html_only_escaped() -> None:
    hostile = '<img src=x onerror="alert(1)">'
    for element in (
        badge("warn", hostile, hostile),
        button("retry", hostile, of=hostile),
        notice("bad", "", hostile, []),
    ):
        assert isinstance(element, Markup)
        assert "<img" not in element
