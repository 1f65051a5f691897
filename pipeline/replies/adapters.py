"""The adapters: how a model is asked for its fields, and how its reply is parsed.

DSPy's own frame names each field four times and costs some 280 tokens; small models take it for the text to go on with.
`ShownAdapter` sends them a short prompt that shows the form by one example exchange. The marks around the inputs stay
DSPy's: the built-in model reads them, and `neutral` keeps forged ones away. `bench/replies.py` measures both.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

import dspy

from pipeline.field_names import ReplyFields
from pipeline.replies.dspy_internals import AdapterParseError, is_streamed, model_call
from pipeline.replies.reading import read

# A topic that no document is about: the example must not answer a question.
EXAMPLE: Mapping[str, str] = MappingProxyType(
    {
        "passages": "[1] Lamps › Colours\nThe lamp at the door is blue.",
        "question": "What colour is the lamp at the door?",
        "reasoning": "Passage 1 names the colour. Nothing is missing.",
        "analysis": "Passage 1 names the colour of one lamp. It names no rule for it.",
        "findings": "- low | The lamp at the door is blue, and no reason for it is given. [1]",
        "summary": "The text names the colour of the lamp at the door. [1]",
        "key_figures": "| Figure | Value | Passage |\n|---|---|---|\n| Lamps at the door | 1 | [1] |",
        "open_questions": "- Which colour do other lamps have?",
        "evidence": "From “Lamps › Colours”:\n(1) The lamp at the door is blue.\n(2) It was made in 1990.",
        "sentences": "(1) The door has a blue lamp.\n(2) The lamp was made in 1980.",
        "judgements": "1 | 1 | supported |\n2 | 2 | contradicted | the evidence says 1990",
        "answer": "The lamp at the door is blue. [1]",
    }
)


def fields_of_signature(signature: type[dspy.Signature]) -> ReplyFields:
    """The fields of one call's reply; its last output takes the place of the answer where none has that name."""
    return reply_fields(tuple(signature.output_fields), tuple(signature.input_fields))


def reply_fields(outputs: tuple[str, ...], inputs: tuple[str, ...] = ()) -> ReplyFields:
    """The fields of a reply by the names of outputs and inputs, as `fields_of_signature` reads them."""
    answer = "answer" if "answer" in outputs else outputs[-1]
    return ReplyFields(outputs, inputs, answer, "reasoning" if "reasoning" in outputs else outputs[0])


def hiding(signature: type[dspy.Signature], *names: str) -> type[dspy.Signature]:
    """Return the signature with outputs that nobody is shown: what a program reads and people do not."""
    for name in names:
        signature = signature.with_updated_fields(name, is_hidden=True)
    return signature


def hidden_fields(signature: type[dspy.Signature]) -> frozenset[str]:
    """Return the names of the outputs that `hiding` has marked."""
    extras = {name: field.json_schema_extra for name, field in signature.output_fields.items()}
    return frozenset(name for name, extra in extras.items() if isinstance(extra, dict) and extra.get("is_hidden"))


class DspyAdapter(dspy.ChatAdapter):
    """DSPy's own frame, and our reading of replies that DSPy cannot parse.

    Each call is announced on the program's stream, and made with `parameters` (temperature, max_tokens). Without
    `in_chunks` its reply is asked for in one piece.
    """

    def __init__(self, *, in_chunks: bool = True, parameters: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(use_json_adapter_fallback=False)
        self._in_chunks, self._parameters = in_chunks, parameters

    async def acall(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Make one call. Raises AdapterParseError, and GlassboxError from the model."""
        if is_streamed():
            lm_kwargs = {**self._parameters, **lm_kwargs}
        async with model_call(signature, in_chunks=self._in_chunks):
            outputs: list[dict[str, Any]] = await super().acall(lm, lm_kwargs, signature, demos, inputs)
        return outputs

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """Fields as DSPy reads them, else as the page shows them. Raises AdapterParseError."""
        try:
            parsed: dict[str, Any] = super().parse(signature, completion)
        except AdapterParseError:
            return self._parse_ours(signature, completion)
        return parsed

    def _parse_ours(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        is_text = all(field.annotation is str for field in signature.output_fields.values())
        if not is_text:  # our reader keeps of a JSON value only its texts
            with suppress(AdapterParseError):
                parsed: dict[str, Any] = dspy.JSONAdapter().parse(signature, completion)
                return parsed
        fields = read(completion, fields_of_signature(signature))
        marked = "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in fields.items())
        try:
            ours: dict[str, Any] = super().parse(signature, marked)
        except AdapterParseError as error:
            error.lm_response = completion
            raise
        return ours


class ShownAdapter(DspyAdapter):
    """The instructions, then one example exchange; DSPy's own frame where the example lacks an output field."""

    def format_system_message(self, signature: type[dspy.Signature]) -> str:
        """The instructions alone, without a description of the format."""
        if not _fits(signature):
            return str(super().format_system_message(signature))
        return f"{signature.instructions}\n\nReply in the form of the first reply."

    def user_message_output_requirements(self, signature: type[dspy.Signature]) -> str | None:
        """Put nothing below the question."""
        return None if _fits(signature) else str(super().user_message_output_requirements(signature))

    def format_demos(self, signature: type[dspy.Signature], demos: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The demonstrations of an optimiser, else the example."""
        formatted: list[dict[str, Any]] = super().format_demos(signature, demos)
        if formatted or not _fits(signature):
            return formatted
        asked = self.format_user_message_content(signature, dict(EXAMPLE))
        replied = self.format_assistant_message_content(signature, dict(EXAMPLE))
        return [{"role": "user", "content": asked}, {"role": "assistant", "content": replied}]


def adapter_for(*, is_local: bool) -> type[DspyAdapter]:
    """The adapter for a model: a local one, which is likely to be small, gets the short prompt that shows the form."""
    return ShownAdapter if is_local else DspyAdapter


def _fits(signature: type[dspy.Signature]) -> bool:
    return bool(EXAMPLE.keys() >= set(signature.output_fields))
