"""The catalogue of models: their labels, their states, and the `dspy.LM` of each.

There is no global LM: a turn gets its own through `dspy.context`. LMs with the host's keys are kept, since each owns a
connection pool; one with a visitor's key is built for each turn and closed after it. Models that an Ollama server has
come and go with it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Collection, Generator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from typing import Literal

import httpx
from pydantic import SecretStr, ValidationError

from pipeline.base_urls import OLLAMA, SERVED_BELOW_V1, bases
from pipeline.display_names import shown_name
from pipeline.errors import SERVER_FAULTS, GlassboxError, ModelFault, Refused
from pipeline.messages import Message
from pipeline.models.breakers import Breakers
from pipeline.models.building import LMBuilder
from pipeline.models.costs import cost_of, has_own_rates, rates_at, rates_of
from pipeline.models.hosted import BY_PROVIDER, HOSTED, OF_HUGGING_FACE
from pipeline.models.lm import RecordedLM
from pipeline.models.ollama.finder import EVERY_S, FoundModel, OllamaFinder
from pipeline.models.price_table import PER_TOKENS, Prices, context_tokens_of, prices_of
from pipeline.models.server_windows import window_of
from pipeline.models.spending import PaidModel
from pipeline.models.visitor_keys import TAKE_ONE_KEY, VisitorModel, visitor_model
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings, SettingsFault, is_loopback
from pipeline.transports.litellm_transport import is_provider, providers

log = logging.getLogger(__name__)

NEAREST = 3  # known names that a message suggests for an unknown one

MOST_LABEL_CHARS = 80
FOUND_PREFIX = "ollama/"  # of the labels of models that were found
PROBES_AT_START = 3
# Faults after which a model is shown as unreachable.
OF_SERVERS = SERVER_FAULTS | {
    "connection",
    "first_token_timeout",
    "idle_timeout",
    "turn_timeout",
    "server",
    "no_memory",
}
_IS_NAME = re.compile(r"[^\s]{1,180}")  # a name that LiteLLM's form of a name can hold
HUGGING_FACE = "huggingface"  # LiteLLM's name of the provider, and the `key_scope` of its models
HOSTS_SERVER = "server:"  # begins the `key_scope` of a model at an address of the host

ModelState = Literal["ready", "no_key", "resting", "unreachable"]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One line of the picker, with a `note` beside its label. `provider` is LiteLLM's name for whose model it is.

    `is_language_model`: whether instructions, temperature and token limit change its answer. `context_tokens` are those
    that a prompt may have; None, as for `prices`, where that is unknown. `is_configured` is False for a hosted model
    that MODELS does not name and whose key is missing. `key_scope`: the models for which a visitor's key is meant, ""
    where none is taken: those of a provider, or one at an address of the host.
    """

    label: str
    state: ModelState
    note: Message | None
    is_language_model: bool
    provider: str = ""
    context_tokens: int | None = None
    prices: Prices | None = None
    is_configured: bool = True
    key_scope: str = ""


class Models:
    """The models of this process. `add` lists a typed model name, which only a private server allows."""

    def __init__(self, settings: Settings, pace_s: float = 0.012) -> None:
        self._settings, self._builder = settings, LMBuilder(settings, pace_s)
        self._ollama = OllamaFinder(_root(settings.ollama_base_url))
        self._seen: tuple[FoundModel, ...] = ()
        self._found_entries: dict[str, ModelEntry] = {}  # of the models that were `_seen`
        hosted = sorted(self._hosted(), key=self._builder.lacks_key)
        self._hosted_labels = frozenset(entry.label for entry in hosted)
        self._of_users = {entry.label: entry for entry in self._paid_by_users()}
        self._entries = {entry.label: entry for entry in (*settings.models, *self._of_users.values(), *hosted)}
        self._unreached: dict[str, ModelFault] = {}  # label → why its server was not found the last time
        self._first_token_s: dict[str, float] = {}  # label → of the last answer or test
        self._windows: dict[str, int] = {}  # label → what its server has said
        self._asking: dict[str, asyncio.Task[None]] = {}  # label → the request for its window
        self._built: dict[str, RecordedLM] = {}
        self.breakers = Breakers()
        if not all(self.known(label) for label in settings.fallbacks):
            raise SettingsFault("FALLBACKS names a model that is not in the list. Use labels of MODELS.")

    def _hosted(self) -> Iterator[ModelEntry]:
        """Iterate over the hosted models that MODELS does not name; without a key they have no `api_key_env`."""
        listed = {entry.label for entry in self._settings.models}
        for each in HOSTED:
            key_name = each.key_name if self._settings.key(each.key_name) else None
            yield from (
                ModelEntry(label=model, model=model, api_key_env=key_name)
                for model in each.models
                if model not in listed
            )

    def _paid_by_users(self) -> Iterator[ModelEntry]:
        """Iterate over the models of Hugging Face, which nobody but a user can pay for."""
        listed = {entry.label for entry in self._settings.models}
        for name in OF_HUGGING_FACE if self._settings.sign_in else ():
            label = f"hf/{name.rpartition('/')[2]}"
            if label not in listed:
                yield ModelEntry(label=label, model=f"openai/{name}", api_base=self._settings.hf_router_url)

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """The entries of the picker: the built-in model, those of MODELS, Ollama's, hosted ones with a key, others.

        A note says why a model cannot be used now, and for how long it rests.
        """
        return tuple(map(self._with_health, self._configured()))

    def _configured(self) -> tuple[ModelChoice, ...]:
        builtin = ModelChoice(
            BUILTIN_MODEL, "ready", Message("quotes_only"), is_language_model=False, provider="glassbox"
        )
        named = [entry for label, entry in self._entries.items() if label not in self._hosted_labels]
        hosted = [entry for label, entry in self._entries.items() if label in self._hosted_labels]
        return (builtin, *map(self._choice, (*named, *self._found().values(), *hosted)))

    def entry(self, label: str) -> ModelEntry | None:
        """Return what was configured of a label, None for the built-in model and an unknown one."""
        return self._entries.get(label) or self._found().get(label)

    def _found(self) -> dict[str, ModelEntry]:
        """Return the models of the Ollama server that no entry of MODELS names, by their labels."""
        if self._seen is not self._ollama.found:
            self._seen, self._found_entries = self._ollama.found, self._read_found()
        return self._found_entries

    def _read_found(self) -> dict[str, ModelEntry]:
        named = {entry.name for entry in self._settings.models if self._is_of_ollama(entry)}
        found = {}
        for each in self._ollama.found:
            name, label = each.listed.name, shown_name(f"{FOUND_PREFIX}{each.listed.name}", MOST_LABEL_CHARS)
            if (
                not {name, name.removesuffix(":latest")} & named
                and label not in self._entries
                and _IS_NAME.fullmatch(name)
            ):
                model, base = f"ollama_chat/{name}", self._ollama.address
                found[label] = ModelEntry(label=label, model=model, api_base=base)
        return found

    def _is_of_ollama(self, entry: ModelEntry) -> bool:
        """Whether the Ollama server that is looked for has the model."""
        address = self._builder.address(entry)
        return entry.provider in OLLAMA and address is not None and _root(address) == self._ollama.address

    def _found_model(self, entry: ModelEntry) -> FoundModel | None:
        """Return what the Ollama server says of an entry's model."""
        if not self._is_of_ollama(entry):
            return None
        names = (entry.name, f"{entry.name}:latest")
        return next((each for each in self._ollama.found if each.listed.name in names), None)

    async def find_at_start(self) -> None:
        """Look for an Ollama server, again where the busy start left no time for its answer."""
        for _ in range(PROBES_AT_START):
            if await self.find() or not self._ollama.address:
                return
            await asyncio.sleep(EVERY_S)

    async def find(self) -> bool:
        """Look for the models of an Ollama server, at most every few seconds and for 0.3 s at most.

        Return whether that has ended now, with the server's answer or because nothing listens there.
        """
        before = self._found()
        self._ask_windows()
        was_probed = await self._ollama.refresh()
        gone = before.keys() - self._found().keys()
        for label in gone:
            self._built.pop(label, None)
        for label in (*gone, *(self._found() if was_probed else ())):
            self._unreached.pop(label, None)
        return was_probed

    def _ask_windows(self) -> None:
        """Ask the servers of MODELS for the windows that nothing else says, each until it answers; waits for none."""
        for entry in self._settings.models:
            is_asked = entry.provider in SERVED_BELOW_V1 and entry.api_base and self.context_tokens(entry.label) is None
            if is_asked and entry.label not in self._asking and not self._builder.lacks_key(entry):
                self._asking[entry.label] = asyncio.create_task(self._ask_window(entry))

    async def _ask_window(self, entry: ModelEntry) -> None:
        addresses = bases(entry.provider, entry.api_base or "")
        try:
            found = await window_of(addresses, entry.name, self._builder.key(entry))
        except (httpx.HTTPError, httpx.InvalidURL):
            self._asking.pop(entry.label, None)  # the next look asks again
            return
        if found:
            self._windows[entry.label] = found

    def context_tokens(self, label: str) -> int | None:
        """Return the tokens of the window that is used for the model; None where that is unknown."""
        entry = self.entry(label)
        if entry is None:
            return None
        found = self._found_model(entry)
        windows = [each for each in (entry.num_ctx, found.details.most_tokens if found else None) if each]
        said = entry.context_tokens or self._windows.get(label) or min(windows, default=None)
        return said or context_tokens_of(entry.model)

    def loads_slowly(self, label: str) -> bool:
        """Whether the first text may wait until a server has loaded the model."""
        entry = self.entry(label)
        return entry is not None and entry.provider in OLLAMA

    @property
    def default(self) -> str:
        """The label for new visitors; the built-in model where DEFAULT_MODEL is unknown, or hosted without a key."""
        entry = self.entry(self._settings.default_model)
        return entry.label if entry and self._is_configured(entry) else BUILTIN_MODEL

    @property
    def has_default(self) -> bool:
        """Whether DEFAULT_MODEL is in the list, or may come into it with the models of Ollama."""
        wanted = self._settings.default_model
        return wanted == self.default or (wanted.startswith(FOUND_PREFIX) and bool(self._ollama.address))

    def known(self, label: str) -> bool:
        """Whether the picker has this label."""
        return label == BUILTIN_MODEL or self.entry(label) is not None

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """The models to ask when one fails: those of FALLBACKS that can be used, then the built-in model."""
        ready = {choice.label for choice in self._configured() if choice.state == "ready"}
        chain = [label for label in self._settings.fallbacks if label in ready and label != BUILTIN_MODEL]
        return (*chain, BUILTIN_MODEL)

    def add(self, name: str) -> str:
        """Add a LiteLLM name (`provider/model`) to the list and return its label.

        Raises Refused, always where strangers may come. A name that holds an address is refused: some doors would send
        the provider's key of the environment there.
        """
        if not self._settings.is_private:
            raise Refused("not_here")
        name = shown_name(name)
        if self.known(name):
            if name in self._entries and self._builder.lacks_key(self._entries[name]) and not self.takes_key(name):
                raise Refused("missing_key")
            return name
        if "://" in name:
            raise Refused("typed_address")
        provider = name.partition("/")[0]
        try:
            entry = ModelEntry(label=name, model=name)
            if not is_provider(provider):
                raise Refused("typed_model", near=self.nearest(name) or _like(provider, providers()))
            # A visitor may bring the key that is missing; any key shows whether the model can be asked at all.
            self._builder.build(entry, SecretStr("none") if self._builder.lacks_key(entry) else None)
        except (ModelFault, ValidationError) as fault:
            raise Refused("typed_model", near=self.nearest(name)) from fault
        self._entries[name] = entry
        return name

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return the labels most similar to a name, the most similar first."""
        return _like(name, [choice.label for choice in self.choices])

    def note_test(self, label: str, fault: GlassboxError | None, first_token_s: float | None) -> None:
        """Note the result of a test: a fault of the server makes the model unreachable, a good one heals it."""
        if fault is None:
            self.note_reached(label)
            self.breakers.reset(label)
            self.note_first_token(label, first_token_s)
        elif isinstance(fault, ModelFault) and fault.code in OF_SERVERS:
            self.note_unreached(label, fault)
        else:
            self.breakers.failed(label, fault.code)

    def note_first_token(self, label: str, first_token_s: float | None) -> None:
        """Note how long the first text of a model took the last time."""
        if first_token_s is not None and label != BUILTIN_MODEL:
            self._first_token_s[label] = first_token_s

    def note_unreached(self, label: str, fault: ModelFault) -> None:
        """Note that a model's server was not found."""
        self._unreached[label] = fault

    def note_reached(self, label: str) -> None:
        """Note that a model's server has answered."""
        self._unreached.pop(label, None)

    @contextmanager
    def reaching(self, label: str) -> Generator[None, None, None]:
        """Note whether a model's server answers what is asked inside."""
        try:
            yield
        except ModelFault as fault:
            if fault.names_server:
                self.note_unreached(label, fault)
                log.warning("no model server answered at %s (%s)", fault.address, fault.code)
            raise
        self.note_reached(label)

    def unreached(self, labels: Iterable[str]) -> list[ModelFault]:
        """Return the faults of these models whose servers were not found when they were asked last."""
        found = (self._unreached.get(label) for label in labels)
        return [fault for fault in found if fault and fault.names_server]

    def without_provider(self) -> tuple[str, ...]:
        """Return the labels of MODELS with an unknown provider. Blocks: it may import LiteLLM, which takes seconds."""
        return tuple(entry.label for entry in self._settings.models if not is_provider(entry.provider))

    def without_price(self) -> tuple[str, ...]:
        """Return the labels of MODELS whose calls cost something unknown. OpenRouter says the cost with each answer."""
        entries = (entry for entry in self._settings.models if not entry.model.startswith("openrouter/"))
        return tuple(entry.label for entry in entries if _cost(entry, 1, 1) is None)

    def cost(self, label: str, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Estimate what a call of a model costs, in USD; None where its price is unknown."""
        entry = self.entry(label)
        if entry is None:
            return 0.0 if label == BUILTIN_MODEL else None
        return _cost(entry, prompt_tokens, completion_tokens)

    def is_local(self, label: str) -> bool:
        """Whether a model runs on this machine. Such models are usually small."""
        entry = self.entry(label)
        return entry is not None and _is_local(entry)

    def address(self, label: str) -> str | None:
        """Return the configured address of a model's server, None where the library knows it."""
        entry = self.entry(label)
        return self._builder.address(entry) if entry else None

    def key_name(self, label: str) -> str | None:
        """Return the variable of a model's key, None for a model that takes none."""
        entry = self.entry(label)
        if entry is None or entry.api_key_env:
            return entry.api_key_env if entry else None
        provider = entry.provider
        if self._builder.address(entry) or provider in (*SERVED_BELOW_V1[1:], *OLLAMA):
            return None
        hosted = BY_PROVIDER.get(provider)
        names = hosted.key_names if hosted else (f"{provider.upper()}_API_KEY",)
        return next((name for name in names if self._settings.key(name)), names[0])

    def lm(self, label: str) -> RecordedLM:
        """Return the model of a label. Raises Refused for an unknown label and ModelFault when its key is missing."""
        if not self.known(label):
            raise Refused("unknown_model")
        if label not in self._built:
            self._built[label] = self._builder.builtin() if label == BUILTIN_MODEL else self._build(label)
        return self._built[label]

    def takes_key(self, label: str) -> bool:
        """Whether a visitor's own key can be used for a model."""
        entry = self.entry(label)
        return entry is not None and bool(self._key_scope(entry))

    @asynccontextmanager
    async def with_key(self, label: str, key: SecretStr | None) -> AsyncGenerator[VisitorModel | None, None]:
        """The model of a label with a visitor's key, for one turn; None without a key, and for the built-in model."""
        entry = self.entry(label)
        if key is None or entry is None:
            yield None
            return
        async with visitor_model(label, key, lambda key: self._paid(entry, self._builder.build(entry, key))) as model:
            yield model

    def _key_scope(self, entry: ModelEntry) -> str:
        if entry.label in self._of_users:
            return HUGGING_FACE
        if entry.provider not in TAKE_ONE_KEY:
            return ""
        return f"{HOSTS_SERVER}{entry.label}" if self._builder.is_ours(entry) else entry.provider

    def _choice(self, entry: ModelEntry) -> ModelChoice:
        is_of_users = entry.label in self._of_users
        missing = is_of_users or self._builder.lacks_key(entry)
        note = Message("sign_in" if is_of_users else "no_key") if missing else self._note(entry)
        provider = HUGGING_FACE if is_of_users else entry.provider
        return ModelChoice(
            entry.label,
            "no_key" if missing else "ready",
            note,
            is_language_model=True,
            provider=provider,
            context_tokens=self.context_tokens(entry.label),
            prices=_prices(entry),
            is_configured=self._is_configured(entry),
            key_scope=self._key_scope(entry),
        )

    def _build(self, label: str) -> RecordedLM:
        entry = self.entry(label)
        if entry is None:
            raise Refused("unknown_model")
        if label in self._of_users:
            raise ModelFault("not_configured")
        return self._paid(entry, self._builder.build(entry))

    def _paid(self, entry: ModelEntry, lm: RecordedLM) -> RecordedLM:
        """Return the LM as one whose calls are charged."""
        for each in (lm, lm.otherwise):
            if each:
                each.paid, each.rates = PaidModel(entry.label, partial(_cost, entry)), rates_of(entry)
                each.has_own_rates = has_own_rates(entry)
        return lm

    def _note(self, entry: ModelEntry) -> Message | None:
        """Return the remark beside a model that can be used: what Ollama says of it, or that it is on this machine."""
        if found := self._found_model(entry):
            size = f"{found.listed.size_bytes / 1e9:.1f} GB"
            if tokens := self.context_tokens(entry.label):
                return Message("found", {"size": size, "window": short_count(tokens)})
            return Message("size", {"size": size})
        if seconds := self._first_token_s.get(entry.label):
            return Message("first_token", {"seconds": f"{seconds:.2f}"})
        return Message("local") if _is_local(entry) else None

    def _is_configured(self, entry: ModelEntry) -> bool:
        """Whether MODELS or a visitor names the model, or its key is set."""
        return entry.label not in self._hosted_labels or not self._builder.lacks_key(entry)

    def _with_health(self, choice: ModelChoice) -> ModelChoice:
        if choice.state != "ready":
            return choice
        entry = self.entry(choice.label)
        is_lost = entry is not None and not self._ollama.is_reached and self._is_of_ollama(entry)
        if choice.label in self._unreached or is_lost:
            return replace(choice, state="unreachable", note=Message("unreachable"))
        rest_s = self.breakers.rest_s(choice.label)
        return (
            replace(choice, state="resting", note=Message("resting", {"rest_s": round(rest_s)})) if rest_s else choice
        )


def short_count(tokens: int) -> str:
    """Write a number of tokens shortly: 4096 → 4k, 131072 → 131k, 1048576 → 1M."""
    return f"{tokens / 1e6:.3g}M" if tokens >= 999_500 else f"{tokens / 1e3:.0f}k" if tokens >= 1000 else str(tokens)


def _root(address: str) -> str:
    """Return the root of an Ollama server's address."""
    return bases("ollama", address, speaks_openai=False)[0].replace("//localhost", "//127.0.0.1") if address else ""


def _like(name: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the `names` most similar to one, ignoring case; also by the model's name alone."""
    by_folded = {each.rpartition("/")[2].casefold(): each for each in names} | {each.casefold(): each for each in names}
    wanted = [name.casefold(), name.rpartition("/")[2].casefold()]
    found = [by_folded[each] for word in wanted if word for each in get_close_matches(word, by_folded, NEAREST)]
    return tuple(dict.fromkeys(found))[:NEAREST]


def _cost(entry: ModelEntry, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Return the cost in USD, None where the price is unknown. A server of one's own costs nothing."""
    rates = rates_at(rates_of(entry), datetime.now(UTC))
    if not rates:
        return 0.0 if _is_local(entry) else None
    return cost_of(rates, {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens})


def _prices(entry: ModelEntry) -> Prices | None:
    """Return the prices of an entry, else those of the table."""
    prompt, completion = entry.input_cost_per_token, entry.output_cost_per_token
    if prompt is None and completion is None:
        return prices_of(entry.model)
    return Prices(round((prompt or 0.0) * PER_TOKENS, 6), round((completion or 0.0) * PER_TOKENS, 6))


def _is_local(entry: ModelEntry) -> bool:
    host = httpx.URL(entry.api_base).host if entry.api_base else ""
    return is_loopback(host) or entry.model.startswith("ollama")
