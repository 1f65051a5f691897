"""`/v1/models` and `/v1/chat/completions`: how a request is read, and what OpenAI's own client makes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex
from typing import Any, cast

import httpx
import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel, SecretStr

from api.access import Access
from pipeline.programs.profiles import Profile
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turn import MOST_TOKENS
from server import Parts, application, build
from tests.in_process import api_of, tea_parts, without_async
from tests.provider import Provider
from tests.scripted import PASSAGE, TeaIndex

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "http://127.0.0.1/v1"
QUESTION = [{"role": "user", "content": "How hot?"}]
WISHES = {"ok": "ok", "status-401": "status-401", "cut-after-50": "cut-after-50", "team/own@home": "ok"}
DESK = Profile(name="desk", title="Help desk", model="ok")
# Bodies that cannot be answered, each with its code and the key that is wrong.
BAD: list[tuple[dict[str, Any], str, str | None]] = [
    ({"messages": []}, "blank_question", "messages"),
    ({"messages": [{"role": "user", "content": " "}]}, "blank_question", "messages"),
    ({"messages": [{"role": "assistant", "content": "Hello!"}]}, "blank_question", "messages"),
    ({"messages": [{"role": "user", "content": "x" * 9_000}]}, "long_question", "messages"),
    ({"messages": [{"role": "system", "content": "x" * 8_001}, *QUESTION]}, "long_instructions", "messages"),
    ({"messages": "Hello!"}, "invalid_value", "messages"),
    ({"messages": [{"role": "king", "content": "x"}]}, "invalid_value", "messages"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "not_text", "messages"),
    ({"stream": "yes"}, "invalid_value", "stream"),
    ({"temperature": 9}, "invalid_value", "temperature"),
    ({"max_tokens": 0}, "invalid_value", "max_tokens"),
    ({"n": 2}, "many_choices", "n"),
    ({"response_format": {"type": "json_object"}}, "answer_format", "response_format"),
    ({"tool_choice": "required"}, "client_tools", "tool_choice"),
    ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "client_tools", "tool_choice"),
]
MAYA = "maya-0123456789abcdef"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path_factory.mktemp("data"), provider, WISHES, [DESK]) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as running:
        yield running


@pytest.fixture
async def sdk(client: httpx.AsyncClient) -> openai.AsyncOpenAI:
    """OpenAI's client with a key of its own: nobody else's answers are replayed to it."""
    return openai.AsyncOpenAI(base_url=BASE, api_key=token_hex(8), http_client=client)


async def post(client: httpx.AsyncClient, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return await client.post("/v1/chat/completions", json={"messages": QUESTION, **body}, headers=headers)


def sync_sdk(client: httpx.AsyncClient, key: str = "any") -> openai.OpenAI:
    """OpenAI's client for other threads."""
    return openai.OpenAI(base_url=BASE, api_key=key, http_client=without_async(client), max_retries=0)


async def question_of(parts: Parts, answer: httpx.Response) -> tuple[str, str, list[str]]:
    """The question of a turn, its instructions, and the messages that the model was sent."""
    turn_id = answer.json()["id"].removeprefix("chatcmpl-")
    turn = await parts.pipeline.turn(turn_id, None)
    exchanges = await parts.pipeline.exchanges(turn_id, None)
    return (
        turn.question,
        (turn.asked.instructions if turn.asked else None) or "",
        [f"{each.role}: {each.content}" for each in exchanges[0].messages],
    )


async def test_models_are_listed_the_default_first_and_each_profile_as_one_more(sdk: openai.AsyncOpenAI) -> None:
    listed = [each async for each in await sdk.models.list()]
    assert listed[0].id == "ok"
    assert {each.id for each in listed} > {BUILTIN_MODEL, "team/own@home", "ok@desk"}
    assert all((each.object, type(each.created)) == ("model", int) and each.owned_by for each in listed)


async def test_a_model_is_found_by_its_id_whatever_signs_that_holds(sdk: openai.AsyncOpenAI) -> None:
    for id in ("ok", BUILTIN_MODEL, "team/own@home", "ok@desk", "team/own@home@desk", "@desk"):
        assert (await sdk.models.retrieve(id)).id == id
        answer = await sdk.chat.completions.create(model=id, messages=cast("Any", QUESTION))
        assert answer.model == id
        assert answer.choices[0].message.content


async def test_an_unknown_model_or_profile_is_a_404_of_openais_form(sdk: openai.AsyncOpenAI) -> None:
    for id in ("other", "ok@other", "other@desk", "ok@", "o/k"):
        with pytest.raises(openai.NotFoundError) as found:
            await sdk.models.retrieve(id)
        with pytest.raises(openai.NotFoundError) as asked:
            await sdk.chat.completions.create(model=id, messages=cast("Any", QUESTION))
        for caught in (found.value, asked.value):
            assert (caught.code, caught.param, caught.type) == ("model_not_found", "model", "invalid_request_error")


async def test_openais_client_reads_answer_reasoning_sources_citations_and_usage(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model="ok", messages=cast("Any", QUESTION))
    message = answer.choices[0].message
    assert message.content
    assert message.content.endswith("[1].")
    assert message.model_extra
    assert message.model_extra["reasoning_content"]
    assert message.annotations
    cited = message.annotations[0].url_citation
    assert message.content[cited.start_index : cited.end_index] == "[1]"
    assert cited.title == "Tea › Brewing"
    assert cited.url.startswith("http://127.0.0.1/")
    assert answer.model_extra
    assert answer.model_extra["citations"] == [cited.url]
    assert answer.model_extra["search_results"][0]["snippet"] == PASSAGE.text
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer.choices[0].finish_reason == "stop"


async def test_openais_client_reads_the_stream_and_joins_it(sdk: openai.AsyncOpenAI) -> None:
    options: Any = {"model": "ok", "messages": QUESTION, "stream_options": {"include_usage": True}}
    async with sdk.chat.completions.stream(**options) as streamed:
        kinds = [event.type async for event in streamed]
        joined = await streamed.get_final_completion()
    whole = await sdk.chat.completions.create(model="ok", messages=options["messages"])
    assert {"chunk", "content.delta", "content.done"} <= set(kinds)
    assert joined.choices[0].message.content == whole.choices[0].message.content
    assert joined.choices[0].message.annotations == whole.choices[0].message.annotations
    assert joined.usage
    assert joined.usage.total_tokens > 0
    assert whole.usage
    assert whole.usage.total_tokens == 0  # the same visitor asked the same: a stored answer
    assert joined.choices[0].finish_reason == "stop"


async def test_openais_client_without_async_reads_the_same(client: httpx.AsyncClient) -> None:
    sdk = sync_sdk(client)

    def read() -> tuple[str, str, str]:
        asked: Any = {"model": "ok", "messages": QUESTION}
        whole = sdk.chat.completions.create(**asked).choices[0].message.content
        pieces = [chunk.choices[0].delta.content or "" for chunk in sdk.chat.completions.create(**asked, stream=True)]
        with sdk.chat.completions.stream(**asked) as streamed:
            joined = streamed.get_final_completion().choices[0].message.content
        with pytest.raises(openai.BadRequestError):
            sdk.chat.completions.create(**asked, n=2)
        return whole or "", "".join(pieces), joined or ""

    whole, pieces, joined = await asyncio.to_thread(read)
    assert whole
    assert whole == pieces == joined


async def test_openais_client_raises_its_own_class_for_each_status_with_async_and_without(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, ollama_base_url="off", rate_limit="1/minute", api_token=SecretStr("right"), models=()
    )
    parts = build(settings, index=cast("Any", TeaIndex()))

    async def raised(client: httpx.AsyncClient, kind: type[openai.APIStatusError], key: str, **asked: Any) -> None:
        body = {"model": BUILTIN_MODEL, "messages": QUESTION, **asked}
        both = openai.AsyncOpenAI(base_url=BASE, api_key=key, http_client=client, max_retries=0)
        for streams in (False, True):
            with pytest.raises(kind) as caught:
                await both.chat.completions.create(**body, stream=streams)
            assert caught.value.code
            assert caught.value.request_id is None
        with pytest.raises(kind):
            await asyncio.to_thread(cast("Any", sync_sdk(client, key).chat.completions.create), **body)

    try:
        async with api_of(parts) as client:
            await raised(client, openai.AuthenticationError, "wrong")
            await raised(client, openai.BadRequestError, "right", messages=[{"role": "user", "content": " "}])
            await raised(client, openai.NotFoundError, "right", model="other")
            sdk = openai.AsyncOpenAI(base_url=BASE, api_key="right", http_client=client)
            await sdk.chat.completions.create(model=BUILTIN_MODEL, messages=cast("Any", QUESTION))
            await raised(client, openai.RateLimitError, "right")
    finally:
        await parts.pipeline.close()
        parts.store.close()


async def test_openais_client_asks_once_for_an_answer_that_failed(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    sdk = openai.AsyncOpenAI(base_url=BASE, api_key="any", http_client=client)
    before = len(provider.requests)
    with pytest.raises(openai.InternalServerError) as caught:
        await sdk.chat.completions.create(model="cut-after-50", messages=cast("Any", QUESTION))
    assert caught.value.status_code == 502
    assert len(provider.requests) == before + 1


async def test_openais_client_cannot_have_a_parsed_answer_but_has_the_raw_one(sdk: openai.AsyncOpenAI) -> None:
    class Answer(BaseModel):
        text: str

    with pytest.raises(openai.BadRequestError) as caught:
        await sdk.chat.completions.parse(model="ok", messages=cast("Any", QUESTION), response_format=Answer)
    assert caught.value.code == "answer_format"
    raw = await sdk.chat.completions.with_raw_response.create(model="ok", messages=cast("Any", QUESTION))
    assert raw.parse().choices[0].message.content
    assert raw.headers["content-type"] == "application/json"


async def test_a_stream_that_breaks_raises_openais_error_and_keeps_what_was_said(sdk: openai.AsyncOpenAI) -> None:
    said: list[str] = []
    streamed = await sdk.chat.completions.create(model="cut-after-50", messages=cast("Any", QUESTION), stream=True)

    async def read() -> None:
        async for chunk in streamed:
            assert chunk.choices[0].finish_reason is None
            said.append(chunk.choices[0].delta.content or "")

    with pytest.raises(openai.APIError) as caught:
        await read()
    assert "".join(said)
    assert caught.value.code


async def test_the_messages_before_the_question_are_its_history(parts: Parts, client: httpx.AsyncClient) -> None:
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Answer like a pirate."}]},
        {"role": "user", "content": "What is tea?", "name": "maya"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]},
        {"role": "tool", "content": "4711", "tool_call_id": "1"},
        {"role": "assistant", "content": [{"type": "text", "text": "A leaf."}, {"type": "refusal", "refusal": "no"}]},
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": [{"type": "text", "text": "How"}, {"type": "input_text", "text": "hot?"}]},
    ]
    question, instructions, sent = await question_of(parts, await post(client, messages=messages))
    assert question == "How\nhot?"
    assert instructions == "Answer like a pirate.\n\nBe short."
    prompt = "\n".join(sent)
    assert "What is tea?" in prompt
    assert "A leaf." in prompt
    assert "4711" not in prompt


async def test_what_only_tunes_a_model_is_used_or_ignored(parts: Parts, client: httpx.AsyncClient) -> None:
    tuned: dict[str, Any] = {
        "temperature": 0.3,
        "max_tokens": -1,
        "max_completion_tokens": 10**9,
        "top_p": 0.5,
        "stop": ["\n"],
        "seed": 7,
        "logit_bias": {"1": 2},
    }
    asked: dict[str, Any] = {
        "user": "maya",
        "tools": [{"type": "function"}],
        "tool_choice": "auto",
        "n": 1,
        "own": {"key": 1},
    }
    answer = await post(client, **tuned, **asked, response_format={"type": "text"}, stream=None, stream_options=None)
    assert answer.status_code == 200
    turn = await parts.pipeline.turn(answer.json()["id"].removeprefix("chatcmpl-"), None)
    assert turn.asked
    assert (turn.asked.temperature, turn.asked.max_tokens) == (0.3, MOST_TOKENS)


async def test_options_of_a_turn_may_stand_beside_openais_keys(sdk: openai.AsyncOpenAI, parts: Parts) -> None:
    options = {"program": "Compliance", "passages_wanted": 1, "uses_cache": False}
    headers = {"X-Visitor": MAYA}
    answer = await sdk.chat.completions.create(
        model="ok", messages=cast("Any", QUESTION), extra_body=options, extra_headers=headers
    )
    turn = await parts.pipeline.turn(answer.id.removeprefix("chatcmpl-"), MAYA)
    assert turn.asked
    assert (turn.program, turn.asked.passages_wanted) == ("Compliance", 1)


async def test_what_cannot_be_answered_is_400_and_names_its_key(client: httpx.AsyncClient) -> None:
    for body, code, param in BAD:
        for streams in (False, True):
            answer = await post(client, **{"stream": streams, **body})
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
            assert error["message"]


async def test_pictures_of_earlier_messages_are_left_out(client: httpx.AsyncClient) -> None:
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}
    assert (await post(client, messages=[picture, *QUESTION])).status_code == 200


async def test_errors_before_any_route_have_openais_form_too(client: httpx.AsyncClient) -> None:
    for answer, status in (
        (await client.get("/v1/other"), 404),
        (await client.get("/v1/chat/completions"), 405),
        (await client.post("/v1/chat/completions", content="{", headers={"content-type": "application/json"}), 400),
        (await client.post("/v1/chat/completions", content="{}"), 400),
        (await client.post("/v1/chat/completions", json={}, headers={"x-visitor": "short"}), 400),
    ):
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "type", "code", "param"}


async def test_the_model_that_answered_is_named_where_a_fallback_led_to_it(client: httpx.AsyncClient) -> None:
    answer = (await post(client, model="status-401")).json()
    assert answer["model"] == BUILTIN_MODEL
    assert answer["choices"][0]["message"]["content"]


async def test_a_turn_that_failed_is_502_and_tells_clients_not_to_ask_again(client: httpx.AsyncClient) -> None:
    broken = await post(client, model="cut-after-50")
    assert broken.status_code == 502
    assert broken.json()["error"]["type"] == "server_error"
    assert broken.headers["x-should-retry"] == "false"


async def test_the_token_of_the_host_is_asked_for_in_openais_form(parts: Parts) -> None:
    app = application(parts)
    app.state.access = Access(SecretStr("right"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for key, cls in (("wrong", openai.AuthenticationError), ("right", None)):
            sdk = openai.AsyncOpenAI(base_url=BASE, api_key=key, http_client=client)
            if cls is None:
                assert (await sdk.models.list()).data
                continue
            with pytest.raises(cls) as caught:
                await sdk.models.list()
            assert caught.value.code == "invalid_api_key"


async def test_the_owner_is_the_visitor_else_the_key(parts: Parts, client: httpx.AsyncClient) -> None:
    own = await post(client, {"Authorization": "Bearer one", "X-Visitor": MAYA})
    turn_id = own.json()["id"].removeprefix("chatcmpl-")
    assert (await parts.pipeline.turn(turn_id, MAYA)).question == "How hot?"
    keyed = await post(client, {"Authorization": "Bearer one"})
    turn = await parts.history.turn(keyed.json()["id"].removeprefix("chatcmpl-"), None)
    assert turn is None  # somebody's


async def test_the_same_idempotency_key_gives_the_same_turn_streamed_or_not(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "one"}
    first, second = await post(client, headers), await post(client, headers)
    assert first.json() == second.json()
    streamed = await post(client, headers, stream=True)
    chunks = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: {")]
    assert {chunk["id"] for chunk in chunks} == {first.json()["id"]}
    said = "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])
    assert said == first.json()["choices"][0]["message"]["content"]
    other = await post(client, headers, messages=[{"role": "user", "content": "Why?"}])
    assert (other.status_code, other.json()["error"]["code"]) == (422, "reused_request_key")
