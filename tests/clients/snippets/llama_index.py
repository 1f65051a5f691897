from typing import Any

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike


def ask(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    llm = OpenAILike(model=model, api_base=base_url, api_key=api_key, is_chat_model=True)
    answer = llm.chat([ChatMessage(question)])
    message = answer.raw.choices[0].message
    return {
        "text": answer.message.content,
        "reasoning": message.reasoning_content,
        "sources": [each.url_citation.url for each in message.annotations or []],
        "tokens": answer.raw.usage.total_tokens,
    }


def stream(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    llm = OpenAILike(model=model, api_base=base_url, api_key=api_key, is_chat_model=True)
    heard: dict[str, Any] = {"text": "", "reasoning": "", "sources": [], "tokens": None}
    for chunk in llm.stream_chat([ChatMessage(question)], stream_options={"include_usage": True}):
        heard["text"] += chunk.delta
        for choice in chunk.raw.choices:
            more = choice.delta.model_extra or {}
            heard["reasoning"] += more.get("reasoning_content") or ""
            heard["sources"] += [each["url_citation"]["url"] for each in more.get("annotations") or []]
        heard["tokens"] = chunk.raw.usage.total_tokens if chunk.raw.usage else heard["tokens"]
    return heard
