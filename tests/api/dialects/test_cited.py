"""The passages that a text cites: where the markers stand, and what is no citation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.cited import cited_in
from pipeline.citations.markers import markers
from pipeline.passages import Passage
from tests.event_strategies import PASSAGES, TEXT
from tests.scripted import PASSAGE, checked

MARKERS = st.sampled_from(
    ["[1]", "[2, 3]", "[1-4]", "【1】", "`[1]`", "arr[1] = 2", "\n```\n[1]\n```\n", "$x[1]$", "😀"]
)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Tea. [1]", [(5, 8, 1)]),
        ("Tea [1, 2].", [(4, 10, 1), (4, 10, 2)]),
        ("Tea【1】 and [2].", [(3, 6, 1), (11, 14, 2)]),
        ("😀 Tea [2]", [(6, 9, 2)]),
        ("Tea [7].", []),
        ("Tea [2, 7].", [(4, 10, 2)]),
        ("`tea[1]`", []),
        ("```\n[1]\n```", []),
        ("", []),
    ],
)
def test_each_cited_passage_has_the_span_of_its_marker_in_code_points(
    text: str, spans: list[tuple[int, int, int]]
) -> None:
    passages = (PASSAGE, replace(PASSAGE, number=2))
    assert [(each.start, each.end, each.passage.number) for each in cited_in(text, passages)] == spans


@given(text=st.lists(MARKERS | TEXT).map("".join), passages=PASSAGES)
def test_every_span_is_that_of_a_marker_and_every_passage_one_of_those_found(
    text: str, passages: tuple[Passage, ...]
) -> None:
    spans = {(marker.start, marker.end) for marker in markers(text)}
    for each in cited_in(text, passages):
        assert (each.start, each.end) in spans
        assert each.passage in passages


def test_a_citation_has_the_verdict_of_the_sentence_that_it_stands_in() -> None:
    checks = [checked(0, 8, "verbatim"), checked(9, 18, "weak")]
    said = "Tea [1]. Hot [1]. No [1]"
    assert [each.verdict for each in cited_in(said, (PASSAGE,), checks)] == ["verbatim", "weak", None]
    assert [each.verdict for each in cited_in(f"Gone [1]. {said}", (PASSAGE,), checks, begin=10)] == [
        None,
        "verbatim",
        "weak",
        None,
    ]
