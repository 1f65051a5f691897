"""What differs from run to run is named alike in each, and JSON is written so that a diff of it can be read.

Ids become `turn-1`, `conversation-1` in the order in which they are first seen. Times (`at_s`, `took_s`, `asked_at`)
become 0, and scores have four digits behind the point, since their sums depend on the order. Estimates, which come
twice a second, are left out, and so is `seq`, which counts them; that it has no gaps is checked before. Neighbouring
deltas of one field become one: how a text is cut into them depends on time.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TIMES = ("at_s", "took_s", "asked_at")
IDS = ("turn_id", "conversation_id")
FIRST = "streams/ok.json"
WIDTH = 116
LONG_CHARS = 2_000

Json = dict[str, Any]


class Names:
    """Ids → the names that they bear in the files."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, kind: str, id: str) -> str:
        """The id's name; one that is new gets the next number of its kind."""
        same = sum(name.startswith(f"{kind}-") for name in self._names.values())
        return self._names.setdefault(id, f"{kind}-{same + 1}")

    def normal(self, said: Any) -> Any:
        """Any JSON of the API with names for ids, and without times and `seq`."""
        if isinstance(said, float):
            return round(said, 4)
        if isinstance(said, list):
            return [self.normal(each) for each in said]
        if not isinstance(said, dict):
            return said
        return {key: self._value(key, value) for key, value in said.items() if key != "seq"}

    def _value(self, key: str, value: Any) -> Any:
        if key in TIMES and value is not None:
            return 0
        if key == "waits_s" and value:
            return "some"  # a random time
        if key in IDS and isinstance(value, str):
            return self.of(key.removesuffix("_id"), value)
        if isinstance(value, str) and len(value) > LONG_CHARS and key == "question":
            return f"{value[:40]}… ({len(value)} characters)"
        return self.normal(value)


def merged(events: Iterable[Json]) -> list[Json]:
    """Events without estimates, and with one delta for each run of one field's deltas."""
    kept: list[Json] = []
    for event in events:
        if event["kind"] == "estimated":
            continue
        last = kept[-1] if kept else {}
        if event["kind"] == "field_delta" == last.get("kind") and event["field"] == last["field"]:
            kept[-1] = {**last, "text": last["text"] + event["text"]}
        else:
            kept.append(event)
    return kept


def ended(events: list[Json], found: Json | None = None) -> list[Json]:
    """Events without what was said before: the passages of the ending, and what another file has `found`."""
    passages = next((event["passages"] for event in reversed(events) if event["kind"] == "passages_found"), None)
    ending = {**events[-1], "passages": "as found"} if events[-1].get("passages", 0) == passages else events[-1]
    told = [{"kind": event["kind"], "all": f"as in {FIRST}"} if event == found else event for event in events]
    return [*told[:-1], ending]


def read_of(read: Json, ending: Json) -> Json:
    """A turn that was read, without what its ending said."""
    return {key: "as in the ending" if (key, value) in ending.items() else value for key, value in read.items()}


def found_first() -> Json | None:
    """What the first scene has found, which most others find, too."""
    path = FOLDER / FIRST
    turns = json.loads(path.read_text("utf-8")) if path.exists() else [{"events": []}]
    return next((event for event in turns[0]["events"] if event["kind"] == "passages_found"), None)


def pretty(value: Any, indent: str = "") -> str:
    """JSON in which only what is too long for a line takes more than one."""
    line = json.dumps(value, ensure_ascii=False)
    is_numbers = isinstance(value, list) and all(isinstance(each, list | int | float) for each in value)
    if not value or not isinstance(value, dict | list) or is_numbers or len(indent) + len(line) <= WIDTH:
        return line
    deeper = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {pretty(each, deeper)}" for key, each in value.items()]
    else:
        parts = [pretty(each, deeper) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{closing}"


def text_of(value: Any) -> str:
    """A file's text."""
    return f"{pretty(value)}\n"


def write(files: Mapping[str, str]) -> None:
    """Write files below this folder, each only if it has changed."""
    for name, text in files.items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def difference(name: str, text: str) -> str:
    """What `text` has that the frozen file has not, and the reverse; nothing when they are the same."""
    path = FOLDER / name
    frozen = path.read_text("utf-8") if path.exists() else ""
    lines = difflib.unified_diff(frozen.splitlines(), text.splitlines(), f"frozen/{name}", "now", lineterm="", n=2)
    return "\n".join(lines)
