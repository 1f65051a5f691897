"""Reads the key of a model that a program sends with its request."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of dependencies.

from typing import Annotated

from fastapi import Depends, Request
from pydantic import SecretStr

from pipeline.models.visitor_keys import model_key


def model_key_of(request: Request) -> SecretStr | None:
    """Return the header `X-Model-Key`, None without it. Raises Refused for an invalid one."""
    key = request.headers.get("x-model-key")
    return None if key is None else model_key(key)


ModelKey = Annotated[SecretStr | None, Depends(model_key_of)]
