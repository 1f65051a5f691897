"""The page in Chromium while its connection, its server or its place is taken from it."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import PATIENCE_MS
from tests.provider import Provider
from tests.served import Served, await_health, served, start
from tests.stored import await_stored
from tests.test_chromium import DESKTOP, ENDLESS, QUESTION, ask, settled, stop

OK = "ok"
LIMITS = {"CONNECT_TIMEOUT_S": "60", "FIRST_TOKEN_TIMEOUT_S": "60", "IDLE_TIMEOUT_S": "60", "TURN_TIMEOUT_S": "600"}

pytestmark = [
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here"),
    pytest.mark.timeout(300),
]


def models(provider: Provider) -> str:
    return json.dumps([{"label": x, "model": f"hosted_vllm/{x}", "api_base": provider.base} for x in (OK, ENDLESS)])


def visit(browser: Browser, app: Served) -> Page:
    """A new visitor."""
    page = browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE_MS)
    page.goto(app.url)
    expect(page.locator("#question textarea")).to_be_visible()
    return page


def test_a_page_without_network_says_so_and_comes_back_to_the_running_answer(
    tmp_path: Path, provider: Provider, browser: Browser
) -> None:
    with served(tmp_path / "data", MODELS=models(provider), **LIMITS) as app:
        page = visit(browser, app)
        ask(page, QUESTION, ENDLESS)
        expect(page.locator("#chat .answer").first).to_contain_text("hot water")
        page.locator("#question textarea").fill("What I was about to ask")
        asked = len(provider.requests)
        page.context.set_offline(True)
        expect(page.locator("#connection")).to_contain_text("Trying again in")
        page.context.set_offline(False)
        expect(page.locator("#connection")).to_be_hidden()
        expect(page.locator("#chat .answer").first).to_contain_text("hot water")
        expect(page.locator(".stop-button")).to_be_visible()
        expect(page.locator("#question textarea")).to_have_value("What I was about to ask")
        before = page.locator("#chat .answer").first.inner_text()
        expect(page.locator("#chat .answer").first).not_to_have_text(before)
        stop(page)
        assert len(provider.requests) == asked


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_page_whose_server_is_started_anew_shows_what_was_kept(
    tmp_path: Path, provider: Provider, browser: Browser, number: signal.Signals
) -> None:
    with served(tmp_path / "data", MODELS=models(provider), **LIMITS) as app:
        page = visit(browser, app)
        ask(page, QUESTION, ENDLESS)
        expect(page.locator("#chat .answer").first).to_contain_text("hot water")
        await_stored(tmp_path / "data", "hot water")
        app.process.send_signal(number)
        app.process.wait(30)
        expect(page.locator("#connection")).to_contain_text("Trying again in")
        page.locator("#question textarea").fill("What I was about to ask")
        again = start(tmp_path / "data", MODELS=models(provider), PORT=app.url.rpartition(":")[2])
        try:
            await_health(again)
            expect(page.locator("#connection")).to_be_hidden()
            expect(page.locator("#chat .turn .notice")).to_contain_text("What was written is kept.")
            expect(page.locator("#chat .answer").first).to_contain_text("hot water")
            expect(page.locator("#question textarea")).to_have_value("What I was about to ask")
            expect(page.locator(".stop-button")).to_have_count(0)
            ask(page, "How long do roasted beans stay fresh?")
            expect(page.locator("#chat .turn")).to_have_count(2)
        finally:
            again.process.kill()
            again.process.wait(10)


def test_a_visitor_waits_in_line_sees_the_place_and_may_leave_it(
    tmp_path: Path, provider: Provider, browser: Browser
) -> None:
    with served(tmp_path / "data", MODELS=models(provider), MAX_TURNS="1", RATE_LIMIT="4/hour", **LIMITS) as app:
        first, second, third = (visit(browser, app) for _ in range(3))
        ask(first, QUESTION, ENDLESS)
        expect(first.locator("#chat .answer").first).to_contain_text("hot water")
        ask(second, QUESTION, ENDLESS)
        expect(second.locator("#chat .steps")).to_contain_text("number 1 in line")
        ask(third, QUESTION, ENDLESS)
        expect(third.locator("#chat .steps")).to_contain_text("number 2 in line")
        assert httpx.post(f"{app.url}/api/turns", json={"question": QUESTION}).status_code == 429
        second.locator(".stop-button").click()
        expect(second.locator("#chat .turn .notice")).to_contain_text("No answer was written yet.")
        expect(third.locator("#chat .steps")).to_contain_text("number 1 in line")
        first.locator(".stop-button").click()
        expect(third.locator("#chat .answer").first).to_contain_text("hot water")
        expect(third.locator("#chat .steps")).to_contain_text("in line")
        stop(third)
        ask(first, "The fourth question from here", ENDLESS)
        expect(first.locator("#chat .answer").last).to_contain_text("hot water")
        stop(first)
        ask(first, "One too many")
        expect(first.locator("#notice")).to_contain_text("Ask again in 60 minutes.")
        expect(first.locator("#question textarea")).to_have_value("One too many")


def test_an_answer_that_is_not_streamed_appears_whole_after_its_sources(
    tmp_path: Path, provider: Provider, browser: Browser
) -> None:
    with served(tmp_path / "data", MODELS=models(provider), **LIMITS) as app:
        page = visit(browser, app)
        page.locator("#stream input").uncheck()
        ask(page, QUESTION, ENDLESS)
        expect(page.locator("#sources .source").first).to_be_visible()
        expect(page.locator("#chat .steps .run")).to_contain_text("answer")
        assert page.locator("#chat .answer").count() == 0
        stop(page)
        settled(page)
        ask(page, QUESTION, OK)
        settled(page, turns=2)
        expect(page.locator("#chat .answer").last).to_contain_text("hot water")
