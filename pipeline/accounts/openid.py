"""An OpenID client for one provider: authorization code with state, nonce and PKCE.

The token comes from the provider itself over TLS, so that its claims are checked and its signature is not (OpenID
Connect Core 3.1.3.7, 6). No text of the provider, and no token, is in an exception or a log.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from pydantic import SecretStr

from pipeline.display_names import shown_name
from pipeline.errors import Refused
from pipeline.settings import SignIn, is_loopback

DISCOVERY = "/.well-known/openid-configuration"
TIMEOUT_S = 10.0
CLOCK_SKEW_S = 60.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The provider's addresses, from its discovery document."""

    issuer: str
    authorize: str
    token: str
    userinfo: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in: the provider's lasting id of the person, a name to show, and the access token until it expires."""

    subject: str
    name: str
    token: SecretStr
    expires_at: float  # seconds since the epoch


class OpenIdClient:
    """Asks one provider. Every failure is Refused("sign_in_failed")."""

    def __init__(self, settings: SignIn) -> None:
        self._settings = settings
        self._endpoints: Endpoints | None = None

    async def authorize_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return the address at which the person allows the sign-in, and is sent to `redirect_uri`. Raises Refused."""
        async with self._client() as client:
            endpoints = await self._discover(client)
        parameters = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoints.authorize}{'&' if '?' in endpoints.authorize else '?'}{urlencode(parameters)}"

    async def identity(self, redirect_uri: str, code: str, verifier: str, nonce: str) -> Identity:
        """Exchange a code for the identity of the person. Raises Refused."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        secret = self._settings.client_secret.get_secret_value()
        async with self._client() as client:
            endpoints = await self._discover(client)
            tokens = _json(
                await _answered(client.post(endpoints.token, data=form, auth=(self._settings.client_id, secret)))
            )
            access = tokens.get("access_token")
            if not isinstance(access, str) or not access.isascii() or str(tokens.get("token_type")).lower() != "bearer":
                raise Refused("sign_in_failed")
            claims = _claims(tokens.get("id_token"))
            self._check(claims, endpoints.issuer, nonce)
            asked = client.get(endpoints.userinfo, headers={"Authorization": f"Bearer {access}"})
            person = _json(await _answered(asked))
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject or person.get("sub") != subject:
            raise Refused("sign_in_failed")
        names = (person.get("preferred_username"), person.get("name"))
        name = next((shown_name(each) for each in names if isinstance(each, str) and shown_name(each)), "")
        return Identity(subject, name, SecretStr(access), time.time() + _lifetime_s(tokens.get("expires_in")))

    def _check(self, claims: Mapping[str, Any], issuer: str, nonce: str) -> None:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires_at = claims.get("exp")
        is_good = (
            claims.get("iss") == issuer
            and self._settings.client_id in audiences
            and claims.get("nonce") == nonce
            and isinstance(expires_at, int | float)
            and expires_at > time.time() - CLOCK_SKEW_S
        )
        if not is_good:
            raise Refused("sign_in_failed")

    async def _discover(self, client: httpx.AsyncClient) -> Endpoints:
        if self._endpoints is None:
            provider = self._settings.provider_url
            found = _json(await _answered(client.get(provider + DISCOVERY)))
            names = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
            addresses = [found.get(name) for name in names]
            if addresses[0] not in (provider, f"{provider}/") or not all(map(_is_safe, addresses)):
                raise Refused("sign_in_failed")
            self._endpoints = Endpoints(*map(str, addresses))
        return self._endpoints

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)


async def _answered(asked: Any) -> httpx.Response:
    """Return a response with the status 200. Raises Refused for any other, and for none."""
    try:
        response: httpx.Response = await asked
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Refused("sign_in_failed") from None
    if response.status_code != 200:
        raise Refused("sign_in_failed")
    return response


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        read = response.json()
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Refused("sign_in_failed")
    return read


def _claims(token: object) -> dict[str, Any]:
    """Read the claims of a JSON web token. Raises Refused for anything else."""
    parts = token.split(".") if isinstance(token, str) else []
    try:
        claims = json.loads(base64.urlsafe_b64decode(f"{parts[1]}==")) if len(parts) == 3 else None
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise Refused("sign_in_failed")
    return claims


def _lifetime_s(said: object) -> float:
    """Return for how long a token is good; an hour where the provider does not say."""
    is_number = isinstance(said, int | float) and not isinstance(said, bool) and said > 0
    return float(said) if is_number else 3600.0  # type: ignore[arg-type]


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _is_safe(address: object) -> bool:
    """Whether an address is encrypted, or on this machine."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    except ValueError:
        return False
