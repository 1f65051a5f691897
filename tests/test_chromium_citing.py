"""Citations in a real Chromium: chosen, previewed, kept, on every screen; and what stands where nothing is cited."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pipeline.settings import ROOT
from tests.chromium import PATIENCE_MS
from tests.provider import Provider
from tests.served import Served, served

QUESTION, UNANSWERED = "Why does water temperature change the taste of coffee?", "Who painted the Mona Lisa?"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
CITES, SLOWLY, DECLINES, UNMATCHED, CHECKED = "cites", "cites-gap-400", "declines", "rich", "checked"
FASTER = "Water temperature changes the taste of coffee because hot water dissolves more substances"
THIN = "Water that is too cool leaves sweetness behind"
HARSH = "Water that is very hot pulls out more bitter and drying substances"
# What of the card is marked, as it is read; and whether all of it is in sight.
MARKED = "() => [...document.querySelectorAll('#sources .cited')].map((each) => each.textContent).join('')"
IN_SIGHT = """() => {
  const sight = document.querySelector("#sources .body").getBoundingClientRect();
  const rects = [...document.querySelectorAll("#sources .cited")].map((each) => each.getBoundingClientRect());
  return rects.length > 0 && rects.every(({ top, bottom }) => top >= sight.top && bottom <= sight.bottom);
}"""
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      shifts.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.textContent)]);
  }).observe({ type: "layout-shift" });
}"""
# Selectors → those that match something in an answer or in its reasoning.
REACHING = """(selectors) => {
  const others = [...document.querySelectorAll("#reasoning *, #chat .turn *")];
  return selectors.filter((selector) => others.some((each) => each.matches(selector)));
}"""
# Chips → for each its verdict, its colour, its shape and its sign.
LOOKS = """(chips) => chips.map((chip) => {
  const of = (part) => getComputedStyle(chip, part), { borderRadius, boxShadow, backgroundColor } = of("::before");
  const shape = [borderRadius, boxShadow, backgroundColor].join();
  return [chip.dataset.v, getComputedStyle(chip).color, shape, of("::after").content];
})"""
SIZES = """(chips) => chips.flatMap((chip) => [chip, chip.parentElement]).map((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  return [x, y, width, height];
})"""
WITHOUT_VERDICTS = "(chips) => chips.forEach((each) => delete each.dataset.v)"
LOOK = """(selector) => {
  const { color, fontSize } = getComputedStyle(document.querySelector(selector));
  return [getComputedStyle(document.body).getPropertyValue("--ink").trim(), color, parseFloat(fontSize)];
}"""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Provider() as provider:
        names = [CITES, SLOWLY, DECLINES, UNMATCHED, CHECKED]
        models = [{"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base} for name in names]
        limits = {"CONNECT_TIMEOUT_S": "60", "FIRST_TOKEN_TIMEOUT_S": "60", "IDLE_TIMEOUT_S": "60"}
        with served(tmp_path_factory.mktemp("citing"), MODELS=json.dumps(models), **limits) as running:
            yield running


@pytest.fixture
def page(app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, DESKTOP)


@pytest.fixture
def phone(app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, PHONE, has_touch=True)


def visit(app: Served, browser: Browser, size: Any, **more: Any) -> Iterator[Page]:
    context = browser.new_context(viewport=size, reduced_motion="reduce", **more)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(app.url)
    expect(page.locator("#question textarea")).to_be_visible()
    yield page
    context.close()
    assert wrong == []


def ask(page: Page, question: str, model: str, turns: int = 0) -> None:
    """With a model of that name; until so many turns have ended, if any."""
    page.evaluate("(label) => document.querySelector(`#model input[value='${label}']`).click()", model)
    expect(page.locator("#model input:checked")).to_have_attribute("value", model)
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    if turns:
        expect(page.locator("#thread .facts")).to_have_count(turns)


def marks(page: Page, begins: str) -> None:
    """Until that sentence, and no other, is marked in the card, which is lit."""
    expect(page.locator("#sources .cited").first).to_be_visible()
    page.wait_for_function(f"(begins) => ({MARKED})().startsWith(begins)", arg=begins)
    said = page.evaluate(MARKED)
    assert said.endswith(".")
    assert said.count(". ") == 0
    expect(page.locator("#sources .source.lit")).to_have_count(1)


def nothing_marked(page: Page) -> None:
    expect(page.locator(".lit, .cited, .cite[aria-current]")).to_have_count(0)


def test_a_chip_pins_its_card_and_marks_its_own_sentence_until_another_is_chosen(page: Page) -> None:
    ask(page, QUESTION, CITES, 1)
    chips = page.locator("#thread .answer .cite")
    chips.nth(0).click()
    marks(page, FASTER)
    expect(page.locator("#sources .source[data-n='1']")).to_be_focused()
    expect(page.locator("#status")).to_contain_text(FASTER)
    chips.nth(1).hover()
    expect(page.locator("#preview.open")).to_contain_text(THIN)
    marks(page, FASTER)
    chips.nth(1).click()
    marks(page, THIN)
    expect(page.locator(".cite[aria-current]")).to_have_count(1)
    chips.nth(1).click()
    nothing_marked(page)
    chips.nth(2).click()
    marks(page, HARSH)
    page.emulate_media(media="print")  # what is chosen is white on its ground, and paper has none
    assert page.evaluate(LOOK, "#thread .answer .cite.lit")[1] == page.evaluate(LOOK, "#thread .answer")[1]
    page.emulate_media(media="screen")
    page.keyboard.press("Escape")
    nothing_marked(page)
    expect(chips.nth(2)).to_be_focused()


def test_a_chip_that_matches_no_sentence_pins_its_card_and_marks_nothing_in_it(page: Page) -> None:
    ask(page, QUESTION, UNMATCHED, 1)
    chip = page.locator("#thread .answer .cite:not([data-s])").first
    chip.click()
    expect(page.locator(f"#sources .source.lit[data-n='{chip.get_attribute('data-n')}']")).to_be_focused()
    expect(page.locator("#sources .cited")).to_have_count(0)


def test_a_chip_of_an_earlier_turn_does_the_same_also_after_a_reload_and_by_keyboard(page: Page) -> None:
    ask(page, QUESTION, CITES, 1)
    ask(page, UNANSWERED, DECLINES, 2)
    chip = page.locator("#thread .turn").first.locator(".answer .cite").nth(1)
    chip.click()
    marks(page, THIN)
    page.locator("#sources [data-act=present]").click()
    nothing_marked(page)
    page.reload()
    expect(page.locator("#thread .facts")).to_have_count(2)
    chip.focus()
    page.keyboard.press("Enter")
    marks(page, THIN)
    expect(page.locator("#sources .source.lit")).to_be_focused()


def test_a_chip_of_the_running_answer_stays_chosen_while_it_grows_and_ends(page: Page) -> None:
    ask(page, QUESTION, SLOWLY)
    page.locator("#live .answer .cite").first.click()
    marks(page, FASTER)
    expect(page.locator("#live .turn[data-state=running]")).to_have_count(1)
    expect(page.locator("#live .answer .cite")).to_have_count(2)
    marks(page, FASTER)
    expect(page.locator("#thread .facts")).to_have_count(1)
    marks(page, FASTER)
    expect(page.locator("#thread .cite[aria-current]")).to_have_count(1)


def test_the_preview_shows_the_sentence_moves_nothing_and_can_be_pointed_at_and_dismissed(page: Page) -> None:
    ask(page, QUESTION, CITES, 1)
    expect(page.locator(".stop-button")).to_have_count(0)
    page.evaluate(SHIFTS)
    chip, preview = page.locator("#thread .answer .cite").nth(1), page.locator("#preview.open")
    chip.hover()
    for text in ("Water and temperature", "Why temperature changes the taste", THIN):
        expect(preview).to_contain_text(text)
    expect(chip).to_have_attribute("aria-describedby", "preview")
    preview.hover()
    page.wait_for_timeout(600)  # longer than it takes to close
    expect(preview).to_have_count(1)
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)
    chip.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(preview).to_contain_text(THIN)
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)
    assert page.evaluate("shifts") == []


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_where_a_card_is_pinned_and_another_previewed(page: Page, dark: bool) -> None:
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    ask(page, QUESTION, CITES, 1)
    page.locator("#thread .answer .cite").nth(2).click()
    marks(page, HARSH)
    page.locator("#thread .answer .cite").nth(0).hover()
    expect(page.locator("#preview.open")).to_contain_text(FASTER)
    assert violations(page) == []


def test_verdicts_are_told_by_colour_shape_sign_and_name_and_take_no_room(page: Page) -> None:
    ask(page, "How is espresso made?", CHECKED, 1)
    chips = page.locator("#thread .answer .cite")
    looks = chips.evaluate_all(LOOKS)
    assert [verdict for verdict, *_ in looks] == ["verbatim", "weak", "weak", "wrong_source", "not_found"]
    for kind in range(1, 4):  # each tells the kinds apart, but for the colour of those to look at
        assert len({look[kind] for look in looks}) >= 3
    assert len({sign for _, _, _, sign in looks}) == 4
    for chip, name in zip(chips.all(), ["verbatim", "weak", "weak", "wrong source", "not found"], strict=True):
        expect(chip).to_have_accessible_name(re.compile(f", {name}$"))
    sizes = chips.evaluate_all(SIZES)
    chips.evaluate_all(WITHOUT_VERDICTS)
    assert chips.evaluate_all(SIZES) == sizes


@pytest.mark.parametrize("dark", [False, True])
def test_the_doubtful_sentences_are_listed_with_what_speaks_against_them(page: Page, dark: bool) -> None:
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    ask(page, "How is espresso made?", CHECKED, 1)
    page.locator("#thread .checks summary").press("Enter")
    expect(page.locator("#thread .checks li")).to_have_count(5)
    expect(page.locator("#thread .checks li").nth(1)).to_contain_text("“25” stands in [2], the answer says “55”.")
    page.locator("#thread .answer .cite").nth(2).hover()
    expect(page.locator("#preview.open .verdict")).to_contain_text("the answer says “55”")
    assert violations(page) == []


def test_a_phone_goes_to_the_sources_with_the_sentence_in_sight_and_previews_nothing(phone: Page) -> None:
    ask(phone, QUESTION, CITES, 1)
    phone.locator("#thread .answer .cite").nth(2).tap()
    expect(phone.locator("#tabs [data-tab=sources]")).to_have_attribute("aria-selected", "true")
    marks(phone, HARSH)
    phone.wait_for_function(IN_SIGHT)
    expect(phone.locator("#preview.open")).to_have_count(0)


def test_what_a_refusal_found_is_folded_and_a_chip_of_the_reasoning_unfolds_it(page: Page) -> None:
    ask(page, UNANSWERED, "builtin/extractive", 1)
    expect(page.locator("#thread .note")).to_have_text("Hardly a word of the question was found in the documents.")
    expect(page.locator("#sources .badge")).to_have_text("words not found")
    expect(page.locator("#sources .source").first).to_be_hidden()
    page.locator("#reasoning .cite").first.click()
    expect(page.locator("#sources .source.lit")).to_be_visible()
    assert violations(page) == []


def test_reasoning_is_readable_and_no_style_of_a_dialog_or_card_reaches_it(page: Page) -> None:
    ask(page, QUESTION, CITES, 1)
    expect(page.locator("#reasoning .said.reason").first).to_be_visible()
    ink, color, size_px = page.evaluate(LOOK, "#reasoning .said.reason")
    assert size_px >= 14.5
    assert color == "rgb({}, {}, {})".format(*bytes.fromhex(ink.removeprefix("#")))
    assert page.evaluate(REACHING, selectors_of("documents.css")) == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def selectors_of(name: str) -> list[str]:
    """Of every rule of a style sheet, also of those below a condition."""
    css = (ROOT / "components/static" / name).read_text(encoding="utf-8")
    rules = re.sub(r"/\*.*?\*/|@[^{;]*[{;]", "", css, flags=re.S)
    found = [selector.strip() for selector in re.findall(r"([^{}]+)\{", rules)]
    return [selector for selector in found if selector not in ("from", "to") and not selector[0].isdigit()]
