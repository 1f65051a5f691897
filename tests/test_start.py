"""What a person at the terminal sees when the start does not go as asked."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.served import START_S, await_health, start


@pytest.mark.parametrize("after_s", [2.0, 4.0])
def test_an_early_ctrl_c_ends_the_start_without_a_traceback(tmp_path: Path, after_s: float) -> None:
    app = start(tmp_path / "data")
    time.sleep(after_s)
    assert app.stop(signal.SIGINT) == 0
    said = app.log.read_text().splitlines()
    assert said[-1] == "Stopping …"
    assert len(said) == 1 or "is ready" in said[0]  # a fast machine has started by then


def test_a_folder_of_documents_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    app = start(tmp_path / "data", DOCUMENTS_DIR=str(tmp_path / "nowhere"))
    assert app.process.wait(START_S) == 1
    assert app.log.read_text() == "DOCUMENTS_DIR is no folder. Set it to one that holds documents.\n"


def test_a_database_that_cannot_be_had_is_named_by_its_scheme_and_driver_alone(tmp_path: Path) -> None:
    app = start(tmp_path / "data", DATABASE_URL="foo://maya:sesame@bar/base")
    assert app.process.wait(START_S) == 1
    said = app.log.read_text()
    assert said.splitlines()[-2:] == [
        "DATABASE_URL: scheme foo, for which there is no driver.",
        "The database cannot be used. Check DATABASE_URL.",
    ]
    assert not [part for part in ("maya", "sesame", "bar", "base/") if part in said]


def test_a_model_that_is_still_being_fetched_does_not_hold_up_the_end(tmp_path: Path) -> None:
    (tmp_path / "fastembed.py").write_text(
        "import time\nclass TextEmbedding:\n    def __init__(self, name): time.sleep(60)\n"
    )
    app = start(tmp_path / "data", EMBEDDING_MODEL="fastembed/slow", PYTHONPATH=str(tmp_path))
    try:
        await_health(app)
        time.sleep(1)
        assert app.stop() == 0
    finally:
        app.process.kill()


def test_what_makes_answers_poor_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    app = start(tmp_path / "data", DOCUMENTS_DIR=str(tmp_path / "empty"), DEFAULT_MODEL="gone")
    try:
        await_health(app)
        said = app.log.read_text()
        assert "DOCUMENTS_DIR holds no document" in said
        assert "DEFAULT_MODEL is not among the models" in said
    finally:
        assert app.stop() == 0
