"""Writes the pipeline's codes as sentences: errors, warnings, steps, reasons and notes.

A code that the catalogue does not know came from a stored row of another version: its stored text is shown then, or the
code itself. The same holds where the row lacks a value that the text of its code names.
"""

from __future__ import annotations

from collections.abc import Mapping

from i18n import ENGLISH, has, names_in, required_in, template_of, text
from pipeline.errors import GlassboxError, IngestFault
from pipeline.events import Recovered, StepChanged, TurnFailed, TurnStopped, Warned
from pipeline.ingest.kinds import FORMATS
from pipeline.messages import STORED_TEXT, Message, Value
from pipeline.programs.profiles import ProfileFault

OF_FAILURES = ("model", "fault", "refused", "busy", "missing")  # the areas of errors that can end a turn, in order
OF_WARNINGS = ("warning", *OF_FAILURES)


def error_text(error: GlassboxError, language: str = ENGLISH) -> str:
    """Return what happened and what to do next."""
    if isinstance(error, IngestFault):
        return file_text(error.code, language)
    return text(f"{error.area}.{error.code}", language, **error.values)


def file_text(code: str, language: str = ENGLISH) -> str:
    """Return why a file was not taken, and what to do next."""
    return text(f"file.{code}", language, formats=FORMATS)


def warning_text(event: Warned, language: str = ENGLISH) -> str:
    """Return the text of a warning about an answer."""
    return _coded(OF_WARNINGS, event.code, event.values, language)


def failure_text(event: TurnFailed, language: str = ENGLISH) -> str:
    """Return why a turn failed and what to do next."""
    return _coded(OF_FAILURES, event.code, event.values, language)


def ending_text(event: TurnFailed | TurnStopped, language: str = ENGLISH) -> str:
    """Return why a turn has no complete answer."""
    return failure_text(event, language) if isinstance(event, TurnFailed) else text("status.stopped", language)


def fault_message_text(fault: Message, language: str = ENGLISH) -> str:
    """Return what went wrong and what to do next, by the code and values of a fault."""
    return _coded(OF_FAILURES, fault.code, fault.values, language)


def fault_text(code: str, language: str = ENGLISH) -> str:
    """Return why a request to a model failed, by the code of its fault."""
    if has(key := f"inspector.fault_{code}"):
        return text(key, language)
    return _coded(OF_FAILURES, code, {}, language)


def recovery_text(event: Recovered, language: str = ENGLISH) -> str:
    """Return what went wrong with which model, and what is done about it."""
    wait = f"{event.waits_s:.0f} s" if event.waits_s >= 1 else ""
    doing = text(f"recovery.doing.{event.what}", language, model=event.to_model, wait=wait)
    return f"{event.from_model}: {short_fault_text(event.code, language)}. {doing}"


def short_fault_text(code: str, language: str = ENGLISH) -> str:
    """Return a fault in two or three words, or its code where the catalogue does not know it."""
    return text(key, language) if has(key := f"recovery.fault.{code}") else code.replace("_", " ")


def step_status(event: StepChanged, language: str = ENGLISH) -> str:
    """Return what a turn does now: in the words of its profile, else as a sentence about the step."""
    if event.status or event.place is not None:
        return event.status or step_text(event, language)
    name, _, which = event.step.partition(":")
    return text(f"doing.{name}", language, which=which) if which else text(f"doing.{name}", language)


def step_text(event: StepChanged, language: str = ENGLISH) -> str:
    """Return the place in line of a turn that waits, and the text of any other step."""
    return event.text if event.place is None else text("step.place_in_line", language, place=event.place)


def reason_text(reason: Message | None, language: str = ENGLISH) -> str:
    """Return why a passage was not chosen, "" for one that was."""
    return _coded(("reason",), reason.code, reason.values, language) if reason else ""


def verdict_text(reason: Message | None, language: str = ENGLISH) -> str:
    """Return why a sentence of an answer has its verdict."""
    return _coded(("verdict",), reason.code, reason.values, language) if reason else ""


def note_text(note: Message | None, language: str = ENGLISH) -> str:
    """Return the remark beside a model's label, "" where there is none."""
    return _coded(("note",), note.code, note.values, language) if note else ""


def profile_fault_text(fault: ProfileFault, language: str = ENGLISH) -> str:
    """Return what is to be changed in the file of a profile."""
    return _coded(("profile",), fault.message.code, fault.message.values, language)


def model_test_text(first_token_s: float | None, tokens_per_s: float | None, language: str = ENGLISH) -> str:
    """Return the result of a model's test that went well: how fast it is."""
    if first_token_s is None:
        return text("test.works", language)
    key = "test.first_text" if tokens_per_s is None else "test.speed"
    return text(key, language, first=f"{first_token_s:.2f}", speed=f"{tokens_per_s or 0:.0f}")


def _coded(areas: tuple[str, ...], code: str, values: Mapping[str, Value], language: str) -> str:
    stored = str(values.get(STORED_TEXT, ""))
    key = next((key for area in areas if has(key := f"{area}.{code}")), None)
    if key is None or required_in(template_of(key)) - values.keys():
        return stored or code
    return stored if stored and names_in(template_of(key)) else text(key, language, **values)
