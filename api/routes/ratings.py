"""Ratings of answers: a thumb with what is said beside it, and the rated turns as a data set."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from collections.abc import Sequence
from typing import cast

from fastapi import HTTPException, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.access import Access
from api.dialects import DialectRouter
from api.dialects.native import NATIVE
from api.json_bodies import STRICT, body_of
from api.operations import JSON, operation, query
from api.operators import is_operator
from api.visitors import Visitor
from pipeline.artifacts.files import CSV
from pipeline.conversations.rating_rows import csv_file, json_lines, row
from pipeline.conversations.service import Conversations
from pipeline.errors import Refused
from pipeline.feedback import Comment, Corrected, Tags
from pipeline.turn import Rating, Turn

JSON_LINES = "application/x-ndjson"
PARAMETERS = (
    query("as", "`jsonl`: a file with a row a line, for DSPy; `csv`: one for spreadsheets"),
    query("of", "`all`: those of all visitors, for whoever may read `/metrics`"),
)
EXAMPLE = {"rating": -1, "comment": "names green tea", "tags": ["wrong"]}


class Rate(BaseModel):
    """The body."""

    model_config = STRICT

    rating: int = Field(ge=-1, le=1, description="1 likes, -1 dislikes, 0 takes the thumb and what was said back")
    comment: Comment | None = None
    corrected: Corrected | None = None
    tags: Tags | None = None


def routes(conversations: Conversations, operators: Access) -> DialectRouter:
    """The routes of ratings."""
    router = DialectRouter(NATIVE, "/api")

    @router.post(
        "/turns/{turn_id}/rating", status_code=204, **operation("Rate an answer", Rate, example=EXAMPLE, status=204)
    )
    async def rate(turn_id: str, request: Request, visitor: Visitor) -> Response:
        given = await body_of(request, Rate)
        await conversations.rate(
            turn_id,
            visitor,
            cast("Rating", given.rating),
            comment=given.comment,
            corrected=given.corrected,
            tags=given.tags,
        )
        return Response(status_code=204)

    @router.get("/ratings", **operation("Rated answers", parameters=PARAMETERS))
    async def ratings(request: Request, visitor: Visitor) -> Response:
        if request.query_params.get("of") != "all":
            return _written(await conversations.rated(visitor), request.query_params.get("as"))
        if not is_operator(request, operators):
            raise HTTPException(404)
        return _written(await conversations.rated_by_all(), request.query_params.get("as"))

    return router


def _written(turns: Sequence[Turn], form: str | None) -> Response:
    match form:
        case None:
            return Response(to_json({"ratings": [row(each) for each in turns]}), headers=_headers(), media_type=JSON)
        case "jsonl":
            return Response(json_lines(turns), headers=_headers("ratings.jsonl"), media_type=JSON_LINES)
        case "csv":
            text = csv_file(turns).encode(errors="replace")
            return Response(text, headers=_headers("ratings.csv"), media_type=CSV)
        case _:
            raise Refused("rating_form")


def _headers(file: str | None = None) -> dict[str, str]:
    named = {"Content-Disposition": f'attachment; filename="{file}"'} if file else {}
    return {"Cache-Control": "no-store", **named}
