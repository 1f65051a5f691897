"""Artifacts on the page: entries that hold what is copied and downloaded, and the offer to make a document."""

from __future__ import annotations

import json
from html import unescape

from components.html.render_cache import RenderCache
from components.panes import chat
from components.view import View, view_of
from pipeline.artifacts.finder import ArtifactFinder
from pipeline.events import Event, FieldDelta, FieldReset, PassagesFound, TurnFinished, TurnStarted, Usage
from pipeline.passages import Passage

PASSAGE = Passage(1, "a.md", "Beans", "Storing", "Roasted beans stay fresh.", 1.0, ())
CODE = '```html\n<script>alert("</li>")</script>\n```\n'
TABLE = "| A | B |\n|---|---|\n| =1 | 2 |\n"
REPORT = "".join(f"## Part {number}\n\n{'Said. ' * 70}\n\n" for number in range(1, 5))


def turn(answer: str, *withdrawn: str) -> View:
    finder, events = ArtifactFinder(), list[Event]()
    said: list[Event] = [
        TurnStarted(turn_id="t", conversation_id="c", question="Why?", model="m", program="p", language="de"),
        PassagesFound(query="Why?", passages=(PASSAGE,)),
    ]
    for text in (*withdrawn, answer):
        said += [FieldReset(field="answer"), FieldDelta(field="answer", text=text)]
    for event in said:
        events += [event, *finder.derive(event)]
    ending = TurnFinished(
        fields={"answer": answer},
        passages=(PASSAGE,),
        usage=Usage(1, 1, exact=True),
        cost=None,
        finish="stop",
        model="m",
        cached=False,
        saved=True,
    )
    return view_of([*events, *finder.derive(ending), ending])


def html_of(view: View) -> str:
    return "".join(chat.render(view, RenderCache()))


def held(html: str, name: str) -> str:
    return str(json.loads(unescape(html.split(f'{name}="')[1].partition('"')[0])))


def test_an_entry_holds_what_is_downloaded_and_runs_nothing() -> None:
    html = html_of(turn(CODE))
    assert held(html, "data-content") == CODE.split("\n")[1] + "\n"
    assert 'data-type="text/plain; charset=utf-8"' in html
    assert "<script" not in html


def test_a_table_is_also_held_as_csv() -> None:
    html = html_of(turn(TABLE))
    assert held(html, "data-csv") == "\ufeffA,B\r\n'=1,2\r\n"
    assert 'data-csv-name="A, B.csv"' in html


def test_the_artifacts_of_a_withdrawn_text_are_gone() -> None:
    html = html_of(turn("Nothing.", CODE))
    assert "artifact" not in html


def test_a_long_answer_with_structure_may_become_a_document_without_a_model() -> None:
    html = html_of(turn(REPORT))
    assert "Als Dokument" in html
    document = held(html, "data-content")
    assert document.startswith("# Why?\n\n## Part 1\n\n")
    assert document.endswith("## Quellen\n\n- [1] Beans, Storing\n")
    assert "Als Dokument" not in html_of(turn(f"# Report\n\n{REPORT}"))  # it is one by itself
    assert "Als Dokument" not in html_of(turn("Said. " * 400))
