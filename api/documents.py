"""`/api/documents` and `/api/search`: programs bring documents, list, search, open and remove them.

What is uploaded belongs to the visitor that the header `X-Visitor` names. An image or a link cannot send a header: the
page gives them a signed `key` instead.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import asyncio
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import TypeAdapter

from api.forms import Forms, address_of, discard
from api.visitors import Visitor
from pipeline.conversation import Passage
from pipeline.errors import Refused
from pipeline.library import Library
from pipeline.names import shown_file
from pipeline.retrieval import Entry, Found, Mode

PRIVATE_HEADERS = {"Cache-Control": "private, no-store"}
_passages: TypeAdapter[tuple[Passage, ...]] = TypeAdapter(tuple[Passage, ...])


def owner_of(visitor: Visitor) -> str:
    """Whose documents they become. Raises Refused without a visitor."""
    if visitor is None:
        raise Refused("no_visitor")
    return visitor


Owner = Annotated[str, Depends(owner_of)]


def routes(library: Library) -> APIRouter:
    """The routes of documents."""
    router, forms = APIRouter(), Forms(library)

    async def uploaded(request: Request, owner: Owner) -> JSONResponse:
        """Read, check and index. Raises GlassboxError, which `faults` turns into a status."""
        documents, failed = [], []
        uploads = await forms.received(request, "file")
        try:
            async with aclosing(library.take(uploads, owner, address_of(request))) as steps:
                async for step in steps:
                    if step.entry:
                        documents.append(_document(step.entry))
                    elif step.code:
                        failed.append({"name": step.name, "code": step.code, "text": step.text})
        finally:
            await asyncio.to_thread(discard, uploads)
        return JSONResponse({"documents": documents, "failed": failed})

    @router.post("/api/documents")
    async def upload(answer: Annotated[JSONResponse, Depends(uploaded)]) -> JSONResponse:
        return answer

    @router.get("/api/documents")
    async def documents(visitor: Visitor) -> JSONResponse:
        return JSONResponse({"documents": [_document(entry) for entry in await library.documents(visitor)]})

    @router.delete("/api/documents/{document_id}")
    async def remove(document_id: str, owner: Owner) -> Response:
        await library.remove(document_id, owner)
        return Response(status_code=204)

    @router.get("/api/documents/{document_id}/pages/{page}.jpg")
    async def picture(
        request: Request, document_id: str, page: int, visitor: Visitor, start: int = 0, end: int = 0, key: str = ""
    ) -> Response:
        jpeg = await library.picture(document_id, page, visitor, key, start, end, address_of(request))
        return Response(jpeg, media_type="image/jpeg", headers=PRIVATE_HEADERS)

    @router.get("/api/documents/{document_id}/original")
    async def original(document_id: str, visitor: Visitor, key: str = "") -> FileResponse:
        file = await library.original(document_id, visitor, key)
        # Never shown by the browser as a page of ours: a document may hold scripts.
        return FileResponse(
            file, media_type="application/octet-stream", filename=shown_file(file.name), headers=PRIVATE_HEADERS
        )

    @router.get("/api/search")
    async def search(
        request: Request,
        visitor: Visitor,
        q: str,
        passages_wanted: Annotated[int, Query()] = 4,
        mode: Mode | None = None,
        collection: str | None = None,
    ) -> JSONResponse:
        found = await library.search(q, visitor, passages_wanted, mode, collection, address_of(request))
        return JSONResponse(_found(found))

    return router


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": shown_file(entry.name),
        "title": entry.title,
        "pages": entry.pages,
        "passages": entry.passages,
        "language": entry.language,
        "collection": entry.collection,
        "shared": entry.owner is None,
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "query": found.query.text,
        "passages": _passages.dump_python(found.passages, mode="json"),
        "rejected": _passages.dump_python(found.rejected, mode="json"),
        "quality": found.quality,
        "mode": found.mode,
        "took_s": found.took_s,
    }
