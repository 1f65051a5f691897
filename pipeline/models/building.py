"""Builds the `dspy.LM` of an entry: its engine, its address, its key and its parameters.

DSPy's retries and cache are off, since both would act unseen by the turn, and the cache's key ignores the endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
from pydantic import SecretStr

from pipeline.base_urls import OLLAMA, SERVED_BELOW_V1, bases
from pipeline.errors import ModelFault
from pipeline.models.builtin.engine import AsyncExtractiveEngine, ExtractiveEngine
from pipeline.models.hosted import BY_PROVIDER
from pipeline.models.lm import RecordedLM
from pipeline.models.ollama.engine import AsyncOllamaEngine, OllamaEngine, OllamaModel
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings

FOREVER_S = 86_400.0  # the native engine has no value for "no limit"
PRICES = ("input_cost_per_token", "output_cost_per_token")  # are for us, and in no request
# The parameters that DSPy's own engine carries; it drops or refuses others, so that LiteLLM is to make those calls.
NATIVE = frozenset(
    {
        *("temperature", "max_tokens", "max_completion_tokens", "top_p", "seed", "stop", "presence_penalty"),
        *("frequency_penalty", "logit_bias", "reasoning_effort", "verbosity", "service_tier", "user", "metadata"),
        *("store", "parallel_tool_calls", "response_format", "timeout"),
    }
)
# Those that the engine of Ollama gets with each request; it keeps all others.
OF_REQUEST = frozenset(
    {"temperature", "max_tokens", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty", "reasoning_effort"}
)
OF_CLIENTS = frozenset({"timeout", "organization", "api_version", "api_type", "custom_llm_provider", "drop_params"})


class LMBuilder:
    """Builds language models by the settings. `pace_s` is the pause of the built-in one after each word."""

    def __init__(self, settings: Settings, pace_s: float) -> None:
        self._settings, self._pace_s = settings, pace_s

    def builtin(self) -> RecordedLM:
        """Return the built-in model."""
        engines: dict[str, Any] = {"engine": ExtractiveEngine(), "async_engine": AsyncExtractiveEngine(self._pace_s)}
        return RecordedLM(BUILTIN_MODEL, cache=False, num_retries=0, **engines)

    def build(self, entry: ModelEntry, visitor_key: SecretStr | None = None) -> RecordedLM:
        """Return the model of an entry, with a visitor's key where there is one. Raises ModelFault."""
        key = self.key(entry, visitor_key)
        if (model := self.ollama_model(entry, key)) is None:
            return self._build(entry, key)
        given = {name: value for name, value in entry.parameters.items() if name in OF_REQUEST}
        engines: dict[str, Any] = {"engine": OllamaEngine(model), "async_engine": AsyncOllamaEngine(model)}
        try:
            lm = RecordedLM(entry.model, cache=False, num_retries=0, **engines, **given)
        except (TypeError, ValueError) as error:
            raise ModelFault("unsupported_model") from error
        lm.otherwise = self._build(entry, key)
        return lm

    def ollama_model(self, entry: ModelEntry, key: str | None = None) -> OllamaModel | None:
        """Return the model as Ollama's own API asks it; None for another provider's."""
        address = self.address(entry)
        if entry.provider not in OLLAMA or address is None:
            return None
        kept = {name: value for name, value in entry.parameters.items() if name not in (OF_REQUEST | OF_CLIENTS)}
        kept = {name: value for name, value in kept.items() if name not in PRICES and not name.startswith("extra_")}
        if self._settings.ollama_keep_alive is not None:
            kept.setdefault("keep_alive", _keep_alive(self._settings.ollama_keep_alive))
        headers = {**(entry.extra_headers or {}), **({"Authorization": f"Bearer {key}"} if key else {})}
        return OllamaModel(
            entry.name,
            bases(entry.provider, address, speaks_openai=False)[0],
            parameters=kept,
            headers=headers,
            timeout=self._timeout(self._settings.loading_timeout_s)
            if entry.timeout is None
            else httpx.Timeout(entry.timeout),
        )

    def address(self, entry: ModelEntry) -> str | None:
        """Return the configured address of the model's server; None leaves it to the library."""
        provider = entry.provider
        if entry.api_base or provider not in (*SERVED_BELOW_V1, *OLLAMA):
            return entry.api_base
        gateways = (self._settings.key(name) for name in gateways_of(provider))
        said = next((each.get_secret_value() for each in gateways if each), None)
        return said or (self._settings.ollama_base_url or OLLAMA_USUAL if provider in OLLAMA else None)

    def lacks_key(self, entry: ModelEntry) -> bool:
        """Whether a key is certainly needed and missing; a custom address may do without."""
        if entry.api_key_env:
            return not self._settings.key(entry.api_key_env)
        hosted = BY_PROVIDER.get(entry.provider)
        return hosted is not None and not self.is_ours(entry) and not any(map(self._settings.key, hosted.key_names))

    def is_ours(self, entry: ModelEntry) -> bool:
        """Whether the host names the address of the model's server, in its entry or in a variable of its provider."""
        return bool(entry.api_base) or any(map(self._settings.key, gateways_of(entry.provider)))

    def key(self, entry: ModelEntry, visitor_key: SecretStr | None = None) -> str | None:
        """Return the key to send: the visitor's, else that of the entry's variable. Raises ModelFault."""
        if visitor_key:
            return visitor_key.get_secret_value()
        if self.lacks_key(entry):
            raise ModelFault("not_configured")
        key = self._settings.key(entry.api_key_env) if entry.api_key_env else None
        return key.get_secret_value() if key else None

    def _build(self, entry: ModelEntry, key: str | None) -> RecordedLM:
        provider, address = entry.provider, self.address(entry)
        given = {name: value for name, value in entry.parameters.items() if name not in PRICES}
        given.setdefault("timeout", self._timeout())
        if key:
            given["api_key"] = key
        elif entry.api_base and provider in (*BY_PROVIDER, *SERVED_BELOW_V1):
            given["api_key"] = "none"  # else the library would send the provider's own key there
        if provider == "openrouter" and (headers := self._openrouter_headers()):
            given["extra_headers"] = {**headers, **(entry.extra_headers or {})}
        if not entry.parameters.keys() - PRICES <= NATIVE:
            given["engine"] = "litellm"
        built: Callable[..., RecordedLM] = partial(RecordedLM, entry.model, cache=False, num_retries=0, **given)
        try:
            lm = built(bases=bases(provider, address) if address else ())
            if address and provider in OLLAMA and not lm.is_native:
                lm = built(bases=bases(provider, address, speaks_openai=False))
        except (TypeError, ValueError) as error:
            raise ModelFault("unsupported_model") from error
        return lm

    def _openrouter_headers(self) -> dict[str, str]:
        named = {
            "HTTP-Referer": self._settings.openrouter_http_referer,
            "X-Title": self._settings.openrouter_x_title,
        }
        return {name: value for name, value in named.items() if value}

    def _timeout(self, first_token_s: float | None = None) -> httpx.Timeout:
        """Return the client's timeouts, a second line behind `replies.dspy_stream`, which watches the stream."""
        first_token_s = self._settings.first_token_timeout_s if first_token_s is None else first_token_s
        read_s = max(first_token_s, self._settings.idle_timeout_s) + 5
        if not (first_token_s and self._settings.idle_timeout_s):
            read_s = FOREVER_S
        connect_s = self._settings.connect_timeout_s or FOREVER_S
        return httpx.Timeout(connect=connect_s, read=read_s, write=connect_s, pool=connect_s)


OLLAMA_USUAL = "http://127.0.0.1:11434"


def gateways_of(provider: str) -> tuple[str, ...]:
    """Return the variables from which the libraries read a provider's address."""
    return f"{provider.upper()}_API_BASE", f"{provider.upper()}_BASE_URL"


def _keep_alive(written: str) -> str | int:
    """Return the setting as Ollama takes it: seconds as a number, else a duration like 10m."""
    try:
        return int(written)
    except ValueError:
        return written
