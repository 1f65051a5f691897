"""Signing in with an OpenID server on loopback: who is let in, who is not, and what a sign-in takes over."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from gradio.context import LocalContext

from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import Asking, PageUpdate, Tab
from components.handlers.signed_in import SignedIn
from components.preferences import Preferences
from pipeline.accounts.sessions import Accounts
from pipeline.documents.library import Upload
from pipeline.errors import NotFound, Refused
from pipeline.logs import Redaction
from pipeline.models.catalogue import Models
from pipeline.settings import BUILTIN_MODEL, SESSION_COOKIE, Settings
from pipeline.turn import TurnRequest, is_visitor, is_visitor_token
from server import Parts, build
from tests.in_process import api_of, events_of
from tests.openid import CLIENT_ID, CLIENT_SECRET, OpenIdProvider
from tests.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "What is crema?"
TOKEN, OTHER = "anonymous-0123456789abcdef", "somebody-else-0123456789"
HOST = "https://space.example"
HF_MODEL = "hf/gpt-oss-120b"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as running:
        yield running


@pytest.fixture
def provider(running_provider: OpenIdProvider) -> Iterator[OpenIdProvider]:
    """The provider, with a person whom no other test knows."""
    running_provider.subject = secrets.token_hex(4)
    yield running_provider
    running_provider.denies = False
    running_provider.claims.clear()
    running_provider.userinfo.clear()


def on_space(provider: OpenIdProvider, **changed: Any) -> Settings:
    given: dict[str, Any] = {
        "space_id": "maya/glassbox",
        "oauth_client_id": CLIENT_ID,
        "oauth_client_secret": CLIENT_SECRET,
        "openid_provider_url": provider.url,
        "rate_limit": "off",
    }
    return Settings(**{**given, **changed})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, running_provider: OpenIdProvider) -> AsyncIterator[Parts]:
    settings = on_space(running_provider, data_dir=tmp_path_factory.mktemp("sign-in"))
    built = build(settings, models=Models(settings, pace_s=0))
    yield built
    await built.close()


@pytest_asyncio.fixture(loop_scope="module")
async def browser(parts: Parts, provider: OpenIdProvider) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts, base_url=HOST) as client:
        yield client


async def allowed(browser: httpx.AsyncClient) -> str:
    """Begin a sign-in and allow it → the address of the callback."""
    begun = await browser.get("/login/huggingface")
    assert begun.status_code == 303
    async with httpx.AsyncClient() as outside:
        return (await outside.get(begun.headers["location"])).headers["location"]


async def signed_in(browser: httpx.AsyncClient) -> str:
    """Sign in → the session's cookie."""
    answer = await browser.get(await allowed(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return str(browser.cookies[SESSION_COOKIE])


@contextmanager
def at(session: str) -> Iterator[None]:
    """A handler of the page runs, for a browser with that cookie."""
    url, client = httpx.URL(HOST), SimpleNamespace(host="203.0.113.9")
    told = LocalContext.request.set(
        SimpleNamespace(
            cookies={SESSION_COOKIE: session}, url=SimpleNamespace(hostname=url.host), client=client, headers={}
        )
    )
    try:
        yield
    finally:
        LocalContext.request.reset(told)


def handlers(parts: Parts) -> ChatHandlers:
    page = SignedIn(parts.accounts)
    return ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library, signed_in=page)


async def loaded(parts: Parts, token: str, session: str) -> PageUpdate:
    with at(session):
        return await handlers(parts).load(Tab(), token, BUILTIN_MODEL, "", 0)


def user_of(parts: Parts, session: str) -> Any:
    assert parts.accounts
    return parts.accounts.user(session)


async def asked(parts: Parts, visitor: str) -> str:
    turn = await parts.pipeline.start(TurnRequest(QUESTION, visitor=visitor))
    _ = [event async for event in parts.pipeline.follow(turn.id) if event]
    return turn.conversation_id


async def test_who_signs_in_takes_over_what_the_browser_owned_once_and_finds_it_elsewhere(
    parts: Parts, browser: httpx.AsyncClient
) -> None:
    conversation, foreign = await asked(parts, TOKEN), await asked(parts, OTHER)
    steps = [step async for step in parts.library.take([Upload("zarf.md", b"# Zarf\n\nA zarf holds the cup.")], TOKEN)]
    document = steps[-1].entry
    assert document
    session = await signed_in(browser)
    user = user_of(parts, session)
    assert is_visitor(user.visitor)
    assert not is_visitor_token(user.visitor)
    first, second = await asyncio.gather(*(loaded(parts, TOKEN, session) for _ in range(2)))  # two tabs at once
    assert len({TOKEN, first.visitor, second.visitor, user.visitor}) == 4  # a new anonymous visitor, never the user
    assert [each.id for each in await parts.conversations.list(user.visitor)] == [conversation]
    assert await parts.conversations.list(TOKEN) == ()
    assert [each.id for each in await parts.conversations.list(OTHER)] == [foreign]
    assert [each.id for each in await parts.library.documents(user.visitor) if each.owner] == [document.id]
    found = await parts.library.search("zarf", user.visitor)
    assert found.passages[0].document_id == document.id
    assert (await parts.library.original(document.id, user.visitor)).read_bytes().startswith(b"# Zarf")
    assert [each for each in await parts.library.documents(TOKEN) if each.owner] == []
    elsewhere = await loaded(parts, OTHER[::-1], await signed_in(browser))  # another browser of the same person
    assert "crema" in str(elsewhere.conversations)


async def test_a_turn_that_runs_while_its_visitor_signs_in_is_the_users_then(
    parts: Parts, browser: httpx.AsyncClient
) -> None:
    session = await signed_in(browser)
    token = TOKEN[::-1]
    turn = await parts.pipeline.start(TurnRequest(QUESTION, visitor=token))
    await loaded(parts, token, session)
    _ = [event async for event in parts.pipeline.follow(turn.id) if event]
    assert turn.task
    await turn.task
    visitor = user_of(parts, session).visitor
    assert (await parts.conversations.turn(turn.id, visitor)).state == "finished"
    with pytest.raises(NotFound):
        await parts.conversations.turn(turn.id, token)


async def test_a_program_cannot_claim_to_be_a_user(parts: Parts, browser: httpx.AsyncClient) -> None:
    visitor = user_of(parts, await signed_in(browser)).visitor
    answer = await browser.post("/api/turns", json={"question": QUESTION}, headers={"X-Visitor": visitor})
    assert answer.status_code == 422


async def test_the_users_token_pays_for_models_of_hugging_face_and_the_hosts_keys_for_nothing(
    parts: Parts, browser: httpx.AsyncClient
) -> None:
    session = await signed_in(browser)
    page = handlers(parts)
    with at(session):
        update = await page.load(Tab(), TOKEN, BUILTIN_MODEL, "", 0)
        assert page.choices.own_key(Asking(HF_MODEL, Preferences())) == user_of(parts, session).token
        assert page.choices.own_key(Asking(BUILTIN_MODEL, Preferences())) is None
        assert "your credit" in str(page.remember(HF_MODEL, TOKEN).picker)
    assert "maya-h" in str(update.account)
    request = await page.request_for(QUESTION, Tab(), TOKEN, HF_MODEL, {})
    with pytest.raises(Refused, match="needs_key"):
        page.choices.check_key(request)


async def test_signing_out_forgets_the_token(parts: Parts, browser: httpx.AsyncClient) -> None:
    session = await signed_in(browser)
    token = user_of(parts, session).token.get_secret_value()
    assert token not in Redaction([]).clean(f"was {token}")
    foreign = await browser.get("/logout", headers={"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, user_of(parts, session) is None) == (403, False)
    assert (await browser.get("/logout")).headers["location"] == "/"
    assert user_of(parts, session) is None
    assert SESSION_COOKIE not in browser.cookies
    assert token in Redaction([]).clean(f"was {token}")  # nobody holds it any more
    shown = await loaded(parts, TOKEN, session)
    assert shown.visitor == TOKEN


async def test_the_session_cookie_is_for_https_and_no_script(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(await allowed(browser))
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(SESSION_COOKIE)).lower()
    assert all(word in cookie for word in ("secure", "httponly", "samesite=none"))


Spoil = Callable[[OpenIdProvider], Any]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda provider: provider.claims.update(nonce="another"),
        lambda provider: provider.claims.update(aud="another"),
        lambda provider: provider.claims.update(iss="https://evil.example"),
        lambda provider: provider.claims.update(exp=1.0),
        lambda provider: provider.userinfo.update(sub="another"),
    ],
    ids=["nonce", "audience", "issuer", "expired", "userinfo"],
)
async def test_a_token_that_was_not_made_for_this_sign_in_is_refused(
    spoil: Spoil, provider: OpenIdProvider, parts: Parts, browser: httpx.AsyncClient
) -> None:
    spoil(provider)
    answer = await browser.get(await allowed(browser))
    assert (answer.status_code, SESSION_COOKIE in browser.cookies) == (422, False)
    assert answer.json()["detail"].startswith("The sign-in was not completed.")
    assert provider.tokens[-1] not in answer.text


async def test_a_callback_counts_once_and_in_the_browser_that_began_it(
    browser: httpx.AsyncClient, parts: Parts
) -> None:
    callback = await allowed(browser)
    async with api_of(parts, base_url=HOST) as stolen:
        assert (await stolen.get(callback)).status_code == 422
    assert (await browser.get(callback)).status_code == 422  # the attempt used the state up
    callback = await allowed(browser)
    assert (await browser.get(callback)).status_code == 303
    assert (await browser.get(callback)).status_code == 422
    state = parse_qs(urlsplit(await allowed(browser)).query)["state"][0]
    for query in ("", "?code=x", "?code=x&state=made-up", f"?state={state}&code=made-up"):
        assert (await browser.get(f"/login/callback{query}")).status_code == 422


async def test_who_denies_comes_back_to_the_page_as_nobody(
    provider: OpenIdProvider, browser: httpx.AsyncClient
) -> None:
    provider.denies = True
    answer = await browser.get(await allowed(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "////evil.example"])
async def test_a_sign_in_ends_at_our_own_page_whatever_the_address_asks_for(
    target: str, provider: OpenIdProvider, browser: httpx.AsyncClient
) -> None:
    begun = await browser.get("/login/huggingface", params={"_target_url": target})
    async with httpx.AsyncClient() as outside:
        callback = (await outside.get(begun.headers["location"])).headers["location"]
    assert provider.redirect_uris[-1] == f"{HOST}/login/callback"
    answer = await browser.get(callback, params={**dict(httpx.URL(callback).params), "_target_url": target})
    assert answer.headers["location"] == "/"
    assert (await browser.get("/logout", params={"_target_url": target})).headers["location"] == "/"


async def test_a_session_ends_with_its_token(provider: OpenIdProvider) -> None:
    now, settings = [1_000_000.0], on_space(provider).sign_in
    assert settings
    accounts = Accounts(settings, clock=lambda: now[0])
    address = await accounts.begin("browser", HOST)
    async with httpx.AsyncClient() as outside:
        callback = httpx.URL((await outside.get(address)).headers["location"])
    session = await accounts.finish(callback.params["state"], callback.params["code"], "browser")
    assert accounts.user(session)
    now[0] += 9 * 3600
    assert accounts.user(session) is None


@pytest.mark.parametrize("missing", [{"space_id": None}, {"oauth_client_secret": None}, {"oauth_client_secret": " "}])
async def test_nobody_signs_in_off_a_space_or_without_its_secret(
    missing: dict[str, Any], provider: OpenIdProvider, tmp_path: Any
) -> None:
    built = build(on_space(provider, data_dir=tmp_path, **missing))
    try:
        async with api_of(built) as client:
            for path in ("/login/huggingface", "/login/callback?code=x&state=y", "/logout"):
                assert (await client.get(path)).status_code == 404
        with at("any-session"):
            assert SignedIn(built.accounts).user is None
        assert HF_MODEL not in {each.label for each in built.models.choices}
    finally:
        await built.close()


async def test_a_users_token_goes_to_the_router_alone_and_stands_in_no_event_and_no_log(
    provider: OpenIdProvider, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Provider() as router:
        settings = on_space(provider, data_dir=tmp_path, hf_router_url=router.base)
        built = build(settings, models=Models(settings, pace_s=0))
        try:
            async with api_of(built, base_url=HOST) as client:
                user = user_of(built, await signed_in(client))
            request = TurnRequest(QUESTION, visitor=user.visitor, model=HF_MODEL, model_key=user.token)
            events = await events_of(built.pipeline, request)
        finally:
            await built.close()
    assert set(router.authorized) == {user.token.get_secret_value()}
    assert user.token.get_secret_value() not in f"{events}{caplog.text}"
