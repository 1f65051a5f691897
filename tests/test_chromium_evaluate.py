"""The page of evaluations, in a real Chromium: a set that somebody brings, a run, its table, and what went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.served import Served, served
from tests.test_chromium_asking import violations
from tests.test_chromium_citing import DESKTOP, PHONE

QUESTIONS = """question;answer;documents;unanswerable
At what temperature does water boil in La Paz?;88 °C;water-and-temperature.md;
Who brought coffee plants to Java?;the Martians;;
How many strings does a cello have?;;;yes
"""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("evaluate")) as running:
        yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, app: Served, browser: Browser) -> Iterator[Page]:
    """A new visitor on the page."""
    context = browser.new_context(viewport=request.param)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{app.url}/evaluate")
    expect(page.locator(".evaluate-setting")).to_be_visible(timeout=30_000)
    yield page
    context.close()
    assert errors == []


def bring(page: Page, text: str) -> None:
    page.get_by_text("Bring your own questions").click()
    page.get_by_label("Or paste the questions here").fill(text)
    page.get_by_role("button", name="Add set").click()


def run(page: Page, passages: str) -> None:
    page.locator("[name=passages_wanted]").fill(passages)
    page.get_by_role("button", name="Run", exact=True).click()


def test_a_set_is_brought_run_twice_and_compared(page: Page) -> None:
    bring(page, QUESTIONS)
    chosen = page.locator("[name=questions]")
    expect(chosen.locator("option:checked")).to_have_text("At what temperature does water boil in La Paz? · 3")
    run(page, "4")
    expect(page.locator(".evaluate-progress")).to_have_attribute("data-state", "finished", timeout=60_000)
    table = page.locator(".evaluate-table")
    expect(table).to_contain_text("1 failing")
    expect(table).to_contain_text("2 passing")
    first = table.get_by_role("button", name="Who brought coffee plants to Java?", exact=True)
    first.press("Enter")
    expect(first).to_have_attribute("aria-expanded", "true")
    expect(table).to_contain_text("the Martians")
    page.get_by_role("button", name="Unanswerable · 1").click()
    expect(first).to_be_hidden()
    expect(table).to_contain_text("How many strings does a cello have?")
    assert violations(page) == []
    run(page, "3")
    expect(page.locator(".evaluate-runs option:checked").last).to_contain_text("1: ", timeout=30_000)
    expect(page.locator(".evaluate-progress")).to_have_attribute("data-state", "finished", timeout=60_000)
    expect(table).to_contain_text("Paired difference, same 3 questions")
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Export CSV").click()
    assert downloaded.value.suggested_filename == "evaluation.csv"
    page.get_by_role("button", name="Failing first").click()  # the row that was opened is open still
    page.get_by_role("button", name="Open the turn of: Who brought coffee plants to Java?").click()
    expect(page.locator("#chat .asked").last).to_contain_text("Who brought coffee plants to Java?", timeout=30_000)


def test_a_set_with_a_fault_is_refused_with_its_line(page: Page) -> None:
    bring(page, "question,gold\nHow hot?,93 °C\n")
    expect(page.get_by_role("alert").filter(has_text="Line 1")).to_be_visible()
