"""A file of a profile: what is read of it, and the line of each fault."""

from __future__ import annotations

import codecs
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n import LANGUAGES
from i18n.messages import profile_fault_text
from pipeline.programs.profile_files import MOST_BYTES, ProfileFile, read_profile
from pipeline.programs.registry import PROGRAMS


def read(text: str | bytes) -> ProfileFile:
    return read_profile("desk.yaml", "desk", text if isinstance(text, bytes) else text.encode(), PROGRAMS)


WHOLE = """\
title: Support desk
program: ReAct
model: fast
temperature: 0.3
max_tokens: 500
passages_wanted: 8
reranks: yes
mode: keyword
instructions: |
  Be brief.
  Cite [1].
collections:
  - manuals
  - name: contracts
    private: true
example_questions: ["How?", "Why: because?"]
fields: {answer: Reply}
status_texts:
  retrieve: 🔍 Searching
  "search:2": Again
  tool:calculate: Adding up
"""


def test_a_whole_profile_is_read() -> None:
    read_file = read(WHOLE)
    profile = read_file.profile
    assert profile is not None
    assert read_file.faults == ()
    assert (profile.name, profile.title, profile.model, read_file.model_line) == ("desk", "Support desk", "fast", 3)
    assert profile.options == {
        "program": "ReAct",
        "temperature": 0.3,
        "max_tokens": 500,
        "passages_wanted": 8,
        "reranks": True,
        "mode": "keyword",
        "instructions": "Be brief.\nCite [1].\n",
    }
    assert (profile.collections, set(profile.private)) == (("manuals", "contracts"), {"contracts"})
    assert profile.example_questions == ("How?", "Why: because?")
    assert profile.fields == {"answer": "Reply"}
    assert [profile.status(step) for step in ("retrieve", "search:2", "search:3", "tool:calculate", "answer")] == [
        "🔍 Searching",
        "Again",
        "",
        "Adding up",
        "",
    ]


@pytest.mark.parametrize(
    ("line", "of", "value"),
    [
        ("title: no", "title", "no"),
        ("title: on", "title", "on"),
        ("title: 2024-01-01", "title", "2024-01-01"),
        ("title: 1e3", "title", "1e3"),
        ("title: 12:30", "title", "12:30"),
        ("title: ~", "title", "desk"),
        ("title:", "title", "desk"),
        ("title: '~'", "title", "~"),
        ("max_tokens: 0500", "max_tokens", 500),
        ("temperature: 1", "temperature", 1.0),
        ("temperature: 2e-1", "temperature", 0.2),
        ("temperature: .5", "temperature", 0.5),
        ("temperature:", "temperature", None),
        ("language: no", "language", "no"),
        ("rewrites: off", "rewrites", False),
        ("rewrites: Yes", "rewrites", True),
        ("instructions: 12", "instructions", "12"),
    ],
)
def test_a_value_is_read_as_what_its_key_takes(line: str, of: str, value: Any) -> None:
    profile = read(line).profile
    assert profile is not None
    assert (profile.options.get(of) if of != "title" else profile.title) == value


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_and_line_ends_of_editors_are_read(ending: str, encoding: str) -> None:
    file = read("title: Prüfstelle\ntemperature: 0\n".replace("\n", ending).encode(encoding))
    assert file.profile is not None
    assert (file.profile.title, file.profile.options) == ("Prüfstelle", {"temperature": 0.0})


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "empty", 1),
        ("# nothing\n", "empty", 1),
        ("\n\n", "empty", 1),
        ("null", "empty", 1),
        (codecs.BOM_UTF8, "empty", 1),
        ("- a\n- b\n", "mapping", 1),
        ("just a text", "mapping", 1),
        (b"title: caf\xe9\n", "encoding", 1),
        (codecs.BOM_UTF16_LE + b"t", "encoding", 1),
        ("title: a\nmodel: b\x07\n", "character", 2),
        ("title: a".encode("utf-16-le"), "character", 1),
        ("title: a\nmodel: [b\n", "syntax", 3),
        ("title: a: b\n", "syntax", 1),
        ("title: 'a\n", "syntax", 2),
        ("title: a\n\tmodel: b\n", "tab", 2),
        ("collections:\n\t- a\n", "tab", 2),
        ("title: a\ninstructions: &x b\n", "alias", 2),
        ("title: a\n\nmodel: *x\n", "alias", 3),
        ("a: &a [x]\nb: [*a, *a]\n", "alias", 1),
        ("title: !!python/object/apply:os.system [ls]\n", "tag", 1),
        ("title: a\nmodel: !secret b\n", "tag", 2),
        ("title: !!binary aGk=\n", "tag", 1),
        ("title: a\n---\ntitle: b\n", "documents", 2),
        ("title: " + "[" * 500, "deep", 1),
        ("title: a\ncolour: red\n", "unknown_key", 2),
        ("title: a\n? [b]\n: c\n", "unknown_key", 2),
        ("<<: {title: a}\n", "unknown_key", 1),
        ("profile: other\n", "unknown_key", 1),
        ("documents: [a]\n", "unknown_key", 1),
        ("title: a\nmodel: b\ntitle: c\n", "repeated_key", 3),
        ("title: a\ntemperature: warm\n", "number", 2),
        ("temperature: '0.5'\n", "number", 1),
        ("temperature: 2.5\n", "number", 1),
        ("temperature: .inf\n", "number", 1),
        ("temperature: 1e3\n", "number", 1),
        ("temperature: [0.5]\n", "number", 1),
        ("max_tokens: 0\n", "whole", 1),
        ("max_tokens: 12.5\n", "whole", 1),
        ("max_tokens: 1e3\n", "whole", 1),
        ("max_tokens: 1:30\n", "whole", 1),
        ("max_tokens: 0x10\n", "whole", 1),
        ("max_tokens: true\n", "whole", 1),
        ("max_tokens: " + "9" * 5000 + "\n", "whole", 1),
        ("rewrites: perhaps\n", "flag", 1),
        ("rewrites: 1\n", "flag", 1),
        ("mode: psychic\n", "choice", 1),
        ("instructions: [a]\n", "text", 1),
        ("title: [a]\n", "text", 1),
        ("title: " + "a" * 81, "text", 1),
        ("title: ''\n", "text", 1),
        ("language: Englisch\n", "text", 1),
        ("instructions: " + "a" * 8001, "text", 1),
        ("program: Unknown\n", "unknown_program", 1),
        ("title: a\nprogram: react\n", "unknown_program", 2),
        ("collections: manuals\n", "list", 1),
        ("collections: []\n", "list", 1),
        ("title: a\ncollections:\n", "list", 2),
        ("collections:\n  - a\n  - [b]\n", "text", 3),
        ("collections:\n  - {name: a, private: perhaps}\n", "flag", 2),
        ("collections:\n  - {nam: a}\n", "unknown_key", 2),
        ("collections:\n  - name: private\n    private: true\n", "uploads", 2),
        ("example_questions: How?\n", "list", 1),
        ("example_questions:\n" + "- a\n" * 51, "items", 2),
        ("fields: [answer, nothing]\n", "unknown_field", 1),
        ("fields:\n  answer: A\n  nothing: B\n", "unknown_field", 3),
        ("status_texts:\n  think: Hm\n", "unknown_step", 2),
        ("status_texts:\n  retrieve: [a]\n", "text", 2),
        ("status_texts: retrieve\n", "mapping", 1),
        ("title: a\n# " + "x" * MOST_BYTES, "large", 1),
    ],
)
def test_a_fault_is_named_by_its_line(text: str | bytes, code: str, line: int) -> None:
    file = read(text)
    assert file.profile is None
    (fault, *_) = file.faults
    assert (fault.file, fault.message.code, fault.line) == ("desk.yaml", code, line)
    for language in LANGUAGES:
        assert profile_fault_text(fault, language).endswith((".", "”.", "“."))
        assert "{" not in profile_fault_text(fault, language)


def test_every_fault_of_a_file_is_named() -> None:
    file = read("titel: a\ntemperature: 3\nprogram: Unknown\nfields: [b]\n")
    assert [(each.line, each.message.code) for each in file.faults] == [
        (1, "unknown_key"),
        (2, "number"),
        (3, "unknown_program"),
    ]
    assert profile_fault_text(file.faults[0]).startswith("A profile has no such key. Nearest: title.")


def test_no_fault_repeats_what_was_written() -> None:
    key = "sk-geheim-123"
    for text in (f"{key}: a\n", f"model: [{key}]\n", f"temperature: {key}\n", f"program: {key}\n", f"a: {key}: b\n"):
        assert all(key not in profile_fault_text(fault) for fault in read(text).faults)


@pytest.mark.parametrize(
    "fault",
    ["colour: red\n", "title: [\n", "title: &a b\n", "titel: a\ttemperature: warm\n"],
)
def test_a_private_collection_of_a_file_with_a_fault_stays_private(fault: str) -> None:
    for collections in (
        "collections:\n  - name: hr files\n    private: true\n",
        "collections: [{name: hr files, private: on}]\n",
    ):
        for text in (collections + fault, fault + collections):
            file = read(text)
            assert file.profile is None
            assert "hr files" in file.private


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("colections:\n  - {name: hr files, private: true}\n", "hr files"),
        ("Collections:\n  - {name: hr, Private: true}\n", "hr"),
        ("collections:\n  - {name: hr, hidden: true}\n", "hr"),
        ("title: [\ncollections:\n  - {name: 'R&D: top, secret', private: true}\n", "R&D: top, secret"),
        ("title: [\ncollections:\n  - name: R, D\n    private: true\n", "R, D"),
        ("collections:\n  - {name: hr, private: true}\n".encode("utf-16-le"), "hr"),
        (f"#{'a' * MOST_BYTES}\ncollections:\n  - {{name: hr, private: true}}\n", "hr"),
    ],
)
def test_a_collection_that_may_be_meant_as_private_stays_so(content: str | bytes, name: str) -> None:
    file = read(content)
    assert file.faults
    assert name in file.private


@given(st.text(st.characters(codec="utf-8"), max_size=300) | st.binary(max_size=300))
def test_whatever_a_file_holds_is_a_profile_or_a_fault(content: str | bytes) -> None:
    file = read(content)
    assert (file.profile is None) == bool(file.faults)
    lines = (content.decode(errors="replace") if isinstance(content, bytes) else content).splitlines()
    assert all(1 <= fault.line <= len(lines) + 1 for fault in file.faults)
