from typing import Any

from langchain_openai import ChatOpenAI


def ask(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    chat = ChatOpenAI(base_url=base_url, api_key=api_key, model=model, stream_usage=True)
    return heard_in(chat.invoke(question))


def stream(base_url: str, api_key: str, model: str, question: str) -> dict[str, Any]:
    chat = ChatOpenAI(base_url=base_url, api_key=api_key, model=model, stream_usage=True)
    whole = None
    for chunk in chat.stream(question):
        whole = chunk if whole is None else whole + chunk
    return heard_in(whole)


def heard_in(message: Any) -> dict[str, Any]:
    blocks = message.content_blocks
    cited = [each for block in blocks if block["type"] == "text" for each in block.get("annotations", ())]
    return {
        "text": message.text,
        "reasoning": "\n".join(block["reasoning"] for block in blocks if block["type"] == "reasoning"),
        "sources": [each["url"] for each in cited],
        "tokens": message.usage_metadata["total_tokens"],
    }
