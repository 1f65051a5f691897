"""Converts model server addresses from the form that people write to the one that libraries need. Pure.

A library appends its own path to a base URL. People copy the complete path from an example, leave out `/v1`, or give
Ollama's usual address to a client of its OpenAI-compatible API. Unambiguous addresses are rewritten; where two bases
are possible, both are returned, the likelier first, and the caller tries them in turn.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

# Paths that a library appends itself.
_ENDPOINT = re.compile(r"(?:/chat/completions|/completions|/responses|/embeddings|/rerank|/messages|/models)$")
_OLLAMA_ENDPOINT = re.compile(r"(?:/api(?:/(?:chat|generate|tags|embed|embeddings))?)$")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
OLLAMA = ("ollama", "ollama_chat")
# Providers whose servers nearly all serve below /v1; others have addresses of their own.
SERVED_BELOW_V1 = ("openai", "hosted_vllm", "lm_studio", "llamafile", "custom_openai", "openai_like", "litellm_proxy")


def cleaned(address: str) -> str:
    """Clean an address: no blanks, no slashes at its end, no endpoint path, and with a scheme.

    Raises ValueError for an invalid one. Without a scheme, a server of this machine or a private network speaks HTTP.
    """
    address = address.strip()
    if re.search(r"\s", address):
        raise ValueError("a blank inside")
    if not _SCHEME.match(address):
        host = urlsplit(f"//{address}").hostname or ""
        if not _is_near(host):
            raise ValueError("no scheme")
        address = f"http://{address}"
    parts = urlsplit(address)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("no address")
    return urlunsplit(parts._replace(path=_ENDPOINT.sub("", parts.path.rstrip("/")).rstrip("/")))


def bases(provider: str, address: str, *, speaks_openai: bool = True) -> tuple[str, ...]:
    """Return the base URLs under which a provider's client may find the server, the likeliest first.

    `speaks_openai`: whether Ollama is called through its OpenAI-compatible API; its own API needs no path.
    """
    address = cleaned(address)
    parts = urlsplit(address)
    if provider in OLLAMA:
        root = _OLLAMA_ENDPOINT.sub("", parts.path.removesuffix("/v1"))
        return (_with_path(parts, f"{root}/v1" if speaks_openai else root),)
    if parts.path or parts.query:
        return (address,)
    below = _with_path(parts, "/v1")
    return (below, address) if provider in SERVED_BELOW_V1 else (address, below)


def shown_address(address: str) -> str:
    """Return host and port only, without user name, password, path and query."""
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{host}:{parts.port}" if parts.port else host


def _with_path(parts: SplitResult, path: str) -> str:
    return urlunsplit(parts._replace(path=path))


def _is_near(host: str) -> bool:
    """Whether a host is on this machine or in a private network, judging by its name."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        found = ip_address(host)
    except ValueError:
        return bool(host) and "." not in host  # a name in a container network
    return found.is_loopback or found.is_private
