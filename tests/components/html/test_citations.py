"""Chips and cards carry what they cite: which sentences of the card, and what the preview shows."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from components.html.citations import cited, cutting
from components.html.flow import CHIPS_MOST, ReadBlock
from components.html.markdown import blocks_of
from components.html.render_cache import RenderCache
from components.view import View, reduce, view_of
from pipeline.citations.sentences import without_list_marker
from pipeline.events import Event, FieldDelta, PassagesFound, TurnStarted
from pipeline.ingest.markdown import read_folder
from pipeline.models.builtin.quotes import choose
from pipeline.passages import Passage
from pipeline.prompt_passages import numbered, read_numbered
from pipeline.retrieval import SHARED
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.query import query_of
from pipeline.settings import ROOT

STORING = Passage(
    1,
    "storing.md",
    "Storing <coffee>",
    "Beans › Bags",
    "**Roasted beans** stay fresh for *two* weeks. Ground coffee loses its [aroma](http://a.b/c) within 15 minutes.\n\n"
    "- Keep it dark & cool.\n- A valve lets gas out.\n\n| Roast | Days |\n|---|---|\n| light | 20 |\n| dark | 10 |\n",
    2.0,
    ((2, 9), (10, 15)),
)
BREWING = Passage(2, "brewing.md", "Brewing", "", "Water of 94 °C suits filters. Steep for four minutes.", 1.0)
PASSAGES = (STORING, BREWING)
TITLES = tuple(each.title for each in PASSAGES)


class Chip(NamedTuple):
    n: int
    sentences: list[str]  # that the script would mark
    told: dict[str, str]


def sentences_of(card: str) -> dict[int, str]:
    """A card's sentences by their number, as a person reads them."""
    found: dict[int, str] = {}
    for number, text in re.findall(r'<span data-s="(\d+)">(.*?)</span>', card):
        found[int(number)] = found.get(int(number), "") + unescape(text)
    return found


def chips(answer: str) -> list[Chip]:
    html = "".join(cited(ReadBlock(block), PASSAGES) for block in blocks_of(answer, TITLES))
    found = []
    for tag in re.findall(r'<a class="cite"[^>]*>', html):
        told = {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', tag)}
        first, last = map(int, told["s"].split("-")) if "s" in told else (0, -1)
        numbered = sentences_of(cutting(PASSAGES[int(told["n"]) - 1]).html)
        found.append(Chip(int(told["n"]), [numbered[at] for at in range(first, last + 1)], told))
    return found


def test_a_card_reads_as_before_and_each_sentence_has_its_number() -> None:
    html = cutting(STORING).html
    assert sentences_of(html) == {
        0: "Roasted beans stay fresh for two weeks.",
        1: "Ground coffee loses its aroma within 15 minutes.",
        2: "Keep it dark & cool.",
        3: "A valve lets gas out.",
        4: "RoastDays",
        5: "light20",
        6: "dark10",
    }
    assert '<mark><span data-s="0">Roasted</span></mark>' in html


def test_a_quote_marks_its_very_sentence() -> None:
    (chip,) = chips("Ground coffee loses its aroma within 15 minutes. [1]")
    assert chip.sentences == ["Ground coffee loses its aroma within 15 minutes."]
    assert chip.told["quote"] == "Ground coffee loses its aroma within 15 minutes."
    assert (chip.told["title"], chip.told["path"]) == ("Storing <coffee>", "Beans › Bags")


def test_two_sentences_of_one_passage_mark_each_their_own() -> None:
    first, second = chips(
        "Once roasted, beans are fresh for two weeks [1]. After 15 minutes ground coffee is stale [1]."
    )
    assert first.sentences == ["Roasted beans stay fresh for two weeks."]
    assert second.sentences == ["Ground coffee loses its aroma within 15 minutes."]


def test_two_citations_in_one_sentence_mark_each_their_part() -> None:
    first, second = chips("Use water of 94 °C for a filter [2], but keep the beans dark and cool [1].")
    assert first.sentences == ["Water of 94 °C suits filters."]
    assert second.sentences == ["Keep it dark & cool."]


@pytest.mark.parametrize(
    ("answer", "sentences"),
    [
        ("Beans are fresh for two weeks. [1] Steep it for four minutes. [2]", ["Roasted beans stay", "Steep for four"]),
        ("[2] Steep it for four minutes.", ["Steep for four"]),
        ("- Let the gas out by a valve [1]\n- Steep for four minutes [2]", ["A valve lets", "Steep for four"]),
        ("According to [2], one should let it steep for four minutes.", ["Steep for four"]),
        ("| what | how long |\n|---|---|\n| dark roast | 10 days [1] |", ["dark10"]),
        ("Beans stay fresh for `two` **weeks** [1][2].", ["Roasted beans stay", None]),
    ],
)
def test_a_citation_belongs_to_the_sentence_it_stands_with(answer: str, sentences: list[str | None]) -> None:
    found = chips(answer)
    assert len(found) == len(sentences)
    for chip, begins in zip(found, sentences, strict=True):
        if begins:
            assert len(chip.sentences) == 1
            assert chip.sentences[0].startswith(begins)


def test_where_no_sentence_matches_the_preview_shows_how_the_passage_begins() -> None:
    (chip,) = chips("Leonardo painted the Mona Lisa [2].")
    assert chip.sentences == []
    assert "quote" not in chip.told
    assert chip.told["start"].startswith("Water of 94 °C")


def test_each_quote_of_the_built_in_model_marks_the_sentence_that_it_was_taken_from() -> None:
    index = EdgeIndex.build(read_folder(ROOT / "samples"))
    quotes = wrong = 0
    for line in (ROOT / "samples" / "questions.jsonl").read_text(encoding="utf-8").splitlines()[::3]:
        query = query_of(json.loads(line)["question"], None)
        passages = asyncio.run(index(query, SHARED)).passages
        for quote in choose(query, read_numbered(numbered(passages))).quotes:
            place = cutting(passages[quote.number - 1]).found(without_list_marker(quote.text))
            cut = cutting(passages[quote.number - 1])
            said = "".join(cut.text[begin:end] for begin, end in cut.spans[place.start : place.stop]) if place else ""
            quotes += 1
            wrong += letters(said) != letters(without_list_marker(quote.text))
    index.close()
    assert quotes > 30
    assert wrong == 0


def letters(text: str) -> str:
    """What is read of a text, without marks of any kind."""
    return re.sub(r"[\W_]+", "", text)


def test_a_number_without_a_passage_gets_nothing() -> None:
    html = Markup('<p><a class="cite" data-n="9">9</a></p>')
    assert cited(ReadBlock(html), PASSAGES) == html


def test_an_answer_full_of_citations_costs_what_it_holds() -> None:
    html = "".join(cited(ReadBlock(block), PASSAGES) for block in blocks_of("[1]" * 10_000, TITLES))
    assert html.count('class="cite"') == 10_000  # quadratic, this would take minutes


@settings(deadline=None)
@given(st.text(), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_numbering_changes_no_word_of_a_passage(text: str, matched: list[tuple[int, int]]) -> None:
    from components.html.markdown import passage as shown

    spans = tuple((min(span), max(span)) for span in matched)
    plain = re.compile(r"<[^>]*>")
    cut = cutting(Passage(1, "a", "a", "", text, 1.0, spans))
    assert unescape(plain.sub("", cut.html)) == unescape(plain.sub("", shown(text, spans)))


@settings(deadline=None)
@given(st.text(), st.integers(1, 7))
def test_a_text_that_grows_ends_with_the_chips_of_the_whole_text(text: str, step: int) -> None:
    said = f"Beans stay fresh for two weeks [1]. {text}\n\nSteep for four minutes [2]."
    started: list[Event] = [
        TurnStarted(turn_id="t", conversation_id="c", question="q", model="m", program="p", language="en"),
        PassagesFound(query="q", passages=PASSAGES),
    ]
    view, ink = view_of(started), RenderCache()
    for at in range(0, len(said), step):
        view = reduce(view, FieldDelta(field="answer", text=said[at : at + step]))
        grown = ink.blocks(view, "answer")
    assert grown == RenderCache().blocks(whole(view), "answer")


def whole(view: View) -> View:
    """The same view with its answer said in one piece."""
    said = FieldDelta(field="answer", text=str(view.text("answer")))
    fresh: list[Event] = [
        TurnStarted(turn_id="t", conversation_id="c", question="q", model="m", program="p", language="en"),
        PassagesFound(query="q", passages=view.passages),
        said,
    ]
    return view_of(fresh)


def test_a_block_that_cites_without_end_keeps_its_chips_and_the_first_ones_tell_what_they_cite() -> None:
    found = chips("Keep the beans dark. [1] " * 2 * CHIPS_MOST)
    assert len(found) == 2 * CHIPS_MOST
    assert all("s" in each.told for each in found[:CHIPS_MOST])
    assert not any("s" in each.told for each in found[CHIPS_MOST:])
