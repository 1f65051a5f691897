"""A database as the version of 28 November 2026 wrote it, and what the API says of it.

It holds two visitors' turns and nobody's: finished, failed, stopped, taken over by the built-in model, one in German,
one that ran when its process was killed, two ratings, options. Ids are given readable names in it; times are as they
were. `BACK` leads it back to what the first two revisions of the tables held.

`python -m tests.frozen database/` writes anew what is said of it. The database itself is what people have on their
disks: it is made anew by nothing but `python -c "from tests.frozen import database; database.make()"`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import httpx

from pipeline.database.recordings import json_of
from pipeline.settings import Settings
from server import build
from tests.frozen.normal import FOLDER, LONG_CHARS, Json, text_of, write
from tests.frozen.scripted import models, scripted
from tests.frozen.streams import (
    ANOTHER,
    FEW,
    FOLLOW_UP,
    GERMAN,
    QUESTION,
    SETTINGS,
    SOMEBODY,
    STALLING,
    Heard,
)
from tests.in_process import api_of
from tests.served import Served, served

FILE = "database/glassbox.db.sql"
SAVED_S = 3.0  # a running turn is saved once a second
BREAKING, REFUSING = "breaking-after-40", "status-401"
BACK = {
    "0003": "",
    "0002": "ALTER TABLE turns DROP COLUMN asked; UPDATE alembic_version SET version_num = '0002';",
    "0001": "ALTER TABLE turns DROP COLUMN asked; DROP TABLE turn_metrics;"
    "UPDATE alembic_version SET version_num = '0001';",
}
SAID = {"0003": "turns.json", "0002": "turns-without-options.json", "0001": "turns-without-options.json"}


def rows_of(database: Path) -> dict[str, Json]:
    """All rows of a database, by table and key."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = ((table, dict(row)) for table in tables for row in connection.execute(f"SELECT * FROM {table}"))
        return {f"{table} {next(iter(row.values()))}": readable(row) for table, row in rows}


def readable(row: Json) -> Json:
    """A row with its recording as the columns of JSON that it was in the first revisions."""
    if "recording" in row:
        stored = json.loads(json_of(row["recording"]))
        rest = {name: value for name, value in row.items() if name != "recording"}
        row = {**rest, "record": stored.pop("events"), "fields": stored.pop("fields", None), **stored}
    elif "record" in row:
        row = {**row, "record": json.loads(row["record"]), "fields": json.loads(row["fields"])}
    return row | {name: json.dumps(row[name], ensure_ascii=False) for name in ("record", "fields") if name in row}


def changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> Json:
    """Row → its values that are new; of a longer text only what follows."""
    told: Json = {}
    for name, row in after.items():
        old = before.get(name, {})
        new = {key: value for key, value in row.items() if key not in old or old[key] != value}
        if new:
            told[name] = {key: _tail(str(old.get(key, "")), value) for key, value in new.items()}
    return told | {name: "gone" for name in before if name not in after}


def _tail(old: str, new: object) -> object:
    if not isinstance(new, str) or len(new) <= LONG_CHARS:
        return new
    same = next((at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(old))
    return f"… {new[same:]}"


def restored(folder: Path, revision: str) -> Path:
    """A data folder with the frozen database as that revision had it."""
    data = folder / revision
    data.mkdir()
    with closing(sqlite3.connect(data / "glassbox.db")) as connection:
        connection.executescript((FOLDER / FILE).read_text("utf-8") + BACK[revision])
    return data


def said_of(folder: Path) -> dict[str, str]:
    """Open the frozen database of each revision with the app → file → what the API says of each turn.

    Of the newest revision also what opening has changed in the file.
    """
    said: dict[str, str] = {}
    files = {revision: restored(folder, revision) / "glassbox.db" for revision in BACK}
    before = rows_of(files["0003"])
    for revision, file in files.items():
        text = text_of(asyncio.run(read_all(file)))
        assert said.setdefault(f"database/{SAID[revision]}", text) == text
    return said | {"database/opened.json": text_of(changed(before, rows_of(files["0003"])))}


async def read_all(database: Path) -> list[Json]:
    """Every turn as its owner reads it, and that nobody else does."""
    with closing(sqlite3.connect(database)) as connection:
        turns = connection.execute("SELECT id, owner FROM turns ORDER BY id").fetchall()
    told = []
    parts = build(Settings(data_dir=database.parent))
    async with api_of(parts) as client:
        for id, owner in turns:
            at = f"/api/turns/{id}"
            headers = {"X-Visitor": owner} if owner else {}
            events = (await client.get(f"{at}/events", headers=headers)).json()
            theirs = await client.get(at, headers={"X-Visitor": "a-third-visitor-of-tests"})
            mine = (await client.get(at, headers=headers)).json()
            told.append({"visitor": owner, "status_for_others": theirs.status_code, "events": events, "read": mine})
    await parts.close()
    return told


# How it was made -----------------------------------------------------------------------------------------------------


def make() -> None:
    """Fill a database through the API of the present version, and freeze it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with scripted() as provider:
            named = models(provider, ("ok", "cites", BREAKING, REFUSING, STALLING))
            with served(data, MODELS=named, **SETTINGS) as app:
                ids = filled(app)
                app.process.send_signal(signal.SIGKILL)
                app.process.wait(10)
        with closing(sqlite3.connect(data / "glassbox.db")) as connection:
            connection.execute("UPDATE turns SET rating = 1 WHERE id = ?", (ids[0],))
            connection.execute("UPDATE turns SET rating = -1 WHERE id = ?", (ids[2],))
            connection.commit()
            conversations = [row[0] for row in connection.execute("SELECT id FROM conversations ORDER BY created_at")]
            text = "\n".join([*connection.iterdump(), ""])
    for kind, each in (("turn", ids), ("conversation", conversations)):
        for number, id in enumerate(each, 1):
            text = text.replace(id, f"{kind}-{number:02}")
    write({FILE: text})


def filled(app: Served) -> list[str]:
    """Ask all that is to be in it; the last turn runs → the turns' ids."""
    ids, conversations = [], []

    def ask(visitor: str | None, question: str, model: str | None = None, on: str | None = None, **more: object) -> str:
        body = {"question": question, "model": model, "conversation_id": on, **FEW, **more}
        began = app.ask(body, visitor)[0]
        ids.append(began["turn_id"])
        conversations.append(began["conversation_id"])
        return str(began["conversation_id"])

    first = ask(SOMEBODY, QUESTION)
    ask(SOMEBODY, FOLLOW_UP, "cites", on=first)
    ask(SOMEBODY, GERMAN, "ok", instructions="Sei kurz: höchstens zwei Sätze.", temperature=0.3, max_tokens=500)
    ask(SOMEBODY, QUESTION, BREAKING)
    second = ask(ANOTHER, "Wie heiß soll das Wasser sein?")
    ask(ANOTHER, QUESTION, REFUSING, on=second)
    ask(None, "What is cold brew?", "ok")
    stops = Heard(app, {"question": QUESTION, "model": STALLING, "conversation_id": second, **FEW}, ANOTHER)
    ids.append(stops.stalled())
    httpx.post(f"{app.url}/api/turns/{ids[-1]}/stop", headers={"X-Visitor": ANOTHER}, timeout=30)
    runs = Heard(app, {"question": "How is coffee roasted?", "model": STALLING, **FEW}, SOMEBODY)
    ids.append(runs.stalled())
    time.sleep(SAVED_S)
    return ids
