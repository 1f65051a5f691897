"""Who asks: the visitor that a program names itself."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of dependencies.

import re
from typing import Annotated

from fastapi import Depends, Request

from pipeline.errors import Refused

VISITOR = re.compile(r"[A-Za-z0-9_-]{16,128}")


def visitor_of(request: Request) -> str | None:
    """The header `X-Visitor`, None without it. Raises Refused."""
    visitor = request.headers.get("x-visitor")
    if visitor is not None and not VISITOR.fullmatch(visitor):
        raise Refused("invalid_visitor")
    return visitor


Visitor = Annotated[str | None, Depends(visitor_of)]
