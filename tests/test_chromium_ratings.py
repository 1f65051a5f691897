"""Thumbs on the page, and what people say beside them, in a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

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
