"""Whose pages may use us: our own, and those of CORS_ORIGINS. Others neither read nor start anything.

A browser sends a simple POST, an image or a frame anywhere without asking, and only hides the answer from the page that
did it. So what another site's page asks of a program's or Gradio's routes is refused before it does anything.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.hosts import route_of

FOREIGN = {"detail": "Pages of other sites may not use this. CORS_ORIGINS names those that may."}
GUARDED = ("/api/", "/gradio_api/")
READING = ("GET", "HEAD")
FOLLOWED = "/api/documents/"  # what a link of another site may open: its answer is for the person alone


class Origins:
    """Answers 403 to pages of other sites."""

    def __init__(self, app: ASGIApp, allowed: Collection[str] = ()) -> None:
        self.app, self._allowed = app, frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""
        app = self.app
        if scope["type"] == "http" and is_refused(scope, self._allowed):
            app = JSONResponse(FOREIGN, 403)
        await app(scope, receive, send)


def is_refused(scope: Scope, allowed: Collection[str] = ()) -> bool:
    """Whether another site's page asks for what is not for it. Any page may load or link to our page itself."""
    headers, path, method = Headers(scope=scope), route_of(scope), scope["method"]
    is_page = method in READING and not path.startswith(GUARDED)
    if is_page or not is_foreign(headers, scope["scheme"], allowed):
        return False
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (is_link and method == "GET" and path.startswith(FOLLOWED))


def is_foreign(headers: Headers, scheme: str, allowed: Collection[str] = ()) -> bool:
    """Whether a page of another origin asks: another port of this host is one, and so is `null`.

    No script can set `Sec-Fetch-Site`; an old browser, or one on a plain connection, still says its origin.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.lower() in allowed:
        return False
    if site:
        return site not in ("same-origin", "none")
    if origin is None:
        return False
    own = headers.get("host", "").lower()
    return origin.lower() not in ({f"https://{own}"} if scheme == "https" else {f"http://{own}", f"https://{own}"})
