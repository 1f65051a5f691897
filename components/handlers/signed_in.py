"""Who is signed in at the browser that an event of the page came from, by its session cookie.

A browser's own token names the visitor until someone signs in; then every handler gets the user's visitor in its place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from gradio.context import LocalContext

from pipeline.accounts.sessions import Accounts, User
from pipeline.settings import SESSION_COOKIE

Given = Callable[[Sequence[Any]], Sequence[Any]]


class SignedIn:
    """Reads the user of the running event. Without `accounts` nobody can sign in."""

    def __init__(self, accounts: Accounts | None = None) -> None:
        self._accounts = accounts

    @property
    def is_offered(self) -> bool:
        """Whether people can sign in here."""
        return self._accounts is not None

    @property
    def user(self) -> User | None:
        """The user; None where nobody is signed in, and outside a handler."""
        request = LocalContext.request.get(None)
        if self._accounts is None or request is None:
            return None
        return self._accounts.user(request.cookies.get(SESSION_COOKIE, ""))

    def given_to(self, handler: Callable[..., Any]) -> Given:
        """Return the function that puts the user's visitor into a handler's argument `visitor`."""
        names = list(inspect.signature(handler).parameters)
        at = names.index("visitor") if "visitor" in names else None

        def given(arguments: Sequence[Any]) -> Sequence[Any]:
            user = None if at is None or at >= len(arguments) else self.user
            return arguments if user is None or at is None else (*arguments[:at], user.visitor, *arguments[at + 1 :])

        return given
