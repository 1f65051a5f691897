"""Tells who sends a request: the client's address, and whether it is this machine."""

from __future__ import annotations

from fastapi import Request

from pipeline import clients


def address_of(request: Request) -> str:
    """Return the client's address, which `Hosts` has put into the request."""
    return request.client.host if request.client else ""


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, through no proxy."""
    return clients.is_local(request.url.hostname, address_of(request), request.headers)
