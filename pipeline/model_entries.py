"""The entries of MODELS: a LiteLLM name under a label of the picker, with the parameters that LiteLLM takes.

What can hold a key or code is refused by its name: keys come from variables of the environment (`api_key_env`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pipeline.base_urls import cleaned
from pipeline.display_names import shown_name

# Names of what may hold a secret, and of what is a function or runs one.
_SECRET = re.compile(
    r"(^|[_-]|api|access|auth|secret|private)(keys?|token|secrets?|passwords?|credentials?|auth|authorization|cookie)$",
    re.IGNORECASE,
)
_CODE = re.compile(r"callback|logger|hook|_fn$|^custom_|_provider$|^client$|^mock_|guardrail|prompt_", re.IGNORECASE)
_PLAIN = re.compile(r"[a-z][a-z_]{0,39}")  # a name that can be repeated: it is no key

KeepAlive = str | int


class ModelParameters(BaseModel):
    """The parameters of LiteLLM's `completion` that an entry may set; each model gets those that it takes.

    The last group is Ollama's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    min_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = None
    stop: str | tuple[str, ...] | None = None
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, ge=0)
    logit_bias: dict[str, float] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    thinking: dict[str, JsonValue] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    service_tier: str | None = None
    user: str | None = None
    safety_settings: list[JsonValue] | None = None
    metadata: dict[str, JsonValue] | None = None
    store: bool | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, JsonValue] | None = None
    modalities: tuple[str, ...] | None = None
    web_search_options: dict[str, JsonValue] | None = None

    timeout: float | None = Field(default=None, gt=0)
    organization: str | None = None
    api_version: str | None = None
    api_type: str | None = None
    custom_llm_provider: str | None = Field(default=None, pattern=r"^[a-z0-9_]+$")
    extra_headers: dict[str, str] | None = None
    extra_query: dict[str, str] | None = None
    extra_body: dict[str, JsonValue] | None = None
    drop_params: bool | None = None
    allowed_openai_params: tuple[str, ...] | None = None
    additional_drop_params: tuple[str, ...] | None = None
    aws_region_name: str | None = None
    vertex_project: str | None = None
    vertex_location: str | None = None
    input_cost_per_token: float | None = Field(default=None, ge=0)
    output_cost_per_token: float | None = Field(default=None, ge=0)

    num_ctx: int | None = Field(default=None, ge=1)
    num_predict: int | None = Field(default=None, ge=-2)
    num_gpu: int | None = Field(default=None, ge=0)
    num_thread: int | None = Field(default=None, ge=1)
    repeat_penalty: float | None = Field(default=None, ge=0)
    repeat_last_n: int | None = Field(default=None, ge=-1)
    mirostat: int | None = Field(default=None, ge=0, le=2)
    mirostat_eta: float | None = None
    mirostat_tau: float | None = None
    tfs_z: float | None = None
    keep_alive: KeepAlive | None = None
    think: bool | Literal["low", "medium", "high", "max"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: object) -> object:
        """Refuse names that may hold a secret or code, also inside of a value, and names that are not known."""
        if isinstance(given, Mapping):
            for name in given:
                _check_name(str(name), known=cls.model_fields)
                _check_inside(str(name), given[name])
        return given


class ModelEntry(ModelParameters):
    """One entry of MODELS. `context_tokens` are those of a prompt, for a model that no table knows."""

    label: str = Field(min_length=1, max_length=80)
    model: str = Field(max_length=200, pattern=r"^[^\s/]+/\S+$")
    api_base: str | None = None
    api_key_env: str | None = None
    context_tokens: int | None = Field(default=None, ge=1)

    @property
    def provider(self) -> str:
        """LiteLLM's name of the provider."""
        return self.model.partition("/")[0]

    @property
    def name(self) -> str:
        """The provider's name of the model."""
        return self.model.partition("/")[2]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that are set."""
        values = {name: getattr(self, name) for name in ModelParameters.model_fields}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }

    @field_validator("api_base", mode="after")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return cleaned_address(value)

    @field_validator("label", mode="before")
    @classmethod
    def _shown(cls, label: object) -> object:
        return shown_name(label, len(label)) if isinstance(label, str) else label


def cleaned_address(address: str | None) -> str | None:
    """Return the completed address of a model's server. Raises PydanticCustomError."""
    try:
        return cleaned(address) if address and address.strip() else None
    except ValueError:
        raise wrong_setting("is no address; one looks like http://127.0.0.1:8000/v1") from None


def wrong_setting(what: str) -> PydanticCustomError:
    """Return an error for a validator; `what` follows the name of the setting."""
    return PydanticCustomError("setting", f"It {what}")


def _check_name(name: str, known: Mapping[str, object]) -> None:
    if name in known:
        return
    if not _PLAIN.fullmatch(name):  # it may be a key that was written in the wrong place
        raise wrong_setting("holds an unknown key")
    if _SECRET.search(name):
        raise wrong_setting(f"holds `{name}`; keys come from the environment: name the variable in `api_key_env`")
    if _CODE.search(name):
        raise wrong_setting(f"holds `{name}`, which is no parameter of a model and is not taken here")
    near = get_close_matches(name, known, 1)
    raise wrong_setting(f"holds an unknown key `{name}`" + (f"; perhaps `{near[0]}`" if near else ""))


def _check_inside(name: str, value: object) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if _SECRET.search(str(key)):
                raise wrong_setting(f"holds a secret in `{name}`; name its variable in `api_key_env` instead")
            _check_inside(name, inner)
    elif isinstance(value, list):
        for inner in value:
            _check_inside(name, inner)
