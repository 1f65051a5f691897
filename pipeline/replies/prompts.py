"""How a model is asked for its fields.

DSPy's own frame names each field four times and costs some 280 tokens; small models take it for the text to go on with.
Theirs is short and shows the form by one exchange. The marks around the inputs stay DSPy's: the built-in model reads
them, and `neutral` keeps forged ones away. `bench/replies.py` measures them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from pipeline.replies.names import Fields
from pipeline.replies.reading import read

# About nothing that documents are about: what the example says must answer no question.
EXAMPLE: Mapping[str, str] = MappingProxyType(
    {
        "passages": "[1] Lamps › Colours\nThe lamp at the door is blue.",
        "question": "What colour is the lamp at the door?",
        "reasoning": "Passage 1 names the colour. Nothing is missing.",
        "answer": "The lamp at the door is blue. [1]",
    }
)


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
