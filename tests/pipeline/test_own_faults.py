"""Our own bugs: which exceptions they are, and the trace they leave."""

from __future__ import annotations

import json
import logging

import pytest

from pipeline import own_faults as bugs
from pipeline.errors import ModelFault, OwnFault
from pipeline.prompt_passages import numbered


def raised_by_us() -> Exception:
    """What our own code raises when it is called wrongly: its last frame is in the repository."""
    try:
        numbered([None])  # type: ignore[list-item]
    except AttributeError as error:
        return error
    raise AssertionError("nothing was raised")


def raised_by_a_library() -> Exception:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError("nothing was raised")


def raised_here() -> Exception:
    try:
        raise RuntimeError("a secret in the text")
    except RuntimeError as error:
        return error


def test_what_our_own_line_raises_is_ours_and_what_a_library_or_a_machine_raises_is_not() -> None:
    assert bugs.is_ours(raised_by_us())
    assert not bugs.is_ours(raised_by_a_library())
    assert not bugs.is_ours(raised_here())  # a test is no part of the application
    assert not bugs.is_ours(ModelFault("auth"))
    assert not bugs.is_ours(OSError("full"))


def test_what_was_made_from_a_bug_of_ours_is_ours() -> None:
    wrapped = RuntimeError("by a library")
    wrapped.__cause__ = raised_by_us()
    assert bugs.is_ours(wrapped)
    assert bugs.frames_of(wrapped) == bugs.frames_of(raised_by_us())


def test_the_trace_names_the_kind_and_our_own_lines_and_never_the_text(caplog: pytest.LogCaptureFixture) -> None:
    before = bugs.counts["turn"]
    with caplog.at_level(logging.ERROR):
        fault = bugs.own_fault(raised_by_us(), "turn")
    assert isinstance(fault, OwnFault)
    (record,) = caplog.records
    assert record.getMessage() == "our own fault: AttributeError"
    told = getattr(record, bugs.FACTS)
    assert told["place"] == "turn"
    (frame,) = told["frames"]
    assert frame.startswith("pipeline/prompt_passages.py:")
    assert bugs.counts["turn"] == before + 1
    bugs.own_fault(raised_here(), "turn")
    assert "secret" not in caplog.text
