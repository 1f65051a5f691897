"""The page in a real Chromium, as a person uses it, against the app as a process."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.provider import RICH, Provider
from tests.served import Served, served

QUESTION = "Why does water temperature change the taste of coffee?"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
# A loaded machine may take its time over anything; what must be seen while it runs is therefore asked of answers that
# do not end before it was seen.
PATIENCE_MS = 90_000
THOUGHTFUL = "ok-tokens-1500-gap-30"  # reasons for 11 s, then answers for 34 s
ENDLESS = "endless-gap-40"
BREAKING = "cut-after-60-gap-5"  # in the middle of its answer, when nothing else can take its place unseen
MARKDOWN = "rich-gap-5"  # everything that an answer may be written in
# What Gradio's own client says when a page is reloaded while it streams.
OF_GRADIO = ("signal is aborted without reason", "Connection errored out")
# Each frame: which panes have something to show? → {pane: the first frame in which it had}
FIRST_SEEN = """() => {
  const texts = { sources: "#sources .source", reasoning: "#reasoning .said", answer: "#chat .answer" };
  const seen = window.first_seen = {};
  let frame = 0;
  (function look() {
    frame += 1;
    for (const [pane, text] of Object.entries(texts))
      if (!(pane in seen) && document.querySelector(text)?.textContent.trim()) seen[pane] = frame;
    requestAnimationFrame(look);
  })();
}"""
# Sums up every shift, also those that a browser would excuse since a key was pressed shortly before.
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      shifts.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.textContent)]);
  }).observe({ type: "layout-shift" });
}"""
# A page without https has no clipboard of its own; what is copied the old way is kept.
WITHOUT_CLIPBOARD = """() => {
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  window.addEventListener("copy", (event) => { window.copied = event.clipboardData.getData("text/plain"); });
}"""
# Counts what changes in the finished turns.
REDRAWN = """() => {
  window.redrawn = 0;
  new MutationObserver((list) => (redrawn += list.length))
    .observe(document.querySelector("#thread"), { subtree: true, childList: true, characterData: true });
}"""

expect.set_options(timeout=PATIENCE_MS)
pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Served]:
    names = [THOUGHTFUL, ENDLESS, BREAKING, MARKDOWN]
    models = [{"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base} for name in names]
    limits = {"CONNECT_TIMEOUT_S": "60", "FIRST_TOKEN_TIMEOUT_S": "60", "IDLE_TIMEOUT_S": "60", "TURN_TIMEOUT_S": "600"}
    with served(tmp_path_factory.mktemp("page"), MODELS=json.dumps(models), **limits) as running:
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
    context.set_default_timeout(PATIENCE_MS)
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
    go(page, app.url)
    yield page
    context.close()
    assert wrong == []


def go(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#question textarea")).to_be_visible()


def ask(page: Page, question: str, model: str | None = None) -> None:
    if model:
        page.locator("#model label", has_text=model).first.click()
        expect(page.locator("#model input:checked")).to_have_attribute("value", model)
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")


def answering(page: Page) -> None:
    """Until the first words of the answer are there."""
    expect(page.locator("#live .answer").first).to_contain_text("water")


def stop(page: Page) -> None:
    page.locator(".stop-button").click()
    expect(page.locator(".stop-button")).to_have_count(0)


def settled(page: Page, turns: int = 1) -> None:
    """Until that many turns have ended and moved into the thread."""
    expect(page.locator("#thread .facts")).to_have_count(turns)
    expect(page.locator(".stop-button")).to_have_count(0)


def test_sources_come_first_then_reasoning_then_the_answer(page: Page) -> None:
    page.evaluate(FIRST_SEEN)
    ask(page, QUESTION, THOUGHTFUL)
    answering(page)
    expect(page.locator(".stop-button")).to_be_visible()
    seen = page.evaluate("first_seen")
    assert seen["sources"] <= seen["reasoning"] < seen["answer"]
    stop(page)
    settled(page)
    expect(page.locator("#chat .facts")).to_contain_text("tok/s")


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
    ask(page, QUESTION, ENDLESS)
    answering(page)
    page.reload()
    answering(page)
    expect(page.locator("#sources .source").first).to_be_visible()
    stop(page)
    settled(page)
    expect(page.locator("#chat")).to_contain_text("Stopped")
    expect(page.locator("#conversations")).to_contain_text(QUESTION[:20])


def test_the_built_in_model_quotes_with_citations_that_go_to_their_card(page: Page) -> None:
    ask(page, QUESTION)
    settled(page)
    chip = page.locator("#chat .cite").first
    number = chip.get_attribute("data-n")
    chip.click()
    expect(page.locator(f"#sources .source[data-n='{number}']")).to_be_focused()


def test_an_answer_is_copied_as_it_was_written_and_its_code_alone(page: Page) -> None:
    ask(page, QUESTION, MARKDOWN)
    settled(page)
    page.reload()
    settled(page)
    page.evaluate(WITHOUT_CLIPBOARD)
    page.locator("#thread [data-act=copy]").click()
    assert page.evaluate("copied") == RICH.strip()
    expect(page.locator("#thread [data-act=copy]")).to_be_focused()
    for code in ('beans = weights[1]  # 12 g\nprint(f"{beans} g")', '{"roast": "light", "sources": [1, 2]}'):
        page.locator("#thread .code-head button").nth(int(code[0] == "{")).press("Enter")
        assert page.evaluate("copied") == code
    assert violations(page) == []
    page.evaluate("document.body.classList.add('dark')")
    assert violations(page) == []


def test_a_wide_formula_scrolls_by_itself_on_a_phone(phone: Page) -> None:
    phone.locator(f"#model input[value='{MARKDOWN}']").dispatch_event("click")
    ask(phone, QUESTION)
    settled(phone)
    expect(phone.locator("#thread math")).to_have_count(6)
    widths = "(box) => [box.scrollWidth > box.clientWidth, getComputedStyle(box).overflowX]"
    assert phone.locator("#thread .formula").last.evaluate(widths) == [True, "auto"]
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_fault_stays_in_the_turn_with_the_next_action(page: Page) -> None:
    ask(page, QUESTION, BREAKING)
    settled(page)
    expect(page.locator("#chat .answer").first).to_contain_text("water")
    expect(page.locator("#chat [role=alert]")).to_contain_text("connection to the model broke")
    expect(page.locator("#chat [role=alert] button").first).to_be_visible()


def test_another_visitor_sees_nothing_of_it(page: Page, phone: Page) -> None:
    ask(page, "Who may read this?")
    expect(page.locator("#conversations")).to_contain_text("Who may read this?")
    expect(page).to_have_url(re.compile(r"\?c="))
    go(phone, page.url)
    assert "Who may read this?" not in phone.content()


def test_nothing_is_wider_than_a_phone_and_the_composer_stays_in_sight(phone: Page) -> None:
    ask(phone, QUESTION)
    settled(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = phone.locator("#question").bounding_box()
    assert box
    assert box["y"] + box["height"] <= PHONE["height"]


@pytest.mark.parametrize("size", ["page", "phone"])
def test_nothing_moves_while_a_question_is_typed_and_answered(size: str, request: pytest.FixtureRequest) -> None:
    visitor: Page = request.getfixturevalue(size)
    visitor.evaluate(SHIFTS)
    ask(visitor, QUESTION)
    settled(visitor)
    ask(visitor, "And what does a coarse grind change?")
    settled(visitor, 2)
    assert visitor.evaluate("shifts") == []


def test_an_update_leaves_the_finished_turns_alone(page: Page) -> None:
    ask(page, QUESTION)
    settled(page)
    ask(page, QUESTION, ENDLESS)
    answering(page)
    page.evaluate(REDRAWN)
    before = page.locator("#live .answer").first.inner_text()
    expect(page.locator("#live .answer").first).not_to_have_text(before)
    assert page.evaluate("redrawn") == 0
    # Gradio's rule for this class looks through the whole page at each change of it.
    expect(page.locator(".sidebar-parent")).to_have_count(0)
    stop(page)


def test_the_keyboard_is_enough(page: Page) -> None:
    expect(page.locator("#question textarea")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    settled(page)
    page.locator("#thread [data-act=edit]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Editing")
    expect(page.locator("#question textarea")).to_have_value(QUESTION)
    page.keyboard.press("Escape")
    expect(page.locator("#notice .notice")).to_have_count(0)
    page.locator("#thread .cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sources .source:focus")).to_have_count(1)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_empty_running_done_or_failed(page: Page, dark: bool) -> None:
    page.emulate_media(reduced_motion="reduce")  # axe must not look at a colour on its way to another
    if dark:
        page.evaluate("document.body.classList.add('dark')")
    problems = {"empty": violations(page)}
    ask(page, QUESTION)
    settled(page)
    problems["done"] = violations(page)
    ask(page, QUESTION, ENDLESS)
    answering(page)
    problems["running"] = violations(page)
    stop(page)
    settled(page, 2)
    ask(page, QUESTION, BREAKING)
    settled(page, 3)
    expect(page.locator("#chat [role=alert]")).to_be_visible()
    problems["failed"] = violations(page)
    assert problems == {"empty": [], "done": [], "running": [], "failed": []}


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]
