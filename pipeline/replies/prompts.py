"""How a model is asked for its fields.

DSPy's own frame names each field four times and costs some 280 tokens; small models take it for the text to go on with.
Theirs is short and shows the form by one exchange. The marks around the inputs stay DSPy's: the built-in model reads
them, and `neutral` keeps forged ones away. `bench/replies.py` measures them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import dspy
from dspy.utils.exceptions import AdapterParseError

from pipeline.replies.names import Fields
from pipeline.replies.reading import read

Prompt = Literal["dspy", "shown", "schema"]

# About nothing that documents are about: what the example says must answer no question.
EXAMPLE: Mapping[str, str] = MappingProxyType(
    {
        "passages": "[1] Lamps › Colours\nThe lamp at the door is blue.",
        "question": "What colour is the lamp at the door?",
        "reasoning": "Passage 1 names the colour. Nothing is missing.",
        "answer": "The lamp at the door is blue. [1]",
    }
)
MOST_REASONING_CHARS = 300  # where a schema holds the model: small ones would never come to their answer


def fields_of_signature(signature: type[dspy.Signature]) -> Fields:
    """The fields of a reply; its last output is the answer where none has that name."""
    outputs = tuple(signature.output_fields)
    answer = "answer" if "answer" in outputs else outputs[-1]
    return Fields(outputs, tuple(signature.input_fields), answer, "reasoning" if "reasoning" in outputs else outputs[0])


class DspyAdapter(dspy.ChatAdapter):
    """DSPy's own frame, and our reading of what comes back."""

    def __init__(self) -> None:
        super().__init__(use_json_adapter_fallback=False)

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """Fields as the page shows them, where DSPy's own reading fails. Raises AdapterParseError."""
        try:
            parsed: dict[str, Any] = super().parse(signature, completion)
        except AdapterParseError:
            held = read(completion, fields_of_signature(signature))
            marked = "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in held.items())
            parsed = super().parse(signature, marked)
        return parsed


class ShownAdapter(DspyAdapter):
    """The instructions, then the form by one exchange; DSPy's own frame where the example lacks a field."""

    def format_system_message(self, signature: type[dspy.Signature]) -> str:
        """What the model is told before anything else."""
        if not _fits(signature):
            return str(super().format_system_message(signature))
        return f"{signature.instructions}\n\nReply in the form of the first reply."

    def user_message_output_requirements(self, signature: type[dspy.Signature]) -> str | None:
        """Nothing stands below the question."""
        return None if _fits(signature) else str(super().user_message_output_requirements(signature))

    def format_demos(self, signature: type[dspy.Signature], demos: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The demonstrations of an optimiser, else the example."""
        shown: list[dict[str, Any]] = super().format_demos(signature, demos)
        if shown or not _fits(signature):
            return shown
        asked = self.format_user_message_content(signature, dict(EXAMPLE))
        replied = self.format_assistant_message_content(signature, dict(EXAMPLE))
        return [{"role": "user", "content": asked}, {"role": "assistant", "content": replied}]


def _fits(signature: type[dspy.Signature]) -> bool:
    return bool(EXAMPLE.keys() >= set(signature.output_fields))


class SchemaAdapter(ShownAdapter):
    """A JSON object, to which the server is asked to hold the model."""

    def format_assistant_message_content(
        self, signature: type[dspy.Signature], outputs: dict[str, Any], missing_field_message: str | None = None
    ) -> str:
        """A reply as it shall look."""
        return json.dumps({name: outputs.get(name, missing_field_message) for name in signature.output_fields})

    async def acall(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """One exchange."""
        called: list[dict[str, Any]] = await super().acall(
            lm, {**lm_kwargs, "response_format": _schema(signature)}, signature, demos, inputs
        )
        return called


def _schema(signature: type[dspy.Signature]) -> dict[str, Any]:
    fields = fields_of_signature(signature)
    properties = {
        name: {"type": "string"} | ({"maxLength": MOST_REASONING_CHARS} if name == fields.aside else {})
        for name in fields.outputs
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}


ADAPTERS: Mapping[Prompt, Callable[[], dspy.ChatAdapter]] = MappingProxyType(
    {"dspy": DspyAdapter, "shown": ShownAdapter, "schema": SchemaAdapter}
)
