"""What becomes of the history when the process is killed or the disk fails: never at the cost of the answer."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from pipeline.events import Warned
from tests.chromium import PATIENCE_MS, chromium
from tests.provider import Provider
from tests.served import Served, await_health, served, start
from tests.stored import await_stored, stored_turns

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA = "maya-0123456789abcdef"
MODEL, ENDLESS = "Nova", "endless-gap-30"


def models(provider: Provider, behaviour: str) -> str:
    """One model, which behaves like that."""
    return json.dumps([{"label": MODEL, "model": f"hosted_vllm/{behaviour}", "api_base": provider.base}])


def heard_until_stored(app: Served, data_dir: Path) -> str:
    """Ask → all that was said until the beginning of the answer was stored."""
    heard = begun = ""
    body = {"question": QUESTION, "model": MODEL}
    with httpx.stream("POST", f"{app.url}/api/turns", json=body, headers={"X-Visitor": MAYA}, timeout=60) as answer:
        for line in answer.iter_lines():
            event = json.loads(line[6:]) if line.startswith("data: ") else {}
            if event.get("kind") != "field_delta":
                continue
            heard += str(event["text"])
            begun = begun or (heard if event["field"] == "answer" else "")
            if begun and any(turn.text.startswith(begun) for turn in stored_turns(data_dir)):
                return heard
    raise AssertionError("the answer has ended")


def test_after_kill_9_what_was_stored_of_a_running_answer_is_kept_and_marked_incomplete(
    tmp_path: Path, provider: Provider
) -> None:
    data_dir = tmp_path / "data"
    with served(data_dir, MODELS=models(provider, ENDLESS)) as app:
        heard = heard_until_stored(app, data_dir)
        app.process.kill()
        app.process.wait(60)
    (kept,) = stored_turns(data_dir)
    assert kept.state == "running"
    assert "water" in kept.text
    assert heard.startswith(kept.text) or kept.text.startswith(heard)  # what was stored last may not have been sent
    with served(data_dir, MODELS=models(provider, ENDLESS)):
        pass
    (again,) = stored_turns(data_dir)
    assert (again.state, again.fields) == ("stopped", kept.fields)
    assert [event.code for event in again.record if isinstance(event, Warned)] == ["interrupted"]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")
def test_after_kill_9_the_page_shows_what_was_kept_and_one_click_asks_again(tmp_path: Path, provider: Provider) -> None:
    data_dir = tmp_path / "data"
    app = start(data_dir, MODELS=models(provider, ENDLESS), DEFAULT_MODEL=MODEL)
    port = app.url.rpartition(":")[2]
    try:
        await_health(app)
        with chromium() as browser:
            context = browser.new_context()
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto(app.url)
            page.locator("#question textarea").fill(QUESTION)
            page.locator("#question textarea").press("Enter")
            expect(page.locator("#chat .answer").first).to_contain_text("hot water")
            await_stored(data_dir, "hot water")
            app.process.kill()
            app.process.wait(60)
            app = start(data_dir, MODELS=models(provider, "ok"), DEFAULT_MODEL=MODEL, PORT=port)
            await_health(app)
            address, page = page.url, context.new_page()  # the old page comes back by itself, at any moment
            page.goto(address)
            expect(page.locator("#chat .note")).to_contain_text("incomplete")
            expect(page.locator("#chat .answer").first).to_contain_text("hot water")
            page.locator("#chat .notice button", has_text="Try again").click()
            expect(page.locator("#chat .turn[data-state=finished] .facts")).to_contain_text("tok/s")
            expect(page.locator("#chat .turn")).to_have_count(1)
    finally:
        app.process.kill()
        app.process.wait(60)


def test_a_database_that_cannot_be_read_costs_the_history_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "glassbox.db").write_bytes(b"this is no database" * 500)
    with served(data_dir) as app:
        assert app.ask({"question": QUESTION})[-1]["saved"] is True
        assert "history could not be read" in httpx.get(f"{app.url}/config").text
        assert app.stop(signal.SIGTERM) == 0
    assert len([part for part in data_dir.iterdir() if "unreadable" in part.name]) == 1
    assert [turn.state for turn in stored_turns(data_dir)] == ["finished"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_read_only_folder_costs_the_history_alone(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with served(disk) as app:
        ending = app.ask({"question": QUESTION})[-1]
        assert (ending["kind"], ending["saved"]) == ("turn_finished", False)
        assert "cannot be saved right now" in httpx.get(f"{app.url}/config").text
        assert httpx.get(f"{app.url}/health").status_code == 200
        assert app.stop(signal.SIGTERM) == 0


def test_a_disk_that_fills_up_costs_the_history_alone_until_there_is_room(disk: Path) -> None:
    with served(disk) as app:
        assert app.ask({"question": QUESTION})[-1]["saved"] is True
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as out:
            try:
                while True:
                    out.write(bytes(65_536))
            except OSError:
                pass
        ending = app.ask({"question": QUESTION})[-1]
        assert (ending["kind"], ending["saved"]) == ("turn_finished", False)
        assert httpx.get(f"{app.url}/health").status_code == 200
        filler.unlink()
        assert app.ask({"question": QUESTION})[-1]["saved"] is True
