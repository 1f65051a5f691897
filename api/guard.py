"""What every response carries, and which of Gradio's paths are closed.

Pure ASGI: Starlette's BaseHTTPMiddleware may hold streams back. Gradio needs inline scripts and `new Function`, so the
policy stops loads from elsewhere rather than scripts; escaping is the job of `components/markdown.py`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'none'; "
    "frame-ancestors 'self' https://huggingface.co https://*.hf.space"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
# They hand one visitor's chat to another, or write it to disk; nothing of ours uses them.
CLOSED = (
    "/gradio_api/deep_link",
    "/gradio_api/runs",
    "/gradio_api/run-history",
    "/monitoring",
    "/gradio_api/monitoring",
)
# It writes to disk and asks nobody who they are: only pages of our own may send files there.
UPLOAD = "/gradio_api/upload"
LOOPBACK = ("127.0.0.1", "localhost")


class Guard:
    """Adds HEADERS to every response, answers 404 for CLOSED paths and 403 for uploads from other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        app = self.app
        if scope["path"].startswith(CLOSED):
            app = JSONResponse({"detail": "Not found."}, 404)
        elif scope["path"].startswith(UPLOAD) and is_foreign(Headers(scope=scope)):
            app = JSONResponse({"detail": "Files are only taken from this page itself."}, 403)
        await app(scope, receive, with_headers)
        return None


def is_foreign(headers: Headers) -> bool:
    """Whether a page of another site asks. No script can set `Sec-Fetch-Site`; an old browser still says its origin."""
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def middleware(host: str) -> list[Middleware]:
    """The guard; on a laptop also a check of the Host header, which keeps other sites' pages out (DNS rebinding)."""
    trusted = [Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])] if host in LOOPBACK else []
    return [Middleware(Guard), *trusted]
