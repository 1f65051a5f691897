"""What the pipeline says in codes has a text in every language; what an older version stored keeps its own."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from i18n import CATALOGUE, has, names_in, template_of, text
from i18n.messages import (
    error_text,
    failure_text,
    note_text,
    reason_text,
    step_status,
    step_text,
    warning_text,
)
from pipeline import errors
from pipeline.database.store import interrupted
from pipeline.errors import Busy, GlassboxError, IngestFault, ModelFault, NotFound, Refused
from pipeline.events import STEP_ORDER, StepChanged, TurnFailed, Warned
from pipeline.messages import STORED_TEXT, Message
from pipeline.turn import Trouble, Turn
from tests.recorded import record_from_wire

ROOT = Path(__file__).parents[2]
ERRORS: list[GlassboxError] = [
    *(Refused(code, 1, ("a",), "b", 2) for code in get_args(errors.RefusalCode)),
    *(NotFound(code) for code in get_args(errors.MissingCode)),
    *(Busy(code, 1) for code in get_args(errors.BusyCode)),
    *(IngestFault(code) for code in get_args(errors.FileCode)),
    *(ModelFault(code, address="host:1", shown=True) for code in errors.MODEL_FAULTS),
    errors.SearchFault(),
    errors.EmbeddingFault(),
    errors.IndexTaken(),
    errors.NotInstalled("a", "B"),
    errors.StoreFault(),
    errors.OwnFault(),
]


@pytest.mark.parametrize("language", CATALOGUE)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{error.area}.{error.code}")
def test_every_error_has_a_text_that_ends_as_a_sentence(error: GlassboxError, language: str) -> None:
    assert error_text(error, language).endswith((".", f"pip install {error.values.get('package')}"))


def test_every_text_of_an_error_belongs_to_one() -> None:
    areas = {error.area for error in ERRORS}
    keys = {key for key in CATALOGUE["en"] if key.partition(".")[0] in areas}
    assert keys == {f"{error.area}.{error.code}" for error in ERRORS}


def test_the_faults_whose_texts_name_the_server_are_those_that_know_it() -> None:
    named = {code for code in errors.MODEL_FAULTS if "server" in names_in(template_of(f"model.{code}"))}
    assert named == errors.SERVER_FAULTS


def calls(name: str) -> list[ast.Call]:
    """Every call of a function in the code of Glassbox."""
    files = [file for folder in ("pipeline", "components") for file in (ROOT / folder).rglob("*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    return [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == name]


def test_every_warning_of_the_code_has_a_text() -> None:
    given = [keyword.value for call in calls("Warned") for keyword in call.keywords if keyword.arg == "code"]
    codes = {str(each.value) for each in given if isinstance(each, ast.Constant)}
    assert {"prompt_limit", "interrupted"} <= codes
    assert [code for code in codes if not has(f"warning.{code}")] == []


def test_every_message_of_the_code_has_a_text() -> None:
    given = [call.args[0] for call in calls("Message") if call.args]
    codes = {str(each.value) for each in given if isinstance(each, ast.Constant)}
    assert {"not_chosen", "no_room", "resting"} <= codes
    areas = ("reason", "note", "verdict")
    assert [code for code in codes if code and not any(has(f"{area}.{code}") for area in areas)] == []


@pytest.mark.parametrize("trouble", get_args(Trouble))
def test_every_trouble_of_the_store_has_a_text(trouble: str) -> None:
    assert has(f"trouble.{trouble}")


def test_a_warning_is_in_the_language_that_is_asked_for() -> None:
    assert warning_text(Warned(code="length"), "de") == text("warning.length", "de")
    assert warning_text(Warned(code="length"), "fi") == warning_text(Warned(code="length")) == text("warning.length")


def test_a_fault_of_a_model_may_be_a_warning_and_names_its_server_where_it_was_given() -> None:
    fault = ModelFault("refused", address="host:1234")
    assert "host" not in warning_text(Warned(code=fault.code, values=fault.values))
    shown = fault.shown()
    assert "server (host:1234) could" in warning_text(Warned(code=shown.code, values=shown.values))
    assert "Modells (host:1234) war" in warning_text(Warned(code=shown.code, values=shown.values), "de")


def test_a_failure_has_the_text_of_its_error_whatever_it_is() -> None:
    for error in (ModelFault("invalid_request"), errors.StoreFault(), Refused("unknown_model"), Busy("places", 5)):
        failed = TurnFailed(code=error.code, values=error.values, retryable=True, partial={}, saved=True)
        assert failure_text(failed, "de") == error_text(error, "de")


def test_a_place_in_the_line_and_what_a_step_worked_on_are_told() -> None:
    assert step_text(StepChanged(step="wait", state="began", place=3)) == "number 3 in line"
    assert step_text(StepChanged(step="wait", state="began", place=3), "de") == "Nummer 3 in der Warteschlange"
    assert step_text(StepChanged(step="rewrite", state="ended", text="tea · cup")) == "tea · cup"


@pytest.mark.parametrize("language", CATALOGUE)
@pytest.mark.parametrize("step", [*STEP_ORDER, "search:2", "tool:calculate"])
def test_a_step_is_told_to_a_client_as_a_sentence(step: str, language: str) -> None:
    told = step_status(StepChanged(step=step, state="began"), language)
    assert told[0].isupper()
    assert told.endswith(".")


def test_nothing_has_neither_reason_nor_note() -> None:
    assert (reason_text(None), note_text(None)) == ("", "")


def test_a_turn_that_the_process_did_not_survive_says_so() -> None:
    warning, _ = interrupted(Turn("t", "c", "Wie heiß?", "m"))
    assert isinstance(warning, Warned)
    assert warning_text(warning, "de") == text("warning.interrupted", "de")


# What an older version stored: sentences

OLD = """[
 {"seq": 1, "at_s": 0.1, "code": "length", "text": "Once it was said so.", "kind": "warned"},
 {"seq": 2, "at_s": 0.1, "code": "no_longer_said", "text": "Once it was said so.", "kind": "warned"},
 {"seq": 3, "at_s": 0.1, "code": "refused", "text": "The model's server (old:1) was away.", "kind": "warned"},
 {"seq": 4, "at_s": 0.1, "step": "wait", "state": "began", "text": "number 2 in line", "took_s": 0,
  "kind": "step_changed"},
 {"seq": 5, "at_s": 0.1, "query": "q", "kind": "passages_found", "passages": [], "rejected":
  [{"number": 5, "document": "a", "title": "A", "section": "", "text": "x", "score": 1, "reason": "Place 5."}]},
 {"seq": 6, "at_s": 0.1, "code": "connection", "text": "It broke once.", "retryable": true, "partial": {},
  "saved": true, "kind": "turn_failed"}]"""


def test_a_stored_sentence_gives_way_to_the_text_of_its_code_and_stays_where_there_is_none() -> None:
    length, unknown, refused, wait, found, failed = record_from_wire(OLD)
    assert isinstance(length, Warned)
    assert isinstance(unknown, Warned)
    assert isinstance(refused, Warned)
    assert warning_text(length, "de") == text("warning.length", "de")
    assert warning_text(unknown, "de") == "Once it was said so."
    assert warning_text(refused) == "The model's server (old:1) was away."  # its values were not stored
    assert isinstance(wait, StepChanged)
    assert step_text(wait) == "number 2 in line"
    assert reason_text(found.rejected[0].reason) == "Place 5."  # type: ignore[union-attr]
    assert isinstance(failed, TurnFailed)
    assert failure_text(failed) == text("model.connection")


def test_a_code_without_any_text_is_shown_itself() -> None:
    assert warning_text(Warned(code="of_a_later_version")) == "of_a_later_version"
    assert reason_text(Message("", {STORED_TEXT: "Place 9."})) == "Place 9."


def test_a_row_without_a_value_that_the_text_names_shows_its_code() -> None:
    assert reason_text(Message("not_chosen", {"place": 5})) == "not_chosen"
    assert reason_text(Message("not_chosen", {"place": 5, STORED_TEXT: "Place 5."})) == "Place 5."
