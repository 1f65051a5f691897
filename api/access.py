"""API_TOKEN: the bearer token that programs send with every request, where the host has set one.

Every router of programs has the dependency AUTHORISED; a test lists the routes that have none.
"""

from __future__ import annotations

import hmac

from fastapi import Depends, Request
from pydantic import SecretStr
from starlette.datastructures import Headers

from pipeline.errors import Refused


def bearer_of(headers: Headers) -> str:
    """Return the bearer token that a request sends, "" without one."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Access:
    """Checks the bearer tokens of requests against the tokens that the host has set."""

    def __init__(self, *tokens: SecretStr | None) -> None:
        """Without a token every request has access."""
        self._tokens = tuple(token.get_secret_value().encode() for token in tokens if token)

    @property
    def needs_token(self) -> bool:
        """Whether a request needs one."""
        return bool(self._tokens)

    def allows(self, headers: Headers) -> bool:
        """Return whether a request has access."""
        return not self._tokens or self.has_token(headers)

    def has_token(self, headers: Headers) -> bool:
        """Return whether a request sends one of the tokens."""
        given = bearer_of(headers).encode()
        return any(hmac.compare_digest(given, token) for token in self._tokens)


def authorised(request: Request) -> None:
    """Refuse a request without access. The app's state holds the `access`."""
    access: Access = getattr(request.app.state, "access", OPEN)
    if not access.allows(request.headers):
        raise Refused("unauthorized")


def authorised_or_signed(request: Request) -> None:
    """Refuse a request without access, unless its address has a signed `key`, which the route itself checks."""
    if not request.query_params.get("key"):
        authorised(request)


OPEN = Access()
AUTHORISED = Depends(authorised)
AUTHORISED_OR_SIGNED = Depends(authorised_or_signed)
