"""`GET /health`: 200 when a question can be answered, 503 until then."""

from __future__ import annotations

import time

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pipeline import VERSION
from pipeline.turns import Pipeline


def routes(pipeline: Pipeline) -> APIRouter:
    """The route that says how we are."""
    router, began = APIRouter(), time.monotonic()

    @router.get("/health")
    async def health() -> JSONResponse:
        ready = pipeline.ready
        return JSONResponse(
            {
                "status": "ok" if ready else "starting",
                "version": VERSION,
                "model": pipeline.default_model,
                "documents": len(pipeline.documents),
                "uptime_s": round(time.monotonic() - began, 1),
            },
            200 if ready else 503,
        )

    return router
