"""What becomes of the history when the process is killed or the disk fails: never at the cost of the answer."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from pipeline.database.recordings import decoded
from pipeline.events import Event, Warned
from tests.provider import Provider
from tests.served import Served, await_health, served, start

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA = "maya-0123456789abcdef"
SLOW = "ok-tokens-240-gap-30"  # about 7 s


def models(provider: Provider) -> str:
    return json.dumps([{"label": SLOW, "model": f"hosted_vllm/{SLOW}", "api_base": provider.base}])


def heard_until(app: Served, enough_s: float) -> dict[str, str]:
    """Ask the slow model → each field's text as it had come after so many seconds of it."""
    heard: dict[str, str] = {}
    body = {"question": QUESTION, "model": SLOW}
    with httpx.stream("POST", f"{app.url}/api/turns", json=body, headers={"X-Visitor": MAYA}, timeout=30) as answer:
        began = 0.0
        for line in answer.iter_lines():
            event = json.loads(line[6:]) if line.startswith("data: ") else {}
            if event.get("kind") == "field_delta":
                began = began or time.monotonic()
                heard[event["field"]] = heard.get(event["field"], "") + event["text"]
            if began and time.monotonic() - began > enough_s:
                return heard
    raise AssertionError("the answer ended too early")


def rows(data_dir: Path) -> list[tuple[str, dict[str, str], tuple[Event, ...]]]:
    """(state, fields, record) of every stored turn."""
    with closing(sqlite3.connect(data_dir / "glassbox.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        turns = database.execute("SELECT state, recording FROM turns ORDER BY asked_at").fetchall()
    stored = [(state, decoded(recording)) for state, recording in turns]
    return [(state, dict(recorded.fields), recorded.record) for state, recorded in stored]


def test_after_kill_9_a_prefix_at_most_a_second_old_is_stored_and_marked_incomplete(
    tmp_path: Path, provider: Provider
) -> None:
    data_dir = tmp_path / "data"
    with served(data_dir, MODELS=models(provider)) as app:
        heard = heard_until(app, 4.0)
        app.process.kill()
        app.process.wait(10)
    ((state, kept, _),) = rows(data_dir)
    assert state == "running"
    assert "".join(heard.values()).startswith("".join(kept.values()))
    missing = sum(map(len, heard.values())) - sum(map(len, kept.values()))
    assert missing <= 2 * 33 * 6  # twice what comes in a second, since this machine may be busy
    with served(data_dir, MODELS=models(provider)):
        pass
    ((state, again, record),) = rows(data_dir)
    assert (state, again) == ("stopped", kept)
    assert [event.code for event in record if isinstance(event, Warned)] == ["interrupted"]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")
def test_after_kill_9_the_page_shows_what_was_kept_and_one_click_asks_again(tmp_path: Path, provider: Provider) -> None:
    data_dir = tmp_path / "data"
    app = start(data_dir, MODELS=models(provider), DEFAULT_MODEL=SLOW)
    port = app.url.rpartition(":")[2]
    try:
        await_health(app)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            context = chromium.new_context()
            page = context.new_page()
            page.goto(app.url)
            page.locator("#question textarea").fill(QUESTION)
            page.locator("#question textarea").press("Enter")
            expect(page.locator("#chat .answer").first).to_contain_text("hot water")
            page.wait_for_timeout(2_000)
            app.process.kill()
            app.process.wait(10)
            app = start(data_dir, MODELS=models(provider), DEFAULT_MODEL=SLOW, PORT=port)
            await_health(app)
            address, page = page.url, context.new_page()  # the old page comes back by itself, at any moment
            page.goto(address)
            expect(page.locator("#chat .note")).to_contain_text("incomplete")
            expect(page.locator("#chat .answer").first).to_contain_text("hot water")
            page.locator("#chat .notice button", has_text="Try again").click()
            expect(page.locator("#chat .turn[data-state=finished] .facts")).to_contain_text("tok/s")
            expect(page.locator("#chat .turn")).to_have_count(1)
            chromium.close()
    finally:
        app.process.kill()
        app.process.wait(10)


def test_a_database_that_cannot_be_read_costs_the_history_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "glassbox.db").write_bytes(b"this is no database" * 500)
    with served(data_dir) as app:
        assert app.ask({"question": QUESTION})[-1]["saved"] is True
        assert "history could not be read" in httpx.get(f"{app.url}/config").text
        assert app.stop(signal.SIGTERM) == 0
    assert len([part for part in data_dir.iterdir() if "unreadable" in part.name]) == 1
    assert [state for state, _, _ in rows(data_dir)] == ["finished"]


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
