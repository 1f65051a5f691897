"""Ollama's models over an emulation of its API: found, asked with enough room, and gone with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ModelFault
from pipeline.events import Event, FieldDelta, Warned
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.lm import prompts
from pipeline.models.ollama.api import details_of, line_of, listed_models
from pipeline.models.ollama.window import LEAST_TOKENS, is_cut, window_for
from pipeline.models.prompt_limit import prompt_tokens
from pipeline.programs.chain_of_thought import Rag
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOutcome, answer
from pipeline.settings import ModelEntry, Settings
from tests.ollama_server import REPLY, THOUGHT, OllamaServer, model, ollama
from tests.scripted import find_tea

LIMITS = ReplyLimits(first_token_s=20, idle_s=20, answer_chars=10_000)


@contextmanager
def served(**models: dict[str, object]) -> Iterator[tuple[OllamaServer, Models]]:
    with ollama(**models) as server:
        yield server, Models(Settings(ollama_base_url=server.address))


async def found(models: Models) -> list[str]:
    await models.find()
    while (probe := models._ollama._probe) and not probe.done():
        await asyncio.wait({probe})
    return [choice.label for choice in models.choices if choice.provider == "ollama_chat"]


async def asked(
    models: Models, label: str, question: str = "How hot?"
) -> tuple[ReplyOutcome, list[Event], list[PromptExchange]]:
    events: list[Event] = []
    exchanges: list[PromptExchange] = []
    prompts.set(exchanges)
    inputs = {"question": question}
    outcome = await answer(Rag(find_tea), inputs, models.lm(label), LIMITS, events.append)
    return outcome, events, exchanges


def text_of(events: list[Event], field: str) -> str:
    return "".join(event.text for event in events if isinstance(event, FieldDelta) and event.field == field)


async def test_models_that_can_complete_are_offered_with_size_and_window() -> None:
    with served(qwen3_8b=model(), nomic=model(("embedding",)), old=model(window=2048)) as (server, models):
        del server.models["old"]["capabilities"]  # an older version says nothing of them
        assert await found(models) == ["ollama/qwen3:8b", "ollama/old"]
        choice = next(each for each in models.choices if each.label == "ollama/qwen3:8b")
        assert (choice.state, choice.context_tokens, choice.prices) == ("ready", 40_960, None)
        assert choice.note
        assert choice.note.values == {"size": "5.2 GB", "window": "41k"}
        await found(models)
        assert server.paths.count("/api/tags") == 1  # asked again only after a while


async def test_a_model_that_an_entry_names_without_its_tag_is_offered_once() -> None:
    with ollama(qwen3_latest=model()) as server:
        entry = ModelEntry(label="mine", model="ollama_chat/qwen3", api_base=server.address)
        assert await found(Models(Settings(models=(entry,), ollama_base_url=server.address))) == ["mine"]


async def test_models_are_gone_with_the_server_and_nothing_is_offered_without_one() -> None:
    with served(qwen3_8b=model()) as (_, models):
        assert await found(models)
    models._ollama._probed_at = -100
    assert await found(models) == []
    assert not models.known("ollama/qwen3:8b")
    assert await found(Models(Settings(ollama_base_url="off"))) == []


async def test_a_server_that_is_too_slow_delays_nobody_and_its_models_are_shown_as_unreachable() -> None:
    with served(qwen3_8b=model()) as (server, models):
        await found(models)
        server.is_slow, models._ollama._probed_at = True, -100
        async with asyncio.timeout(3):
            assert await found(models) == ["ollama/qwen3:8b"]
        assert {each.state for each in models.choices if each.provider == "ollama_chat"} == {"unreachable"}


async def test_a_server_that_answers_again_makes_its_models_ready() -> None:
    with served(qwen3_8b=model()) as (_, models):
        await found(models)
        models.note_unreached("ollama/qwen3:8b", ModelFault("refused", address="127.0.0.1:1"))
        assert models.choices[1].state == "unreachable"
        models._ollama._probed_at = -100
        await models.find()
        while (probe := models._ollama._probe) and not probe.done():
            await asyncio.wait({probe})
        models._ollama._probed_at = -100
        await models.find()
        assert [each.state for each in models.choices[:2]] == ["ready", "ready"]


async def test_an_answer_streams_with_a_window_that_has_room_for_the_prompt() -> None:
    with served(qwen3_8b=model()) as (server, models):
        await found(models)
        outcome, events, exchanges = await asked(models, "ollama/qwen3:8b")
        assert text_of(events, "answer") == "Water of 80 °C [1]."
        body = server.chats[0]
        texts = [each["content"] for each in body["messages"]]
        assert body["messages"][0]["role"] == "system"
        assert prompt_tokens(texts) < body["options"]["num_ctx"] <= 40_960
        assert body["stream"] is True
        assert exchanges[0].parameters["num_ctx"] == body["options"]["num_ctx"]
        assert outcome.usage.exact
        assert not [event for event in events if isinstance(event, Warned)]


@pytest.mark.parametrize("name", ["cuts", "forgets"])
async def test_a_prompt_that_was_cut_is_warned_of_and_one_that_was_cached_is_not(name: str) -> None:
    with served(**{name: model()}) as (_, models):
        await found(models)
        _, events, _ = await asked(models, f"ollama/{name}")
    warned = [event.code for event in events if isinstance(event, Warned)]
    assert warned == (["prompt_cut"] if name == "cuts" else [])


async def test_thinking_is_shown_as_thinking() -> None:
    with served(thinks=model(("completion", "thinking"))) as (server, models):
        await found(models)
        _, events, exchanges = await asked(models, "ollama/thinks")
    assert server.chats[0]["think"] is True
    assert text_of(events, "thinking").strip() == THOUGHT
    assert exchanges[0].reply == REPLY


async def test_a_prompt_for_which_memory_lacks_leaves_the_model_usable_for_shorter_ones() -> None:
    with served(roomy=model()) as (server, models):
        await found(models)
        await asked(models, "ollama/roomy")
        with pytest.raises(ModelFault, match="no_memory"):
            await asked(models, "ollama/roomy", "How hot? " * 5_000)
        outcome, _, _ = await asked(models, "ollama/roomy")
        assert outcome.finish == "stop"
        assert server.chats[-1]["options"]["num_ctx"] == LEAST_TOKENS


async def test_lines_end_at_their_ends_alone() -> None:
    with served(torn=model()) as (_, models):
        await found(models)
        _, events, _ = await asked(models, "ollama/torn")
        assert text_of(events, "answer") == "Water of 80 °C [1]."
        assert text_of(events, "thinking").splitlines() == ["one", "two", "three"]


async def test_a_server_that_says_nothing_of_a_model_is_asked_all_the_same() -> None:
    with ollama(mute=model()) as server:
        entry = ModelEntry(label="m", model="ollama_chat/mute", api_base=server.address)
        outcome, _, _ = await asked(Models(Settings(models=(entry,), ollama_base_url="off")), "m")
        assert outcome.finish == "stop"


@pytest.mark.parametrize(
    ("name", "code"),
    [("breaks", "server"), ("stops", "incomplete"), ("huge", "no_memory"), ("gone", "unsupported_model")],
)
async def test_a_fault_of_the_server_gets_its_code(name: str, code: str) -> None:
    with served(**{name: model()}) as (server, models):
        await found(models)
        if name == "gone":
            server.models.clear()
        with pytest.raises(ModelFault, match=code):
            await asked(models, f"ollama/{name}")


async def test_parameters_keep_alive_and_key_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOOR_KEY", "sesame")
    with ollama(qwen3_8b=model()) as server:
        entry = ModelEntry(
            label="mine",
            model="ollama_chat/qwen3:8b",
            api_base=f"{server.address}/v1",
            api_key_env="DOOR_KEY",
            num_ctx=6000,
            top_p=0.5,
            top_k=7,
            think=False,
            temperature=0.1,
        )
        models = Models(Settings(models=(entry,), ollama_base_url=server.address, ollama_keep_alive="-1"))
        assert await found(models) == ["mine"]
        assert models.context_tokens("mine") == 6000
        _, _, exchanges = await asked(models, "mine")
    body, options = server.chats[0], server.chats[0]["options"]
    assert options | {"num_ctx": 6000, "top_p": 0.5, "top_k": 7, "temperature": 0.1} == options
    assert (body["keep_alive"], body["think"], server.headers[-1]) == (-1, False, "Bearer sesame")
    assert {"num_ctx": 6000, "top_k": 7, "keep_alive": -1, "think": False}.items() <= exchanges[0].parameters.items()


@settings(max_examples=40)
@given(st.lists(st.text(max_size=400), max_size=6), st.integers(1, 4000), st.integers(0, 65_536))
def test_the_window_has_room_never_shrinks_and_is_no_larger_than_the_models(
    texts: list[str], reply_tokens: int, before: int
) -> None:
    window = window_for(texts, reply_tokens, None, before)
    assert window >= max(prompt_tokens(texts) + reply_tokens, LEAST_TOKENS, before)
    assert window_for(texts, reply_tokens, 512, before) == 512
    assert window_for(texts, reply_tokens, None, window) == window


def test_what_the_cache_held_does_not_count_as_cut() -> None:
    system, question = "x" * 8000, "y" * 2000
    assert is_cut((system, question), (), 300, 4096)
    assert not is_cut((system, question), (system, "z" * 2000), 300, 4096)  # 400 new tokens, at the most


KEYS = ("models", "model", "size", "model_info", "capabilities", "parameters", "message", "done", "eval_count")
SCALARS = st.none() | st.booleans() | st.integers() | st.text()


@settings(max_examples=40)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner)))
def test_anything_that_answers_in_ollamas_place_is_read_without_a_bug(body: object) -> None:
    listed_models(body)
    details_of(body)
    try:
        line_of(json.dumps(body))
    except ModelFault as fault:
        assert fault.code == "bad_reply"  # noqa: PT017


def test_a_model_may_take_time_to_load_unless_a_deadline_is_set() -> None:
    assert Settings().loading_timeout_s > Settings().first_token_timeout_s
    assert Settings(first_token_timeout_s=7).loading_timeout_s == 7
    models = Models(Settings(models=(ModelEntry(label="m", model="ollama/x"),)))
    assert models.loads_slowly("m")
    assert not models.loads_slowly("builtin/extractive")
