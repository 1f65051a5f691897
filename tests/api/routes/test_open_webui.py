"""Open WebUI 0.12.4: the requests that it was seen to send, and what its page makes of the answers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from pipeline.settings import ModelEntry, Settings
from server import Parts, build
from tests.in_process import api_of
from tests.provider import Provider

MAYA = "maya-0123456789abcdef"
HEADERS = {"authorization": "Bearer x", "user-agent": "Python/3.11 aiohttp/3.14.5"}
QUESTION = "Why does coffee taste sour?"
PARAMETERS = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "search_notes", "description": "A note.", "parameters": PARAMETERS},
}
CHAT: dict[str, Any] = {
    "stream": True,
    "model": "cites-backwards",
    "messages": [{"role": "user", "content": QUESTION}],
    "tools": [TOOL],
}
ANSWERED = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Grind it finer [3]."}]
# Its prompts in words of ours: for a title, for follow-up questions, for tags.
TASK = """### Task:
Say what the chat is about.
### Output:
JSON format: { "title": "a few words" }
### Chat History:
<chat_history>
USER: Why does coffee taste sour?
ASSISTANT:
</chat_history>"""
TASKS: list[dict[str, Any]] = [
    {"model": "fails", "messages": [{"role": "user", "content": TASK}], "stream": False, "max_tokens": 1000},
    {"model": "fails", "messages": [{"role": "user", "content": f"{TASK}\n{'long ' * 2_000}"}], "stream": False},
]
DOCUMENTS = {
    "heat.md": "# Heat\n\nCoffee that tastes sour wants hotter water.\n",
    "order.md": "# Order\n\nCoffee that tastes sour: change one thing at a time.\n",
    "grind.md": "# Grind\n\nCoffee that tastes sour wants a finer grind.\n",
}


Source = tuple[str, str, list[str]]  # its title, address and texts


class Shown(NamedTuple):
    """What the page shows: the texts, and under each number the title, address and texts of a source."""

    reasoning: str
    content: str
    sources: dict[int, Source]


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider) -> AsyncGenerator[Parts]:
    models = [
        ModelEntry(label=label, model=f"hosted_vllm/{wish}", api_base=provider.base)
        for label, wish in {"cites-backwards": "cites-backwards", "fails": "cut-after-50"}.items()
    ]
    built = build(Settings(data_dir=tmp_path, models=tuple(models), ollama_base_url="off"))
    for name, text in DOCUMENTS.items():
        (tmp_path / name).write_text(text)
        await built.library.share(tmp_path / name, name, "")
    yield built
    await built.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncGenerator[httpx.AsyncClient]:
    async with api_of(parts) as client:
        client.headers.update(HEADERS)
        yield client


async def said(client: httpx.AsyncClient, body: dict[str, Any]) -> list[Any]:
    """The objects of a stream, read by line as it does: what is no data is passed over."""
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data:").strip() for line in answer.text.splitlines() if line.startswith("data:")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def shown(chunks: list[Any]) -> Shown:
    """Its reader: a source comes as an `event` or as an annotation, and those of one address are one source."""
    told, reasoning, content = list[Any](), "", ""
    for chunk in chunks:
        if "event" in chunk and chunk["event"]["type"] == "source":
            told.append(chunk["event"]["data"])
        for choice in chunk["choices"][:1]:
            delta = choice["delta"]
            told += [annotated(each["url_citation"]) for each in delta.get("annotations") or []]
            reasoning += delta.get("reasoning_content") or ""
            content += delta.get("content") or ""
    return Shown(reasoning, content, dict(enumerate(sources_of(told), 1)))


def sources_of(told: list[Any]) -> list[Source]:
    """Its sources in the order in which their addresses came."""
    sources: dict[str, Source] = {}
    for each in told:
        for document, metadata in zip(each["document"], each["metadata"], strict=True):
            known = sources.setdefault(metadata["source"], (metadata["name"], metadata["source"], []))
            known[2].append(document)
    return [*sources.values()]


def annotated(citation: dict[str, Any]) -> dict[str, Any]:
    title, url = citation["title"], citation["url"]
    return {"document": [title], "metadata": [{"source": url, "name": title}]}


async def test_a_number_opens_its_passage_though_a_later_one_is_cited_first(client: httpx.AsyncClient) -> None:
    page = shown(chunks := await said(client, CHAT))
    assert page.reasoning == "Passage 3 says what to do, passage 1 why."
    assert page.content.startswith("Grind it finer [3]. Change one thing at a time [2]")
    assert len(page.sources) == 3
    results = next(chunk["search_results"] for chunk in chunks if "search_results" in chunk)
    for number, (title, url, texts) in page.sources.items():
        assert texts[0] == results[number - 1]["snippet"]
        assert texts[1:] == [title] * page.content.count(f"[{number}]")  # of the annotations
        opened = await client.get(url, headers={"Sec-Fetch-Site": "cross-site"})
        assert opened.status_code == 200
        assert texts[0] in opened.text


async def test_a_number_opens_its_passage_over_a_connection_of_the_type_responses_too(
    client: httpx.AsyncClient,
) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": QUESTION}]}
    answer = await client.post("/v1/responses", json={"stream": True, "model": "cites-backwards", "input": [item]})
    lines = [line.removeprefix("data:") for line in answer.text.splitlines() if line.startswith("data:")]
    told, content = list[Any](), ""
    for event in map(json.loads, lines):
        told += [event["event"]["data"]] if "event" in event else []
        content += event["delta"] if event["type"] == "response.output_text.delta" else ""
        if event["type"] == "response.output_item.done" and event["item"]["type"] == "message":
            told += [annotated(each) for part in event["item"]["content"] for each in part["annotations"]]
    assert content.startswith("Grind it finer [3].")
    results = json.loads(lines[-1])["response"]["search_results"]
    assert [each[1] for each in sources_of(told)] == [each["url"] for each in results]
    assert [each[2][0] for each in sources_of(told)] == [each["snippet"] for each in results]


async def test_sources_come_before_the_text_and_every_chunk_but_the_last_is_unfinished(
    client: httpx.AsyncClient,
) -> None:
    chunks = await said(client, CHAT)
    events = [at for at, chunk in enumerate(chunks) if "event" in chunk]
    texts = [
        at for at, chunk in enumerate(chunks) if {"content", "reasoning_content"} & {*chunk["choices"][0]["delta"]}
    ]
    assert max(events) < min(at for at in texts if at)  # the first one says the role, with an empty content
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]


async def test_the_second_question_brings_the_first_with_its_answer(parts: Parts, client: httpx.AsyncClient) -> None:
    client.headers["x-visitor"] = MAYA
    chunks = await said(client, {**CHAT, "messages": [*ANSWERED, {"role": "user", "content": "How fine?"}]})
    turn_id = chunks[0]["id"].removeprefix("chatcmpl-")
    assert (await parts.pipeline.turn(turn_id, MAYA)).question == "How fine?"
    asked = "".join(each.content for each in (await parts.pipeline.exchanges(turn_id, MAYA))[0].messages)
    assert QUESTION in asked
    assert "Grind it finer" in asked
    assert TOOL["function"]["name"] not in asked


@pytest.mark.parametrize("body", TASKS)
async def test_its_tasks_are_refused_and_begin_no_conversation(
    parts: Parts, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    client.headers["x-visitor"] = MAYA
    answers = [
        await client.post("/v1/chat/completions", json=body),
        await client.post("/v1/responses", json={"model": body["model"], "input": body["messages"]}),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "client_task"
    assert await parts.conversations.list(MAYA) == ()


async def test_a_question_about_such_a_prompt_is_answered(client: httpx.AsyncClient) -> None:
    asked = {"role": "user", "content": f"What is this?\n\n{TASK}"}
    assert (await client.post("/v1/chat/completions", json={"messages": [asked]})).status_code == 200
