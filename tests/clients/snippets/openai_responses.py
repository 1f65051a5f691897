from typing import Any

from openai import OpenAI
from openai.types.responses import Response


def ask(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    client = OpenAI(base_url=base_url, api_key=api_key)
    return heard_in(client.responses.create(model=model, input=question))


def stream(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    text = ""
    with OpenAI(base_url=base_url, api_key=api_key).responses.stream(model=model, input=question) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                text += event.delta
        return {**heard_in(events.get_final_response()), "text": text}


def heard_in(response: Response) -> dict[str, Any]:
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    cited = [each for part in parts if part.type == "output_text" for each in part.annotations]
    thoughts = [part.text for item in response.output if item.type == "reasoning" for part in item.summary]
    return {
        "text": response.output_text,
        "reasoning": "\n".join(thoughts),
        "sources": [each.url for each in cited if each.type == "url_citation"],
        "tokens": response.usage and response.usage.total_tokens,
    }
