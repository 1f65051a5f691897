"""A column of a comparison as HTML: what a blind one holds."""

from __future__ import annotations

from dataclasses import replace

from components.html.comparison_columns import ShownColumn, column
from components.html.render_cache import RenderCache
from components.view import Text, View
from pipeline.comparison import Column
from pipeline.programs.registry import PROGRAMS
from tests.scripted import PASSAGE

FIELDS = {"analysis": Text("Both passages were read."), "answer": Text("Tea wants 80 °C [1].")}
VIEW = View(
    "t",
    "c",
    "Why?",
    "large",
    program="Compliance",
    programs=PROGRAMS,
    searched=True,
    passages=(PASSAGE, replace(PASSAGE, number=2, title="Coffee")),
    fields=FIELDS,
)
SHOWN = ShownColumn(letter="A", column=Column("large"), turn_id="t", view=VIEW, differs=("model",), is_asking=True)


def test_a_column_holds_the_fields_of_its_program_and_every_source() -> None:
    html = "".join(column(SHOWN, RenderCache()))
    assert all(said in html for said in ("large", "Analysis", "Both passages", "80 °C", "Tea", "Coffee", "tok/s"))


def test_a_blind_column_holds_the_answer_with_what_it_cites_and_no_more() -> None:
    html = "".join(column(replace(SHOWN, is_blind=True), RenderCache()))
    assert "80 °C" in html
    assert "Tea" in html
    assert not [said for said in ("large", "Analysis", "Both passages", "Coffee", "tok/s", "1.50") if said in html]
