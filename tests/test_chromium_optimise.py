"""The page of optimisations in a real Chromium: started by keyboard, followed, stopped, there after a reload."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.provider import Provider
from tests.served import Served, served
from tests.test_chromium_asking import violations
from tests.test_chromium_citing import DESKTOP, PHONE, visit

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Provider() as provider:
        models = [{"label": "learns", "model": "hosted_vllm/learns", "api_base": provider.base}]
        with served(tmp_path_factory.mktemp("optimise"), MODELS=json.dumps(models)) as running:
            yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, app: Served, browser: Browser) -> Iterator[Page]:
    for page in visit(app, browser, request.param):
        page.goto(f"{app.url}/optimise")
        expect(page.get_by_role("form", name="What is optimised")).to_be_visible(timeout=30_000)
        yield page


def test_a_run_is_started_followed_and_stopped_and_there_after_a_reload(page: Page) -> None:
    note = page.locator("#optimise-note")
    expect(note).to_contain_text("At most 120 calls")
    page.get_by_label("Calls at most").fill("5")
    page.get_by_label("USD at most").focus()
    expect(note.get_by_role("alert")).to_contain_text("at least")
    page.get_by_label("Calls at most").fill("2000")
    page.get_by_label("Optimiser").select_option("labelled")
    expect(note).to_contain_text("At most 2000 calls")
    assert violations(page) == []
    start = page.get_by_role("button", name="Start")
    start.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar", name="Calls made")).to_be_visible()
    expect(page.locator("#optimise-run .chart")).to_be_visible(timeout=60_000)
    assert violations(page) == []
    stop = page.get_by_role("button", name="Stop")
    stop.click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    expect(page.locator("#optimise-run .figures")).to_contain_text("stopped")
    page.reload()
    expect(page.locator("#optimise-run .figures")).to_contain_text("stopped", timeout=30_000)
    width = page.evaluate("[document.querySelector('#page').scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    page.get_by_role("button", name="New run").click()
    expect(page.get_by_role("form", name="What is optimised")).to_be_visible()
