"""Documents in a real Chromium: brought, cancelled, asked, opened at the right page, and nobody else's."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.chromium import PATIENCE_MS
from tests.documents import Line, pdf
from tests.served import Served, served

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LAMP = "The lamp of the Skagen lighthouse turns once in four seconds."

AT_REST = "document.getAnimations().every(({ playState }) => playState !== 'running')"

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("brought"), UPLOAD_MB="2") as running:
        yield running


@pytest.fixture
def page(app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, DESKTOP)


@pytest.fixture
def phone(app: Served, browser: Browser) -> Iterator[Page]:
    yield from visit(app, browser, PHONE)


def visit(app: Served, browser: Browser, size: Any) -> Iterator[Page]:
    context = browser.new_context(viewport=size, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith((app.url, "data:", "blob:")) else wrong.append(request.url),
    )
    page.goto(app.url)
    expect(page.locator("body.ready #question textarea")).to_be_visible()
    expect(page.locator(".opener em")).to_have_text("14")
    yield page
    context.close()
    assert wrong == []


def handbook() -> FilePayload:
    """Thirty pages; what is asked stands on the seventeenth, and nowhere else."""
    fill = [f"Line {line} speaks of ordinary harbour business and of the weather." for line in range(24)]
    pages: list[list[Line]] = [[(f"{number}. Chapter", ("F2", 18.0)), *fill[:12]] for number in range(1, 31)]
    pages[16] = [("17. The lighthouse", ("F2", 18.0)), *fill[:8], LAMP, *fill[8:]]
    return payload("handbook.pdf", pdf(pages, title="Harbour handbook"))


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def bring(page: Page, files: Sequence[FilePayload]) -> None:
    page.locator("#documents input[type=file]").set_input_files(list(files))


def brought(page: Page) -> None:
    """Wait until the files are over."""
    expect(page.locator("#documents [data-act=tidy]")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    expect(page.locator("#chat .facts")).to_be_visible()


def marked(picture: bytes) -> int:
    """How many pixels of a page are yellow."""
    pixels = Image.open(io.BytesIO(picture)).convert("RGB").resize((300, 424)).tobytes()
    return sum(
        red > 200 and green > 180 and blue < 160
        for red, green, blue in zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True)
    )


def test_a_pdf_is_brought_asked_and_opened_at_the_page_with_the_passage_marked(page: Page) -> None:
    page.locator(".opener").click()
    bring(page, [handbook(), payload("locked.pdf", pdf([["Fog."]], locked=True)), payload("none.txt", b"")])
    brought(page)
    expect(page.locator("#documents .bringing p")).to_have_text("1 added, 2 could not be read")
    expect(page.locator("#documents .files .bad", has_text="locked.pdf")).to_contain_text("locked with a password")
    expect(page.locator("#documents .files .bad", has_text="none.txt")).to_contain_text("The file is empty.")
    expect(page.locator("#documents .document").first).to_contain_text("30 pages")
    expect(page.locator(".opener em")).to_have_text("15")
    page.keyboard.press("Escape")
    expect(page.locator("#documents dialog")).to_be_hidden()
    expect(page.locator("#thread .hero")).to_contain_text("What is “handbook” about?")

    ask(page, "How often does the lamp of the Skagen lighthouse turn?")
    expect(page.locator("#chat .answer")).to_contain_text("four seconds")
    card = page.locator("#sources .source").first
    expect(card.locator(".path")).to_contain_text("p. 17")
    expect(page.locator("#sources .badge")).to_have_text("5 of 5 words found")
    card.locator("summary", has_text="Show around").click()
    expect(card.locator(".near")).to_contain_text("After")
    with page.expect_response(lambda answer: "/pages/17.jpg" in answer.url) as answer:
        card.locator("button", has_text="Open page").click()
    assert marked(answer.value.body()) > 100
    expect(page.locator("#document-page .page-picture.seen img")).to_be_visible()
    expect(page.locator("#document-page .state")).to_have_text("17 of 30")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    with page.expect_response(lambda answer: "/pages/18.jpg" in answer.url) as answer:
        page.keyboard.press("ArrowRight")
    assert marked(answer.value.body()) == 0
    page.route("**/pages/19.jpg*", lambda route: route.abort())
    page.keyboard.press("ArrowRight")
    expect(page.locator("#document-page .unseen", has_text="could not be shown")).to_be_visible()
    page.unroute("**/pages/19.jpg*")
    page.locator("#document-page .unseen button").click()
    expect(page.locator("#document-page .page-picture.seen img")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#document-page a[download]").click()
    assert download.value.path().read_bytes() == handbook()["buffer"]
    page.keyboard.press("Escape")
    expect(page.locator("#document-page dialog")).to_be_hidden()


def test_two_visitors_do_not_see_each_others_files(page: Page, phone: Page) -> None:
    drop(page, "fog.md", "# Fog horns\n\nThe horn of Dover booms twice in a minute.")
    brought(page)
    page.keyboard.press("Escape")
    ask(page, "How often does the horn of Dover boom?")
    expect(page.locator("#sources .source").first).to_contain_text("booms twice")
    phone.reload()
    phone.locator("[data-act=menu]").click()
    phone.locator(".opener").click()
    expect(phone.locator("#documents .document")).to_have_count(14)
    expect(phone.locator("#documents")).to_contain_text("Nothing yet.")
    phone.locator("#documents [data-act=close-dialog]").click()
    ask(phone, "How often does the horn of Dover boom?")
    assert "booms twice" not in phone.content()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def drop(page: Page, name: str, text: str) -> None:
    """Let a file fall onto the chat, as from the desktop."""
    page.evaluate(
        """([name, text]) => {
          const given = new DataTransfer();
          given.items.add(new File([text], name));
          for (const type of ["dragenter", "dragover", "drop"])
            document.querySelector("#chat").dispatchEvent(
              new DragEvent(type, { dataTransfer: given, bubbles: true, cancelable: true }));
        }""",
        [name, text],
    )


def test_a_folder_is_brought_with_its_folders_and_one_of_them_is_asked(page: Page, phone: Page, tmp_path: Path) -> None:
    for name, often in (("boats/2023/log.md", "twice"), ("boats/2024/log.md", "thrice"), ("boats/.hidden", "never")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# Log of {name}\n\nThe ferry of Hoek sailed {often} in May.")
    page.locator(".opener").click()
    with page.expect_file_chooser() as chooser:
        page.locator("[data-act=choose-folder]").click()
    chooser.value.set_files(tmp_path / "boats")
    brought(page)
    expect(page.locator("#documents .bringing p")).to_have_text("2 added")
    expect(page.locator("#documents .folder h4")).to_have_text(["boats/2023", "boats/2024"])
    page.wait_for_function(AT_REST)
    assert violations(page) == []
    page.get_by_role("button", name="Ask only the folder boats/2024").click()
    expect(page.locator("#documents dialog")).to_be_hidden()
    expect(page.locator("#scope .chip")).to_have_text("all of boats/2024")
    ask(page, "How often did the ferry of Hoek sail?")
    expect(page.locator("#chat .answer")).to_contain_text("thrice")
    expect(page.locator("#sources .source")).to_have_count(1)
    page.locator("#question textarea").press_sequentially("@boats")
    expect(page.locator("#scope-list li:visible b")).to_have_text(
        [
            "boats",
            "boats/2023",
            "boats/2024",
            "Log of boats/2023/log.md",
            "Log of boats/2024/log.md",
        ]
    )
    expect(phone.locator("#scope-list li", has_text="boats")).to_have_count(0)


def test_what_is_asked_lasts_over_a_reload_for_each_conversation_and_what_is_gone_is_said(page: Page) -> None:
    chips, composer = page.locator("#scope .chip"), page.locator("#question textarea")
    bring(page, [payload("kite.md", b"# Kites of Hoek\n\nA kite of Hoek has four lines.")])
    brought(page)
    page.keyboard.press("Escape")
    for name, title in (("mokk", "Die Mokkakanne"), ("kites", "Kites of Hoek")):
        expect(page.locator("#scope-list [role=option]", has_text=title)).to_have_count(1)
        composer.press_sequentially(f"@{name}")
        composer.press("Enter")
        expect(chips.last).to_have_text(title)
    page.reload()
    expect(chips).to_have_text(["Die Mokkakanne", "Kites of Hoek"])
    ask(page, "How many lines has a kite of Hoek?")
    expect(page.locator("#chat .answer")).to_contain_text("four lines")
    page.locator("#new-chat").click()
    expect(page.locator("#thread .hero")).to_be_visible()
    expect(chips).to_have_count(0)
    page.locator("#conversations nav button, #conversations nav a").first.click()
    expect(page.locator("#chat .answer")).to_contain_text("four lines")
    expect(chips).to_have_text(["Die Mokkakanne", "Kites of Hoek"])
    page.locator(".opener").click()
    page.locator("#documents .document", has_text="Kites").locator("[data-act=doubt]").click()
    page.locator("#documents .document", has_text="Kites").locator("[data-act=remove]").click()
    expect(chips).to_have_text(["Die Mokkakanne"])
    expect(page.locator("#scope .gone")).to_have_text("1 choice is gone and not asked any more.")


def test_bringing_can_be_cancelled_and_what_was_brought_deleted(page: Page) -> None:
    page.locator(".opener").click()
    bring(page, [payload(f"{number}.md", f"# Note {number}\n\nFog.".encode()) for number in range(20)])
    expect(page.locator("#documents .files .done").or_(page.locator("#documents .files .run")).first).to_be_visible()
    page.locator("#documents .bringing [data-act=halt]").click()
    brought(page)
    expect(page.locator("#documents .bringing p")).to_contain_text("cancelled")
    page.locator("#documents [data-act=tidy]").click()
    bring(page, [payload("huge.txt", b"x" * 2_100_000), payload("last.md", b"# Last\n\nFog.")])
    brought(page)
    expect(page.locator("#documents .files .bad", has_text="huge.txt")).to_contain_text("too large")
    expect(page.locator(".document-list .sure:visible")).to_have_count(0)
    page.locator("#documents .document .bin").first.click()
    expect(page.locator(".document-list .sure:visible")).to_have_count(1)
    page.locator("#documents .document [data-act=remove]").first.click()
    expect(page.locator("#documents .document", has_text="Last")).to_have_count(0)
    if page.locator("#documents .bin.word").count():
        page.locator("#documents .bin.word").click()
        page.locator("#documents [data-act=remove-all]").click()
    expect(page.locator("#documents")).to_contain_text("Nothing yet.")
    expect(page.locator(".opener em")).to_have_text("14")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_in_the_dialogs(page: Page, dark: bool) -> None:
    if dark:
        page.evaluate("document.body.classList.add('dark')")
    page.locator(".opener").click()
    bring(page, [handbook(), payload("none.txt", b"")])
    brought(page)
    problems = {"documents": violations(page)}
    page.keyboard.press("Escape")
    ask(page, "How often does the lamp of the Skagen lighthouse turn?")
    for summary in page.locator("#sources summary").all():
        summary.click()
    page.wait_for_function(AT_REST)  # a card that was just opened is still fading in
    problems["sources"] = violations(page)
    page.locator("#sources [data-act=show-page]").first.click()
    expect(page.locator("#document-page .page-picture.seen img")).to_be_visible()
    problems["page"] = violations(page)
    assert problems == {"documents": [], "sources": [], "page": []}


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def test_a_web_address_is_sent_by_the_keyboard_and_one_that_is_not_public_has_its_reason(page: Page) -> None:
    page.locator(".opener").click()
    address = page.get_by_label("or a web address")
    address.fill("http://127.0.0.1/private")
    address.press("Enter")
    brought(page)
    expect(page.locator("#documents .files .bad")).to_contain_text("This is no public web address.")
    expect(page.locator("#documents .bringing p")).to_have_text("Nothing was added, 1 could not be read")
    expect(address).to_have_value("")
    expect(page.locator(".opener em")).to_have_text("14")


def test_an_at_sign_chooses_what_is_asked_and_a_source_can_be_opened_whole_and_asked_alone(
    page: Page, phone: Page
) -> None:
    for each in (page, phone):
        composer, chips = each.locator("#question textarea"), each.locator("#scope .chip")
        expect(each.locator("#scope-list li")).not_to_have_count(0)
        composer.press_sequentially("What turns the water? @mokk")
        expect(each.locator("#scope-list li.at")).to_have_text("Die Mokkakannemokkakanne.md")
        composer.press("Enter")
        expect(chips).to_have_text("Die Mokkakanne")
        expect(composer).to_have_value("What turns the water? ")
        composer.press_sequentially("@esp")
        composer.press("Escape")
        expect(each.locator("#scope-list")).to_be_hidden()
        chips.click()
        expect(chips).to_have_count(0)
        expect(composer).to_be_focused()
        assert each.evaluate("document.documentElement.scrollWidth") <= each.viewport_size["width"]  # type: ignore[index]
    ask(page, "How hot is the water for filter coffee?")
    card = page.locator("#sources .source").first
    title = card.locator("h3").inner_text()
    card.get_by_role("button", name="Open document").click()
    drawer = page.locator("#whole-document dialog")
    expect(drawer.locator(".marked-passage[data-here]")).to_be_in_viewport()
    expect(drawer.locator("h2")).to_have_text(title)
    page.wait_for_function(AT_REST)
    assert violations(page) == []
    drawer.locator(".dialog-body").focus()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    card.get_by_role("button", name="Ask only this").click()
    expect(page.locator("#scope .chip")).to_have_text(title)
    ask(page, "How much coffee is in a cup?")
    expect(page.locator("#chat .chips").last).to_contain_text("in 1 chosen document")
    assert set(page.locator("#sources .source h3").all_inner_texts()) == {title}
    page.locator("[data-act=scope-clear]").click()
    expect(page.locator("#scope .chip")).to_have_count(0)
