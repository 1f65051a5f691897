"""The page of comparisons, in a real Chromium: columns live beside each other, settings, blind votes, the default."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.provider import Provider
from tests.served import Served, served
from tests.test_chromium_asking import violations
from tests.test_chromium_citing import DESKTOP, PHONE

QUESTION = "Why does water temperature change the taste of coffee?"
CITES, SLOW, ENDLESS = "cites", "ok-tokens-60-gap-30", "endless"
BUILTIN = "builtin/extractive"
SMALL = """() => [...document.querySelectorAll(".page :is(button, summary, select, input:not([type=checkbox]))")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)"""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Provider() as provider:
        names = [CITES, SLOW, ENDLESS]
        models = [{"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base} for name in names]
        more = {"CONNECT_TIMEOUT_S": "60", "FIRST_TOKEN_TIMEOUT_S": "60", "DEFAULT_MODEL": CITES}
        with served(tmp_path_factory.mktemp("compare"), MODELS=json.dumps(models), **more) as running:
            yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, request.param)


@pytest.fixture
def desktop(app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, DESKTOP)


def visit(app: Served, browser: Browser, size: dict[str, int]) -> Iterator[Page]:
    """A new visitor on the page."""
    context = browser.new_context(viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{app.url}/compare")
    expect(page.locator(".compared").first).to_be_visible(timeout=30_000)
    yield page
    context.close()
    assert errors == []


def preset(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")


def ask(page: Page, question: str = QUESTION) -> None:
    page.locator("#compare-question textarea").fill(question)
    page.locator("#compare-question textarea").press("Enter")
    expect(page.locator(".compare-bar")).to_have_attribute("data-conversation", re.compile(".{16,}"))


def ended(page: Page, count: int) -> None:
    """Wait until that many columns have ended, and the vote is open or cast."""
    expect(page.locator(".compared[data-state=ended]")).to_have_count(count, timeout=30_000)
    expect(page.locator(".vote [role=status]")).to_have_text("", timeout=30_000)


def name_of(page: Page, place: int) -> str:
    return page.locator(".compared h2").nth(place).inner_text()


def test_passages_are_compared_and_a_reload_shows_the_same(page: Page) -> None:
    preset(page, "Passages")
    ask(page)
    ended(page, 3)
    assert [page.locator(".compared").nth(at).locator(".strip li").count() for at in range(3)] == [2, 4, 8]
    expect(page.locator(".compared .answer").first).to_contain_text("otter water")
    expect(page.locator(".differs b").first).to_have_text("Passages: 2")
    assert page.evaluate(SMALL) == []
    assert violations(page) == []
    said = page.locator(".compared").nth(1).inner_text()
    page.reload()
    ended(page, 3)
    assert page.locator(".compared").nth(1).inner_text() == said


def test_columns_with_one_search_say_so_and_history_has_one_line_that_opens_it(desktop: Page, app: Served) -> None:
    preset(desktop, "Stream")
    ask(desktop)
    ended(desktop, 2)
    expect(desktop.locator(".compared .steps", has_text="searched once for all")).to_have_count(1)
    expect(desktop.locator("#conversations .row")).to_have_count(1)
    address = desktop.url
    desktop.goto(app.url)
    row = desktop.locator("#conversations .row .title")
    expect(row).to_have_count(1)
    row.click()
    expect(desktop).to_have_url(address)
    ended(desktop, 2)


def test_the_draft_passes_axe_and_settings_of_a_column_are_chosen_in_it(page: Page) -> None:
    assert violations(page) == []
    assert page.evaluate(SMALL) == []
    preset(page, "Passages")
    page.get_by_label("Passages B").fill("6")
    page.get_by_label("Passages B").press("Tab")
    expect(page.locator(".differs b").nth(1)).to_have_text("Passages: 6")
    page.get_by_role("button", name="Remove column C").click()
    expect(page.locator(".compared")).to_have_count(2)
    page.get_by_role("button", name="+ Column").click()
    expect(page.locator(".compared")).to_have_count(3)


def test_a_reload_in_mid_comparison_shows_it_and_stop_ends_all(desktop: Page) -> None:
    desktop.get_by_label("Model A").select_option(ENDLESS)
    expect(desktop.locator(".compared h2").first).to_have_text(ENDLESS)
    ask(desktop)
    answer = desktop.locator(".compared").first.locator(".answer")
    expect(answer.first).to_be_visible()
    desktop.reload()
    expect(answer.first).to_be_visible()
    expect(desktop.locator(".compared").first).to_have_attribute("data-state", "running")
    desktop.get_by_role("button", name="Stop all").click()
    expect(desktop.locator(".compared").first.locator(".badge")).to_have_text("stopped")
    expect(desktop.get_by_role("button", name="Stop all")).to_have_count(0)


def test_a_blind_comparison_tells_nothing_of_its_columns_before_the_vote(desktop: Page) -> None:
    desktop.locator("[data-switch=blind]").check()
    ask(desktop)
    ended(desktop, 3)
    shown = desktop.locator("#page").inner_html()
    assert not [name for name in (CITES, SLOW, BUILTIN, "tok/s") if name in shown]
    desktop.reload()
    ended(desktop, 3)
    assert not [name for name in (CITES, SLOW, BUILTIN, "tok/s") if name in desktop.locator("#page").inner_html()]
    assert violations(desktop) == []
    desktop.get_by_role("button", name="B is better").press("Enter")
    expect(desktop.locator(".vote .num")).to_have_text("so far over 1 question: A 0 · B 1 · C 0")
    assert sorted(name_of(desktop, at) for at in range(3)) == sorted([BUILTIN, CITES, SLOW])
    expect(desktop.locator(".figures").first).to_be_visible()


def test_a_column_becomes_what_the_chat_asks_with(desktop: Page, app: Served) -> None:
    preset(desktop, "Passages")
    ask(desktop)
    ended(desktop, 3)
    desktop.get_by_role("button", name="Make this the default C").click()
    expect(desktop.locator("#status")).to_have_text("The chat asks with these settings now.")
    desktop.goto(app.url)
    expect(desktop.locator("#passages input[type=number]")).to_have_value("8")


def test_several_questions_are_asked_in_turn_and_a_table_counts_what_each_column_wins(desktop: Page) -> None:
    desktop.get_by_role("button", name="Remove column C").click()
    expect(desktop.locator(".compared")).to_have_count(2)
    desktop.get_by_label("Model B").select_option(BUILTIN)
    expect(desktop.locator(".compared h2").nth(1)).to_have_text(BUILTIN)
    ask(desktop, f"How is espresso made?\n{QUESTION}\nHow long do beans stay fresh?")
    done = desktop.locator("#compare-table [role=status]")
    expect(done).to_have_text("3 of 3 questions are answered in all columns.", timeout=60_000)
    expect(desktop.locator(".rounds").first.locator("tbody tr")).to_have_count(3)
    expect(desktop.locator(".rounds").first).to_contain_text(re.compile(r"won \d, tied \d, lost \d"))
    expect(desktop.locator("#conversations .row")).to_have_count(1)
    desktop.get_by_role("button", name=f"2. {QUESTION}").press("Enter")
    expect(desktop.locator(".compared").first.locator(".answer").first).to_contain_text("Hotter water")
    expect(desktop.locator("[data-round='1']")).to_have_attribute("aria-current", "true")
    assert violations(desktop) == []
    desktop.get_by_role("button", name="Tie").click()
    expect(desktop.locator(".rounds").nth(1).locator("tbody tr").nth(1)).to_contain_text("Tie")


def test_the_questions_of_a_set_are_put_into_the_composer(desktop: Page) -> None:
    desktop.get_by_label("Questions of a set").select_option("bundled")
    expect(desktop.locator("#compare-question textarea")).to_have_value(re.compile(r"\?\t.+\n"))


def test_nothing_of_the_page_can_be_pressed_on_paper(desktop: Page) -> None:
    preset(desktop, "Passages")
    ask(desktop)
    ended(desktop, 3)
    desktop.emulate_media(media="print")
    pressable = "[...document.querySelectorAll('.page button')].filter((each) => each.checkVisibility()).length"
    assert desktop.evaluate(pressable) == 0
