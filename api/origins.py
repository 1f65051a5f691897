"""Refuses requests of other sites' pages, except those of CORS_ORIGINS.

A browser sends a simple POST, an image or a frame request to any site and only hides the answer from the page. So a
request of another site's page to the routes of programs or Gradio is refused before it has any effect.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_responses import response_to
from api.paths import route_of
from pipeline.errors import Refused

OURS = ("/api/", "/chat/", "/ai/", "/v1/", "/mcp")  # the routes of programs
GUARDED = ("/gradio_api/", *OURS)
READING = ("GET", "HEAD")
FOLLOWED = "/api/documents/"  # links on other sites may open these: only the person sees the answer


class Origins:
    """Answers 403 to pages of other sites."""

    def __init__(self, app: ASGIApp, allowed: Collection[str] = ()) -> None:
        self.app, self._allowed = app, frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] == "http" and is_refused(scope, self._allowed):
            return await response_to(scope, Refused("foreign_page"))(scope, receive, send)
        return await self.app(scope, receive, send)


def is_refused(scope: Scope, allowed: Collection[str] = ()) -> bool:
    """Whether another site's page requests a guarded route. Any page may load or link to our page itself."""
    headers, path, method = Headers(scope=scope), route_of(scope), scope["method"]
    is_page = method in READING and not path.startswith(GUARDED)
    if is_page or not is_foreign(headers, scope["scheme"], allowed):
        return False
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (is_link and method == "GET" and path.startswith(FOLLOWED))


def is_foreign(headers: Headers, scheme: str, allowed: Collection[str] = ()) -> bool:
    """Whether a page of another origin sent the request; another port of this host and `null` are other origins.

    No script can set `Sec-Fetch-Site`. Old browsers, and those on an unencrypted connection, send `Origin` instead.
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
