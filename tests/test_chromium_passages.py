"""The page that the link of a citation opens, in a real Chromium, on every screen."""

from __future__ import annotations

import io
import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, expect

from pipeline.ingest.marking import MARKER
from tests.documents import pdf
from tests.served import served

MAYA = {"X-Visitor": "maya-0123456789abcdef"}
PATIENCE_MS = 90_000
SCREENS: dict[str, Any] = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
    "projector": {"width": 1920, "height": 1080},
}
SCHEMES: tuple[Any, ...] = ("light", "dark")
TABLE = b"""# Light stations

## Lamps

The lamps of **three** stations differ in `range`, as [the list](https://example.org/list) says.

| station | lamp | range in nautical miles | built | keeper | height | remarks |
|---|---|---|---|---|---|---|
| Dover | oil | 17 | 1793 | Maya | 69 ft | rebuilt after a storm |
| Hook | gas | 23 | 1864 | Amir | 115 ft | the oldest tower that stands |
"""
LAST_LINE = pdf([["The first page is about tea and its leaves."] * 46 + ["Beacons burn on the rocky coast at night."]])
SLIDES = pdf([[f"The keeper counts the ships of watch {number}."] for number in range(1, 8)])
FITS = "() => document.documentElement.scrollWidth <= innerWidth"
HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((each) => Number(each.tagName[1]))"
LOADED = "() => [...document.images].every((each) => each.complete && each.naturalWidth > 0)"

expect.set_options(timeout=PATIENCE_MS)
pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@dataclass(frozen=True)
class Links:
    """Links of citations, as a client got them."""

    table: str
    last_line: str
    slides: str

    @property
    def altered(self) -> str:
        """One that was cut when it was copied."""
        return self.table[:-1]


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Links]:
    with served(tmp_path_factory.mktemp("passages") / "data") as app:
        files = {"table.md": TABLE, "coast.pdf": LAST_LINE, "slides.pdf": SLIDES}
        sent = [("file", (name, content)) for name, content in files.items()]
        brought = httpx.post(f"{app.url}/api/documents", files=sent, headers=MAYA, timeout=120).json()["documents"]
        ids = {each["name"]: each["id"] for each in brought}

        def link(question: str, name: str) -> str:
            body = {"messages": [{"role": "user", "content": question}], "documents": [ids[name]]}
            said = httpx.post(f"{app.url}/v1/chat/completions", json=body, headers=MAYA, timeout=60).json()
            return str(said["citations"][0])

        yield Links(
            link("What is the range of the lamps of the stations?", "table.md"),
            link("Where do beacons burn at night?", "coast.pdf"),
            link("Which ships does the keeper count?", "slides.pdf"),
        )


@pytest.fixture(params=SCREENS)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SCREENS[request.param])
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    yield page
    context.close()
    assert [each for each in told if "Content Security Policy" in each] == []


def marked(picture: bytes) -> tuple[int, int, int, int] | None:
    """The smallest box around the colour of the marker."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    apart = ImageChops.difference(image, Image.new("RGB", image.size, MARKER)).split()
    furthest = ImageChops.lighter(ImageChops.lighter(apart[0], apart[1]), apart[2])
    return furthest.point([255] * 30 + [0] * 226).getbbox()


def test_every_page_fits_its_screen_and_axe_finds_nothing(page: Page, links: Links) -> None:
    for address in (links.table, links.last_line, links.slides, links.altered):
        page.goto(address)
        expect(page.locator("h1")).to_be_in_viewport()
        assert page.evaluate(FITS)
        assert page.evaluate(LOADED)
        assert page.evaluate("() => document.scripts.length") == 0
        levels = page.evaluate(HEADINGS)
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert page.evaluate("() => document.fonts.check('16px IBM Plex Sans')")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            violations = Axe().run(page).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []


def test_a_passage_is_in_sight_with_its_document_and_section_and_the_way_to_the_app(page: Page, links: Links) -> None:
    page.goto(links.table)
    expect(page.locator("h1")).to_have_text("Light stations")
    expect(page.locator(".where")).to_have_text(["Lamps", "table.md"])
    expect(page.locator(".passage strong")).to_be_in_viewport()
    expect(page.locator("img")).to_have_count(0)
    page.get_by_role("link", name="Ask the documents").click()
    page.wait_for_url(links.table.partition("passages/")[0])


def test_the_mark_lies_in_the_picture_of_its_page_and_is_seen(page: Page, links: Links) -> None:
    page.goto(links.last_line)
    expect(page.locator("figcaption")).to_have_text("Page 1")
    if page.viewport_size == SCREENS["phone"]:  # the text of the passage is seen first there
        expect(page.locator(".passage")).to_be_in_viewport()
        page.locator("figure img").scroll_into_view_if_needed()
    mark = marked(page.screenshot())
    box = page.locator("figure img").bounding_box()
    assert mark is not None
    assert box is not None
    left, top, right, bottom = mark
    assert box["x"] < left < right < box["x"] + box["width"]
    assert box["y"] < top < bottom < box["y"] + box["height"]
    page.locator("figure a").click()  # in its own size
    page.wait_for_url("**/pages/1.jpg")


def test_a_passage_over_several_pages_shows_the_first_of_them_each_with_its_mark(page: Page, links: Links) -> None:
    page.goto(links.slides)
    expect(page.locator(".where")).to_contain_text(["Pages 1–7"])
    expect(page.locator("figcaption")).to_have_text([f"Page {number}" for number in (1, 2, 3, 4)])
    expect(page.locator(".pages > p")).to_have_text("The first 4 of 7 pages are shown.")
    for picture in page.locator("figure img").all():
        assert marked(picture.screenshot()) is not None


def test_a_link_that_opens_nothing_says_what_to_do(page: Page, links: Links) -> None:
    answer = page.goto(links.altered)
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("This link no longer opens anything")
    expect(page.locator("main p")).to_contain_text("Ask your question again")
    expect(page.get_by_role("link", name="Ask the documents")).to_be_in_viewport()
