"""Everything that can go wrong, as codes and values. `i18n` makes the sentences that people read.

    GlassboxError          area
    ├── Refused            refused   the request is not one we answer            → HTTP 422, nothing stored
    ├── NotFound           missing   no such conversation, turn or document here → HTTP 404
    │   └── Gone           missing   the turn is there, but no longer its events → HTTP 410 and where it is
    ├── Busy               busy      a limit is reached                          → HTTP 429 with Retry-After
    ├── ModelFault         model     a model did not deliver                     → TurnFailed
    ├── IngestFault        file      a file could not be read                    → the file is named as failed
    ├── SearchFault        fault     the documents could not be searched         → TurnFailed
    ├── EmbeddingFault     fault     a model of the search did not answer        → the search does without it
    ├── IndexTaken         fault     another process has the index               → no start
    ├── NotInstalled       fault     a setting needs one more package            → no start
    ├── StoreFault         fault     the database failed                         → saved: false, or HTTP 503
    └── OwnFault           fault     a bug of Glassbox, logged by `own_faults`   → TurnFailed, or HTTP 500

An exception's own text may hold a key or a path: it is never shown, logged or stored, so none of these carries one.
Errors are translated in two places only: `turns` makes TurnFailed of them, `api` a status and a body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

if TYPE_CHECKING:  # the child processes that open files import this module, and need no pydantic
    from pipeline.messages import Value

RefusalCode = Literal[
    "blank_question",
    "long_question",
    "unreadable_question",
    "missing_key",
    "unknown_model",
    "unknown_program",
    "unknown_profile",
    "typed_model",
    "typed_address",
    "not_here",
    "invalid_request",
    "invalid_value",
    "not_json",
    "unknown_event",
    "unknown_response",
    "invalid_visitor",
    "invalid_key",
    "takes_no_key",
    "needs_key",
    "sign_in_failed",
    "too_large",
    "encoded_body",
    "no_visitor",
    "no_files",
    "many_files",
    "unauthorized",
    "unknown_tool",
    "invalid_session",
    "invalid_request_key",
    "reused_request_key",
    "foreign_page",
    "unknown_host",
    "too_slow",
    "artifact_form",
    "rating_form",
    "many_choices",
    "answer_format",
    "client_tools",
    "client_task",
    "not_text",
    "long_instructions",
    "still_running",
    "no_prompt",
    "no_passages",
    "no_check_model",
    "cannot_judge",
    "nothing_weak",
    "set_too_large",
    "too_many_questions",
    "no_questions",
    "invalid_question",
    "unknown_column",
    "unreadable_set",
    "long_question_field",
    "no_question_text",
    "unknown_metric",
    "needs_gold",
    "few_examples",
    "few_calls",
    "cannot_learn",
    "cannot_be_optimised",
    "unknown_price",
    "whose_optimisation",
    "nothing_improved",
    "still_optimising",
    "nothing_to_resume",
    "too_many_sets",
    "not_interrupted",
    "no_owner",
]
MissingCode = Literal[
    "conversation",
    "turn",
    "document",
    "events",
    "artifact",
    "response",
    "passage",
    "sentence",
    "optimisation",
    "question_set",
    "evaluation",
]
BusyCode = Literal[
    "turns",
    "visitor",
    "rate",
    "closing",
    "requests",
    "pending",
    "sessions",
    "places",
    "uploads",
    "optimising",
    "evaluation",
]
FileCode = Literal[
    "unsupported",
    "old_office",
    "wrong_type",
    "unknown_encoding",
    "no_ocr",
    "empty",
    "no_text",
    "scanned",
    "encrypted",
    "broken",
    "too_large",
    "too_many_pages",
    "too_much_text",
    "too_many_files",
    "bomb",
    "too_complex",
    "timeout",
    "nested_zip",
    "zip_link",
    "zip_path",
    "no_room",
    "not_kept",
    "busy",
    "no_page",
    "web_off",
    "web_address",
    "web_unreachable",
    "web_type",
    "internal",
]

# Code of a model's fault → whether the same model may answer when it is asked again.
MODEL_FAULTS: Mapping[str, bool] = MappingProxyType(
    {
        "auth": False,
        "billing": False,
        "over_budget": False,
        "rate_limit": True,
        "unsupported_model": False,
        "context_window_exceeded": False,
        "prompt_too_long": False,
        "no_memory": False,
        "invalid_request": False,
        "content_filter": False,
        "not_configured": False,
        "connection": True,
        "refused": True,
        "unreachable": True,
        "connect_timeout": True,
        "wrong_address": False,
        "first_token_timeout": True,
        "idle_timeout": True,
        "turn_timeout": True,
        "server": True,
        "cannot_stream": True,
        "bad_reply": True,
        "incomplete": True,
        "empty": True,
        "format": True,
        "cut_short": True,
        "repeats": True,
        "resting": True,
        "answer_limit": False,
        "unexpected": True,
    }
)
SERVER_FAULTS = frozenset({"refused", "unreachable", "connect_timeout", "wrong_address"})  # their texts name the server
FILE_CODES: frozenset[str] = frozenset(get_args(FileCode))
OWN_FAULT = "internal"  # the code of every bug of Glassbox


class GlassboxError(Exception):
    """Base of our errors. `area` and `code` name the text in the catalogue, `values` are what the text names."""

    area: ClassVar[str] = "fault"

    def __init__(self, code: str, **values: Value) -> None:
        super().__init__(code)
        self.code, self.values = code, MappingProxyType(values)

    @property
    def is_own_fault(self) -> bool:
        """Whether it stands for a bug of Glassbox, whose trace is logged."""
        return self.code == OWN_FAULT


class Refused(GlassboxError):
    """The request is malformed or over a limit of size, `most`.

    `near` are names of ours that may have been meant, `key` is the key of ours that is wrong, `line` (from 1) the line
    of a file; what was written is never repeated.
    """

    area = "refused"

    def __init__(
        self, code: RefusalCode, most: int = 0, near: Sequence[str] = (), key: str = "", line: int = 0
    ) -> None:
        values: dict[str, Value] = {"most": most, "near": tuple(near), "key": key, "line": line}
        super().__init__(code, **{name: value for name, value in values.items() if value})


class NotFound(GlassboxError):
    """The id is unknown, or belongs to someone else: the two look the same from outside."""

    area = "missing"

    def __init__(self, code: MissingCode = "conversation") -> None:
        super().__init__(code)


class Gone(NotFound):
    """The events of a turn are kept for a minute after its ending; the turn itself can still be read."""

    def __init__(self, turn_id: str) -> None:
        super().__init__("events")
        self.turn_id = turn_id


class Busy(GlassboxError):
    """A limit is reached, and may be free again in `retry_after_s`."""

    area = "busy"

    def __init__(self, code: BusyCode, retry_after_s: int) -> None:
        super().__init__(code, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class ModelFault(GlassboxError):
    """A model did not deliver; `code` is a key of MODEL_FAULTS, `retryable` says whether the same may work again.

    `retry_after_s` is how long the provider asks to be left alone, None when it does not say. `address` is the host and
    port that were asked, where they were configured; it is among the values, and so in the text, once it is `shown`.
    `names_server` says whether it is known and belongs to what went wrong.
    """

    area = "model"

    def __init__(
        self, code: str, retry_after_s: float | None = None, address: str = "", *, shown: bool = False
    ) -> None:
        self.names_server = bool(address) and code in SERVER_FAULTS
        super().__init__(code, **({"server": address} if shown and self.names_server else {}))
        self.retryable = MODEL_FAULTS[code]
        self.retry_after_s, self.address = retry_after_s, address

    def shown(self) -> ModelFault:
        """Return this error with the address among its values, for people who may see where the server is."""
        return ModelFault(self.code, self.retry_after_s, self.address, shown=True)


class IngestFault(GlassboxError):
    """A file could not be read, drawn or kept."""

    area = "file"

    def __init__(self, code: FileCode) -> None:
        super().__init__(code)


class SearchFault(GlassboxError):
    """The document index failed; `is_ours` where that is a bug of Glassbox, whose trace `own_faults` logs."""

    def __init__(self, *, is_ours: bool = False) -> None:
        super().__init__(OWN_FAULT if is_ours else "search")


class EmbeddingFault(GlassboxError):
    """An embedding model or a reranker did not deliver."""

    def __init__(self) -> None:
        super().__init__("embedding")


class IndexTaken(GlassboxError):
    """Another process has claimed the folder of the index."""

    def __init__(self) -> None:
        super().__init__("index_taken")


class NotInstalled(GlassboxError):
    """An optional package is missing that a setting needs."""

    def __init__(self, package: str, setting: str) -> None:
        super().__init__("not_installed", package=package, setting=setting)


class StoreFault(GlassboxError):
    """The database could not be opened, read or written; `is_ours` as in `SearchFault`."""

    def __init__(self, *, is_ours: bool = False) -> None:
        super().__init__(OWN_FAULT if is_ours else "store")


class OwnFault(GlassboxError):
    """A bug of Glassbox. Made by `own_faults.own_fault`, which logs the trace that this one does not carry."""

    def __init__(self) -> None:
        super().__init__(OWN_FAULT)
