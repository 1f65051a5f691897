"""Checks the Host header, and puts the public address and the client's address into the request.

With PUBLIC_URL the page has an address that the server does not see: behind a proxy the Host may be another of ours,
the connection is not encrypted and the path may lack its prefix. This middleware corrects the request once, for
everything after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_responses import response_to
from api.paths import is_below
from pipeline.clients import address_of, is_address
from pipeline.errors import Refused
from pipeline.settings import is_loopback

# Headers that name the address a proxy was asked for. Gradio trusts them from any client.
HOST_CLAIMS, SCHEME_CLAIM = ("x-forwarded-host", "x-gradio-server"), "x-forwarded-proto"


@dataclass(frozen=True, slots=True)
class Place:
    """The address we listen on, the public address (None: unknown), and the number of our own proxies."""

    host: str
    public: SplitResult | None = None
    proxies: int = 0

    @classmethod
    def of(cls, host: str, public_url: str | None, proxies: int) -> Place:
        """Make it from the settings."""
        return cls(host, urlsplit(public_url) if public_url else None, proxies)

    def is_public(self, host: str) -> bool:
        """Whether a Host header names the public address."""
        return self.public is not None and name_of(host) == self.public.hostname

    def is_ours(self, host: str) -> bool:
        """Whether a Host header names us; an unknown name may be another site's (DNS rebinding)."""
        name = name_of(host)
        if is_loopback(name) or self.is_public(host):
            return True
        if is_loopback(self.host):
            return False
        return self.public is None or is_address(name)


def name_of(host: str) -> str:
    """Return the name in a Host header without port and brackets, "" when it is invalid."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class Hosts:
    """Refuses requests for other hosts, and puts the public address and the client's into the request."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self.app, self._place = app, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        if not self._place.is_ours(headers.get("host", "")):
            return await response_to(scope, Refused("unknown_host"))(scope, receive, send)
        root = self._place.public.path if self._place.public else ""
        if root and scope["path"] == root:  # people type it without the slash, which the page's relative addresses need
            query = scope["query_string"].decode("latin-1")
            return await RedirectResponse(f"{root}/{query and '?'}{query}")(scope, receive, send)
        await self.app(self._placed(scope, headers), receive, send)
        return None

    def _placed(self, scope: Scope, headers: Headers) -> Scope:
        place, host = self._place, headers.get("host", "")
        forwarded_for = ",".join(headers.getlist("x-forwarded-for"))
        peer, port = scope.get("client") or ("", 0)
        new = {
            **scope,
            "headers": list(scope["headers"]),
            "client": (address_of(forwarded_for, peer, place.proxies), port),
        }
        told = MutableHeaders(scope=new)
        root = place.public.path if place.public else ""
        if place.public and (place.is_public(host) or place.is_public(headers.get("x-forwarded-host", ""))):
            host = told["host"] = place.public.netloc
            new["scheme"] = place.public.scheme
            told[SCHEME_CLAIM] = place.public.scheme
            new.update(_below(root, scope))
        elif root and is_below(scope["path"], root):
            new.update(_below(root, scope))
        for name in HOST_CLAIMS:
            if name in headers and (place.public or not place.proxies):
                del told[name]
        return new


def _below(root: str, scope: Scope) -> Scope:
    """Return the path with the sub-path in front, whether or not the proxy removed it."""
    if is_below(scope["path"], root):
        return {"root_path": root}
    raw: bytes | None = scope.get("raw_path")
    return {"root_path": root, "path": root + scope["path"], "raw_path": raw and root.encode() + raw}
