"""What stands before every route, in order, and which of Gradio's own routes there are.

Pure ASGI: Starlette's BaseHTTPMiddleware may hold streams back. Gradio needs inline scripts and `new Function`, so the
policy stops loads from elsewhere rather than scripts; escaping is the job of `components/markdown.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bodies import Bodies
from api.hosts import Hosts, Place, route_of
from api.origins import Origins
from api.pending import Forget, Pending, PendingOf

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'none'; "
    "frame-ancestors "
)
FRAMED_BY = ("'self'", "https://huggingface.co", "https://*.hf.space")
# All that our page asks of Gradio, and what a client reads first. Uploads are not among it: `uploads` takes them.
OPEN = re.compile(
    r"(?:GET|HEAD) /(?:config|manifest\.json|theme\.css|favicon\.ico|robots\.txt|assets/.*|static/.*)?"
    r"|GET /gradio_api/(?:app_id|queue/data|heartbeat/[^/]+)"
    r"|POST /gradio_api/queue/join"
)


class Secured:
    """Adds the headers that every response carries."""

    def __init__(self, app: ASGIApp, framed_by: Collection[str] = ()) -> None:
        self.app = app
        policy = POLICY + " ".join((*FRAMED_BY, *framed_by))
        self._headers = (
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class OpenMount(Mount):
    """Gradio's app as far as OPEN goes: every other path of it is one that nobody has."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As a mount does, for what is open."""
        if scope["type"] == "http" and not is_open(scope["method"], route_of(scope)):
            return Match.NONE, {}
        return super().matches(scope)


def is_open(method: str, path: str) -> bool:
    """Whether Gradio answers this."""
    return OPEN.fullmatch(f"{method} {path}") is not None and ".." not in path


def narrow(routes: list[Any], pending: PendingOf, forget: Forget) -> None:
    """Put OPEN and the bound of its queue before Gradio's app, which stands behind all routes of ours."""
    routes[-1] = OpenMount(routes[-1].path, Pending(routes[-1].app, pending, forget))


def middleware(place: Place, embed_origins: Sequence[str] = (), cors_origins: Sequence[str] = ()) -> list[Middleware]:
    """Outermost first. That ours answers cross-origin requests keeps Gradio's own from doing so, which lets all in."""
    return [
        Middleware(Secured, embed_origins),
        Middleware(Hosts, place),
        Middleware(Origins, cors_origins),
        Middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Content-Type", "X-Visitor", "Last-Event-ID", "Authorization"),
            expose_headers=("Retry-After", "Location"),
        ),
        Middleware(Bodies),
    ]
