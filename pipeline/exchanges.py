"""An exchange with a model as it is stored: the exact prompt, the reply and how it ended. Pure.

Nothing else of a request is in it: no key, no header, no address and no path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, TypeAdapter

from pipeline.model_entries import ModelParameters

# What is recorded of a request beside its prompt: no header, no address, and nothing that names a person or an account.
PARAMETERS = frozenset(ModelParameters.model_fields) - {
    *("extra_headers", "extra_query", "extra_body", "metadata", "user", "organization", "timeout", "api_version"),
    *("vertex_project", "vertex_location", "aws_region_name", "input_cost_per_token", "output_cost_per_token"),
}
CANCELLED = "cancelled"  # the fault of an exchange that was ended from outside, by a stop or a deadline
# Faults of exchanges that we ended while the provider worked on them.
BROKEN_OFF = frozenset({CANCELLED, "first_token_timeout", "idle_timeout", "turn_timeout"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptExchange:
    """One request to a model. `cost` is in USD, `fault` a code of `errors`; `reply` is None where none came.

    The reply of a request that failed or was stopped is the text that had arrived. `thinking` is the model's native
    reasoning. `first_token_s` is the time to the first text or thinking, None for a reply that came in one piece or not
    at all; `took_s` is None while the request runs. `label` is the picker's name of the model, `own_key` whether the
    visitor's key was used; `fields` are the output fields that were asked for, `asked_at` is in epoch seconds. Rows
    of older versions lack these.
    """

    model: str
    parameters: Mapping[str, JsonValue]
    messages: tuple[Message, ...]
    reply: str | None = None
    usage: Mapping[str, int] | None = None
    cost: float | None = None
    first_token_s: float | None = None
    took_s: float | None = None
    fault: str | None = None
    thinking: str | None = None
    label: str = ""
    own_key: bool = False
    fields: tuple[str, ...] = ()
    asked_at: float = 0.0

    @property
    def prompt_chars(self) -> int:
        """The characters of all messages."""
        return sum(len(message.content) for message in self.messages)

    @property
    def reply_chars(self) -> int:
        """The characters of the reply and of the thinking before it."""
        return len(self.reply or "") + len(self.thinking or "")

    @property
    def is_billed(self) -> bool:
        """Whether a provider charges for it: one that it refused, or could not begin, costs nothing."""
        is_refused = self.fault is not None and self.fault not in BROKEN_OFF
        return bool(self.usage) or self.first_token_s is not None or not is_refused


_exchanges: TypeAdapter[tuple[PromptExchange, ...]] = TypeAdapter(tuple[PromptExchange, ...])


def exchanges_to_wire(exchanges: Sequence[PromptExchange]) -> bytes:
    """Write exchanges as one JSON array."""
    return _exchanges.dump_json(tuple(exchanges))


def exchanges_from_wire(text: bytes) -> tuple[PromptExchange, ...]:
    """Read what `exchanges_to_wire` wrote. Raises pydantic's ValidationError for anything else."""
    return _exchanges.validate_json(text)


def parameters_of(*settings: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return the known parameters of a request; of one that is set twice the later value."""
    values = {name: value for each in settings for name, value in each.items() if name in PARAMETERS}
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool | list | dict)}


def messages_of(messages: Iterable[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Return the messages of a request with their content as text that can be stored."""
    return tuple(Message(str(each.get("role", "")), _text(each.get("content"))) for each in messages)


def _text(content: object) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = [str(part.get("text", "")) if isinstance(part, dict) else str(part or "") for part in parts]
    return storable_text("".join(texts))


def storable_text(content: object) -> str:
    """Return text without halves of characters, which no encoding takes."""
    return str(content).encode("utf-8", "replace").decode()
