"""What is known of a model besides its answers: where it is asked, by which engine, and whether it has a key.

No key is in a card or an endpoint, only the name of its variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pipeline.base_urls import bases
from pipeline.errors import GlassboxError
from pipeline.models.catalogue import ModelChoice, Models
from pipeline.request_copies import KEY_NAME, Endpoint, without_credentials
from pipeline.settings import BUILTIN_MODEL

# Provider → the address of its API in OpenAI's protocol, where no other is configured.
ADDRESSES = MappingProxyType(
    {
        "openai": "https://api.openai.com/v1",
        "anthropic": "https://api.anthropic.com/v1",
        "gemini": "https://generativelanguage.googleapis.com/v1beta/openai",
        "openrouter": "https://openrouter.ai/api/v1",
        "groq": "https://api.groq.com/openai/v1",
        "deepseek": "https://api.deepseek.com/v1",
        "mistral": "https://api.mistral.ai/v1",
        "xai": "https://api.x.ai/v1",
        "moonshot": "https://api.moonshot.ai/v1",
        "together_ai": "https://api.together.xyz/v1",
        "fireworks_ai": "https://api.fireworks.ai/inference/v1",
        "cerebras": "https://api.cerebras.ai/v1",
        "huggingface": "https://router.huggingface.co/v1",
        "nvidia_nim": "https://integrate.api.nvidia.com/v1",
    }
)

Engine = Literal["builtin", "native", "litellm"]
KeyState = Literal["set", "missing", "none"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's line of the picker, LiteLLM's name for it, and how it is asked.

    `engine` is None where the model cannot be built, as without its key.
    """

    choice: ModelChoice
    model: str
    engine: Engine | None
    streams: bool
    key_state: KeyState
    key_name: str | None


def card_of(models: Models, label: str) -> ModelCard | None:
    """The card of a label; None for a model that is not in the list (any more)."""
    choice = next((each for each in models.choices if each.label == label), None)
    if choice is None:
        return None
    entry, key_name = models.entry(label), models.key_name(label)
    return ModelCard(
        choice,
        entry.model if entry else label,
        _engine(models, label),
        models.breakers.can_stream(label),
        "none" if key_name is None else "missing" if choice.state == "no_key" else "set",
        key_name,
    )


def endpoint_of(models: Models, label: str, *, shows_address: bool, has_own_key: bool = False) -> Endpoint | None:
    """Where a copy of a request to a model goes; None for the built-in model and for one that is not in the list.

    A configured address is named only where the asker may see it. `has_own_key`: the request was made with a key of the
    visitor.
    """
    entry = models.entry(label)
    if entry is None:
        return None
    address = models.address(label)
    base = bases(entry.provider, address)[0] if address else ADDRESSES.get(entry.provider)
    if address and not shows_address:
        base = None
    key_name = KEY_NAME if has_own_key else models.key_name(label)
    limit_name = "max_completion_tokens" if entry.provider == "openai" and not address else "max_tokens"
    return Endpoint(entry.name, without_credentials(base) if base else None, key_name, limit_name)


def _engine(models: Models, label: str) -> Engine | None:
    if label == BUILTIN_MODEL:
        return "builtin"
    try:
        return "native" if models.lm(label).is_native else "litellm"
    except GlassboxError:
        return None
