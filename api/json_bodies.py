"""Reads the JSON bodies of requests. Values are never converted to another type."""

from __future__ import annotations

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import Headers

from api.operations import operation_of
from pipeline.errors import Refused

Body = TypeVar("Body", bound=BaseModel)

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
# For the clients of other products, which send keys that we do not know.
TOLERANT = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


async def body_of(request: Request, kind: type[Body]) -> Body:
    """Read and check the body. Raises Refused. A route that declares its body reads it as what it declares."""
    declared = operation_of(request.scope.get("route")).body
    assert declared in (None, kind), f"{kind} is read where {declared} is declared"
    if not is_json(request.headers):
        raise Refused("not_json")  # a form of another site can send any other type without asking
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        raise refused_value(error, kind) from error


def refused_value(error: ValidationError, kind: type[BaseModel]) -> Refused:
    """Return the refusal of a body; it names the first of our keys that has a wrong value."""
    keys = (str(each["loc"][0]) for each in error.errors(include_input=False, include_url=False) if each["loc"])
    known = next((key for key in keys if key in kind.model_fields), None)
    return Refused("invalid_value", key=known) if known else Refused("invalid_request")


def is_json(headers: Headers) -> bool:
    """Return whether a body is said to be JSON."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
