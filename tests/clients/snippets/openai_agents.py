import asyncio
from typing import Any

from agents import Agent, OpenAIResponsesModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)


def ask(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    client = AsyncOpenAI(base_url=base_url, api_key=api_key)
    agent = Agent("Librarian", model=OpenAIResponsesModel(model, client))
    return heard_in(Runner.run_sync(agent, question))


def stream(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        client, text = AsyncOpenAI(base_url=base_url, api_key=api_key), ""
        running = Runner.run_streamed(Agent("Librarian", model=OpenAIResponsesModel(model, client)), question)
        async for event in running.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                text += event.data.delta
        return {**heard_in(running), "text": text}

    return asyncio.run(read())


def heard_in(result: Any) -> dict[str, Any]:
    items = [item.raw_item for item in result.new_items]
    parts = [part for item in items if item.type == "message" for part in item.content]
    return {
        "text": result.final_output,
        "reasoning": "\n".join(part.text for item in items if item.type == "reasoning" for part in item.summary),
        "sources": [each.url for part in parts for each in part.annotations],
        "tokens": result.context_wrapper.usage.total_tokens,
    }
