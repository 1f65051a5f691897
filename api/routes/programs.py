"""`GET /api/programs`: the programs that a turn request may name."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter

from api.access import AUTHORISED
from api.operations import operation
from api.visitors import Visitor
from i18n.program_texts import field_title, program_description, program_title
from pipeline.programs.registry import Programs, ProgramSpec

SavedOf = Callable[[str | None], Awaitable[tuple[ProgramSpec, ...]]]


def routes(known: Programs, saved_of: SavedOf) -> APIRouter:
    """The route that lists the programs, the default first, behind the host's those that the visitor has saved."""
    router = APIRouter(dependencies=[AUTHORISED])

    @router.get("/api/programs", **operation("The programs"))
    async def programs(visitor: Visitor) -> dict[str, Any]:
        default, *others = (*known.values(), *await saved_of(visitor))
        return {"programs": [_described(default, is_default=True), *(_described(each) for each in others)]}

    return router


def _described(spec: ProgramSpec, *, is_default: bool = False) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": program_title(spec),
        "description": program_description(spec),
        "fields": [{"name": field.name, "title": field_title(field), "kind": field.kind} for field in spec.fields],
        "tools": list(spec.tools),
        "needs_document": spec.needs_document,
        "is_default": is_default,
    }
