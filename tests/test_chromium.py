"""The page in a real Chromium, as a person uses it, against the app as a process."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.provider import Provider
from tests.served import Served, served

QUESTION = "Why does water temperature change the taste of coffee?"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
SLOW = "ok-tokens-240-gap-30"  # about 7 s
LONG = "ok-tokens-1500-gap-30"  # about 45 s: longer than anything a test does before it stops it
# What Gradio's own client says when a page is reloaded while it streams.
OF_GRADIO = ("signal is aborted without reason", "Connection errored out")

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Served]:
    names = [SLOW, LONG, "status-401", "cut"]
    models = [{"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base} for name in names]
    with served(tmp_path_factory.mktemp("page"), MODELS=json.dumps(models)) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(app: Served, browser: Browser) -> Iterator[Page]:
    """A new visitor at a desktop; a console error or a request to another host fails the test."""
    yield from visit(app, browser, DESKTOP)


@pytest.fixture
def phone(app: Served, browser: Browser) -> Iterator[Page]:
    """A new visitor with a phone."""
    yield from visit(app, browser, PHONE)


def visit(app: Served, browser: Browser, size: Any) -> Iterator[Page]:
    context = browser.new_context(viewport=size)
    page = context.new_page()
    wrong: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in OF_GRADIO):
            wrong.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith((app.url, "data:", "blob:")) else wrong.append(request.url),
    )
    page.goto(app.url)
    expect(page.locator("#question textarea")).to_be_visible(timeout=30_000)
    yield page
    context.close()
    assert wrong == []


def ask(page: Page, question: str, model: str | None = None) -> None:
    if model:
        page.locator("#model label", has_text=model).first.click()
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")


def test_sources_come_first_then_reasoning_then_the_answer(page: Page) -> None:
    ask(page, QUESTION, SLOW)
    expect(page.locator("#sources .source").first).to_be_visible(timeout=10_000)
    assert page.locator("#chat .answer").all_inner_texts() in ([], [""])
    expect(page.locator("#reasoning")).to_contain_text("hot water", timeout=10_000)
    expect(page.locator("#chat .answer").first).to_contain_text("hot water", timeout=10_000)
    expect(page.locator(".stop-button")).to_be_visible()
    expect(page.locator("#chat .facts")).to_contain_text("tok/s", timeout=20_000)
    expect(page.locator(".stop-button")).to_have_count(0)


def test_all_three_panes_are_in_sight_when_empty(page: Page) -> None:
    for pane in ("chat", "reasoning", "sources"):
        box = page.locator(f"#{pane}").bounding_box()
        assert box
        assert box["width"] >= 150
        assert box["height"] >= 80
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= DESKTOP["width"]
        assert box["y"] + box["height"] <= DESKTOP["height"]


def test_a_reload_in_mid_answer_comes_back_to_it_and_stop_ends_it(page: Page) -> None:
    ask(page, QUESTION, LONG)
    expect(page.locator("#chat .answer").first).to_contain_text("hot water", timeout=15_000)
    page.reload()
    began = time.monotonic()
    expect(page.locator("#chat .answer").first).to_contain_text("hot water", timeout=10_000)
    assert time.monotonic() - began < 10
    expect(page.locator("#sources .source").first).to_be_visible()
    page.locator(".stop-button").click()
    expect(page.locator(".stop-button")).to_have_count(0, timeout=5_000)
    expect(page.locator("#chat")).to_contain_text("topped")
    expect(page.locator("#conversations")).to_contain_text(QUESTION[:20])


def test_the_built_in_model_quotes_with_citations_that_go_to_their_card(page: Page) -> None:
    ask(page, QUESTION)
    chip = page.locator("#chat .cite").first
    expect(chip).to_be_visible(timeout=15_000)
    expect(page.locator("#chat .facts")).to_be_visible(timeout=15_000)
    number = chip.get_attribute("data-n")
    chip.click()
    expect(page.locator(f"#sources .source[data-n='{number}']")).to_be_focused()


def test_a_fault_stays_in_the_turn_with_the_next_action(page: Page) -> None:
    ask(page, QUESTION, "status-401")
    expect(page.locator("#chat [role=alert]")).to_contain_text("refused our key", timeout=15_000)
    expect(page.locator("#chat [role=alert] button").first).to_be_visible()


def test_another_visitor_sees_nothing_of_it(page: Page, phone: Page) -> None:
    ask(page, "Who may read this?")
    expect(page.locator("#conversations")).to_contain_text("Who may read this?", timeout=15_000)
    phone.goto(page.url)
    expect(phone.locator("#question textarea")).to_be_visible(timeout=30_000)
    assert "Who may read this?" not in phone.content()


def test_nothing_is_wider_than_a_phone_and_the_composer_stays_in_sight(phone: Page) -> None:
    ask(phone, QUESTION)
    expect(phone.locator("#chat .facts")).to_be_visible(timeout=15_000)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = phone.locator("#question").bounding_box()
    assert box
    assert box["y"] + box["height"] <= PHONE["height"]


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_empty_running_done_or_failed(page: Page, dark: bool) -> None:
    page.emulate_media(reduced_motion="reduce")  # axe must not look at a colour on its way to another
    if dark:
        page.evaluate("document.body.classList.add('dark')")
    problems = {"empty": violations(page)}
    ask(page, QUESTION, LONG)
    expect(page.locator("#chat .answer").first).to_contain_text("hot water", timeout=15_000)
    problems["running"] = violations(page)
    page.locator(".stop-button").click()
    expect(page.locator(".stop-button")).to_have_count(0, timeout=5_000)
    ask(page, QUESTION, "status-401")
    expect(page.locator("#chat [role=alert]")).to_be_visible(timeout=15_000)
    problems["failed"] = violations(page)
    assert problems == {"empty": [], "running": [], "failed": []}


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]
