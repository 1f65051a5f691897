"""Tells who may see figures of all visitors: requests from this machine, and those with a token of the host."""

from __future__ import annotations

from fastapi import Request

from api.access import Access
from api.clients import is_local


def is_operator(request: Request, tokens: Access) -> bool:
    """Whether a request comes from this machine or has METRICS_TOKEN or API_TOKEN."""
    return is_local(request) or tokens.has_token(request.headers)
