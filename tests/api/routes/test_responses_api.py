"""`/v1/responses`: how a request is read, what it goes on with, and what OpenAI's own client makes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import openai
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from openai.types.responses import ResponseStreamEvent
from pydantic import SecretStr, TypeAdapter
from starlette.middleware import Middleware

import api.routes.responses
from api.access import Access
from api.asking import Asking
from api.dialects.cited import Link
from api.error_responses import HANDLERS, Traced
from pipeline.programs.profiles import Profile
from pipeline.settings import Settings
from pipeline.turn import Turn, TurnRequest
from server import Parts, build
from tests.in_process import tea_parts, without_async
from tests.provider import Provider
from tests.scripted import TeaIndex

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
DESK = Profile(name="desk", title="Help desk", model="ok")
pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAM: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
WISHES = ("ok", "status-401", "cut-after-50", "cut-after-60", "length", "ok-tokens-60-gap-50")
# Bodies that cannot be answered: each with its status, its code and the key that is wrong.
BAD: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"input": ""}, 400, "blank_question", "input"),
    ({"input": []}, 400, "blank_question", "input"),
    ({"input": [{"role": "assistant", "content": "Hello!"}]}, 400, "blank_question", "input"),
    ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, 400, "not_text", "input"),
    ({"input": "x" * 9_000}, 400, "long_question", "input"),
    ({"input": [{"role": "king", "content": "x"}]}, 400, "invalid_value", "input"),
    ({"input": [{"type": "item_reference", "id": "msg_none_1"}]}, 404, "response_not_found", None),
    ({"stream": "yes"}, 400, "invalid_value", "stream"),
    ({"temperature": 9}, 400, "invalid_value", "temperature"),
    ({"max_output_tokens": 0}, 400, "invalid_value", "max_output_tokens"),
    (
        {"instructions": "x" * 5_000, "input": [{"role": "system", "content": "x" * 5_000}]},
        400,
        "long_instructions",
        "input",
    ),
    ({"metadata": {"a": 1}}, 400, "invalid_value", "metadata"),
    ({"model": "other"}, 404, "model_not_found", "model"),
    ({"model": "ok@other"}, 404, "model_not_found", "model"),
    ({"previous_response_id": "resp_none"}, 400, "previous_response_not_found", "previous_response_id"),
    ({"previous_response_id": "none"}, 400, "previous_response_not_found", "previous_response_id"),
    ({"previous_response_id": "resp_none", "conversation": "x"}, 400, "invalid_request", None),
    ({"conversation": "none"}, 404, "conversation", None),
    ({"text": {"format": {"type": "json_object"}}}, 400, "answer_format", "text"),
    ({"tool_choice": "required"}, 400, "client_tools", "tool_choice"),
]


def linker(request: Request) -> Link:
    return lambda passage: f"{request.base_url}cited/{passage.number}"


def app_of(parts: Parts, access: Access) -> FastAPI:
    router = api.routes.responses.routes(Asking(parts.pipeline, parts.secret), parts.models, linker)
    app = FastAPI(
        routes=router.routes, middleware=[Middleware(Traced, (router,))], exception_handlers=HANDLERS, openapi_url=None
    )
    app.state.access = access
    return app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path_factory.mktemp("data"), provider, WISHES, [DESK], cache_answers=False) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app_of(parts, Access()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as running:
        yield running


def sdk_of(client: httpx.AsyncClient, visitor: str = MAYA, key: str = "any") -> openai.AsyncOpenAI:
    headers = {"X-Visitor": visitor} if visitor else {}
    return openai.AsyncOpenAI(
        base_url="http://127.0.0.1/v1", api_key=key, http_client=client, default_headers=headers, max_retries=0
    )


@pytest.fixture
def sdk(client: httpx.AsyncClient) -> openai.AsyncOpenAI:
    return sdk_of(client)


async def turn_of(parts: Parts, response: Any) -> Turn:
    return await parts.pipeline.turn(response.id.removeprefix("resp_"), MAYA)


async def prompt_of(parts: Parts, response: Any) -> str:
    exchanges = await parts.pipeline.exchanges(response.id.removeprefix("resp_"), MAYA)
    return "\n".join(f"{each.role}: {each.content}" for each in exchanges[0].messages)


async def test_openais_client_reads_answer_reasoning_citations_and_usage(sdk: openai.AsyncOpenAI) -> None:
    response = await sdk.responses.create(model="ok", input="How hot?", metadata={"run": "7"})
    thought, message = response.output
    assert thought.type == "reasoning"
    assert thought.summary[0].text
    assert message.type == "message"
    part = message.content[0]
    assert part.type == "output_text"
    assert response.output_text == part.text
    cited = part.annotations[0]
    assert cited.type == "url_citation"
    assert part.text[cited.start_index : cited.end_index] == "[1]"
    assert (cited.url, cited.title) == ("http://127.0.0.1/cited/1", "Tea › Brewing")
    assert (response.status, response.model, response.metadata) == ("completed", "ok", {"run": "7"})
    assert response.usage
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert (await sdk.responses.retrieve(response.id)).output == response.output


async def test_openais_client_reads_the_stream_and_the_same_answer_at_its_end(sdk: openai.AsyncOpenAI) -> None:
    said: list[str] = []
    async with sdk.responses.stream(model="ok", input="How hot?") as streamed:
        async for event in streamed:
            if event.type == "response.output_text.delta":
                said.append(event.delta)
                assert event.snapshot == "".join(said)
        final = await streamed.get_final_response()
    assert final.output_text == "".join(said)
    assert (await sdk.responses.retrieve(final.id)).output_text == final.output_text
    async for raw in await sdk.responses.create(model="ok", input="How hot?", stream=True):
        STREAM.validate_python(raw.to_dict(), strict=True)
    again = [event async for event in await sdk.responses.retrieve(final.id, stream=True, starting_after=3)]
    assert [event.sequence_number for event in again] == list(range(4, again[-1].sequence_number + 1))
    assert again[-1].type == "response.completed"


async def test_a_response_goes_on_with_the_conversation_of_the_previous_one(
    parts: Parts, sdk: openai.AsyncOpenAI
) -> None:
    first = await sdk.responses.create(input="What is tea?")
    second = await sdk.responses.create(input="How hot?", previous_response_id=first.id)
    other = await sdk.responses.create(input="How long?", previous_response_id=first.id)
    assert second.previous_response_id == other.previous_response_id == first.id
    assert (await turn_of(parts, second)).conversation_id == (await turn_of(parts, first)).conversation_id
    assert "What is tea?" in await prompt_of(parts, second)
    assert "How hot?" not in await prompt_of(parts, other)
    assert (await turn_of(parts, other)).parent_id == (await turn_of(parts, first)).id
    assert other.conversation
    last = await sdk.responses.create(input="Why?", conversation=other.conversation.id)
    assert "How long?" in await prompt_of(parts, last)


async def test_a_response_of_somebody_else_is_not_there(client: httpx.AsyncClient) -> None:
    first = await sdk_of(client).responses.create(input="What is tea?")
    for other in (sdk_of(client, NOAH), sdk_of(client, "", "other-key")):
        with pytest.raises(openai.NotFoundError):
            await other.responses.retrieve(first.id)
        with pytest.raises(openai.NotFoundError):
            await other.responses.cancel(first.id)
        with pytest.raises(openai.BadRequestError) as caught:
            await other.responses.create(input="How hot?", previous_response_id=first.id)
        assert caught.value.code == "previous_response_not_found"
    keyed = await sdk_of(client, "", "one-key").responses.create(input="What is tea?")
    assert (await sdk_of(client, "", "one-key").responses.retrieve(keyed.id)).output == keyed.output


async def test_items_of_the_input_are_history_instructions_and_the_question(
    parts: Parts, sdk: openai.AsyncOpenAI
) -> None:
    first = await sdk.responses.create(input="What is crema?")
    items: Any = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Answer like a pirate."}]},
        {"role": "user", "content": "What is tea?"},
        *[item.to_dict() for item in first.output],
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "4711"},
        {"role": "user", "content": [{"type": "input_text", "text": "What is crema?"}]},
        {"type": "item_reference", "id": first.output[0].id},
        {"type": "item_reference", "id": first.output[1].id},
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": [{"type": "input_text", "text": "How"}, {"type": "input_text", "text": "hot?"}]},
    ]
    response = await sdk.responses.create(input=items, instructions="Be kind.")
    turn, prompt = await turn_of(parts, response), await prompt_of(parts, response)
    assert turn.question == "How\nhot?"
    assert response.instructions == "Be kind.\n\nAnswer like a pirate.\n\nBe short."
    assert prompt.count(first.output_text) == 2
    assert "What is tea?" in prompt
    assert "4711" not in prompt
    assert turn.conversation_id == (await turn_of(parts, first)).conversation_id  # whose last turn ends the history


async def test_options_of_a_turn_are_read_under_either_name(parts: Parts, sdk: openai.AsyncOpenAI) -> None:
    response = await sdk.responses.create(
        model="ok@desk",
        input="How hot?",
        max_output_tokens=900,
        temperature=0.3,
        top_p=0.5,
        reasoning={"effort": "low"},
        store=False,
        background=True,
        text={"format": {"type": "text"}},
        tools=[{"type": "web_search"}],
        extra_body={"passages_wanted": 2, "program": "Direct", "own": {"key": 1}},
    )
    asked = (await turn_of(parts, response)).asked
    assert asked
    assert (asked.max_tokens, asked.temperature, asked.profile) == (900, 0.3, "desk")
    assert (asked.passages_wanted, asked.program) == (2, "Direct")
    assert [item.type for item in response.output] == ["message"]
    assert response.model == "ok@desk"
    assert response.background is False
    assert response.model_extra
    assert response.model_extra["store"] is True


async def test_what_cannot_be_answered_is_refused_before_a_stream(client: httpx.AsyncClient) -> None:
    for body, status, code, param in BAD:
        for streams in (False, True):
            answer = await client.post("/v1/responses", json={"input": "How hot?", "stream": streams, **body})
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["param"]) == (status, code, param), body
            assert error["type"] == "invalid_request_error"


async def test_errors_around_the_routes_have_openais_form_too(client: httpx.AsyncClient) -> None:
    for answer, status in (
        (await client.get("/v1/responses/resp_none"), 404),
        (await client.get("/v1/responses/none"), 404),
        (await client.post("/v1/responses/resp_none/cancel"), 404),
        (await client.get("/v1/responses/resp_none/other"), 404),
        (await client.delete("/v1/responses/resp_none"), 405),
        (await client.post("/v1/responses", content="{}"), 400),
        (await client.post("/v1/responses", json={}, headers={"x-visitor": "short"}), 400),
    ):
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "type", "code", "param"}


async def test_the_clients_error_classes(parts: Parts, client: httpx.AsyncClient) -> None:
    sdk = sdk_of(client)
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve("resp_none")
    with pytest.raises(openai.BadRequestError):
        await sdk.responses.create(input=" ")
    with pytest.raises(openai.InternalServerError) as failed:
        await sdk.responses.create(model="cut-after-50", input="How hot?")
    assert failed.value.status_code == 502
    assert failed.value.response.headers["x-should-retry"] == "false"
    transport = httpx.ASGITransport(app_of(parts, Access(SecretStr("right"))))
    async with httpx.AsyncClient(transport=transport) as guarded:
        with pytest.raises(openai.AuthenticationError) as refused:
            await sdk_of(guarded).responses.create(input="How hot?")
        assert refused.value.code == "invalid_api_key"
        assert (await sdk_of(guarded, key="right").responses.create(input="How hot?")).output_text


async def test_over_a_limit_the_client_is_told_when_to_come_back(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, ollama_base_url="off", rate_limit="1/minute")
    built = build(settings, index=cast("Any", TeaIndex()))
    transport = httpx.ASGITransport(app_of(built, Access()))
    async with httpx.AsyncClient(transport=transport) as client:
        sdk = sdk_of(client)
        await sdk.responses.create(input="How hot?")
        with pytest.raises(openai.RateLimitError) as caught:
            await sdk.responses.create(input="How hot?")
    await built.pipeline.close()
    built.store.close()
    assert int(caught.value.response.headers["retry-after"]) > 0
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "rate_limit_error")


async def test_a_turn_that_fails_in_the_stream_ends_as_failed_with_what_was_said(sdk: openai.AsyncOpenAI) -> None:
    events = [each async for each in await sdk.responses.create(model="cut-after-50", input="How hot?", stream=True)]
    last = events[-1]
    assert last.type == "response.failed"
    assert last.response.error
    assert last.response.error.code == "server_error"
    assert last.response.error.message
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert last.response.output_text == said != ""
    assert (await sdk.responses.retrieve(last.response.id)).status == "failed"


async def test_openais_helper_hands_out_the_failure_of_a_stream(sdk: openai.AsyncOpenAI) -> None:
    async with sdk.responses.stream(model="cut-after-60", input="How hot?") as streamed:
        last = [event async for event in streamed][-1]
    assert last.type == "response.failed"
    assert last.response.error
    assert last.response.error.code == "server_error"


async def test_openais_sync_client_reads_the_same_and_raises_the_same_classes(client: httpx.AsyncClient) -> None:
    sdk = openai.OpenAI(base_url="http://127.0.0.1/v1", api_key="any", http_client=without_async(client), max_retries=0)

    def read() -> tuple[list[str], str, str]:
        for kind, asked in (
            (openai.BadRequestError, {"input": " "}),
            (openai.NotFoundError, {"input": "How hot?", "model": "other"}),
            (openai.InternalServerError, {"input": "How hot?", "model": "cut-after-60"}),
        ):
            with pytest.raises(kind):
                sdk.responses.create(**cast("Any", asked))
        kinds: list[str] = [event.type for event in sdk.responses.create(model="ok", input="How hot?", stream=True)]
        with sdk.responses.stream(model="ok", input="How hot?") as streamed:
            joined = streamed.get_final_response().output_text
        return kinds, sdk.responses.create(model="ok", input="How hot?").output_text, joined

    kinds, whole, joined = await asyncio.to_thread(read)
    assert whole == joined != ""
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert {"response.reasoning_summary_text.delta", "response.output_text.delta"} < set(kinds)


async def test_an_answer_that_reached_its_limit_is_incomplete(sdk: openai.AsyncOpenAI) -> None:
    response = await sdk.responses.create(model="length", input="How hot?")
    assert response.status == "incomplete"
    assert response.incomplete_details
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_a_running_response_is_cancelled(parts: Parts, sdk: openai.AsyncOpenAI) -> None:
    running = await parts.pipeline.start(TurnRequest("How hot?", visitor=MAYA, model="ok-tokens-60-gap-50"))
    id = f"resp_{running.id}"
    assert (await sdk.responses.retrieve(id)).status == "in_progress"
    assert (await sdk.responses.cancel(id)).status == "cancelled"
    assert (await sdk.responses.cancel(id)).status == "cancelled"


async def test_the_same_idempotency_key_gives_the_same_response_streamed_or_not(client: httpx.AsyncClient) -> None:
    async def post(**body: Any) -> httpx.Response:
        return await client.post("/v1/responses", json={"input": "How hot?", **body}, headers={"Idempotency-Key": "1"})

    first, second = await post(), await post()
    assert first.json() == second.json()
    events = [json.loads(line[6:]) for line in (await post(stream=True)).text.splitlines() if line.startswith("data:")]
    assert events[-1]["response"] == first.json()
    other = await post(input="Why?")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "reused_request_key")
