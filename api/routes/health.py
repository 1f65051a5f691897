"""`GET /health` and `/api/health`: 200 when a question can be answered, 503 until then."""

from __future__ import annotations

import time

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.access import AUTHORISED
from api.operations import operation
from pipeline import VERSION
from pipeline.documents.library import Library
from pipeline.models.catalogue import Models
from pipeline.turns.engine import Pipeline

READY = operation("Whether a question can be answered")


def routes(pipeline: Pipeline, models: Models, library: Library) -> APIRouter:
    """Make the routes of the health check. `/api/health` asks for API_TOKEN, as every route of programs does."""
    router, began = APIRouter(), time.monotonic()

    @router.get("/health", **READY)
    @router.get("/api/health", dependencies=[AUTHORISED], **READY)
    async def health() -> JSONResponse:
        ready = pipeline.ready
        return JSONResponse(
            {
                "status": "ok" if ready else "starting",
                "version": VERSION,
                "model": models.default,
                "documents": len(library.shared()),
                "uptime_s": round(time.monotonic() - began, 1),
            },
            200 if ready else 503,
        )

    return router
