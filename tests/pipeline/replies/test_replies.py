"""Whatever a model writes and however it is cut: its fields are found, and no mark is left in them."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.field_names import ReplyFields
from pipeline.replies.reading import Change, ReplyReader
from tests.replies import CASES, Case

FIELDS = ReplyFields(("reasoning", "answer"), ("passages", "history", "question"))
SIZES = (1, 2, 3, 7, 50, 10_000)


class Heard:
    """What a person sees of a reply."""

    def __init__(self) -> None:
        self.reader = ReplyReader(FIELDS)
        self.held: dict[str, str] = {}
        self.answers: list[str] = []

    def hear(self, changes: list[Change]) -> None:
        for name, text in changes:
            assert text is None or text
            self.held[name] = "" if text is None else self.held.get(name, "") + text
        self.answers.append(self.held.get("answer", ""))

    @property
    def fields(self) -> dict[str, str]:
        return {name: text for name, text in self.held.items() if text}


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def heard(content: list[str], native: list[str] | tuple[()] = (), *, was_cut: bool = False) -> Heard:
    heard = Heard()
    for piece in native:
        heard.hear(heard.reader.thinking(piece))
    for piece in content:
        heard.hear(heard.reader.content(piece))
    heard.hear(heard.reader.finish(was_cut=was_cut))
    return heard


def plain(fields: dict[str, str]) -> dict[str, str]:
    """Of thinking only the words count."""
    return {name: " ".join(text.split()) if name == "thinking" else text for name, text in fields.items()}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_reply_is_read_as_it_is_meant(case: Case, size: int) -> None:
    said = heard(pieces(case.content, size), pieces(case.native, size))
    assert plain(said.fields) == plain(case.fields)
    assert (said.reader.keeps_format, said.reader.is_rescued) == (case.keeps_format, case.is_rescued)
    for word in case.never:
        assert not any(word in answer for answer in said.answers)


# The fuzzer: takes each reply apart


MARK = re.compile(
    r"\[\[\s*#|#\s*\]\]|</?\s*(?:\w+:)?think|<\|\w|\w\|>|\[/?THINK|◁|\*\*\[\[|assistantfinal|</?(?:answer|reasoning)\b",
    re.IGNORECASE,
)
CUTS = st.lists(st.integers(0, 400), max_size=12)
MARKS = re.compile(r"\[\[.*?\]\]|</?\w*think\w*>|<\|.*?\|>|\*\*\w+:?\*\*|^#+ \w+$|```\w*", re.MULTILINE)
QUOTES_MARKS = {
    case.name
    for case in CASES
    if "`" in case.content or "{" in case.content or MARK.search(case.fields.get("answer", ""))
}


def cut_at(text: str, cuts: list[int]) -> list[str]:
    at = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    return [text[start:end] for start, end in itertools.pairwise(at)]


def truncated(case: Case, data: st.DataObject) -> str:
    return case.content[: data.draw(st.integers(0, len(case.content)), label="length")]


def with_a_broken_mark(case: Case, data: st.DataObject) -> str:
    """One sign of one mark is missing, doubled or another."""
    if not (marks := list(MARKS.finditer(case.content))):
        return case.content
    mark = data.draw(st.sampled_from(marks), label="mark")
    at = data.draw(st.integers(mark.start(), mark.end() - 1), label="sign")
    sign = data.draw(st.sampled_from(["", case.content[at] * 2, " ", "\n", "x", "#", "*"]), label="becomes")
    return case.content[:at] + sign + case.content[at + 1 :]


def with_a_repeated_part(case: Case, data: st.DataObject) -> str:
    """Some stretch comes twice, most often a whole field."""
    bounds = [0, *(mark.start() for mark in MARKS.finditer(case.content)), len(case.content)]
    start, end = sorted(data.draw(st.tuples(st.sampled_from(bounds), st.sampled_from(bounds)), label="part"))
    return case.content[:end] + case.content[start:end] + case.content[end:]


MANGLED = st.sampled_from([truncated, with_a_broken_mark, with_a_repeated_part])


@settings(max_examples=400, deadline=None)
@given(case=st.sampled_from(CASES), mangled=MANGLED, cuts=CUTS, was_cut=st.booleans(), data=st.data())
def test_however_a_reply_is_cut_its_fields_are_the_same(
    case: Case, mangled: object, cuts: list[int], was_cut: bool, data: st.DataObject
) -> None:
    text = mangled(case, data)  # type: ignore[operator]
    native = cut_at(case.native, cuts)
    whole = heard([text], [case.native], was_cut=was_cut)
    for chunks in (cut_at(text, cuts), list(text)):
        assert heard(chunks, native, was_cut=was_cut).fields == whole.fields
    assert all(value == value.strip() for value in whole.fields.values())


@settings(max_examples=300, deadline=None)
@given(case=st.sampled_from(CASES), mangled=st.sampled_from([truncated, with_a_repeated_part]), data=st.data())
def test_no_mark_is_left_and_no_draft_is_shown(case: Case, mangled: object, data: st.DataObject) -> None:
    said = heard(pieces(mangled(case, data), 5), pieces(case.native, 5))  # type: ignore[operator]
    if case.name not in QUOTES_MARKS:
        for name in ("answer", "reasoning"):
            assert not MARK.search(said.fields.get(name, "")), said.fields
    if mangled is truncated and not said.reader.is_rescued:
        for word in case.never:
            assert not any(word in answer for answer in said.answers)


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            [
                *(
                    "[",
                    "]",
                    "[[",
                    "]]",
                    "#",
                    "##",
                    "answer",
                    "reasoning",
                    "completed",
                    "<",
                    ">",
                    "</",
                    "think",
                    "|",
                    "`",
                ),
                *("```", " ", "\n", "**", "{", "}", '"', ":", ",", "x"),
            ]
        ),
        max_size=25,
    ),
    cuts=CUTS,
)
def test_any_soup_of_signs_reads_the_same_in_any_pieces(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    assert (
        heard(cut_at(text, [cut % (len(text) + 1) for cut in cuts])).fields
        == heard([text]).fields
        == heard(list(text)).fields
    )


# Each of these takes hours where a run of blanks is tried in all ways it can be divided.
@pytest.mark.parametrize("blanks", ["\n" * 8_000, " " * 8_000 + "\n", "\n " * 4_000 + "\n", "\t" * 8_000 + "\n"])
@pytest.mark.parametrize("reply", ["[[ ## answer ## ]]\nYes. [1]", '{"answer": "Yes. [1]"}'])
def test_a_run_of_blanks_however_long_is_read_past(blanks: str, reply: str) -> None:
    assert heard(pieces(blanks + reply, 7)).fields["answer"] == "Yes. [1]"
