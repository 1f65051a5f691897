"""Model labels: which there are, which can be used now, and how to build each one's `dspy.LM`.

No global LM: a turn gets its own through `dspy.context`. DSPy's retries and cache are off; both would act behind the
back of the turn (and the cache's key ignores whose endpoint answered). LMs are kept, since each owns a connection pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal

import dspy
import httpx
from dspy.clients.backend_selection import select_backend
from pydantic import ValidationError

from pipeline.addresses import OLLAMA, SERVED_BELOW_V1, bases, shown_address
from pipeline.errors import ModelFault, Refused
from pipeline.extractive import AsyncExtractiveEngine, ExtractiveEngine
from pipeline.faults import engine_fault
from pipeline.litellm_door import Wire, is_provider, open_door, providers, wire
from pipeline.lm15_door import read_lists
from pipeline.names import shown_name
from pipeline.replies.prompts import DspyAdapter, ShownAdapter
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings, SettingsFault, is_loopback

NEAREST = 3  # names that are told to who wrote none of ours
OLLAMA_USUAL = "http://localhost:11434"
FOREVER_S = 86_400.0  # the native engine has no "no limit"
POOL_CONNECTIONS = 100  # lm15's, per LM and event loop

# The key that a provider's own documents name → the model offered when it is set. MODELS adds any other.
PROVIDER_DEFAULTS = (
    ("OPENAI_API_KEY", "openai/gpt-5-mini"),
    ("ANTHROPIC_API_KEY", "anthropic/claude-haiku-4-5"),
    ("GEMINI_API_KEY", "gemini/gemini-2.5-flash"),
    ("OPENROUTER_API_KEY", "openrouter/openai/gpt-oss-120b"),
    ("GROQ_API_KEY", "groq/openai/gpt-oss-20b"),
    ("DEEPSEEK_API_KEY", "deepseek/deepseek-chat"),
    ("MISTRAL_API_KEY", "mistral/mistral-small-latest"),
)
KEY_NAMES = {model.partition("/")[0]: name for name, model in PROVIDER_DEFAULTS}
OTHER_KEY_NAMES = {"gemini": "GOOGLE_API_KEY", "openrouter": "OR_API_KEY"}  # which the libraries take as well


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One line of the picker. `uses_knobs`: whether instructions, temperature and token limit change its answer.

    `provider` is LiteLLM's name for whose model it is.
    """

    label: str
    state: Literal["ready", "no_key", "resting"]
    note: str
    uses_knobs: bool
    provider: str = ""


Exchange = dict[str, Any]
exchanges: ContextVar[list[Exchange] | None] = ContextVar("exchanges", default=None)
unstreamed: ContextVar[bool] = ContextVar("unstreamed", default=False)


class RecordedLM(dspy.LM):
    """An LM whose exchanges (usage, cost) go to the turn that made them, not to DSPy's process-wide history.

    Where `unstreamed` is set, the reply is asked for in one piece although the program around it streams. DSPy gives an
    LM a pool of 100 connections and no setting for it: calls beyond go to a twin (a copy would share the pool).
    `bases` are the addresses at which the server may be, tried in turn until one is right, which is then kept to.
    """

    def __init__(self, *args: Any, bases: Sequence[str] = (), **kwargs: Any) -> None:
        read_lists()
        super().__init__(*args, **kwargs, **({"api_base": bases[0]} if bases else {}))
        self._calls = 0
        self._twin: RecordedLM | None = None
        self._bases = tuple(bases)  # the right one alone, once it was found
        self._new: Callable[..., RecordedLM] = partial(type(self), *args, **kwargs)

    async def ready(self) -> None:
        """Import LiteLLM for a model that needs it: it takes seconds, which no deadline of the model's shall count.

        Raises ModelFault where no library knows the provider: LiteLLM itself would blame the request.
        """
        if isinstance(self.engine, str) and not select_backend(self).native:
            await asyncio.to_thread(open_door)
            if not is_provider(self.model.partition("/")[0]):
                raise ModelFault("unsupported_model")

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """One exchange, by the first twin that has a connection to spare. Raises GlassboxError."""
        if self._calls >= POOL_CONNECTIONS:
            self._twin = self._twin or self._new(bases=self._bases)
            return await self._twin.acall(*args, **kwargs)
        self._calls += 1
        try:
            return await self._anywhere(*args, **kwargs)
        finally:
            self._calls -= 1

    async def _anywhere(self, *args: Any, **kwargs: Any) -> Any:
        """One exchange at the first of the addresses that has a model server."""
        if not self._bases:
            return await self._exchange(*args, **kwargs)
        *others, last = self._bases
        for base in others:
            try:
                reply = await self._exchange(*args, **kwargs, api_base=base)
            except ModelFault as fault:
                if fault.code != "wrong_address":
                    raise
            else:
                self._bases = (base,)
                return reply
        reply = await self._exchange(*args, **kwargs, api_base=last)
        self._bases = (last,)
        return reply

    async def _exchange(self, *args: Any, **kwargs: Any) -> Any:
        seen = Wire()
        wire.set(seen)
        try:
            with dspy.context(send_stream=None) if unstreamed.get() else nullcontext():
                reply = await super().acall(*args, **kwargs)
        except Exception as error:
            fault = engine_fault(error)
            if isinstance(fault, ModelFault) and self._bases:
                fault = ModelFault(fault.code, fault.retry_after_s, shown_address(self._bases[0]))
            raise fault from error
        if not seen.is_whole:
            raise ModelFault("incomplete")
        return reply

    def update_history(self, entry: Exchange) -> None:
        """Called by DSPy once per completed exchange, in the context of the turn."""
        if (record := exchanges.get()) is not None:
            record.append(entry)


class Models:
    """The models of this process. `add` puts a typed name into the list, which only a laptop offers."""

    def __init__(self, settings: Settings, pace_s: float = 0.012) -> None:
        self._settings, self._pace_s = settings, pace_s
        self._entries = {entry.label: entry for entry in (*settings.models, *self._found_by_key())}
        self._built: dict[str, RecordedLM] = {}
        if not all(self.known(label) for label in settings.fallbacks):
            raise SettingsFault("FALLBACKS names a model that is not in the list. Use labels of MODELS.")

    def _found_by_key(self) -> tuple[ModelEntry, ...]:
        listed = {entry.label for entry in self._settings.models}
        return tuple(
            ModelEntry(label=model, model=model, api_key_env=name)
            for name, model in PROVIDER_DEFAULTS
            if self._settings.key(name) and model not in listed
        )

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """The picker's lines, the built-in model first."""
        builtin = ModelChoice(BUILTIN_MODEL, "ready", "quotes only", uses_knobs=False, provider="glassbox")
        return (builtin, *(self._choice(entry) for entry in self._entries.values()))

    @property
    def default(self) -> str:
        """The label that a new visitor starts with; an unknown DEFAULT_MODEL falls back to the built-in model."""
        wanted = self._settings.default_model
        return wanted if self.known(wanted) else BUILTIN_MODEL

    def known(self, label: str) -> bool:
        """Whether the picker has this label."""
        return label == BUILTIN_MODEL or label in self._entries

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Who is asked when a model fails: the configured chain as far as it can be used, then the built-in model."""
        ready = {choice.label for choice in self.choices if choice.state == "ready"}
        chain = [label for label in self._settings.fallbacks if label in ready and label != BUILTIN_MODEL]
        return (*chain, BUILTIN_MODEL)

    def add(self, name: str) -> str:
        """Put a LiteLLM name (`provider/model`) into the list → its label. Raises Refused.

        A name that holds an address is refused: some doors would send the provider's key of the environment there.
        """
        name = shown_name(name)
        if self.known(name):
            return name
        if "://" in name:
            raise Refused("typed_address")
        provider = name.partition("/")[0]
        try:
            entry = ModelEntry(label=name, model=name)
            if not is_provider(provider):
                raise Refused("typed_model", near=self.nearest(name) or _like(provider, providers()))
            if self._lacks_key(entry):
                raise Refused("missing_key")
            self._built[name] = self._build(entry)
        except (ModelFault, ValidationError) as fault:
            raise Refused("typed_model", near=self.nearest(name)) from fault
        self._entries[name] = entry
        return name

    def nearest(self, name: str) -> tuple[str, ...]:
        """The labels that somebody may have meant, the likeliest first."""
        return _like(name, [choice.label for choice in self.choices])

    def unreachable(self) -> tuple[str, ...]:
        """Labels of MODELS whose provider no library knows. Blocks: in doubt it asks LiteLLM, which takes seconds."""
        return tuple(entry.label for entry in self._settings.models if not is_provider(entry.model.partition("/")[0]))

    def adapter(self, label: str) -> type[DspyAdapter]:
        """How a model is asked: those of this machine are small ones more often than not, and get a short prompt."""
        entry = self._entries.get(label)
        return ShownAdapter if entry and _is_local(entry) else DspyAdapter

    def lm(self, label: str) -> RecordedLM:
        """The model behind a label. Raises Refused for an unknown one and ModelFault when its key is missing."""
        if not self.known(label):
            raise Refused("unknown_model")
        if label not in self._built:
            self._built[label] = self._builtin() if label == BUILTIN_MODEL else self._build(self._entries[label])
        return self._built[label]

    def _choice(self, entry: ModelEntry) -> ModelChoice:
        missing = self._lacks_key(entry)
        note = "no key" if missing else "local" if _is_local(entry) else ""
        provider = entry.model.partition("/")[0] if "/" in entry.model else "openai"
        return ModelChoice(entry.label, "no_key" if missing else "ready", note, uses_knobs=True, provider=provider)

    def _lacks_key(self, entry: ModelEntry) -> bool:
        """Whether a key is needed for sure and not there; an address of one's own may do without."""
        if entry.api_key_env:
            return not self._settings.key(entry.api_key_env)
        provider = entry.model.partition("/")[0]
        names = (KEY_NAMES.get(provider), OTHER_KEY_NAMES.get(provider))
        is_ours = entry.api_base or any(self._settings.key(name) for name in _gateways(provider))
        return provider in KEY_NAMES and not is_ours and not any(self._settings.key(name) for name in names if name)

    def _builtin(self) -> RecordedLM:
        engines: dict[str, Any] = {"engine": ExtractiveEngine(), "async_engine": AsyncExtractiveEngine(self._pace_s)}
        return RecordedLM(BUILTIN_MODEL, cache=False, num_retries=0, **engines)

    def _build(self, entry: ModelEntry) -> RecordedLM:
        given: dict[str, Any] = {
            "temperature": entry.temperature,
            "max_tokens": entry.max_tokens,
        }
        if entry.api_key_env:
            key = self._settings.key(entry.api_key_env)
            if key is None:
                raise ModelFault("not_configured")
            given["api_key"] = key.get_secret_value()
        elif entry.api_base and entry.model.partition("/")[0] in (*KEY_NAMES, *SERVED_BELOW_V1):
            given["api_key"] = "none"  # or the library would send the provider's own key there
        if entry.model.startswith("openrouter/") and (headers := self._openrouter_headers()):
            given["extra_headers"] = headers
        given = {name: value for name, value in given.items() if value is not None}
        built: Callable[..., RecordedLM] = partial(
            RecordedLM, entry.model, cache=False, num_retries=0, timeout=self._timeout(), **given
        )
        provider, address = entry.model.partition("/")[0], self._address(entry)
        try:
            lm = built(bases=bases(provider, address) if address else ())
            if address and provider in OLLAMA and not select_backend(lm).native:
                lm = built(bases=bases(provider, address, speaks_openai=False))
        except (TypeError, ValueError) as error:
            raise ModelFault("unsupported_model") from error
        return lm

    def _address(self, entry: ModelEntry) -> str | None:
        """Where the model's server is, as far as anybody said so; None leaves it to the library."""
        provider = entry.model.partition("/")[0]
        if entry.api_base or provider not in (*SERVED_BELOW_V1, *OLLAMA):
            return entry.api_base
        gateways = (self._settings.key(name) for name in _gateways(provider))
        said = next((each.get_secret_value() for each in gateways if each), None)
        return said or (OLLAMA_USUAL if provider in OLLAMA else None)

    def _openrouter_headers(self) -> dict[str, str]:
        named = {
            "HTTP-Referer": self._settings.openrouter_http_referer,
            "X-Title": self._settings.openrouter_x_title,
        }
        return {name: value for name, value in named.items() if value}

    def _timeout(self) -> httpx.Timeout:
        """Reads are only a second line of defence: `dspy_events` watches first token and silence itself."""
        read_s = max(self._settings.first_token_timeout_s, self._settings.idle_timeout_s) + 5
        if not (self._settings.first_token_timeout_s and self._settings.idle_timeout_s):
            read_s = FOREVER_S
        connect_s = self._settings.connect_timeout_s or FOREVER_S
        return httpx.Timeout(connect=connect_s, read=read_s, write=connect_s, pool=connect_s)


def _like(name: str, names: Collection[str]) -> tuple[str, ...]:
    """Those of `names` that are most like one, whatever their case; also by the model's name alone."""
    by_folded = {each.rpartition("/")[2].casefold(): each for each in names} | {each.casefold(): each for each in names}
    wanted = [name.casefold(), name.rpartition("/")[2].casefold()]
    found = [by_folded[each] for word in wanted if word for each in get_close_matches(word, by_folded, NEAREST)]
    return tuple(dict.fromkeys(found))[:NEAREST]


def _gateways(provider: str) -> tuple[str, ...]:
    """The variables in which the libraries look for a provider's address."""
    return f"{provider.upper()}_API_BASE", f"{provider.upper()}_BASE_URL"


def _is_local(entry: ModelEntry) -> bool:
    host = httpx.URL(entry.api_base).host if entry.api_base else ""
    return is_loopback(host) or entry.model.startswith("ollama")
