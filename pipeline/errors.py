"""Everything that can go wrong, and what a person may read about it.

    GlassboxError
    ├── Refused            the request is not one we answer          → HTTP 422, nothing stored
    ├── NotFound           no such conversation or turn for this visitor → HTTP 404
    │   └── Gone           the turn is there, but no longer its events   → HTTP 410 and where it is
    ├── Busy               a limit is reached                        → HTTP 429 with Retry-After
    ├── ModelFault         a model did not deliver                   → TurnFailed
    ├── IngestFault        a file could not be read                  → the file is named as failed, with this text
    ├── SearchFault        the documents could not be searched       → TurnFailed
    ├── EmbeddingFault     a model of the search did not answer      → the search does without it
    ├── IndexTaken         another process has the index             → no start
    ├── NotInstalled       a setting needs one more package          → no start
    ├── StoreFault         the database failed                       → saved: false, or HTTP 503
    └── OwnFault           a bug of ours, which `bugs` has logged    → TurnFailed, or HTTP 500

Texts are constants that name the next action. An exception's own text may hold a key or a path: it is never shown,
logged or stored, so none of these carries one. Translated in two places only: `turns` → TurnFailed, `api` → status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType


class GlassboxError(Exception):
    """Base of our errors. `code` is stable and short, `text` is for people; `values` are what its text names."""

    values: Mapping[str, str] = MappingProxyType({})

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code, self.text = code, text


class Refused(GlassboxError):
    """The request is malformed or over a limit of size; `code` is a key of REFUSALS, `most` what the limit is.

    `near` are names of ours that may have been meant; what was written is never repeated.
    """

    def __init__(self, code: str, most: int = 0, near: Sequence[str] = ()) -> None:
        nearest = f" Nearest: {', '.join(near)}." if near else ""
        super().__init__(code, REFUSALS[code].format(most=f"{most:,}", near=nearest))


class NotFound(GlassboxError):
    """The id is unknown, or belongs to someone else: the two look the same from outside."""

    def __init__(self, text: str = "There is no such conversation. Start a new one.") -> None:
        super().__init__("not_found", text)


class Gone(NotFound):
    """A turn's events are kept for a minute after its ending; the turn itself is still to be had."""

    def __init__(self, turn_id: str) -> None:
        super().__init__("The events of this turn are no longer kept. Ask for the turn itself.")
        self.turn_id = turn_id


class Busy(GlassboxError):
    """A limit is reached; `limit` is a key of LIMITS."""

    def __init__(self, limit: str, retry_after_s: int) -> None:
        super().__init__("busy", f"{LIMITS[limit]} in {_duration(retry_after_s)}.")
        self.retry_after_s = retry_after_s


class ModelFault(GlassboxError):
    """A model did not deliver; `code` is a key of MODEL_FAULTS, `retryable` says whether the same may work again.

    `retry_after_s` is how long the provider asks to be left alone, None when it does not say. `address` is the host and
    port that were asked, where they were configured; the text names them once they are `shown`.
    """

    def __init__(
        self, code: str, retry_after_s: float | None = None, address: str = "", *, shown: bool = False
    ) -> None:
        self.retryable, text = MODEL_FAULTS[code]
        self.retry_after_s, self.address = retry_after_s, address
        self.values = MappingProxyType({"server": f" ({address})" if address and shown else ""})
        super().__init__(code, text.format(**self.values))

    @property
    def names_server(self) -> bool:
        """Whether where the server is belongs to what went wrong, and is known."""
        return bool(self.address) and "{server}" in MODEL_FAULTS[self.code][1]

    def shown(self) -> ModelFault:
        """The same with its address in its text: for whoever may know where the server is."""
        return ModelFault(self.code, self.retry_after_s, self.address, shown=True)


class IngestFault(GlassboxError):
    """A file could not be read; `code` is a key of FILE_FAULTS."""

    def __init__(self, code: str) -> None:
        super().__init__(code, FILE_FAULTS[code])


class SearchFault(GlassboxError):
    """The document index failed; `is_ours` where that is a bug of ours, whose trace `bugs` keeps."""

    def __init__(self, *, is_ours: bool = False) -> None:
        code, text = "search", "The documents could not be searched. Try again; if it stays, restart Glassbox."
        super().__init__(*(OWN_FAULT if is_ours else (code, text)))


class EmbeddingFault(GlassboxError):
    """An embedding model or a reranker did not deliver."""

    def __init__(self) -> None:
        super().__init__("embedding", "The search model did not answer, so words alone were searched. Check its name.")


class IndexTaken(GlassboxError):
    """The folder of the index is claimed."""

    def __init__(self) -> None:
        super().__init__(
            "index_taken",
            "Another process uses the index below this DATA_DIR. Stop it, or set DATA_DIR to another folder.",
        )


class NotInstalled(GlassboxError):
    """An optional package is missing."""

    def __init__(self, package: str, setting: str) -> None:
        super().__init__("not_installed", f"{setting} needs one more package: pip install {package}")


class StoreFault(GlassboxError):
    """The database could not be opened, read or written; `is_ours` as in `SearchFault`."""

    def __init__(self, *, is_ours: bool = False) -> None:
        code = "store"
        text = "The stored conversations could not be reached. Try again; if it stays, check the disk and DATA_DIR."
        super().__init__(*(OWN_FAULT if is_ours else (code, text)))


OWN_FAULT = (
    "internal",
    "Glassbox itself failed here: it is neither your question nor the model. Try again; if it stays, tell whoever runs "
    "Glassbox to look for “our own fault” in its log.",
)


class OwnFault(GlassboxError):
    """A bug of ours. Made by `bugs.own_fault`, which leaves the trace that this one does not carry."""

    def __init__(self) -> None:
        super().__init__(*OWN_FAULT)


REFUSALS: MappingProxyType[str, str] = MappingProxyType(
    {
        "blank_question": "Please ask a question.",
        "long_question": "The question is too long: at most {most} characters. Shorten it and ask again.",
        "unreadable_question": "The question holds characters that are no text. Type it again.",
        "missing_key": "This model’s provider needs a key. Put it into .env, start Glassbox again, then add the model.",
        "unknown_model": "There is no model of that name here.{near} Choose one of the model list.",
        "typed_model": "No model goes by that name. A name has the form provider/model, like openai/gpt-5-mini.{near}",
        "typed_address": "A name has the form provider/model and holds no address. Name the address as api_base in "
        "MODELS, then start Glassbox again.",
        "not_here": "Models are added by name only on the machine that Glassbox runs on. Choose one of the model list.",
        "invalid_request": "The request is not valid. Check its keys and their values.",
        "not_json": "Send JSON: a JSON body and the header Content-Type: application/json.",
        "unknown_event": "This turn has no event of that number. Give the id of the last event that was received.",
        "invalid_visitor": "A visitor is named by 16 to 128 letters, digits, _ or -.",
        "too_large": "The request is too large. Send less.",
        "no_visitor": "Say whose documents these are: send the header X-Visitor.",
        "no_files": "There is no file in the request. Send one or more as the multipart field “file”.",
        "many_files": "These are too many files at once. Send fewer.",
    }
)

FILE_FAULTS: MappingProxyType[str, str] = MappingProxyType(
    {
        "unsupported": "Files of this type are not read. Send PDF, DOCX, PPTX, XLSX, HTML, MD, TXT, CSV or a zip.",
        "old_office": "This is an old Office file. Save it as DOCX, PPTX or XLSX and send that.",
        "wrong_type": "The file is not what its name says. Give it its right ending and send it again.",
        "empty": "The file is empty. Choose one with text in it.",
        "no_text": "No text was found in the file. Choose one with text in it.",
        "scanned": "The file holds pictures of pages and no text. Run it through text recognition and send it again.",
        "encrypted": "The file is locked with a password. Save it without one and send it again.",
        "broken": "The file is damaged. Open it in its own program, save it anew and send that.",
        "too_large": "The file is too large. Split it and send the parts.",
        "too_many_pages": "The file has too many pages. Split it and send the parts.",
        "too_much_text": "The file holds more than 20 million characters of text. Split it and send the parts.",
        "too_many_files": "The zip holds too many files. Split it and send the parts.",
        "bomb": "The file unpacks to far more than its size promises. Save it anew, or send it in another form.",
        "too_complex": "The file needs more memory than a file may take. Split it, or save it in a simpler form.",
        "timeout": "The file took too long to read. Split it, or save it in a simpler form.",
        "nested_zip": "The zip holds another zip. Unpack that one first and send the files themselves.",
        "zip_link": "The zip holds a link to another file. Put the file itself into the zip.",
        "zip_path": "The zip holds a path that leads out of it. Pack the files anew with plain names.",
        "no_room": "There is no room left for more documents. Remove some and send the file again.",
        "not_kept": "The file could not be kept. Try again; if it stays, check the disk and DATA_DIR.",
        "busy": "Those were many files in a short time. Wait a minute and send the file again.",
        "no_page": "There is no picture of this page. Open the document itself.",
        "internal": "Glassbox itself failed on this file. Send it again; if it stays, tell whoever runs Glassbox.",
    }
)

# What is reached, and what to do; the time to wait follows.
LIMITS: MappingProxyType[str, str] = MappingProxyType(
    {
        "turns": "Many questions are being answered right now. Try again",
        "visitor": "Your other answers are still being written. Stop one, wait for one to end, or try again",
        "rate": "Those were many questions in a short time. Ask again",
        "closing": "Glassbox is being restarted. Try again",
        "requests": "Those were many requests in a short time. Try again",
        "pending": "Too much from your address waits for an answer. Try again",
        "places": "Other documents of yours are still being read. Try again",
        "uploads": "Many files of yours are under way. Try again",
    }
)

# code → (retryable, text). The texts say what happened and what to do next, in that order.
MODEL_FAULTS: MappingProxyType[str, tuple[bool, str]] = MappingProxyType(
    {
        "auth": (False, "The model refused our key. Check the key, or choose another model."),
        "billing": (False, "The model's account has no credit left. Choose another model."),
        "rate_limit": (True, "The model is busy right now. Try again in a moment, or choose another model."),
        "unsupported_model": (False, "The provider does not offer this model. Choose another model."),
        "context_window_exceeded": (
            False,
            "This conversation is too long for the model. Start a new one, or send fewer turns.",
        ),
        "invalid_request": (False, "The model refused the request. Change the settings, or choose another model."),
        "content_filter": (False, "The provider's content filter stopped this. Ask in other words."),
        "not_configured": (False, "This model has no key yet. Set its key and restart, or choose another model."),
        "connection": (True, "The connection to the model broke. Try again, or choose another model."),
        "refused": (
            True,
            "The model's server{server} could not be reached. Check that it runs, and its address, or choose another "
            "model.",
        ),
        "unreachable": (
            True,
            "There was no safe way to the model's address{server}. Check the network and the address, or choose "
            "another model.",
        ),
        "connect_timeout": (
            True,
            "The model{server} could not be reached in time. Try again, or choose another model.",
        ),
        "wrong_address": (
            False,
            "At its address{server} there is no model server, or not this model. Check the address, which often ends "
            "in /v1, and the model's name, or choose another model.",
        ),
        "first_token_timeout": (True, "The model did not begin to answer in time. Try again, or choose another model."),
        "idle_timeout": (True, "The model fell silent in mid-answer. Try again, or choose another model."),
        "turn_timeout": (True, "The answer took too long and was ended. Try again, or ask for less."),
        "server": (True, "The model's provider had an error. Try again, or choose another model."),
        "cannot_stream": (True, "The model does not stream its answers. Try again, or choose another model."),
        "bad_reply": (True, "The model's reply could not be read. Try again, or choose another model."),
        "incomplete": (True, "The model's reply ended too early. Try again, or choose another model."),
        "empty": (True, "The model gave no answer. Try again, or choose another model."),
        "format": (True, "The model did not keep to the format. Try again, or choose another model."),
        "cut_short": (
            True,
            "The model used up its tokens before it answered. Allow it more tokens, or choose another model.",
        ),
        "repeats": (True, "The model began to repeat itself and was ended. Try again, or choose another model."),
        "resting": (True, "The model failed several times and rests for now. Try again soon, or choose another model."),
        "answer_limit": (False, "The answer grew past its limit and was ended. Ask for less."),
        "unexpected": (True, "The model failed in a way that has no name. Try again, or choose another model."),
    }
)


def _duration(seconds: int) -> str:
    """Rounded up, since whoever comes too early is refused again."""
    for length, unit in ((3600, "hour"), (60, "minute")):
        if seconds > 2 * length:
            return f"{-(-seconds // length)} {unit}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
