"""`/passages/{key}`: what the link of a citation opens, for whoever has it. The key alone gives access."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.citation_links import PATH
from api.clients import address_of
from api.error_responses import problem_of
from api.operations import operation
from api.passage_page import Render, gone_page, passage_page
from i18n import ENGLISH, LANGUAGES
from i18n.messages import error_text
from pipeline.documents.library import Library
from pipeline.errors import GlassboxError

# Besides the policy of every response, of which a browser enforces both.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'"
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": POLICY,
    "X-Robots-Tag": "noindex",
}


def routes(library: Library, render: Render) -> APIRouter:
    """Make the routes; `render` writes a document's Markdown as safe HTML."""
    router = APIRouter(prefix=PATH)

    @router.get("/{key}", **operation("A cited passage", gives="text/html"))
    @router.head("/{key}")
    async def passage(key: str, request: Request) -> HTMLResponse:
        language, home = _language(request), f"{request.scope.get('root_path', '')}/"
        try:
            document, found = await library.cited(key, address_of(request))
        except GlassboxError as error:
            problem = problem_of(error)
            page = gone_page(error_text(error, language), home, language)
            return HTMLResponse(page, problem.status, {**HEADERS, **problem.headers})
        has_picture = found.first_page is not None and document.name.lower().endswith(".pdf")
        picture = f"{home}{PATH[1:]}/{key}/page.jpg" if has_picture else ""
        return HTMLResponse(passage_page(document, found, picture, home, render, language), headers=HEADERS)

    @router.get("/{key}/page.jpg", **operation("Its page", gives="image/jpeg"))
    async def picture(key: str, request: Request) -> Response:
        jpeg = await library.cited_picture(key, address_of(request))
        return Response(jpeg, media_type="image/jpeg", headers=HEADERS)

    return router


def _language(request: Request) -> str:
    """Return the first language of the browser that there are texts in."""
    told = request.headers.get("accept-language", "")
    wanted = (each.partition(";")[0].strip().partition("-")[0].lower() for each in told.split(","))
    return next((each for each in wanted if each in LANGUAGES), ENGLISH)
