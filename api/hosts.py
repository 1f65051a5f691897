"""Where we are and who comes: the Host check, the address that links begin with, and the address of the client.

With PUBLIC_URL the page has an address that its server does not see: behind a proxy the Host may be any of ours, the
connection is plain and the path may have lost its beginning. What follows is told the truth here, once, in the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.limits import address_of, is_address
from pipeline.settings import is_loopback

UNKNOWN_HOST = {"detail": "This address is not known here. Set PUBLIC_URL to the address that people use."}
# They say what a proxy in front was asked for. Gradio believes them from anybody.
HOST_CLAIMS, SCHEME_CLAIM = ("x-forwarded-host", "x-gradio-server"), "x-forwarded-proto"


@dataclass(frozen=True, slots=True)
class Place:
    """What we listen on, what people type (None: not known), and how many proxies of ours stand between."""

    host: str
    public: SplitResult | None = None
    proxies: int = 0

    @classmethod
    def of(cls, host: str, public_url: str | None, proxies: int) -> Place:
        """From the settings."""
        return cls(host, urlsplit(public_url) if public_url else None, proxies)

    def is_public(self, host: str) -> bool:
        """Whether a Host header names the address that people type."""
        return self.public is not None and name_of(host) == self.public.hostname

    def is_ours(self, host: str) -> bool:
        """Whether a request for this Host is meant for us: an unknown name may be another site's (rebinding)."""
        name = name_of(host)
        if is_loopback(name) or self.is_public(host):
            return True
        if is_loopback(self.host):
            return False
        return self.public is None or is_address(name)


def name_of(host: str) -> str:
    """The name in a Host header, without its port and brackets, "" when it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class Hosts:
    """Refuses what is meant for another host, and puts the public address and the client's into the request."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self.app, self._place = app, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        if not self._place.is_ours(headers.get("host", "")):
            return await JSONResponse(UNKNOWN_HOST, 400)(scope, receive, send)
        root = self._place.public.path if self._place.public else ""
        if (
            root and scope["path"] == root
        ):  # as it is typed and printed: the page's own addresses begin behind the slash
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
        elif root and _begins(scope["path"], root):
            new.update(_below(root, scope))
        for name in HOST_CLAIMS:
            if name in headers and (place.public or not place.proxies):
                del told[name]
        return new


def _below(root: str, scope: Scope) -> Scope:
    """The path with the sub-path before it, whether the proxy left it there or took it away."""
    if _begins(scope["path"], root):
        return {"root_path": root}
    raw: bytes | None = scope.get("raw_path")
    return {"root_path": root, "path": root + scope["path"], "raw_path": raw and root.encode() + raw}


def _begins(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def route_of(scope: Scope) -> str:
    """The path below our own root, which the routes know."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path[len(root) :] if root and _begins(path, root) else path
