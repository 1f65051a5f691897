"""`/passages/{key}`: what the link of a citation opens, for whoever has it. The key alone gives access."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import re

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from api.citation_links import PATH
from api.clients import address_of
from api.error_responses import problem_of
from api.operations import operation
from api.passage_page import Render, closed_page, passage_page
from i18n import ENGLISH, LANGUAGES, text
from i18n.messages import error_text
from pipeline.documents.library import Library
from pipeline.errors import GlassboxError, NotFound

# Besides the policy of every response, of which a browser enforces both.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": POLICY,
    "X-Robots-Tag": "noindex",
}
MOST_PICTURES = 4  # on one page; a passage of slides may lie on more

_PAGE = re.compile("[0-9]{1,6}")


def routes(library: Library, render: Render, logo: Markup) -> APIRouter:
    """Make the routes; `render` writes a document's Markdown as safe HTML."""
    router = APIRouter(prefix=PATH)

    def closed(request: Request, error: GlassboxError) -> HTMLResponse:
        problem, language, home = problem_of(error), _language(request), _home(request)
        title, reason = text("passage_page.not_now", language), error_text(error, language)
        if isinstance(error, NotFound):  # the same page whatever the reason is
            title, reason = text("passage_page.gone", language), text("passage_page.gone.reason", language)
        page = closed_page(title, reason, logo, home, language)
        return HTMLResponse(page, problem.status, {**HEADERS, **problem.headers})

    @router.get("/{key}", **operation("A cited passage", gives="text/html"))
    async def passage(key: str, request: Request) -> HTMLResponse:
        try:
            document, found = await library.cited(key, address_of(request))
        except GlassboxError as error:
            return closed(request, error)
        home, pages = _home(request), found.pages if document.name.lower().endswith(".pdf") else ()
        pictures = [(page, f"{home}{PATH[1:]}/{key}/pages/{page}.jpg") for page in pages[:MOST_PICTURES]]
        page = passage_page(document, found, pictures, render, logo, home, _language(request))
        return HTMLResponse(page, headers=HEADERS)

    @router.get("/{key}/pages/{page}.jpg", **operation("One of its pages", gives="image/jpeg"))
    async def picture(key: str, page: str, request: Request) -> Response:
        try:
            jpeg = await library.cited_picture(key, int(page) if _PAGE.fullmatch(page) else 0, address_of(request))
        except GlassboxError as error:
            return closed(request, error)
        return Response(jpeg, media_type="image/jpeg", headers=HEADERS)

    return router


def _home(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/"


def _language(request: Request) -> str:
    """Return the first language of the browser that there are texts in."""
    told = request.headers.get("accept-language", "")
    wanted = (each.partition(";")[0].strip().partition("-")[0].lower() for each in told.split(","))
    return next((each for each in wanted if each in LANGUAGES), ENGLISH)
