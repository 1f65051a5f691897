"""A prompt fits the window of its model, or the ladder makes it shorter, and a reader is told what was left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.view import view_of
from i18n.messages import warning_text
from pipeline.events import (
    Event,
    PassagesFound,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Warned,
    passages_after,
)
from pipeline.messages import Message
from pipeline.models.catalogue import Models
from pipeline.models.prompt_limit import (
    REPLY_TOKENS,
    Calibration,
    PromptLimit,
    needed_tokens,
    prompt_tokens,
    text_tokens,
)
from pipeline.passages import Passage
from pipeline.programs.registry import PROGRAMS
from pipeline.retrieval import IndexedDocument, SearchResult
from pipeline.settings import ModelEntry, Settings
from pipeline.turn import AskOptions, TurnRequest
from server import Parts, build
from tests.in_process import events_of
from tests.provider import Provider, tokens_in

WINDOW = 2_048
SENTENCE = "Green tea wants water that is not too hot, or it will taste bitter and lose what makes it fresh. "
PASSAGES = tuple(
    Passage(number, "tea.md", "Tea", f"Part {number}", SENTENCE * 9, 9.0 - number, (), "tea", number * 1_000)
    for number in range(1, 9)
)
MAYA = "m" * 32
ASKED = AskOptions(passages_wanted=8)


class EightPassages:
    """An index that finds the same eight passages for every question."""

    titles, modes, reranks = (), ("keyword",), False

    async def __call__(self, query: Any, *others: Any) -> SearchResult:
        return SearchResult(query, PASSAGES, (), "good", "keyword", 0.1)

    async def documents(self, visitor: str | None) -> tuple[IndexedDocument, ...]:
        return (IndexedDocument("tea", "hash", "tea.md", "Tea", "en", None, 8, "shared", None, "", "", 0.0),)

    async def read(self, *asked: Any) -> tuple[Passage, ...]:
        return PASSAGES


@pytest.fixture
async def served(tmp_path: Path) -> Any:
    with Provider() as provider:
        models = tuple(
            ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base, context_tokens=window)
            for name, window in (("window-2048", WINDOW), ("window-1000", WINDOW), ("too-long", WINDOW))
        )
        values = Settings(models=models, data_dir=tmp_path)
        made = build(values, index=cast("Any", EightPassages()), models=Models(values, pace_s=0.0))
        yield made, provider
        await made.pipeline.close()
        made.store.close()


async def asked(parts: Parts, question: str, model: str, options: AskOptions, **given: Any) -> list[Event]:
    request = TurnRequest(question, options, model=model, visitor=MAYA, **given)
    return await events_of(parts.pipeline, request)


def of(kind: type[Any], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("program", PROGRAMS)
async def test_every_program_keeps_to_a_small_window(served: tuple[Parts, Provider], program: str) -> None:
    parts, provider = served
    events = await asked(parts, "How hot?", "window-2048", replace(ASKED, program=program))
    ending = events[-1]
    assert isinstance(ending, TurnFinished), ending
    assert of(Recovered, events) == []
    assert all(tokens_in(body) <= WINDOW for body in provider.requests)
    numbers = [each.number for each in ending.passages]
    assert numbers == list(range(1, len(numbers) + 1))
    assert 0 < len(numbers) < 8
    assert all(f"[{number}] Tea" in str(provider.requests[-1]["messages"]) for number in numbers)
    codes = {each.code for each in of(Warned, events)}
    assert codes & {"prompt_limit", "document_cut"}


@pytest.mark.parametrize("words", [2, 60])
@pytest.mark.parametrize("program", [spec.name for spec in PROGRAMS.values() if spec.most_steps])
async def test_where_a_window_is_smaller_than_said_further_steps_are_left_out_before_the_answer(
    served: tuple[Parts, Provider], program: str, words: int
) -> None:
    events = await asked(served[0], "How hot? " * words, "window-1000", replace(ASKED, program=program))
    assert isinstance(events[-1], TurnFinished), events[-1]
    assert events[-1].model == "window-1000"


async def test_a_token_limit_beyond_the_window_is_lowered(served: tuple[Parts, Provider]) -> None:
    parts, provider = served
    events = await asked(parts, "How hot?", "window-2048", replace(ASKED, max_tokens=4_000))
    assert isinstance(events[-1], TurnFinished)
    assert of(Recovered, events) == []
    assert [body["max_tokens"] for body in provider.requests] == [1_024]
    assert events[-1].passages


async def test_the_history_makes_room_first_and_the_warning_counts_both(served: tuple[Parts, Provider]) -> None:
    parts, provider = served
    first = await asked(parts, "How hot?", "window-2048", ASKED)
    assert isinstance(first[0], TurnStarted)
    events = await asked(parts, "How long?", "window-2048", ASKED, conversation_id=first[0].conversation_id)
    assert isinstance(events[-1], TurnFinished)
    (warned,) = of(Warned, events)
    assert warned == replace(warned, code="prompt_limit", values={"turns": 1, "passages": 8 - len(events[-1].passages)})
    assert "How hot?" not in str(provider.requests[-1]["messages"])
    assert "Passages left out, those of the lowest rank: " in warning_text(warned)
    assert "Weggelassene frühere Fragen, die ältesten: 1." in warning_text(warned, "de")
    rejected = of(PassagesFound, events)[0].rejected
    assert all(each.reason == Message("no_room") for each in rejected)


async def test_a_window_that_is_smaller_than_said_gets_fewer_passages(served: tuple[Parts, Provider]) -> None:
    parts, provider = served
    events = await asked(parts, "How hot?", "window-1000", ASKED)
    ending, view = events[-1], view_of(events)
    assert isinstance(ending, TurnFinished)
    assert [(each.what, each.code) for each in of(Recovered, events)] == [("retry", "context_window_exceeded")] * (
        len(provider.requests) - 1
    )
    assert len(provider.requests) > 1
    sent = str(provider.requests[-1]["messages"])
    assert [each.number for each in ending.passages] == [number for number in range(1, 9) if f"[{number}] Tea" in sent]
    assert view.passages == ending.passages
    assert {each.number for each in view.rejected} == set(range(1, 9)) - {each.number for each in ending.passages}
    assert view.query  # of the search


async def test_a_question_that_is_too_long_alone_is_refused_in_words(served: tuple[Parts, Provider]) -> None:
    parts, provider = served
    for program in PROGRAMS:
        events = await asked(parts, SENTENCE * 80, "window-2048", replace(ASKED, program=program))
        assert isinstance(events[-1], TurnFailed), program
        assert events[-1].code == "prompt_too_long"
    assert provider.requests == []


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_estimate_grows_with_the_text(one: str, two: str) -> None:
    whole = text_tokens(one + two)
    assert max(text_tokens(one), text_tokens(two)) <= whole <= text_tokens(one) + text_tokens(two)


@pytest.mark.parametrize(
    ("text", "counted"),  # what SmolLM2's tokenizer counted, a small one made for English
    [
        (SENTENCE * 10, 230),
        ("{'roast': 'light', 'sources': [1, 2]}\n" * 10, 170),
        ("低温保存をする。", 13),
    ],
)
def test_the_estimate_is_rather_too_large(text: str, counted: int) -> None:
    assert counted <= text_tokens(text) <= 3 * counted


def test_the_window_is_shared_between_prompt_and_reply() -> None:
    assert PromptLimit.of(9_000, None) == PromptLimit(chars=9_000)
    assert PromptLimit.of(None, 2_048).tokens == 2_048 - 512
    assert PromptLimit.of(None, 128_000).tokens == 128_000 - REPLY_TOKENS
    assert PromptLimit.of(None, 2_048, max_tokens=4_000).tokens == 1_024
    assert needed_tokens(["Hello."], 100) == prompt_tokens(["Hello."]) + 100


def test_what_a_provider_counts_corrects_the_estimate_upwards_alone() -> None:
    calibration, texts = Calibration(), ["Hello there. " * 50]
    estimated = prompt_tokens(texts)
    calibration.learn(texts, estimated // 2)
    assert calibration.correction == 1.0
    calibration.learn(texts, estimated * 2)
    calibration.learn(texts, estimated)
    assert calibration.correction == 2.0
    limit = PromptLimit.of(None, 4_096, correction=calibration.correction)
    assert limit.tokens == (4_096 - 1_024) // 2


def test_passages_that_are_not_sent_any_more_cannot_be_cited() -> None:
    found = PassagesFound(query="tea", passages=PASSAGES[:4])
    withdrawn = PassagesFound(query="", passages=(), rejected=PASSAGES[2:4])
    assert passages_after(passages_after((), found), withdrawn) == PASSAGES[:2]
    assert view_of([found, withdrawn]).titles == ("Tea", "Tea")
    assert view_of([found, replace(withdrawn, rejected=PASSAGES[1:2])]).titles == ("Tea", "", "Tea", "Tea")
