"""Context quality: what share of the question's words the passages hold, and the bundled questions it was set on."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from pipeline.ingest.markdown import read_folder
from pipeline.passages import Closeness, Passage, Query, Scores
from pipeline.retrieval import SHARED, Quality
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.quality import quality_of, words_found
from pipeline.retrieval.query import query_of
from pipeline.retrieval.terms import word_spans
from pipeline.settings import ROOT


def passage(text: str, score: float = 2.0, scores: Scores | None = None) -> Passage:
    """A passage with every word marked."""
    marks = tuple(word_spans(text))
    return Passage(1, "a.md", "", "", text, score, marks, scores=scores or Scores(keyword=score))


@pytest.mark.parametrize(
    ("question", "texts", "quality"),
    [
        ("How fine is espresso ground?", ["Espresso is ground fine."], "good"),
        ("How fine is espresso ground?", ["Espresso is ground."], "weak"),
        ("How fine is espresso ground?", ["Espresso.", "Fine.", "Ground."], "weak"),  # nowhere more than a third
        ("How fine is espresso ground?", ["Espresso."], "none"),
        ("How fine is espresso ground?", [], "none"),
        ("Wie fein sind die Bohnen für Espresso?", ["Bohne, fein, Espresso"], "good"),
        ("of the and", ["of the and"], "none"),
    ],
)
def test_the_share_of_words_decides(question: str, texts: list[str], quality: Quality) -> None:
    assert quality_of(Query(question), [passage(text) for text in texts]) == quality


def test_the_words_behind_it_are_told() -> None:
    words = words_found(Query("How fine is espresso ground, how fine?"), [passage("Espresso is ground.")])
    assert (words.found, words.missing, words.coverage) == (("espresso", "ground"), ("fine",), 0.667)
    assert words_found(Query("of the"), [passage("Espresso.")]).coverage is None


def test_a_passage_far_behind_the_best_does_not_count() -> None:
    near = passage("Espresso is ground fine.", 10.0)
    question = Query("How fine is espresso ground in sunny Rome?")
    assert quality_of(question, [near, passage("Rome.", 1.0)]) == "weak"
    assert quality_of(question, [near, passage("Rome.", 9.0)]) == "good"


def test_nearness_of_vectors_excuses_missing_words_and_proves_nothing() -> None:
    assert quality_of(Query("dairy froth"), [passage("Milk foam.", 0.9, Scores(vector=0.9))]) == "weak"


@pytest.mark.parametrize(
    ("text", "similarity", "quality"),
    [
        ("The milk is foamed with hot steam.", 0.9, "good"),
        ("The milk is foamed with hot steam.", 0.82, "weak"),
        ("The milk is foamed with hot steam.", 0.7, "none"),
        ("Die Milch wird mit heißem Dampf geschäumt.", 0.82, "good"),
        ("Die Milch wird mit heißem Dampf geschäumt.", 0.7, "none"),
    ],
)
def test_where_similarities_were_measured_meaning_alone_can_be_good_or_nothing(
    text: str, similarity: float, quality: str
) -> None:
    closeness = Closeness(related=0.79, good=0.83, across=0.04)
    found = [passage(text, 0.9, Scores(vector=similarity))]
    assert quality_of(Query("How do baristas get froth into a cup?"), found, closeness) == quality


def test_a_follow_up_may_stand_on_the_words_of_the_turn_before() -> None:
    follow_up = query_of("And why?", ("Is espresso ground fine?", "Yes."))
    assert quality_of(follow_up, [passage("Espresso is ground.")]) == "weak"


def test_on_the_bundled_questions_no_answerable_one_is_called_none() -> None:
    index = EdgeIndex.build(read_folder(ROOT / "samples"))
    counted: Counter[tuple[bool, str]] = Counter()
    for line in (ROOT / "samples" / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        previous = entry.get("previous")
        query = query_of(entry["question"], (previous["question"], previous["answer"]) if previous else None)
        counted[bool(entry.get("unanswerable")), asyncio.run(index(query, SHARED)).quality] += 1
    index.close()
    assert counted[False, "none"] == 0
    assert counted[False, "good"] >= 0.9 * (counted[False, "good"] + counted[False, "weak"])
    assert counted[True, "good"] <= 1
    assert counted[True, "none"] >= 8
