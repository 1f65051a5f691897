"""Reads the visitor that a program names in its request."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of dependencies.

from typing import Annotated

from fastapi import Depends, Request

from api.access import bearer_of
from pipeline.errors import Refused
from pipeline.keyed_hashes import Secret
from pipeline.turn import bearer_visitor, is_visitor_token


def visitor_of(request: Request) -> str | None:
    """Return the header `X-Visitor`, None without it. Raises Refused for an invalid one."""
    visitor = request.headers.get("x-visitor")
    if visitor is not None and not is_visitor_token(visitor):
        raise Refused("invalid_visitor")
    return visitor


def bearer_visitor_of(request: Request, secret: Secret) -> str | None:
    """Return the header `X-Visitor`, else a keyed hash of the bearer token, None without both. Raises Refused."""
    visitor, token = visitor_of(request), bearer_of(request.headers)
    return bearer_visitor(secret.hash("bearer", token).hex()) if visitor is None and token else visitor


Visitor = Annotated[str | None, Depends(visitor_of)]
