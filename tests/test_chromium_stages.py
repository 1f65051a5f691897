"""Other pages in a real Chromium: two live columns, one more pane than the chat page has, a turn of several steps."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, Page, expect

from components.html.html_elements import Elements, keyed
from components.html.render_cache import RenderCache
from components.pages import chat_page
from components.panes import PANES, chat, sources
from components.view import view_of
from pipeline.events import Event, FieldDelta
from pipeline.ingest.markdown import read_folder
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import ROOT, Settings
from server import build
from tests.chromium import PATIENCE_MS
from tests.components.html.test_steps_and_fields import (
    BEFORE,
    FINISHED,
    SEARCHED,
    called,
    delta,
    returned,
)
from tests.components.panes.test_panes import WORDS
from tests.test_chromium import DESKTOP, PHONE

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")
COLUMNS, EVENTS = ("left", "right"), ("running", "follow")


@contextmanager
def launched(demo: gr.Blocks) -> Iterator[str]:
    """The page's address, while it is served."""
    _, url, _ = demo.launch(prevent_thread_lock=True, ssr_mode=False, quiet=True, **chat_page.launch_options())
    try:
        yield url
    finally:
        demo.close()


def opened(browser: Browser, url: str, size: Any) -> Page:
    page = browser.new_context(viewport=size).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    return page


def running(name: str) -> Elements:
    """A running turn: its shell, then a time that goes on."""
    shell = Markup(
        '<article class="turn" data-turn="{}" data-state="running" data-said="Answering." data-at="0.00"></article>'
    )
    return [shell.format(name), Markup('<h2 class="bubble">{}</h2>').format(name), Markup('<b data-began="0"></b>')]


def pane(name: str, text: str) -> Elements:
    return [Markup('<header data-turn="{}"><h2>Words</h2></header>').format(name), Markup("<p>{}</p>").format(text)]


def column(name: str) -> None:
    """A column that writes down what its live turn triggers."""
    with gr.Row(elem_id=name, elem_classes=["stage"]):
        start, earlier = gr.Button("Start", elem_id=f"start-{name}"), gr.Button("Earlier", elem_id=f"look-{name}")
        heard = {event: gr.Number(0, elem_id=f"{event}-{name}") for event in EVENTS}
        live = keyed([], f"live-{name}", draws="turn", events=EVENTS)
        keyed(pane(name, f"now {name}"), f"words-{name}", draws="pane", label="Words", name="words")
        back = Markup('<button type="button" data-act="present">Back</button>')
        of_earlier = keyed([], f"earlier-words-{name}", draws="earlier", name="words")
    start.click(lambda: running(name), None, live)
    earlier.click(lambda: ["before", *pane("before", f"earlier {name}"), back], None, of_earlier)
    for event, count in heard.items():
        getattr(live, event)(lambda before: before + 1, count, count)


@pytest.fixture
def two_columns(browser: Browser) -> Iterator[Page]:
    with gr.Blocks(analytics_enabled=False) as demo:
        gr.HTML('<p id="status" role="status"></p>')
        for name in COLUMNS:
            column(name)
    with launched(demo) as url:
        page = opened(browser, url, DESKTOP)
        page.evaluate("document.body.classList.add('ready')")
        yield page
        page.context.close()


def test_two_live_columns_of_one_page_do_not_hear_each_other(two_columns: Page) -> None:
    page = two_columns
    heard = {(event, name): page.locator(f"#{event}-{name} input") for event in EVENTS for name in COLUMNS}
    for name in COLUMNS:
        page.locator(f"#start-{name}").click()
        for event in EVENTS:
            expect(heard[event, name]).to_have_value("1")
        if name == "left":
            assert [heard[event, "right"].input_value() for event in EVENTS] == ["0", "0"]
    assert [each.input_value() for each in heard.values()] == ["1"] * 4
    seconds = [float(page.locator(f"#live-{name} b").inner_text().split()[0]) for name in COLUMNS]
    assert all(second > 0 for second in seconds)
    page.locator("#look-left").click()
    expect(page.locator("#words-left .body")).to_contain_text("earlier left")
    expect(page.locator("#words-right .body")).to_contain_text("now right")
    page.locator("#words-left [data-act=present]").click()
    expect(page.locator("#words-left .body")).to_contain_text("now left")


# Texts on their grounds; the lowest contrast of each, and all that is smaller than a finger or a pointer can hit.
CONTRAST = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3)
    .map((part) => (part /= 255) <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return (parts(colour)[3] ?? 1) > 0 || !element.parentElement ? colour : ground(element.parentElement);
  };
  const of = ".call code, .call em > span, .severity, .again, .passage-chip, .passage-chip b, .field-head span, .what";
  return Math.min(...[...document.querySelectorAll(of)].map((element) => {
    const [above, below] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    return (above + 0.05) / (below + 0.05);
  }));
}"""
EDGES = """() => [...document.querySelectorAll(".field-head, .field-part, .field-end")]
  .map((each) => each.getBoundingClientRect()).map(({ left, right }) => `${left} ${right}`)"""
TABLE = (
    "| Figure | Value | Unit | Where | Note |\n|---|---|---|---|---|\n| Temperature | eighty | °C | kettle | measured |"
)

SCENES: tuple[tuple[Event, ...], ...] = (
    (*SEARCHED, called(2, "calculate", 2.0, expression="2 * 63")),
    (returned(2, "126"), called(3, "calculate", 3.0, expression="two"), returned(3, "Write numbers.", failed=True)),
    (FieldDelta(field="analysis", text=f"Two are wrong [1].\n\n{TABLE}\n\n"), delta("findings")),
    (delta("answer"), FINISHED),
)


@pytest.fixture
def scenes(browser: Browser) -> Iterator[str]:
    """A page that shows the next scene of a turn at each click."""

    def shown(count: int) -> tuple[int, Elements, Elements]:
        events = [event for scene in SCENES[: count + 1] for event in scene]
        view, cache = view_of(events, BEFORE), RenderCache()
        return count + 1, chat.render(view, cache), sources.render(view, cache)

    with gr.Blocks(analytics_enabled=False) as demo:
        gr.HTML('<p id="status" role="status"></p>')
        count, start = gr.State(0), gr.Button("Next", elem_id="next")
        with gr.Row(elem_id="stage", elem_classes=["stage"]):
            with gr.Column(elem_id="chat", min_width=0), gr.Column(elem_id="scroll"):
                live = keyed([], "live", draws="turn", events=EVENTS)
            with gr.Column(elem_id="beside", min_width=0):
                cards = keyed([], "sources", draws="pane", label="Sources", css_class="pane")
        start.click(shown, count, [count, live, cards])
    with launched(demo) as url:
        yield url


def test_a_turn_of_several_steps_grows_live_is_read_on_both_grounds_and_leads_to_its_sources(
    browser: Browser, scenes: str
) -> None:
    for size, theme in ((DESKTOP, "light"), (PHONE, "dark")):
        page = opened(browser, f"{scenes}?__theme={theme}", size)
        page.evaluate("document.body.classList.add('ready')")
        rows = page.locator(".timeline > li")
        page.locator("#next").click()
        expect(rows).to_have_count(3)
        expect(rows.nth(2)).to_have_class("run")
        expect(rows.nth(2).locator("em")).to_have_text(re.compile(r"^\d"))  # its clock runs
        page.locator(".timeline summary").first.click()
        page.locator("#next").click()
        expect(rows.nth(3)).to_have_class("failed")
        assert page.locator(".timeline details").first.get_attribute("open") is not None
        page.locator("#next").click()
        expect(page.locator(".findings .high .severity")).to_have_text("high")
        assert len(set(page.evaluate(EDGES))) == 1
        assert page.evaluate(CONTRAST) >= 4.5
        page.locator("#next").click()
        expect(page.locator(".field-head.done")).to_have_count(3)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        chip = page.locator(".passage-chip[data-n='2']").first
        assert (chip.bounding_box() or {"height": 0})["height"] >= 24
        chip.click()
        expect(page.locator("#sources .source[data-n='2']")).to_have_class(re.compile("lit"))
        page.context.close()


@pytest.fixture(scope="module")
def four_panes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("four"))
    index = EdgeIndex.build(read_folder(Path(ROOT) / "samples"))
    parts = build(settings, index=index, models=Models(settings))
    panes = (*PANES, WORDS)
    demo = chat_page.build(
        parts.pipeline, parts.conversations, parts.models, parts.library, settings, parts.about, panes
    )
    demo.queue(default_concurrency_limit=None)
    with launched(demo) as url:
        yield url
    parts.store.close()
    index.close()


def test_one_more_pane_stands_beside_the_others_and_behind_a_tab_of_its_own_on_a_phone(
    browser: Browser, four_panes: str
) -> None:
    desktop = opened(browser, four_panes, DESKTOP)
    expect(desktop.locator("#question textarea")).to_be_visible()
    for name in ("chat", "reasoning", "sources", "words"):
        box = desktop.locator(f"#{name}").bounding_box()
        assert box
        assert (box["width"] >= 150, box["height"] >= 80) == (True, True)
        assert box["x"] + box["width"] <= DESKTOP["width"]
        assert box["y"] + box["height"] <= DESKTOP["height"]
    desktop.context.close()
    phone = opened(browser, four_panes, PHONE)
    expect(phone.locator("#question textarea")).to_be_visible()
    expect(phone.locator("#tabs [role=tab]")).to_have_count(4)
    phone.locator("#tabs [data-tab=words]").click()
    expect(phone.locator("#words")).to_be_visible()
    for name in ("reasoning", "sources", "thread"):
        expect(phone.locator(f"#{name}")).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.context.close()
