"""Who is signed in: sign-ins under way and sessions, in memory alone. A restart signs everybody out.

A browser holds a random session id in a cookie, and the server the access token. The visitor of a user is derived from
the provider's id of the person by a secret of the server, in a form that no client may send as a visitor.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from pydantic import SecretStr

from pipeline.accounts.openid import Identity, OpenIdClient
from pipeline.errors import Refused
from pipeline.logs import redacting
from pipeline.settings import SignIn
from pipeline.turn import user_visitor

CALLBACK = "/login/callback"
SIGN_IN_S = 600.0  # for which a sign-in may take
LONGEST_S = 8 * 3600.0  # of a session
MOST_UNDER_WAY, MOST_SESSIONS = 10_000, 10_000


@dataclass(frozen=True, slots=True)
class User:
    """A person who is signed in: the visitor who owns the rows, a name to show, and the token that pays."""

    visitor: str
    name: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class _SignInUnderWay:
    browser: str  # a hash of the browser's cookie
    redirect_uri: str
    nonce: str
    verifier: str
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Session:
    user: User
    ends_at: float
    kept_secret: ExitStack


class Accounts:
    """The sessions of one server, behind one OpenID provider."""

    def __init__(self, settings: SignIn, clock: Callable[[], float] = time.time) -> None:
        self._client, self._public_url, self._clock = OpenIdClient(settings), settings.public_url, clock
        self._secret = settings.client_secret.get_secret_value().encode()
        self._issuer = settings.provider_url
        self._under_way: OrderedDict[str, _SignInUnderWay] = OrderedDict()  # by state
        self._sessions: OrderedDict[str, _Session] = OrderedDict()  # by a hash of the session id

    async def begin(self, browser: str, own_url: str) -> str:
        """Begin a sign-in of the browser with that cookie → the provider's address to go to. Raises Refused.

        `own_url` is the address of our page as the request names it; it counts where the settings do not know it.
        """
        redirect_uri = (self._public_url or own_url).rstrip("/") + CALLBACK
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        address = await self._client.authorize_url(redirect_uri, state, nonce, verifier)
        while len(self._under_way) >= MOST_UNDER_WAY:
            self._under_way.popitem(last=False)
        self._under_way[state] = _SignInUnderWay(
            _hash(browser), redirect_uri, nonce, verifier, self._clock() + SIGN_IN_S
        )
        return address

    def abandon(self, state: str) -> None:
        """Forget a sign-in that the person did not allow."""
        self._under_way.pop(state, None)

    async def finish(self, state: str, code: str, browser: str) -> str:
        """End a sign-in → the id of the new session.

        Raises Refused for a state that was not begun by this browser, was used before or is too old, and where the
        provider refuses the code.
        """
        begun = self._under_way.pop(state, None)  # each state counts once
        is_own = begun is not None and hmac.compare_digest(begun.browser, _hash(browser))
        if begun is None or not is_own or begun.ends_at < self._clock():
            raise Refused("sign_in_failed")
        return self._opened(await self._client.identity(begun.redirect_uri, code, begun.verifier, begun.nonce))

    def user(self, session_id: str) -> User | None:
        """Return who is signed in, None without a session and after its token has expired."""
        name = _hash(session_id)
        session = self._sessions.get(name)
        if session and session.ends_at <= self._clock():
            self._drop(name)
            return None
        return session.user if session else None

    def end(self, session_id: str) -> None:
        """Sign out: forget the token."""
        self._drop(_hash(session_id))

    def _opened(self, identity: Identity) -> str:
        now = self._clock()
        for name in [name for name, session in self._sessions.items() if session.ends_at <= now]:
            self._drop(name)
        while len(self._sessions) >= MOST_SESSIONS:
            self._drop(next(iter(self._sessions)))
        session_id, kept_secret = secrets.token_urlsafe(48), ExitStack()
        kept_secret.enter_context(redacting(identity.token.get_secret_value()))
        user = User(self._visitor_of(identity.subject), identity.name, identity.token)
        ends_at = min(identity.expires_at, now + LONGEST_S)
        self._sessions[_hash(session_id)] = _Session(user, ends_at, kept_secret)
        return session_id

    def _drop(self, name: str) -> None:
        if session := self._sessions.pop(name, None):
            session.kept_secret.close()

    def _visitor_of(self, subject: str) -> str:
        told = f"{self._issuer}\0{subject}".encode()
        return user_visitor(hmac.new(self._secret, told, hashlib.sha256).hexdigest())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
