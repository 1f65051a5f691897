from typing import Any

from openai import OpenAI


def ask(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    client = OpenAI(base_url=base_url, api_key=api_key)
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
    message = answer.choices[0].message
    return {
        "text": message.content,
        "reasoning": (message.model_extra or {}).get("reasoning_content"),
        "sources": [each.url_citation.url for each in message.annotations or []],
        "tokens": answer.usage and answer.usage.total_tokens,
    }


def stream(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    heard: dict[str, Any] = {"text": "", "reasoning": "", "sources": [], "tokens": None}
    for chunk in OpenAI(base_url=base_url, api_key=api_key).chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        for choice in chunk.choices:
            more = choice.delta.model_extra or {}
            heard["text"] += choice.delta.content or ""
            heard["reasoning"] += more.get("reasoning_content") or ""
            heard["sources"] += [each["url_citation"]["url"] for each in more.get("annotations") or []]
        heard["tokens"] = chunk.usage.total_tokens if chunk.usage else heard["tokens"]
    return heard
