"""Thumbs on the page, and what people say beside them, in a real Chromium."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.served import Served, served
from tests.test_chromium_asking import again, violations
from tests.test_chromium_citing import DESKTOP, PHONE, ask, visit

QUESTION = "How fine do I grind for espresso?"
WRONG, RIGHT = "It says <b>nothing</b> of the pan.", "Fine, like table salt."
SMALL = """() => [...document.querySelectorAll(".feedback :is(button, textarea)")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)"""

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("ratings")) as running:
        yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, request.param)


@pytest.fixture
def desktop(app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, DESKTOP)


def asked(page: Page) -> None:
    ask(page, QUESTION, "builtin/extractive", 1)


def test_a_thumb_down_may_say_what_was_wrong_and_what_would_be_right(page: Page) -> None:
    asked(page)
    thumb = page.get_by_role("button", name="Bad answer 1")
    thumb.click()
    expect(thumb).to_have_attribute("aria-pressed", "true")
    form = page.get_by_role("form", name="Say more about this answer")
    expect(form).to_be_in_viewport()
    assert violations(page) == []
    assert page.evaluate(SMALL) == []
    form.get_by_label("What was wrong?").fill(WRONG)
    form.get_by_label("What would be right?").fill(RIGHT)
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    remark = page.locator(".remark")
    expect(remark).to_contain_text(f"You said: {WRONG}")
    again(page)
    expect(remark).to_contain_text(f"You said: {WRONG}")
    expect(remark).to_contain_text(f"Right would be: {RIGHT}")
    expect(thumb).to_have_attribute("aria-pressed", "true")
    assert violations(page) == []
    page.get_by_role("button", name="Change what you said").press("Enter")
    comment = form.get_by_label("What was wrong?")
    expect(comment).to_be_focused()
    expect(comment).to_have_value(WRONG)
    comment.fill("Another one.")
    comment.press("Enter")
    expect(remark).to_contain_text("You said: Another one.")
    expect(remark.get_by_role("button")).to_be_focused()


def test_a_thumb_alone_counts_and_the_form_is_left_by_a_key(desktop: Page) -> None:
    asked(desktop)
    thumb = desktop.get_by_role("button", name="Good answer 1")
    thumb.press("Enter")
    form = desktop.locator(".say")
    expect(form.get_by_label("What was good?")).to_be_visible()
    expect(form.get_by_label("What would be right?")).to_be_hidden()
    expect(desktop.locator("#status")).to_have_text("The thumb is saved. Below it you can say more.")
    form.get_by_label("What was good?").press("Escape")
    expect(form).to_have_count(0)
    expect(thumb).to_be_focused()
    again(desktop)
    expect(thumb).to_have_attribute("aria-pressed", "true")
    expect(desktop.locator(".remark")).to_have_count(0)


def test_a_thumb_that_is_taken_back_takes_back_what_was_said(desktop: Page) -> None:
    asked(desktop)
    thumb = desktop.get_by_role("button", name="Bad answer 1")
    thumb.click()
    desktop.get_by_label("What was wrong?").fill(WRONG)
    desktop.get_by_label("What was wrong?").press("Enter")
    expect(desktop.locator(".remark")).to_be_visible()
    thumb.click()
    expect(desktop.locator(".remark")).to_have_count(0)
    expect(desktop.locator(".say")).to_have_count(0)


def test_what_was_typed_stays_while_the_next_question_is_asked(desktop: Page) -> None:
    asked(desktop)
    desktop.get_by_role("button", name="Bad answer 1").click()
    desktop.get_by_label("What was wrong?").fill(WRONG)
    ask(desktop, "What is crema?", "builtin/extractive", 2)
    form = desktop.locator("#thread .turn:first-child .say")
    expect(form.get_by_label("What was wrong?")).to_have_value(WRONG)
    form.get_by_role("button", name="Save").click()
    expect(desktop.locator("#thread .turn:first-child .remark")).to_contain_text(WRONG)


def test_the_form_takes_no_room_until_a_thumb_is_pressed_and_moves_nothing_above_it(desktop: Page) -> None:
    asked(desktop)
    place = "() => [...document.querySelectorAll('.turn, .facts')].map((each) => each.getBoundingClientRect().height)"
    article, facts = desktop.evaluate(place)
    assert desktop.evaluate("() => document.querySelector('.feedback').getBoundingClientRect().height") == 0
    desktop.get_by_role("button", name="Bad answer 1").click()
    expect(desktop.locator(".say")).to_be_visible()
    grown, same = desktop.evaluate(place)
    assert same == facts
    assert grown > article
    desktop.get_by_role("button", name="Skip").click()
    assert desktop.evaluate(place) == [article, facts]


def rated(page: Page, app: Served) -> None:
    """One bad answer, on the page of ratings."""
    asked(page)
    page.get_by_role("button", name="Bad answer 1").click()
    page.get_by_label("What was wrong?").fill(WRONG)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".remark")).to_be_visible()
    page.goto(f"{app.url}/ratings")
    expect(page.locator(".rated")).to_have_count(1)


def test_ratings_are_listed_changed_tagged_and_filtered_on_a_page_of_their_own(page: Page, app: Served) -> None:
    rated(page, app)
    card = page.locator(".rated")
    expect(card).to_contain_text(WRONG)
    expect(page.locator(".ratings-head")).to_contain_text("1 rated")
    expect(page.locator(".ratings-head")).to_contain_text("9 more are needed")
    card.get_by_text("Change", exact=True).click()
    card.get_by_label("What would be right?").fill(RIGHT)
    card.get_by_label("Tags").fill("grind, wrong, grind")
    assert violations(page) == []
    card.get_by_role("button", name="Save").click()
    expect(card.locator(".chips li")).to_have_text(["grind", "wrong"])
    expect(card).to_contain_text(f"Right would be: {RIGHT}")
    page.get_by_role("button", name="Good", exact=True).click()
    expect(card).to_be_hidden()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="grind", exact=True).click()
    expect(card).to_be_visible()
    assert violations(page) == []
    card.get_by_text("Change", exact=True).click()
    card.get_by_role("button", name="Take the rating back").click()
    expect(card).to_have_count(0)
    expect(page.locator("#ratings")).to_contain_text("Nothing is rated yet.")


def test_a_rating_leads_to_its_chat_and_all_of_them_are_a_file(desktop: Page, app: Served) -> None:
    rated(desktop, app)
    with desktop.expect_download() as started:
        desktop.get_by_role("button", name="For DSPy (JSONL)").click()
    assert started.value.suggested_filename == "ratings.jsonl"
    [row] = [json.loads(line) for line in Path(started.value.path()).read_text("utf-8").splitlines()]
    assert (row["question"], row["rating"], row["comment"]) == (QUESTION, -1, WRONG)
    desktop.get_by_role("link", name="Open in the chat").click()
    expect(desktop.locator(".remark")).to_contain_text(WRONG)


def test_instructions_that_were_used_are_those_of_the_chat_again(desktop: Page, app: Served) -> None:
    rated(desktop, app)
    row = desktop.locator(".prompts tbody tr")
    expect(row).to_contain_text("Answer the question from the numbered passages alone")
    expect(row.locator("td").nth(1)).to_contain_text("0%")
    row.get_by_role("button", name="Use").click()
    expect(desktop.locator("#ratings-notice")).to_contain_text("The chat uses these instructions from now on.")
