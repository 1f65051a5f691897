"""What the database of a running app holds, read by another process."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.database.recordings import decoded
from pipeline.events import Event

PATIENCE_S = 60.0


@dataclass(frozen=True)
class StoredTurn:
    """A row of the table `turns`."""

    state: str
    fields: dict[str, str]
    record: tuple[Event, ...]

    @property
    def text(self) -> str:
        """All that the model has said."""
        return "".join(self.fields.values())


def stored_turns(data_dir: Path) -> list[StoredTurn]:
    """Every turn, the oldest first."""
    with closing(sqlite3.connect(data_dir / "glassbox.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT state, recording FROM turns ORDER BY asked_at").fetchall()
    read = [(state, decoded(recording)) for state, recording in rows]
    return [StoredTurn(state, dict(recorded.fields), recorded.record) for state, recorded in read]


def await_stored(data_dir: Path, text: str) -> None:
    """Until a turn is stored with an answer that holds that text."""
    until = time.monotonic() + PATIENCE_S
    while not any(text in turn.fields.get("answer", "") for turn in stored_turns(data_dir)):
        assert time.monotonic() < until, f"not stored: {text!r}"
        time.sleep(0.1)
