"""The exact reading of a reply: any text in any chunking adds up to what DSPy's ChatAdapter parses."""

from __future__ import annotations

import itertools

import dspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fields import FieldReader, TextMender, whole_text


class Reply(dspy.Signature):
    question: str = dspy.InputField()
    reasoning: str = dspy.OutputField()
    answer: str = dspy.OutputField()


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "[[ ## reasoning ## ]]",
                "[[ ## answer ## ]]",
                "[[ ## answer ## ]] at once",
                "[[ ## completed ## ]]",
                "[[ ## other ## ]]",
                "a [[0]] and [[1, 2], [3]]",
                "[[Main Page]]",
                "quoted [[ ## answer ## ]] inline",
                "[[ ## answer",
                "[[ ## answer ## ]",
                "[1] [2][3]",
                "",
                "  indented text  ",
                "| a | b |",
            ]
        ),
        st.text(alphabet="[]# ab\t\r\x0b\u2028é", max_size=12),
    ),
    max_size=12,
)


def read(chunks: list[str]) -> dict[str, str]:
    reader = FieldReader(["reasoning", "answer"])
    pieces = [piece for chunk in chunks for piece in reader.feed(chunk)] + reader.finish()
    assert all(text for _, text in pieces)
    fields: dict[str, str] = {}
    for field, text in pieces:
        fields[field] = fields.get(field, "") + text
    return fields


def parsed(text: str) -> dict[str, str]:
    try:
        fields = dspy.ChatAdapter().parse(Reply, text)
    except dspy.utils.exceptions.AdapterParseError as error:
        fields = error.parsed_result or {}
    return {name: value for name, value in fields.items() if value}


@settings(max_examples=500)
@given(lines=LINES, breaks=st.sampled_from(["\n", "\r\n"]), cuts=st.lists(st.integers(0, 200)))
def test_any_text_in_any_chunking_adds_up_to_the_parsed_field(lines: list[str], breaks: str, cuts: list[int]) -> None:
    text = breaks.join(["[[ ## reasoning ## ]]", *lines, "[[ ## answer ## ]]", "tail"])
    at = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[start:end] for start, end in itertools.pairwise(at)]
    assert read(chunks) == read([text]) == parsed(text)


@given(text=st.text(max_size=60))
def test_one_character_at_a_time_reads_as_the_whole_at_once(text: str) -> None:
    text = f"[[ ## answer ## ]]\n{text}"
    assert read(list(text)) == read([text])


def test_brackets_of_citations_links_and_matrices_are_kept() -> None:
    answer = "Use a[[0]], [[1, 2], [3, 4]], [[Main Page]] and [1][2]."
    assert read(list(f"[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]\n")) == {"answer": answer}


def test_the_first_header_of_a_field_wins() -> None:
    assert read(["[[ ## answer ## ]]\none\n[[ ## answer ## ]]\ntwo"]) == {"answer": "one"}


def test_a_reply_without_headers_is_all_preamble() -> None:
    reader = FieldReader(["answer"])
    assert reader.feed("It was 1889.\nOr so.") == []
    assert (reader.preamble, reader.headed) == ("It was 1889.\nOr so.", False)


def test_a_surrogate_pair_cut_in_two_is_joined_and_a_lone_half_replaced() -> None:
    mender = TextMender()
    assert mender.feed("a\ud83d") + mender.feed("\ude00b") == "a\U0001f600b"
    assert whole_text("\ud800x") == "\ufffdx"


@pytest.mark.parametrize("header", ["[[ ## answer ## ]]", "[[ ## reasoning ## ]]"])
def test_every_prefix_of_a_header_is_held_back(header: str) -> None:
    for end in range(1, len(header)):
        reader = FieldReader(["answer", "reasoning"])
        reader.feed("[[ ## answer ## ]]\nfirst line\n")
        assert reader.feed(header[:end]) == []
