"""Who asks: the visitor that a program names itself."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of dependencies.

from typing import Annotated

from fastapi import Depends, Request

from pipeline.conversation import is_visitor
from pipeline.errors import Refused


def visitor_of(request: Request) -> str | None:
    """The header `X-Visitor`, None without it. Raises Refused."""
    visitor = request.headers.get("x-visitor")
    if visitor is not None and not is_visitor(visitor):
        raise Refused("invalid_visitor")
    return visitor


Visitor = Annotated[str | None, Depends(visitor_of)]
