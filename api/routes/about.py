"""What Glassbox says of its own routes: to tools (`/openapi.json`), to people (`/docs`) and to agents (`/agents.md`).

It is open without API_TOKEN: it says how to ask for more, and holds nothing else.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.access import Access
from api.agents import agents_page
from api.docs_page import docs_page
from api.error_responses import ROUTERS
from api.openapi import document
from api.operations import operation
from pipeline.models.catalogue import Models

NOT_STORED = {"Cache-Control": "no-store"}  # it names the address that was asked
MARKDOWN = "text/markdown"


def routes(models: Models, access: Access) -> APIRouter:
    """Make the routes."""
    router, needs_token = APIRouter(), access.needs_token
    made: dict[str, Any] = {}

    def described(request: Request) -> dict[str, Any]:
        if not made:  # once, when all routes are known
            made.update(document(request.app.routes, request.scope.get(ROUTERS, ()), needs_token=needs_token))
        return {**made, "servers": [{"url": _base(request)}]}

    @router.get("/openapi.json", **operation("This document"))
    async def openapi(request: Request) -> JSONResponse:
        return JSONResponse(described(request), headers=NOT_STORED)

    @router.get("/docs", **operation("The document as a page", gives="text/html"))
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(docs_page(described(request)), headers=NOT_STORED)

    @router.get("/agents.md", **operation("How an agent uses Glassbox", gives=MARKDOWN))
    async def agents(request: Request) -> Response:
        ready = [each.label for each in models.choices if each.state == "ready"]
        paths = {path for each in request.app.routes if (path := getattr(each, "path", ""))}
        page = agents_page(_base(request), ready, models.default, paths, needs_token=needs_token)
        return Response(page, media_type=MARKDOWN, headers=NOT_STORED)

    return router


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
