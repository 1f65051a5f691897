"""What a route says of itself in `/openapi.json`, at the place where it is declared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter

from pipeline.options import options_of

KEY = "x-operation"  # of a route's `openapi_extra`
JSON = "application/json"
EXAMPLE_QUESTION = "How fine do I grind for espresso?"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. Its errors follow from its dependencies, its body and the dialect of its path."""

    body: type[BaseModel] | None = None
    example: Json | None = None
    asks: bool = False
    gives: str = JSON
    status: int = 200
    parameters: tuple[Json, ...] = ()
    form_field: str = ""
    once: bool = False


def operation(
    summary: str,
    body: type[BaseModel] | None = None,
    *,
    example: Json | None = None,
    asks: bool = False,
    gives: str = JSON,
    status: int = 200,
    parameters: Sequence[Json] = (),
    form_field: str = "",
    once: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a route's decorator that describe it.

    `body` is what its JSON body is read as, `form_field` the field of a form with files. A route that `asks` a model
    streams in the type of its dialect, takes an Idempotency-Key and is limited; one that works `once` for a key asks a
    model too, and gives one result. `gives` is the type of its answer.
    """
    described = Operation(body, example, asks, gives, status, tuple(parameters), form_field, once)
    return {"summary": summary, "openapi_extra": {KEY: described}}


def operation_of(route: object) -> Operation:
    """Return what a route says of itself."""
    described: Operation = (getattr(route, "openapi_extra", None) or {}).get(KEY, Operation())
    return described


def query(name: str, meaning: str, kind: Any = str, *, is_required: bool = False) -> Json:
    """Return a parameter of the address that a route reads by itself."""
    schema = TypeAdapter(kind).json_schema()
    return {"name": name, "in": "query", "description": meaning, "required": is_required, "schema": schema}


def query_keys(kind: type[BaseModel]) -> list[Json]:
    """Return the keys of a body that a route reads from the address."""
    return [
        query(name, each.description or "", each.annotation, is_required=each.is_required())
        for name, each in kind.model_fields.items()
    ]


def query_options(kind: type[Any], names: Collection[str]) -> list[Json]:
    """Return the options of `kind` that a route reads from the address."""
    return [query(each.name, each.meaning, each.type) for each in options_of(kind) if each.name in names]
