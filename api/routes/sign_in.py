"""`/login/huggingface`, `/login/callback` and `/logout`: people of a Space sign in with their Hugging Face account.

The routes exist only where `Settings.sign_in` is set. A sign-in always ends at our own page.
"""

# No `from __future__ import annotations` here: FastAPI reads the annotations of routes.

import secrets

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from api.operations import operation
from api.origins import is_foreign
from pipeline.accounts.sessions import SIGN_IN_S, Accounts
from pipeline.errors import Refused
from pipeline.settings import SESSION_COOKIE

BROWSER_COOKIE = "glassbox-sign-in"  # binds a sign-in to the browser that began it
NOT_STORED = {"Cache-Control": "no-store"}


def routes(accounts: Accounts) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/login/huggingface", **operation("Sign in", gives="text/html", status=303))
    async def begin(request: Request) -> RedirectResponse:
        browser = secrets.token_urlsafe(32)
        answer = _to(await accounts.begin(browser, str(request.base_url)))
        # The provider's answer is a navigation of the whole window, to which browsers add a lax cookie.
        answer.set_cookie(
            BROWSER_COOKIE, browser, max_age=int(SIGN_IN_S), path="/", secure=True, httponly=True, samesite="lax"
        )
        return answer

    @router.get("/login/callback", **operation("Come back from signing in", gives="text/html", status=303))
    async def callback(request: Request) -> RedirectResponse:
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        answer = _to(_page(request))
        answer.delete_cookie(BROWSER_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        if request.query_params.get("error") == "access_denied":
            accounts.abandon(state)
            return answer
        session = await accounts.finish(state, code, request.cookies.get(BROWSER_COOKIE, ""))
        accounts.end(request.cookies.get(SESSION_COOKIE, ""))
        # In the frame of a Space the page's cookies are another site's; only such a cookie is sent there.
        answer.set_cookie(SESSION_COOKIE, session, path="/", secure=True, httponly=True, samesite="none")
        return answer

    @router.get("/logout", **operation("Sign out", gives="text/html", status=303))
    async def logout(request: Request) -> RedirectResponse:
        if is_foreign(request.headers, request.url.scheme, ()):
            raise Refused("foreign_page")
        accounts.end(request.cookies.get(SESSION_COOKIE, ""))
        answer = _to(_page(request))
        answer.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="none")
        return answer

    return router


def _page(request: Request) -> str:
    """Return the path of our page. Nothing of the request's own text is in it, so that nobody is sent elsewhere."""
    return f"{request.scope.get('root_path', '')}/"


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, NOT_STORED)
