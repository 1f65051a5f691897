"""The page in a real Chromium, as a person uses it, against the app as a process."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.chromium import PATIENCE_MS
from tests.provider import RICH, Provider
from tests.served import Served, served

QUESTION = "Why does water temperature change the taste of coffee?"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# What must be seen while an answer runs is asked of answers that do not end before it was seen.
THOUGHTFUL = "ok-tokens-1500-gap-30"  # reasons for 11 s, then answers for 34 s
ENDLESS = "endless-gap-40"
SILENT = "hang"  # takes the question and says nothing
BREAKING = "cut-after-60-gap-5"  # in the middle of its answer, when nothing else can take its place unseen
CODE = "code-tokens-2000-gap-30"
MARKDOWN = "rich-gap-5"  # everything that an answer may be written in
# What Gradio's own client says when a page is reloaded while it streams, and of a value that it cannot read.
OF_GRADIO = ("signal is aborted without reason", "Connection errored out", "Error reading from localStorage")
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
# Where the parts of the page stand.
PLACES = """() => ["#chat", "#thread .answer", "#question", "#sources", ".sidebar"]
  .map((each) => document.querySelector(each).getBoundingClientRect().toJSON())"""
ROOM_FOR_TWO_MODELS = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("#model .models { max-height: 60px !important }");
  document.adoptedStyleSheets = [sheet];
}"""
# Counts what changes in the finished turns.
REDRAWN = """() => {
  window.redrawn = 0;
  new MutationObserver((list) => (redrawn += list.length))
    .observe(document.querySelector("#thread"), { subtree: true, childList: true, characterData: true });
}"""

# Names that more than one button has, and what has none. → {name: how many}
DOUBLES = """() => {
  const names = {};
  for (const each of document.querySelectorAll("button, summary, [role=button]"))
    if (each.checkVisibility({ visibilityProperty: true })) {
      const name = each.getAttribute("aria-label") ?? (each.textContent.trim() || each.title);
      names[name] = (names[name] ?? 0) + 1;
    }
  return Object.fromEntries(Object.entries(names).filter(([name, count]) => count > 1 || !name));
}"""
# Every text that has less than 7:1 on its ground. → [contrast, text]
FAINT = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, ground) => [0, 1, 2].map((at) => top[at] * top[3] + ground[at] * (1 - top[3]));
  const light = (colour) => {
    const [r, g, b] = colour.map((each) => ((each /= 255) <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground_of = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      if (each.matches(".cite")) layers.push(rgba(getComputedStyle(each, "::before").backgroundColor));
      layers.push(rgba(getComputedStyle(each).backgroundColor));
    }
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
  };
  const faint = [];
  const look = (element, text, colour) => {
    const ground = ground_of(element), lights = [ground, over(rgba(colour), ground)].map(light).sort((a, b) => a - b);
    const contrast = (lights[1] + 0.05) / (lights[0] + 0.05);
    if (contrast < 7) faint.push([contrast.toFixed(2), text.trim().slice(0, 40), element.outerHTML.slice(0, 80)]);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent, element = texts.currentNode.parentElement;
    if (text.trim() && element.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      look(element, text, getComputedStyle(element).color);
  }
  for (const field of document.querySelectorAll("textarea, input:is([type=text], [type=number])"))
    if (field.checkVisibility({ visibilityProperty: true })) {
      const style = field.value ? getComputedStyle(field) : getComputedStyle(field, "::placeholder");
      look(field, field.value || field.placeholder, field.value ? style.webkitTextFillColor : style.color);
    }
  return faint;
}"""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Served]:
    names = [THOUGHTFUL, ENDLESS, SILENT, BREAKING, MARKDOWN, CODE]
    models = [{"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base} for name in names]
    limits = {"CONNECT_TIMEOUT_S": "60", "FIRST_TOKEN_TIMEOUT_S": "60", "IDLE_TIMEOUT_S": "60", "TURN_TIMEOUT_S": "600"}
    with served(tmp_path_factory.mktemp("page"), MODELS=json.dumps(models), **limits) as running:
        yield running


@pytest.fixture
def page(app: Served, browser: Browser) -> Iterator[Page]:
    """A new visitor at a desktop; a console error or a request to another host fails the test."""
    yield from visit(app, browser, DESKTOP)


@pytest.fixture
def phone(app: Served, browser: Browser) -> Iterator[Page]:
    """A new visitor with a phone."""
    yield from visit(app, browser, PHONE)


def visit(app: Served, browser: Browser, size: Any, before: str = "") -> Iterator[Page]:
    """`before`: a script that runs in the page before its own."""
    context = browser.new_context(viewport=size)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(before)
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


def test_a_stored_answer_is_there_at_once_says_so_and_leaves_an_empty_composer(page: Page) -> None:
    for badges in (0, 1):
        ask(page, QUESTION, MARKDOWN)
        settled(page)
        expect(page.locator("#question textarea")).to_have_value("")
        expect(page.locator("#chat .facts .badge.good")).to_have_count(badges)
        page.locator("#new-chat").click()
        expect(page.locator(".hero")).to_be_visible()


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
    expect(page.locator(f"#sources .source.lit[data-n='{number}']")).to_be_visible()
    expect(page.locator("#thread .beside")).to_be_focused()
    page.locator("#thread .beside [data-act=show-source]").click()
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
    table = page.locator("#thread .artifact", has_text="Step, Time")
    table.locator("[data-act=copy-artifact]").click()
    assert page.evaluate("copied").startswith("| Step | Time |")
    with page.expect_download() as download:
        table.locator("[data-act=download-csv]").click()
    assert download.value.suggested_filename == "Step, Time.csv"
    table.locator("summary").click()
    assert violations(page) == []
    page.evaluate("document.body.classList.add('dark')")
    assert violations(page) == []


def test_code_can_be_copied_while_it_is_written(page: Page) -> None:
    """Its button is the same element all the time, or a press that lasts longer than an update would be lost."""
    ask(page, QUESTION, CODE)
    expect(page.locator("#live pre")).to_contain_text("x3 = 3")
    page.evaluate(WITHOUT_CLIPBOARD)
    button = page.locator("#live .code-head button").element_handle()
    button.focus()
    expect(page.locator("#live pre")).to_contain_text("x30 = 30")
    expect(page.locator("#live .code-head button")).to_be_focused()
    button.click()
    assert page.evaluate("copied").startswith("x0 = 0\nx1 = 1\n")
    assert button.get_attribute("aria-label") == "Copy Python: x0 = 0"
    stop(page)


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
    expect(page.locator("#thread .beside")).to_be_focused()
    page.locator("#thread .beside [data-act=show-source]").press("Enter")
    expect(page.locator("#sources .source:focus")).to_have_count(1)


def test_the_models_are_chosen_by_keyboard_and_the_chosen_one_is_tested_in_its_place(page: Page) -> None:
    checked = page.locator("#model input:checked")
    page.locator("#model input").first.focus()
    for label in (page.locator("#model input").nth(at).get_attribute("value") for at in (1, 2)):
        page.keyboard.press("ArrowDown")
        expect(checked).to_have_attribute("value", str(label))
        expect(page.locator("#model .about-model button")).to_have_attribute("data-label", str(label))
        expect(checked).to_be_focused()
    page.locator("#model [data-act=test-model]").scroll_into_view_if_needed()
    top = page.locator("#own-key, #model + *").first.bounding_box()
    page.locator("#model [data-act=test-model]").click()
    expect(page.locator("#model :is(.works, .failed)")).to_be_visible()
    assert page.locator("#own-key, #model + *").first.bounding_box() == top
    expect(page.locator("#model [data-act=test-model]")).to_be_enabled()
    page.evaluate(ROOM_FOR_TWO_MODELS)
    page.locator(f"#model input[value='{MARKDOWN}']").dispatch_event("click")
    expect(page.locator("#model label:has(input:checked)")).to_be_in_viewport(ratio=0.9)
    expect(checked).to_have_attribute("value", MARKDOWN)


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
    ask(page, QUESTION, SILENT)
    expect(page.locator("#live .waiting")).to_contain_text("Waiting for")
    problems["waiting"] = violations(page)
    page.keyboard.press("Escape")
    settled(page, 3)
    ask(page, QUESTION, MARKDOWN)
    settled(page, 4)
    expect(page.locator("#thread .answer pre").first).to_be_visible()
    problems["marked up"] = violations(page)
    ask(page, QUESTION, BREAKING)
    settled(page, 5)
    expect(page.locator("#chat .notice[role=alert]")).to_be_visible()
    problems["failed"] = violations(page)
    page.locator("[data-act=shortcuts]").click()
    problems["shortcuts"] = violations(page)
    assert {state: found for state, found in problems.items() if found} == {}


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


# What was asked ------------------------------------------------------------------------------------------------------


def test_the_knobs_survive_a_reload_and_what_was_asked_stands_under_the_answer(page: Page) -> None:
    page.locator("#model label", has_text=MARKDOWN).click()
    for title in ("Instructions", "Advanced"):
        page.locator(".label-wrap", has_text=title).click()
    expect(page.locator("#instructions textarea")).to_be_enabled()
    page.locator("#passages input[type=number]").fill("2")
    page.locator("#passages input[type=number]").press("Tab")
    page.locator("#temperature input[type=range]").fill("0.2")
    page.locator("#instructions textarea").fill("Be brief.")
    page.wait_for_function(
        "glassbox.preferences?.passages_wanted === 2 && glassbox.preferences?.instructions === 'Be brief.'"
    )
    page.wait_for_function("localStorage.getItem('glassbox-knobs')")
    page.reload()
    expect(page.locator("#passages input[type=number]")).to_have_value("2")
    ask(page, QUESTION)
    settled(page)
    page.reload()
    chips = page.locator("#thread .chips")
    for told in (MARKDOWN, "ChainOfThought", "2 passages", "temperature 0.2", "own instructions"):
        expect(chips).to_contain_text(told)
    chips.locator("summary").click()
    expect(chips).to_contain_text("Be brief.")
    expect(page.locator("#sources .source")).to_have_count(2)


@pytest.mark.parametrize(
    "blocked",
    [
        "for (const name of ['localStorage', 'sessionStorage'])"
        "  Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });",
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };",
    ],
)
def test_where_the_browser_keeps_nothing_the_page_says_so_and_works(
    app: Served, browser: Browser, blocked: str
) -> None:
    for page in visit(app, browser, DESKTOP, before=blocked):
        expect(page.locator("#unkept")).to_contain_text("not be listed any more")
        page.locator("[data-act=theme]").click()
        ask(page, QUESTION)
        settled(page)
        expect(page.locator("#conversations .row")).to_have_count(1)


def test_a_store_that_holds_rubbish_gives_the_usual_page(page: Page) -> None:
    expect(page.locator("#unkept")).to_be_hidden()
    page.evaluate("for (const of of ['knobs', 'model', 'keys', 'theme']) localStorage.setItem(`glassbox-${of}`, '<b>')")
    page.reload()
    expect(page.locator("#passages input[type=number]")).to_have_value("4")
    ask(page, QUESTION)
    settled(page)


# While nothing has come ----------------------------------------------------------------------------------------------


def test_the_wait_is_told_with_its_seconds_also_after_a_reload_and_escape_ends_it(page: Page) -> None:
    ask(page, QUESTION, SILENT)
    waiting = page.locator("#live .waiting")
    expect(waiting).to_contain_text(re.compile(rf"Waiting for {SILENT}….*[2-9] s"))
    expect(page.locator("#status")).to_have_text(f"Waiting for {SILENT}…")
    page.reload()
    expect(waiting).to_contain_text(re.compile(r"[3-9] s|\d\d s"))
    page.locator("[data-act=shortcuts]").click()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts dialog")).to_be_hidden()
    expect(page.locator(".stop-button")).to_be_visible()  # Escape closed what lay over the page, and no more
    page.keyboard.press("Escape")
    settled(page)


def test_a_pasted_megabyte_stays_whole_and_is_said_to_be_too_long(page: Page) -> None:
    field, said = page.locator("#question textarea"), page.locator(".too-long[data-of=question]")
    field.evaluate("(area) => { area.focus(); document.execCommand('insertText', false, 'water '.repeat(175_000)); }")
    expect(said).to_contain_text("too long: at most 8,000 characters")
    page.keyboard.press("Enter")
    page.locator("#question .submit-button").click()
    expect(said).to_be_visible()
    assert field.evaluate("(area) => area.value.length") == 1_050_000
    field.fill(QUESTION)
    expect(said).to_have_count(0)
    page.keyboard.press("Enter")
    settled(page)


# The frame -----------------------------------------------------------------------------------------------------------


def test_single_keys_work_outside_fields_until_they_are_switched_off(page: Page) -> None:
    ask(page, QUESTION)
    settled(page)
    page.locator("#question textarea").fill("")
    page.keyboard.type("+?/")
    expect(page.locator("#question textarea")).to_have_value("+?/")
    page.locator("#thread .bubble").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    dialog = page.locator("#shortcuts dialog")
    expect(dialog).to_be_visible()
    for row in dialog.locator("dl > div").all():
        assert row.inner_text().strip()
    page.keyboard.press("+")  # nothing happens below a dialog
    dialog.locator("input").uncheck()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("+")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    expect(page.locator("#thread .turn")).to_have_count(1)
    page.locator("[data-act=shortcuts]").click()
    dialog.locator("input").check()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("+")
    expect(page.locator(".hero")).to_be_visible()


def test_back_and_forward_go_through_the_conversations_without_doubles(page: Page) -> None:
    shown = page.locator("#thread .bubble")
    first, second = "What is cold brew?", "How long do roasted beans stay fresh?"
    for question in (first, second):
        ask(page, question)
        settled(page)
        if question == first:
            page.locator("#new-chat").click()
            expect(page.locator(".hero")).to_be_visible()
    page.go_back()
    expect(shown).to_have_text(first)
    page.go_forward()
    expect(shown).to_have_text(second)
    page.locator("#conversations .title", has_text=first).click()
    expect(shown).to_have_text(first)
    page.go_back()
    expect(shown).to_have_text(second)
    row = page.locator("#conversations .row", has_text=first)
    row.locator(".bin").click()
    row.locator("[data-act=delete]").click()
    expect(page.locator("#conversations .row")).to_have_count(1)
    page.go_back()
    expect(page.locator("#notice")).to_contain_text("no such conversation")
    expect(page.locator(".hero")).to_be_visible()
    assert "?c=" not in page.url
    page.go_forward()
    expect(shown).to_have_text(second)


def test_every_button_has_a_name_of_its_own_and_chips_can_be_hit(page: Page) -> None:
    for turn in range(2):
        ask(page, QUESTION, MARKDOWN)
        settled(page, turn + 1)
    assert page.evaluate(DOUBLES) == {}
    page.locator("#new-chat").click()
    ask(page, QUESTION, BREAKING)
    settled(page)
    ask(page, QUESTION, BREAKING)
    settled(page, 2)
    assert page.evaluate(DOUBLES) == {}
    page.locator("#conversations .title").nth(1).click()
    expect(page.locator("#thread .cite").first).to_be_visible()
    page.locator("[data-act=documents]").first.click()
    expect(page.locator("#documents .row").first).to_be_visible()
    assert page.evaluate(DOUBLES) == {}
    boxes = page.evaluate(
        "[...document.querySelectorAll('.cite, .chips summary, #sources summary')]"
        ".map((each) => each.getBoundingClientRect())"
        ".filter(({ height }) => height).map(({ width, height }) => Math.min(width, height))"
    )
    assert len(boxes) > 4
    assert min(boxes) >= 24


def test_a_citation_changes_no_line(page: Page) -> None:
    ask(page, QUESTION)
    settled(page)
    block = page.locator("#thread .answer:has(.cite)").first
    before = block.evaluate("(block) => block.offsetHeight")
    block.evaluate("(block) => block.querySelectorAll('.cite').forEach((chip) => chip.replaceWith(chip.textContent))")
    assert page.locator("#thread .answer").first.evaluate("(block) => block.offsetHeight") == before


# Other screens -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
def test_who_prefers_more_contrast_gets_seven_to_one_in_every_text(page: Page, dark: bool) -> None:
    page.emulate_media(contrast="more", reduced_motion="reduce")
    if dark:
        page.evaluate("document.body.classList.add('dark')")
    for title in ("Search", "Instructions", "Advanced"):
        page.locator(".label-wrap", has_text=title).click()
    faint = {"empty": page.evaluate(FAINT)}
    ask(page, QUESTION)
    settled(page)
    page.locator("#thread .cite").first.click()
    page.locator("#sources summary").first.click()
    faint["done"] = page.evaluate(FAINT)
    page.keyboard.press("Escape")
    ask(page, QUESTION, MARKDOWN)
    settled(page, 2)
    ask(page, QUESTION, BREAKING)
    settled(page, 3)
    ask(page, QUESTION, SILENT)
    expect(page.locator("#live .waiting b")).to_contain_text("s")
    faint["running"] = page.evaluate(FAINT)
    page.keyboard.press("Escape")
    settled(page, 4)
    page.locator("[data-act=documents]").first.click()
    expect(page.locator("#documents .row").first).to_be_visible()
    faint["documents"] = page.evaluate(FAINT)
    assert {state: found for state, found in faint.items() if found} == {}


def test_a_large_screen_has_larger_type_and_one_left_edge(app: Served, browser: Browser) -> None:
    for page in visit(app, browser, {"width": 1920, "height": 1080}):
        ask(page, QUESTION)
        settled(page)
        assert page.locator("#thread .answer").first.evaluate("(each) => getComputedStyle(each).fontSize") == "18px"
        for edges in (
            (".top h1", "#thread .answer", "#thread .steps", "#question"),
            ("#reasoning h2", "#sources h2", "#sources .source .number"),
        ):
            lefts = [page.locator(each).first.evaluate("(each) => each.getBoundingClientRect().left") for each in edges]
            assert max(lefts) - min(lefts) <= 1


def test_paper_shows_questions_answers_and_sources_and_nothing_to_press(page: Page) -> None:
    ask(page, QUESTION)
    settled(page)
    ask(page, QUESTION, MARKDOWN)
    settled(page, 2)
    page.set_viewport_size({"width": 700, "height": 900})  # as wide as paper
    page.emulate_media(media="print")
    for seen in ("#thread .bubble", "#thread .answer", "#sources .source"):
        for each in page.locator(seen).all():
            expect(each).to_be_visible()
    for unseen in (".sidebar", "#compose", "#reasoning", ".top", "#tabs", "button", "summary"):
        assert not any(each.is_visible() for each in page.locator(unseen).all()), unseen
    answer = page.locator("#thread .answer").first
    answer.evaluate("(answer) => answer.insertAdjacentHTML('beforeend', '<a href=https://example.org/notes>notes</a>')")
    address = answer.locator("a:not(.cite)").last.evaluate("(each) => getComputedStyle(each, '::after').content")
    assert "https://example.org/notes" in address
    assert page.evaluate("document.documentElement.scrollHeight") > 900  # on as many pages as it takes


def test_in_the_systems_own_colours_the_signs_are_seen(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    ask(page, QUESTION)
    settled(page)
    for sign in ("#question .submit-button", "#thread .steps .done i", "#model label i", "#thread [data-act=copy]"):
        picture = Image.open(io.BytesIO(page.locator(sign).first.screenshot())).convert("L")
        darkest, brightest = picture.getextrema()
        assert brightest - darkest > 100, sign  # type: ignore[operator]


def test_the_inspector_shows_the_prompt_over_the_panes_copies_it_and_gives_the_focus_back(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(WITHOUT_CLIPBOARD)
    ask(page, QUESTION, MARKDOWN)
    settled(page)
    before = page.evaluate(PLACES)
    page.locator("#thread [data-act=inspect]").click()
    drawer = page.locator("#inspector dialog[open]")
    expect(drawer.locator(".figures")).to_be_visible()
    expect(drawer.locator("> div > .message", has_text="system").first).to_contain_text("Answer the question")
    box = drawer.bounding_box()
    assert box
    assert box["x"] >= page.evaluate("document.querySelector('#thread .answer').getBoundingClientRect().right")
    assert box["x"] + box["width"] == DESKTOP["width"]
    assert page.evaluate(PLACES) == before  # nothing under it moves
    drawer.locator("> div > .message > .passage summary").first.click()
    drawer.locator("[data-form=curl]").click()
    expect(drawer.locator("[data-form=curl]")).to_have_class("copied")
    assert "/chat/completions" in page.evaluate("copied")
    for dark in ("false", "true"):
        page.evaluate(f"document.body.classList.toggle('dark', {dark})")
        for view in ("1", "events", "model"):
            drawer.locator(f".views [data-view='{view}']").click()
            expect(drawer.locator(".drawer-head")).to_have_attribute("data-view", view)
            found = Axe().run(page, context="#inspector").response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page.locator("#thread [data-act=inspect]")).to_be_focused()
    page.locator("#question textarea").fill("What is crema?")
    page.locator(".fine [data-act=preview]").click()
    expect(drawer.locator("> div > .message").last).to_contain_text("What is crema?")


def test_an_edited_question_is_a_version_beside_the_earlier_one_and_both_can_be_paged_through(page: Page) -> None:
    edited, later = "How long do roasted beans stay fresh?", "And what does a coarse grind change?"
    for turn, question in enumerate((QUESTION, later)):
        ask(page, question)
        settled(page, turn + 1)
    page.locator("#thread [data-act=edit]").first.dispatch_event("click")
    expect(page.locator("#notice")).to_contain_text("The earlier one stays")
    ask(page, edited)
    settled(page)
    pager = page.locator("#thread .versions").first
    expect(pager).to_contain_text("2/2")
    assert page.evaluate(DOUBLES) == {}
    pager.locator("[data-key$=previous]").press("Enter")
    expect(page.locator("#thread .bubble")).to_have_text([QUESTION, later])
    expect(pager).to_contain_text("1/2")
    expect(pager.locator("[data-key$=previous]")).to_be_focused()
    sizes = [each.bounding_box() for each in pager.locator("button").all()]
    assert min(min(box["width"], box["height"]) for box in sizes if box) >= 24
    page.reload()
    settled(page, 2)
    expect(page.locator("#thread .versions")).to_have_count(1)
    expect(pager).to_contain_text("1/2")
    page.keyboard.press("Tab")
    pager.locator("[data-key$=next]").click()
    expect(page.locator("#thread .bubble")).to_have_text([edited])
    page.emulate_media(media="print")
    expect(pager).to_be_visible()
    expect(pager.locator("button").first).to_be_hidden()


def test_an_own_key_pays_for_its_model_alone_survives_a_reload_and_is_forgotten_at_a_click(
    page: Page, provider: Provider
) -> None:
    key, field, since = "typed-key-0123456789abcdef", page.locator("#model-key"), len(provider.authorized)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    expect(field).to_be_hidden()  # the built-in model takes none
    ask(page, QUESTION, BREAKING)
    settled(page)
    field.fill(key)
    expect(page.locator(f"#model label[title='{BREAKING}'] em")).to_have_text("your key")
    ask(page, "And when it is too hot?", MARKDOWN)
    expect(page.locator(".own-key .kept")).to_be_hidden()  # another server is asked without it
    settled(page, 2)
    page.reload()
    ask(page, "And the pressure?", BREAKING)
    settled(page, 3)
    assert provider.authorized[since:] == ["none", "none", key]
    everything = page.content() + page.evaluate("JSON.stringify(localStorage) + location.href") + "".join(sent)
    assert key not in everything
    page.locator("[data-act=forget-key]").click()
    expect(page.locator(f"#model label[title='{BREAKING}'] em")).not_to_have_text("your key")
    assert page.evaluate("sessionStorage.getItem('glassbox-model-keys')") is None


def test_a_profile_sets_the_controls_asks_its_questions_and_gives_way_to_what_is_chosen_afterwards(page: Page) -> None:
    page.locator(".label-wrap", has_text="Advanced").click()
    page.locator("#profile label", has_text="Coffee support").click()
    ask(page, QUESTION)  # at once: no round trip lies between the choice and the question
    settled(page)
    expect(page.locator("#thread .chips")).to_contain_text("profile support-bot")
    expect(page.locator("#temperature input[type=number]")).to_have_value("0.3")
    page.locator("#model label", has_text=MARKDOWN).click()
    expect(page.locator("#temperature input[type=range]")).to_be_enabled()
    page.locator("#temperature input[type=range]").fill("1.1")
    page.wait_for_function("glassbox.preferences?.temperature === 1.1")
    page.wait_for_function("localStorage.getItem('glassbox-knobs')")
    page.reload()
    page.locator("#new-chat").click()
    expect(page.locator(".hero .wordmark")).to_have_text("Coffee support")
    page.locator(".examples button", has_text="How hot should the water be?").click()
    settled(page)
    for told in ("profile support-bot", "temperature 1.1", "at most 500 tokens", "own instructions"):
        expect(page.locator("#thread .chips")).to_contain_text(told)
    expect(page.locator("#thread .steps")).to_contain_text("Looking it up in the handbook")
    expect(page.locator("#reasoning")).to_contain_text("The profile does not show the reasoning.")
    page.locator(".label-wrap", has_text="Advanced").click()
    expect(page.locator("#temperature input[type=number]")).to_have_value("1.1")
    page.locator("#profile label", has_text="No profile").click()
    page.locator("#new-chat").click()
    expect(page.locator(".hero .wordmark")).to_have_text("Glassbox")
    expect(page.locator("#temperature input[type=number]")).to_have_value("0.7")
