"""The middleware before every route, in order, and the list of Gradio's routes that are open.

It is pure ASGI, since Starlette's BaseHTTPMiddleware may delay streams. Gradio needs inline scripts and `new Function`,
so the policy blocks loads from other hosts rather than scripts; `components/html/markdown.py` escapes untrusted text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Access
from api.bodies import Bodies
from api.endpoint_calls import Called, EndpointCalls
from api.hosts import Hosts, Place
from api.operations import operation_of
from api.origins import GUARDED, OURS, Origins
from api.paths import route_of
from api.pending import Forget, Pending, PendingOf

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'none'; "
    "frame-ancestors "
)
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
EVENT_STREAM = "text/event-stream"
FRAMED_BY = ("'self'", "https://huggingface.co", "https://*.hf.space")
FOR_AGENTS = (b"link", b'<agents.md>; rel="alternate"; type="text/markdown"')  # the page itself is all script
# The routes of Gradio that our page uses, and those of its clients. `uploads` replaces its upload route.
OPEN = re.compile(
    r"(?:GET|HEAD) /(?:compare|evaluate|optimise|ratings)?"
    r"|(?:GET|HEAD) /(?:config|manifest\.json|theme\.css|favicon\.ico|robots\.txt|assets/.*|static/.*)"
    r"|GET /gradio_api/(?:app_id|info|openapi\.json|queue/data|heartbeat/[^/]+|call/(?:v2/)?(?:ask|search)/[^/]+)"
    r"|POST /gradio_api/(?:queue/join|cancel|(?:call|call/v2|run)/(?:ask|search))"
)


class Secured:
    """Adds the security headers of every response."""

    def __init__(self, app: ASGIApp, framed_by: Collection[str] = ()) -> None:
        self.app = app
        policy = POLICY + " ".join((*FRAMED_BY, *framed_by))
        self._headers = (
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = (*self._headers, FOR_AGENTS) if scope["path"].endswith("/") else self._headers
        return await self.app(scope, receive, with_headers)


class Options:
    """Answers `OPTIONS` for the routes of programs, which browsers and clients ask before anything else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and route_of(scope).startswith(GUARDED):
            return await Response(status_code=204, headers={"Allow": ", ".join(METHODS)})(scope, receive, send)
        return await self.app(scope, receive, send)


class Slashes:
    """Takes a slash at the end of a path for none: many clients add one, and a redirect would lose their body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] == "http" and scope["path"].endswith("/") and route_of(scope).startswith(OURS):
            scope = {**scope, "path": scope["path"].rstrip("/")}
        return await self.app(scope, receive, send)


class OpenMount(Mount):
    """Mounts the routes of Gradio's app that OPEN lists; every other path of it is 404."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match like a mount, for open routes only."""
        if scope["type"] == "http" and not is_open(scope["method"], route_of(scope)):
            return Match.NONE, {}
        return super().matches(scope)


def is_open(method: str, path: str) -> bool:
    """Whether Gradio answers this request."""
    return OPEN.fullmatch(f"{method} {path}") is not None and ".." not in path


def narrow(routes: list[Any], pending: PendingOf, forget: Forget, endpoints: Called, access: Access) -> None:
    """Put OPEN, the guard of calls and the limit of its queue before Gradio's app, which comes after our routes."""
    mounted = routes[-1]
    routes[-1] = OpenMount(mounted.path, EndpointCalls(Pending(mounted.app, pending, forget), endpoints, access))


def answer_head(routes: Iterable[BaseRoute]) -> None:
    """Let every GET route answer HEAD, unless it asks a model or waits for events. The server leaves out the body."""
    for route in routes:
        if isinstance(route, APIRoute) and route.methods == {"GET"}:
            said = operation_of(route)
            if not said.asks and said.gives != EVENT_STREAM:
                route.methods = {"GET", "HEAD"}


def middleware(place: Place, embed_origins: Sequence[str] = (), cors_origins: Sequence[str] = ()) -> list[Middleware]:
    """Return the middleware, outermost first. Ours answers cross-origin requests before Gradio's, which allows all."""
    return [
        Middleware(Secured, embed_origins),
        Middleware(Hosts, place),
        Middleware(Slashes),
        Middleware(Origins, cors_origins),
        Middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=METHODS,
            allow_headers=("*",),
            expose_headers=("Retry-After", "Location", "WWW-Authenticate", "Mcp-Session-Id"),
        ),
        Middleware(Options),
        Middleware(Bodies),
    ]
