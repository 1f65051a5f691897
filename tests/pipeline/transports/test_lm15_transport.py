"""Content that comes as a list of parts is read as text and thinking."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.transports.lm15_transport import with_text

THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm. "}]}


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ([THOUGHT, {"type": "text", "text": "Yes."}], "Yes.", "Hm. "),
        ([{"type": "reasoning", "text": "Hm. "}, "Yes."], "Yes.", "Hm. "),
        ([{"type": "reasoning", "reasoning": "Hm. "}, {"type": "output_text", "text": "Yes."}], "Yes.", "Hm. "),
        ([{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "Yes."}, 7, None], "Yes.", ""),
        ([], "", ""),
    ],
)
@pytest.mark.parametrize("key", ["delta", "message"])
def test_parts_become_text_and_thinking(content: Any, text: str, thought: str, key: str) -> None:
    said = json.loads(with_text(json.dumps({"choices": [{key: {"content": content}}]})))["choices"][0][key]
    assert (said["content"], said["reasoning_content"]) == (text, thought)


@pytest.mark.parametrize(
    "body", ["[DONE]", "", '{"content": [', '{"choices": null, "content": []}', '[{"content": [1]}]']
)
def test_anything_else_is_left_to_its_reader(body: str) -> None:
    assert with_text(body).replace(" ", "") == body.replace(" ", "")
