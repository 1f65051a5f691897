"""Copies of a request to a model, to be run elsewhere: a cURL command, and a Python script that needs httpx. Pure.

Both speak OpenAI's protocol. No key is in them: they read it from a variable of the environment, and so they do an
address that is not to be shown.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from pipeline.exchanges import Message, PromptExchange

BASE_NAME, KEY_NAME = "MODEL_API_BASE", "MODEL_API_KEY"  # variables of an address, and of a key, that are not named
WAIT_S = 600  # a local model may take minutes
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNPRINTED = re.compile(r"[^\n\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked. `base_url` None: it is unknown or not shown. `key_name` None: it takes no key.

    `limit_name` is the API's name for `max_tokens`: OpenAI's newer models refuse the old one.
    """

    model: str
    base_url: str | None
    key_name: str | None
    limit_name: str = "max_tokens"

    @property
    def key_variable(self) -> str | None:
        """The variable of the key, under another name where no shell takes its own."""
        if self.key_name is None or _NAME.fullmatch(self.key_name):
            return self.key_name
        return KEY_NAME


def without_credentials(address: str) -> str:
    """Return an address without user name, password, query and fragment, each of which may hold a key."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def as_curl(exchange: PromptExchange, endpoint: Endpoint) -> str:
    """Return a command for a POSIX shell. The body is a here-document: an argument may not be as long as a prompt."""
    url = (
        shlex.quote(f"{endpoint.base_url}/chat/completions")
        if endpoint.base_url
        else f'"${BASE_NAME}/chat/completions"'
    )
    key = endpoint.key_variable
    lines = [
        f"curl -sS {url}",
        *([f'-H "Authorization: Bearer ${key}"'] if key else []),
        "-H 'Content-Type: application/json'",
        "--data-binary @- <<'JSON'",
    ]
    body = json.dumps(_body(exchange, endpoint), ensure_ascii=False, indent=2)
    return " \\\n  ".join(lines) + f"\n{_UNPRINTED.sub(_escaped, body)}\nJSON\n"


def as_python(exchange: PromptExchange, endpoint: Endpoint) -> str:
    """Return a script that asks the same and prints the reply."""
    url = repr(f"{endpoint.base_url}/chat/completions")
    if not endpoint.base_url:
        url = f"f\"{{os.environ['{BASE_NAME}']}}/chat/completions\""
    key = endpoint.key_variable
    headers = f'    headers={{"Authorization": f"Bearer {{os.environ[\'{key}\']}}"}},\n' if key else ""
    others = {name: value for name, value in _body(exchange, endpoint).items() if name != "messages"}
    needs_os = key or not endpoint.base_url
    return (
        ("import os\n\n" if needs_os else "")
        + "import httpx  # pip install httpx\n\n"
        + f"MESSAGES = [\n{''.join(map(_message, exchange.messages))}]\n"
        + f"REQUEST = {others!r}\n\n"
        + f"response = httpx.post(\n    {url},\n{headers}"
        + f'    json={{**REQUEST, "messages": MESSAGES}},\n    timeout={WAIT_S},\n)\n'
        + 'response.raise_for_status()\nprint(response.json()["choices"][0]["message"]["content"])\n'
    )


def _body(exchange: PromptExchange, endpoint: Endpoint) -> Mapping[str, object]:
    messages = [{"role": each.role, "content": each.content} for each in exchange.messages]
    parameters = {
        endpoint.limit_name if name == "max_tokens" else name: value for name, value in exchange.parameters.items()
    }
    return {"model": endpoint.model, **parameters, "messages": messages}


def _escaped(found: re.Match[str]) -> str:
    """Return a character that nobody sees as JSON's escape, and any other as it is."""
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def _message(message: Message) -> str:
    """Return a message as a literal with one string for each line."""
    lines = message.content.split("\n")
    texts = [f"{line}\n" for line in lines[:-1]] + lines[-1:]
    content = "".join(f"            {text!r}\n" for text in texts)
    return f'    {{\n        "role": {message.role!r},\n        "content": (\n{content}        ),\n    }},\n'
