"""A visitor's own key: it pays for the model asked alone, the host's keys for nothing, and nobody shares either."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pipeline.errors import Refused
from pipeline.events import Event, PassagesFound, Recovered, TurnFinished, Warned
from pipeline.ingest.markdown import read_folder
from pipeline.models.catalogue import Models
from pipeline.models.lm import RecordedLM
from pipeline.models.visitor_keys import model_key
from pipeline.retrieval import SearchOptions
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ROOT, ModelEntry, Settings
from pipeline.turn import AskOptions, TurnRequest
from server import Parts, build
from tests.in_process import events_of
from tests.indexed import ScriptedEmbedding
from tests.provider import Provider

on_loop = pytest.mark.asyncio(loop_scope="module")

QUESTION = "Why does water temperature change the taste of coffee?"
HOST, MAYA, NOAH = "host-key-0123456789", "maya-key-0123456789", "noah-key-0123456789"


class Paid(ScriptedEmbedding):
    """An embedding that a server runs."""

    is_hosted = True


@pytest.fixture(scope="module")
def embedding() -> Paid:
    return Paid()


def entries(provider: Provider) -> tuple[ModelEntry, ...]:
    def entry(model: str, env: str = "HOST_KEY", engine: str = "hosted_vllm") -> ModelEntry:
        return ModelEntry(label=model, model=f"{engine}/{model}", api_base=provider.base, api_key_env=env)

    models = ("ok", "status-401", "status-402", "status-500", "status-429-retry-30")
    keyless = entry("ok-tokens-30", "KEY_THAT_IS_UNSET")
    return (*map(entry, models), keyless, ModelEntry(label="cloud", model="bedrock/any"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, provider: Provider, embedding: Paid) -> AsyncIterator[Parts]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOST_KEY", HOST)
        chosen = Settings(
            data_dir=tmp_path_factory.mktemp("keys"), models=entries(provider), fallbacks=("ok",), max_turns=9
        )
        index = EdgeIndex.temporary(embedding)
        await index.add(read_folder(ROOT / "samples"), "documents", None)
        built = build(chosen, index=index, models=Models(chosen, pace_s=0))
        yield built
        await built.close()


async def asked(parts: Parts, model: str, key: str | None, *, rewrites: bool = False) -> list[Event]:
    own = SecretStr(key) if key else None
    request = TurnRequest(QUESTION, AskOptions(rewrites=rewrites), model=model, model_key=own)
    return await events_of(parts.pipeline, request)


def seen(provider: Provider, since: int) -> list[tuple[str, str]]:
    """What the provider was asked: the model, and whose key paid."""
    return [(body["model"], key) for body, key in zip(provider.requests, provider.authorized, strict=True)][since:]


@on_loop
async def test_each_visitor_pays_with_the_own_key_and_the_host_for_the_others(parts: Parts, provider: Provider) -> None:
    since = len(provider.requests)
    for key in (MAYA, NOAH, None, MAYA):
        events = await asked(parts, "ok", key)
        assert isinstance(events[-1], TurnFinished)
        assert events[-1].model == "ok"
    assert [key for _, key in seen(provider, since)] == [MAYA, NOAH, HOST, MAYA]


@pytest.mark.parametrize("model", ["status-401", "status-402", "status-429-retry-30"])
@on_loop
async def test_after_the_model_with_an_own_key_the_built_in_one_answers_and_no_model_that_the_host_pays_for(
    parts: Parts, provider: Provider, model: str
) -> None:
    since = len(provider.requests)
    events = await asked(parts, model, MAYA, rewrites=True)
    assert {key for _, key in seen(provider, since)} == {MAYA}
    assert {name for name, _ in seen(provider, since)} == {model}
    assert [event.to_model for event in events if isinstance(event, Recovered)] == [BUILTIN_MODEL]
    warned = {event.code for event in events if isinstance(event, Warned)}
    assert ("own_key_refused" in warned) == (model == "status-401")
    assert ("own_key_no_credit" in warned) == (model == "status-402")
    assert [choice.state for choice in parts.models.choices if choice.label == model] == ["ready"]


@on_loop
async def test_a_resting_model_of_the_host_still_answers_who_has_an_own_key(parts: Parts, provider: Provider) -> None:
    for _ in range(2):
        await asked(parts, "status-401", None)
    assert parts.models.breakers.rest_s("status-401") > 0
    since = len(provider.requests)
    await asked(parts, "status-401", MAYA)
    assert seen(provider, since) == [("status-401", MAYA)]


@on_loop
async def test_a_model_without_a_key_answers_with_an_own_one(parts: Parts, provider: Provider) -> None:
    assert [each.state for each in parts.models.choices if each.label == "ok-tokens-30"] == ["no_key"]
    since = len(provider.requests)
    events = await asked(parts, "ok-tokens-30", NOAH, rewrites=True)
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].model == "ok-tokens-30"
    assert {key for _, key in seen(provider, since)} == {NOAH}
    assert len(seen(provider, since)) == 2  # the rewriting, too


@on_loop
async def test_no_key_is_kept_when_its_turn_has_ended(parts: Parts, provider: Provider) -> None:
    turn = await parts.pipeline.start(TurnRequest(QUESTION, model="ok", model_key=SecretStr(MAYA)))
    assert MAYA not in repr(turn.request)
    _ = [event async for event in parts.pipeline.follow(turn.id) if event]
    assert turn.task
    await turn.task
    assert turn.request.model_key is None
    del turn
    gc.collect()
    lms = [each for each in gc.get_objects() if isinstance(each, RecordedLM)]
    keyed = [each for each in lms if MAYA in str((each.kwargs, each._new))]
    assert keyed == []


@on_loop
async def test_a_key_is_refused_for_a_model_that_would_use_the_hosts_credentials(parts: Parts) -> None:
    with pytest.raises(Refused, match="takes_no_key"):
        await asked(parts, "cloud", MAYA)
    assert isinstance((await asked(parts, BUILTIN_MODEL, MAYA))[-1], TurnFinished)


@on_loop
async def test_search_models_of_the_host_are_left_out_and_that_is_said(parts: Parts, embedding: Paid) -> None:
    before = len(embedding.asked)
    events = await asked(parts, "ok", MAYA)
    assert len(embedding.asked) == before
    assert [event.mode for event in events if isinstance(event, PassagesFound)] == ["keyword"]
    assert "own_key_search" in [event.code for event in events if isinstance(event, Warned)]
    events = await asked(parts, "ok", None)
    assert len(embedding.asked) > before
    assert "own_key_search" not in [event.code for event in events if isinstance(event, Warned)]


def test_the_host_may_lend_the_search_models() -> None:
    assert SearchOptions.of(AskOptions()).uses_hosted
    assert not SearchOptions.of(AskOptions(), uses_hosted=False).uses_hosted


def test_a_typed_model_without_a_key_is_listed_for_those_who_have_one() -> None:
    models = Models(Settings())
    assert not models.known("anthropic/claude-typed")
    assert models.add("anthropic/claude-typed") == "anthropic/claude-typed"
    (choice,) = [each for each in models.choices if each.label == "anthropic/claude-typed"]
    assert (choice.state, choice.key_scope) == ("no_key", "anthropic")


def test_a_key_of_a_provider_is_meant_for_its_models_alone_and_not_for_a_server_of_the_host() -> None:
    own = ModelEntry(label="own", model="openai/llama", api_base="http://127.0.0.1:1/v1")
    listed = Models(Settings(models=(own, ModelEntry(label="cloud", model="bedrock/any")))).choices
    scopes = {choice.label: choice.key_scope for choice in listed}
    assert scopes["openai/gpt-5-mini"] == "openai"
    assert scopes["own"] == "server:own"
    assert (scopes["cloud"], scopes[BUILTIN_MODEL]) == ("", "")


@settings(max_examples=40)
@given(st.text(max_size=520))
def test_a_key_is_visible_ascii_of_at_most_500_characters_and_is_shown_nowhere(text: str) -> None:
    if not (0 < len(text) <= 500 and all("!" <= character <= "~" for character in text)):
        with pytest.raises(Refused, match="invalid_key"):
            model_key(text)
        return
    key = model_key(text)
    assert key.get_secret_value() == text
    assert "**********" in repr(TurnRequest("?", model_key=key))
