"""`/api/documents` and `/api/search`: programs upload, list, search, open and remove documents.

Uploads belong to the visitor of the header `X-Visitor`. An image or a link cannot send a header, so the page gives
them a signed `key` instead.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import fields, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from api.access import AUTHORISED, AUTHORISED_OR_SIGNED
from api.ask_options import options_in_query
from api.clients import address_of
from api.forms import Forms, discard
from api.json_bodies import STRICT, body_of
from api.operations import operation, query_options
from api.streams import HEADERS
from api.upload_events import EVENT_STREAM, document_json, outcome, upload_events
from api.visitors import Visitor
from i18n.event_json import passages_json
from pipeline.display_names import shown_file
from pipeline.documents.library import Library, Upload, UploadStep
from pipeline.errors import Refused
from pipeline.retrieval import SearchOptions, SearchResult
from pipeline.retrieval.quality import words_found
from pipeline.turn import AskOptions

SEARCH_OPTIONS = frozenset(("profile", "documents", "collections", *(each.name for each in fields(SearchOptions))))
EXAMPLE_ADDRESS = {"address": "https://example.org/guide.html"}
PRIVATE_HEADERS = {"Cache-Control": "private, no-store"}


class WebAddress(BaseModel):
    """A public web address that a document is read from."""

    model_config = STRICT

    address: str


def owner_of(visitor: Visitor) -> str:
    """Return the visitor who will own uploads. Raises Refused without a visitor."""
    if visitor is None:
        raise Refused("no_visitor")
    return visitor


Owner = Annotated[str, Depends(owner_of)]


def routes(library: Library) -> APIRouter:
    """Make the routes of documents."""
    router, forms = APIRouter(dependencies=[AUTHORISED]), Forms(library)
    signed = APIRouter(dependencies=[AUTHORISED_OR_SIGNED])

    async def added(uploads: Sequence[Upload], owner: str, address: str) -> AsyncGenerator[UploadStep, None]:
        """Read, check and index uploads."""
        try:
            async with aclosing(library.take(uploads, owner, address)) as steps:
                async for step in steps:
                    yield step
        finally:
            await asyncio.to_thread(discard, uploads)

    async def uploaded(request: Request, owner: Owner) -> Response:
        """Add uploads. Raises GlassboxError, which `error_responses` answers."""
        return await _told(request, added(await forms.received(request, "file"), owner, address_of(request)))

    @router.post("/api/documents", **operation("Add documents", form_field="file"))
    async def upload(answer: Annotated[Response, Depends(uploaded)]) -> Response:
        return answer

    @router.post("/api/documents/address", **operation("Add a web address", WebAddress, example=EXAMPLE_ADDRESS))
    async def from_address(request: Request, owner: Owner) -> Response:
        address = (await body_of(request, WebAddress)).address
        return await _told(request, library.take_address(address, owner, address_of(request)))

    @router.get("/api/documents", **operation("The documents"))
    async def documents(visitor: Visitor, profile: str | None = None) -> JSONResponse:
        seen = await library.documents(visitor, profile)
        return JSONResponse({"documents": [document_json(entry) for entry in seen]})

    @router.delete("/api/documents/{document_id}", **operation("Remove a document", status=204))
    async def remove(document_id: str, owner: Owner) -> Response:
        await library.remove(document_id, owner)
        return Response(status_code=204)

    @signed.get("/api/documents/{document_id}/pages/{page}.jpg", **operation("A page", gives="image/jpeg"))
    async def picture(
        request: Request,
        document_id: str,
        page: int,
        visitor: Visitor,
        start: int = 0,
        end: int = 0,
        key: str = "",
        profile: str | None = None,
    ) -> Response:
        jpeg = await library.picture(document_id, page, visitor, key, start, end, address_of(request), profile)
        return Response(jpeg, media_type="image/jpeg", headers=PRIVATE_HEADERS)

    @signed.get("/api/documents/{document_id}/original", **operation("The file", gives="application/octet-stream"))
    async def original(document_id: str, visitor: Visitor, key: str = "", profile: str | None = None) -> FileResponse:
        file = await library.original(document_id, visitor, key, profile)
        # The browser must not show it as a page of ours, since a document may hold scripts.
        return FileResponse(
            file, media_type="application/octet-stream", filename=shown_file(file.name), headers=PRIVATE_HEADERS
        )

    @router.get("/api/search", **operation("Find passages", parameters=query_options(AskOptions, SEARCH_OPTIONS)))
    async def search(request: Request, visitor: Visitor, q: str, collection: str | None = None) -> JSONResponse:
        options = options_in_query(request.query_params, AskOptions, SEARCH_OPTIONS)
        if collection and not options.collections:  # the parameter's name from before several were possible
            options = replace(options, collections=(collection,))
        return JSONResponse(_found(await library.search(q, visitor, options, address_of(request))))

    router.routes.extend(signed.routes)
    return router


async def _told(request: Request, steps: AsyncGenerator[UploadStep, None]) -> Response:
    """Tell of files that are added: with an event for each step where the client accepts events, else at the end."""
    if EVENT_STREAM in request.headers.get("accept", ""):
        first = await anext(steps)  # a refusal of the whole upload has its status
        return StreamingResponse(upload_events(first, steps), media_type=EVENT_STREAM, headers=HEADERS)
    return JSONResponse(outcome([step async for step in steps]))


def _found(found: SearchResult) -> dict[str, Any]:
    words = words_found(found.query, found.passages)
    return {
        "query": found.query.text,
        "passages": passages_json(found.passages),
        "rejected": passages_json(found.rejected),
        "quality": found.quality,
        "coverage": words.coverage,
        "found_words": words.found,
        "missing_words": words.missing,
        "mode": found.mode,
        "took_s": found.took_s,
    }
