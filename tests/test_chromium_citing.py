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
from tests.provider import CHECKED as TOLD
from tests.provider import Provider
from tests.served import Served, served

QUESTION, UNANSWERED = "Why does water temperature change the taste of coffee?", "Who painted the Mona Lisa?"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
CITES, SLOWLY, DECLINES, UNMATCHED, CHECKED = "cites", "cites-gap-400", "declines", "rich", "checked"
CHECKED_LIVE = "checked-gap-200"
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
TIME = re.compile(r"<em><span[^>]*>[\d.,]+ m?s</span></em>")
# Selectors → those that match something in an answer or in its reasoning.
REACHING = """(selectors) => {
  const others = [...document.querySelectorAll("#reasoning *, #chat .turn *")];
  return selectors.filter((selector) => others.some((each) => each.matches(selector)));
}"""
# Chips → for each its verdict, its colour, its shape and its sign.
LOOKS = """(chips) => chips.map((chip) => {
  const of = (part) => getComputedStyle(chip, part), { borderRadius, boxShadow, backgroundColor } = of("::before");
  const shape = [borderRadius, boxShadow, backgroundColor].join();
  return [chip.dataset.v, getComputedStyle(chip).color, shape, of("::after").maskImage];
})"""
SIZES = """(chips) => chips.flatMap((chip) => [chip, chip.parentElement]).map((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  return [x, y, width, height];
})"""
# The end of the sentence that is compared, top and end of its card, and the top of the text behind it.
AROUND_CARD = """() => {
  const room = document.querySelector(".beside-room"), card = document.querySelector(".beside").getBoundingClientRect();
  const place = [...room.parentNode.childNodes].indexOf(room), text = room.closest(".answer");
  const lines = (from, to) => {
    const range = new Range();
    range.setStart(...from);
    range.setEnd(...to);
    return [...range.getClientRects()].filter(({ width }) => width);
  };
  const before = lines([text, 0], [room.parentNode, place]).map(({ bottom }) => bottom);
  const behind = lines([room.parentNode, place + 1], [text, text.childNodes.length]).map(({ top }) => top);
  return [Math.max(...before), [card.top, card.bottom], Math.min(...behind)];
}"""
# What can be pressed in the card, below the answer and in its text, and is smaller than 24 pixels.
SMALL = """() => [...document.querySelectorAll(":is(.beside, .checks) :is(button, summary), .answer :is(.cite, .ours)")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)"""
WITHOUT_VERDICTS = "(chips) => chips.forEach((each) => delete each.dataset.v)"
LOOK = """(selector) => {
  const { color, fontSize } = getComputedStyle(document.querySelector(selector));
  return [getComputedStyle(document.body).getPropertyValue("--ink").trim(), color, parseFloat(fontSize)];
}"""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Provider() as provider:
        names = [CITES, SLOWLY, DECLINES, UNMATCHED, CHECKED, CHECKED_LIVE]
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
    expect(page.locator(".beside")).to_be_focused()
    page.locator(".beside [data-act=show-source]").click()
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
    expect(page.locator(f"#sources .source.lit[data-n='{chip.get_attribute('data-n')}']")).to_be_visible()
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
    expect(page.locator("#thread .turn").first.locator(".beside")).to_be_focused()


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
    names = ["verbatim", "supported", "weak", "weak", "wrong source", "not found"]
    assert [verdict.replace("_", " ") for verdict, *_ in looks] == names
    for kind, least in ((1, 4), (2, 5), (3, 5)):  # shape and sign tell each kind apart, colour all but those to look at
        assert len({look[kind] for look in looks}) == least
    for chip, name in zip(chips.all(), names, strict=True):
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
    page.locator("#thread .answer .cite").nth(3).hover()
    expect(page.locator("#preview.open .verdict")).to_contain_text("the answer says “55”")
    assert violations(page) == []


def test_nothing_moves_while_verdicts_come(page: Page) -> None:
    ask(page, "How is espresso made?", CHECKED_LIVE)
    expect(page.locator("#live .answer")).to_be_visible()
    page.evaluate(SHIFTS)
    expect(page.locator("#live .cite[data-v]").nth(1)).to_be_visible()
    expect(page.locator("#thread .facts")).to_have_count(1)
    shifts = [nodes for _, *nodes in page.evaluate("shifts")]
    # The time of a step is wider with each digit.
    assert [nodes for nodes in shifts if not nodes or not all(TIME.fullmatch(str(node)) for node in nodes)] == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_click_shows_sentence_and_passage_side_by_side_with_what_differs(page: Page, dark: bool) -> None:
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    ask(page, "How is espresso made?", CHECKED, 1)
    chip, beside = page.locator("#thread .answer .cite").nth(3), page.locator("#thread .beside")
    said = page.locator("#thread .answer").all_text_contents()
    chip.press("Enter")
    expect(beside).to_be_focused()
    expect(beside).to_have_accessible_name("weak. “25” stands in [2], the answer says “55”. 2 of 5 doubtful")
    expect(beside.locator(".said-here strong")).to_have_text(["55b", "60 secondsc"])
    expect(beside.locator(".said-there strong")).to_have_text(["25b", "30 secondsc"])
    expect(beside.locator("u[data-pair=a]")).to_have_text(["The extraction of an espresso takes abouta"] * 2)
    expect(page.locator("#sources .source.lit[data-n='2']")).to_be_visible()
    assert page.locator("#thread .answer").all_text_contents() == said  # it holds nothing else
    above, card, below = page.evaluate(AROUND_CARD)
    assert above <= card[0] <= card[1] <= below
    assert violations(page) == []
    assert page.evaluate(SMALL) == []
    page.keyboard.press("Escape")
    expect(beside).to_have_count(0)
    expect(chip).to_be_focused()
    nothing_marked(page)
    chip.click()
    expect(beside).to_be_visible()
    chip.click()
    expect(beside).to_have_count(0)


def test_the_card_stays_at_its_sentence_while_the_answer_grows_and_ends(page: Page) -> None:
    ask(page, "How is espresso made?", CHECKED_LIVE)
    page.locator("#live .cite[data-v=weak]").first.click()
    expect(page.locator("#live .beside")).to_be_focused()
    expect(page.locator("#thread .beside")).to_be_focused()
    above, card, below = page.evaluate(AROUND_CARD)
    assert above <= card[0] <= card[1] <= below


def test_the_keys_lead_through_the_doubtful_sentences_of_all_answers(page: Page) -> None:
    ask(page, "How is espresso made?", CHECKED, 1)
    ask(page, "How is espresso made?", CHECKED, 2)
    page.locator("#question textarea").press("n")
    expect(page.locator("#question textarea")).to_have_value("n")
    page.locator("#question textarea").fill("")
    page.locator("#thread .through").first.click()
    place, last = page.locator(".beside .nav > span"), page.locator("#thread .turn").last
    expect(page.locator("#thread .turn").first.locator(".beside")).to_be_focused()
    for number in range(1, 6):
        expect(place).to_have_text(f"{number} of 5 doubtful")
        page.keyboard.press("n")
    expect(last.locator(".beside .nav > span")).to_have_text(re.compile("^1 of "))
    expect(last.locator(".beside")).to_be_focused()
    page.keyboard.press("p")
    expect(page.locator("#thread .turn").first.locator(".beside .nav > span")).to_have_text("5 of 5 doubtful")
    page.locator(".beside [data-act=next-doubtful]").press("Enter")
    expect(last.locator(".beside .nav > span")).to_have_text(re.compile("^1 of "))
    last.locator(".doubted").last.click()
    expect(place).to_have_text(re.compile(r"^(\d) of \1 "))


def test_our_numbers_stand_beside_the_models_and_each_can_be_undone(page: Page) -> None:
    ask(page, "How is espresso made?", CHECKED, 1)
    answer, beside = page.locator("#thread .answer"), page.locator(".beside")
    wrong, ours = page.locator(".answer .cite[data-v=wrong_source]"), page.locator(".answer .ours.repointed")
    expect(page.locator(".answer .ours")).to_have_count(2)
    assert re.sub(r"[\u2060\u202f\s]", "", answer.inner_text()) == re.sub(r"[\[\]\s]", "", TOLD)
    for chip, number in ((wrong, "2"), (ours, "1")):
        chip.click()
        expect(beside.locator(".number")).to_have_text(number)
        expect(page.locator("#sources .source.lit")).to_have_attribute("data-n", number)
    beside.get_by_role("button", name="Undo our number").click()
    expect(ours).to_be_hidden()
    expect(beside).to_be_visible()
    page.reload()
    expect(page.locator(".answer .ours.added")).to_be_visible()
    expect(ours).to_be_hidden()
    wrong.click()
    beside.get_by_role("button", name="Show our number [1] again").click()
    expect(ours).to_be_visible()
    page.locator("#thread [data-act=copy]").click()
    assert json.loads(page.locator("#thread .facts").get_attribute("data-answer") or "") == TOLD


def test_one_switch_hides_all_of_it_and_is_remembered(page: Page) -> None:
    ask(page, "How is espresso made?", CHECKED, 1)
    chip = page.locator("#thread .answer .cite").nth(3)
    page.locator(".checks .about").click()
    legend = page.get_by_role("dialog", name="What the marks mean")
    expect(legend.locator("li")).to_have_count(6)
    assert violations(page) == []
    legend.get_by_label("Show the marks").uncheck()
    page.keyboard.press("Escape")
    for _ in range(2):
        expect(page.locator(".checks")).to_be_hidden()
        expect(page.locator(".answer .ours").first).to_be_hidden()
        expect(chip).to_have_accessible_name("Source 2: Espresso")
        assert chip.evaluate("(chip) => getComputedStyle(chip, '::after').content") == "none"
        assert page.locator(".doubted").first.evaluate("(each) => getComputedStyle(each).textDecorationLine") == "none"
        page.reload()
        expect(page.locator("#thread .facts")).to_have_count(1)
    chip.click()
    expect(page.locator("#sources .source.lit")).to_be_focused()  # as a chip without a verdict
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("v")
    expect(page.locator(".checks")).to_be_visible()
    expect(chip).to_have_accessible_name("Source 2: Espresso, weak")
    page.emulate_media(media="print")
    assert chip.evaluate("(chip) => getComputedStyle(chip, '::after').content") == '" ?]"'
    expect(page.locator("#thread").get_by_role("button")).to_have_count(0)


def test_a_phone_stacks_both_texts_and_goes_on_to_the_sources_with_the_sentence_in_sight(phone: Page) -> None:
    ask(phone, QUESTION, CITES, 1)
    phone.locator("#thread .answer .cite").nth(2).tap()
    expect(phone.locator("#preview.open")).to_have_count(0)
    expect(phone.locator("#tabs [data-tab=chat]")).to_have_attribute("aria-selected", "true")
    here, there = (phone.locator(f".beside .{side}").bounding_box() for side in ("said-here", "said-there"))
    assert here
    assert there
    assert here["y"] + here["height"] <= there["y"] + 1
    assert 0 <= here["x"] <= here["x"] + here["width"] <= PHONE["width"]
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert phone.evaluate(SMALL) == []
    phone.locator(".beside [data-act=show-source]").tap()
    expect(phone.locator("#tabs [data-tab=sources]")).to_have_attribute("aria-selected", "true")
    marks(phone, HARSH)
    phone.wait_for_function(IN_SIGHT)


def test_what_a_refusal_found_is_folded_and_a_chip_of_the_reasoning_unfolds_it(page: Page) -> None:
    ask(page, UNANSWERED, "builtin/extractive", 1)
    expect(page.locator("#thread .refusal h3")).to_have_text("The documents do not say this")
    expect(page.locator("#sources .badge")).to_have_text("1 of 3 words found")
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
