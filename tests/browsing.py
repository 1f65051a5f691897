"""A real Chromium, Debian's own, and what a person does first in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

QUESTION = "Why does water temperature change the taste of coffee?"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]

needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, closed afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


def ask(page: Page, question: str, model: str | None = None) -> None:
    """Choose the model, if one is named, then type the question and send it."""
    if model:
        page.locator("#model label", has_text=model).first.click()
        expect(page.locator("#model input:checked")).to_have_attribute("value", model)
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
