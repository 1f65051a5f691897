from typing import Any

from llm.default_plugins.openai_models import Responses


def ask(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    return heard_in(Responses(model, api_base=base_url).prompt(question, key=api_key, stream=False))


def stream(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    return heard_in(Responses(model, api_base=base_url).prompt(question, key=api_key))


def heard_in(response: Any) -> dict[str, Any]:
    heard: dict[str, Any] = {"text": "", "reasoning": ""}
    for event in response.stream_events():  # as they arrive
        heard[event.type] += event.chunk
    if response.json() is None:
        raise RuntimeError("the answer broke off")
    parts = [part for item in response.json()["output"] if item["type"] == "message" for part in item["content"]]
    usage = response.usage()
    return {
        **heard,
        "sources": [each["url"] for part in parts for each in part["annotations"]],
        "tokens": usage.input + usage.output,
    }
