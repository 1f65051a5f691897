"""What is said and asked about verdicts, in a real Chromium: cases, inquiries to a model, and the card of a refusal."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.provider import Provider
from tests.served import Served, served
from tests.test_chromium_citing import DESKTOP, PHONE, ask, visit

PRESSURE = "With how much pressure is an espresso made?"
GROUNDED, SILENT, LOCKED, JUDGE, CHECKED = "grounded", "silent-later", "locked-later", "judge", "checked"
MODELS = [GROUNDED, SILENT, LOCKED, JUDGE, CHECKED, "cites", "declines", "says-wrong-pressure"]
SMALL = """() => [...document.querySelectorAll(":is(.beside, .checks, .refusal) :is(button, summary)")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)"""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Provider() as provider:
        models = [{"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base} for name in MODELS]
        more = {"CONNECT_TIMEOUT_S": "60", "FIRST_TOKEN_TIMEOUT_S": "60", "CHECK_MODEL": JUDGE}
        with served(tmp_path_factory.mktemp("asking"), MODELS=json.dumps(models), **more) as running:
            yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, request.param)


@pytest.fixture
def desktop(app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, DESKTOP)


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]


def opened(page: Page, of: str = "#thread .answer .cite") -> Locator:
    """The card of the first sentence of that kind."""
    page.locator(of).first.press("Enter")
    card = page.locator("#thread .beside")
    expect(card).to_be_focused()
    return card


def again(page: Page) -> None:
    """Load the page anew."""
    page.reload()
    expect(page.locator("#thread .facts").first).to_be_visible()


def test_a_wrong_verdict_is_kept_with_one_press_and_taken_back_with_another(page: Page, app: Served) -> None:
    ask(page, "How is espresso made?", CHECKED, 1)
    report = opened(page).get_by_role("button", name="This verdict is wrong")
    expect(report).to_have_attribute("aria-pressed", "false")
    report.press("Enter")
    expect(report).to_have_attribute("aria-pressed", "true")
    expect(report).to_be_focused()
    again(page)
    report = opened(page).get_by_role("button", name="This verdict is wrong")
    expect(report).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(SMALL) == []
    assert violations(page) == []
    report.click()
    expect(report).to_have_attribute("aria-pressed", "false")


def test_a_model_is_asked_which_passage_a_sentence_stands_on_after_its_cost_was_said(page: Page) -> None:
    ask(page, PRESSURE, GROUNDED, 1)
    card = opened(page)
    button = card.get_by_role("button", name="Which passage does it stand on?")
    expect(button).to_have_text(re.compile(r"at most \d calls of grounded, free"))
    button.press("Enter")
    found = card.locator(".inquiry")
    expect(found).to_contain_text(re.compile(r"It stands on \[\d\]: left out, the sentence goes."))
    expect(found.locator("li").first).to_have_text("with all passages: says it still")
    expect(found.locator("[data-outcome=gone]")).to_have_count(1)
    expect(button).to_have_count(0)
    expect(card).to_be_focused()
    said = found.inner_text()
    assert violations(page) == []
    again(page)
    assert opened(page).locator(".inquiry").inner_text() == said
    assert page.evaluate(SMALL) == []


def test_asking_can_be_stopped_also_in_a_card_that_was_opened_again_meanwhile(desktop: Page) -> None:
    ask(desktop, PRESSURE, SILENT, 1)
    card = opened(desktop)
    question = card.get_by_role("button", name="Which passage does it stand on?")
    question.click()
    expect(card.locator(".inquiry[aria-busy=true]")).to_contain_text("silent-later is asked again")
    desktop.keyboard.press("Escape")
    expect(card).to_have_count(0)
    opened(desktop)
    expect(card.locator(".inquiry[aria-busy=true]")).to_contain_text("silent-later is asked again")
    expect(question).to_have_count(0)
    stop = card.get_by_role("button", name="Stop asking")
    stop.press("Enter")
    expect(card.locator(".inquiry")).to_contain_text("Stopped. Nothing more is asked.")
    expect(question).to_be_focused()


def test_why_a_model_could_not_be_asked_stands_in_the_card_and_it_can_be_asked_again(desktop: Page) -> None:
    ask(desktop, PRESSURE, LOCKED, 1)
    card = opened(desktop)
    card.get_by_role("button", name="Which passage does it stand on?").click()
    expect(card.locator(".inquiry .bad")).to_contain_text("key")
    expect(card.get_by_role("button", name="Which passage does it stand on?")).to_be_visible()


def test_a_model_judges_the_weak_sentences_of_an_answer_and_what_it_said_is_kept(page: Page) -> None:
    ask(page, "How is espresso made?", CHECKED, 1)
    under = page.locator("#thread .checks .second")
    button = under.get_by_role("button", name=re.compile("Ask a model about the"))
    expect(button).to_have_text(re.compile("1 call of judge, free"))
    button.press("Enter")
    expect(under.locator("[role=status]")).to_contain_text("judge says: 1 supported")
    expect(button).to_have_count(0)
    said = under.inner_text()
    assert page.evaluate(SMALL) == []
    assert violations(page) == []
    again(page)
    expect(under.locator("li").first).to_be_visible()
    assert under.inner_text() == said
    under.locator("li button").first.click()
    expect(page.locator("#thread .beside[data-v=weak]")).to_be_focused()


def test_in_german_every_word_of_it_is_german(desktop: Page) -> None:
    ask(desktop, "Mit wie viel Druck wird ein Espresso gemacht?", GROUNDED, 1)
    card = opened(desktop)
    expect(card.get_by_role("button", name="Dieses Urteil ist falsch")).to_be_visible()
    expect(card.get_by_role("button", name="Auf welcher Passage beruht der Satz?")).to_be_visible()


def refused(page: Page) -> Locator:
    """The card of an answer that refuses."""
    ask(page, "Who painted the Mona Lisa?", "declines", 1)
    card = page.locator("#thread .refusal")
    expect(card).to_be_visible()
    return card


def test_a_refusal_can_be_called_wrong_and_that_is_kept(page: Page) -> None:
    in_there = refused(page).locator("[data-act=in-there]")
    expect(in_there).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(SMALL) == []
    assert violations(page) == []
    in_there.press("Enter")
    expect(in_there).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#thread [data-act=dislike]").first).to_have_attribute("aria-pressed", "true")
    expect(in_there).to_be_focused()
    ask(page, PRESSURE, GROUNDED, 2)  # by its ending the rating has long been stored
    again(page)
    expect(in_there).to_have_attribute("aria-pressed", "true")
    in_there.click()
    expect(in_there).to_have_attribute("aria-pressed", "false")


def test_a_refusal_leads_to_a_wider_search_to_documents_and_to_the_closest_passage(page: Page) -> None:
    card = refused(page)
    card.locator("[data-act=documents]").click()
    expect(page.locator("#documents dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#documents dialog[open]")).to_have_count(0)
    card.locator("[data-act=search-more]").press("Enter")
    expect(page.locator("#thread .versions")).to_contain_text("2/2")
    expect(page.locator("#thread .facts")).to_contain_text("20 passages")
    expect(page.locator("#thread .refusal [data-act=search-more]")).to_have_count(0)


def test_an_answer_most_of_whose_statements_are_not_found_says_so_above_its_first_line(page: Page) -> None:
    ask(page, "Who painted the Mona Lisa?", "cites", 1)
    head = page.locator("#thread .answer-head.doubtful")
    expect(head).to_have_text(re.compile(r"Check this answer: \d of \d statements are not, or only partly, supported"))
    expect(head).to_have_role("note")
    assert head.bounding_box()["y"] < page.locator("#thread .answer").first.bounding_box()["y"]  # type: ignore[index]
    assert violations(page) == []
    again(page)
    expect(head).to_be_visible()
