from typing import Any

import litellm


def ask(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}]
    answer = litellm.completion(model=f"openai/{model}", api_base=base_url, api_key=api_key, messages=messages)
    message = answer.choices[0].message
    return {
        "text": message.content,
        "reasoning": message.reasoning_content,
        "sources": [each["url_citation"]["url"] for each in message.annotations],
        "tokens": answer.usage.total_tokens,
    }


def stream(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    heard: dict[str, Any] = {"text": "", "reasoning": "", "sources": [], "tokens": None}
    for chunk in litellm.completion(
        model=f"openai/{model}",
        api_base=base_url,
        api_key=api_key,
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        for choice in chunk.choices:
            heard["text"] += choice.delta.content or ""
            heard["reasoning"] += getattr(choice.delta, "reasoning_content", None) or ""
            annotations = getattr(choice.delta, "annotations", None) or []
            heard["sources"] += [each["url_citation"]["url"] for each in annotations]
        usage = getattr(chunk, "usage", None)
        heard["tokens"] = usage.total_tokens if usage else heard["tokens"]
    return heard
