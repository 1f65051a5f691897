"""What differs from run to run is named alike in each: ids, times, addresses of passages, the cuts of a stream.

A stream is written as its events. Neighbouring deltas of one text become one, and the numbers of events are left out;
that they have no gaps is checked before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

Json = dict[str, Any]
OF_ANSWERS = ("content-type", "retry-after", "www-authenticate", "x-should-retry")
TIMES = ("created", "created_at", "completed_at")
LINK = re.compile(r"http://127\.0\.0\.1(?::\d+)?/passages/([\w.~-]+)")
ID = re.compile(r"\b(chatcmpl-|resp_|msg_|rs_)[\w-]{22}")


class Names:
    """Names for the addresses of passages, in the order in which they are first seen."""

    def __init__(self) -> None:
        self._keys: list[str] = []

    def normal(self, said: Any) -> Any:
        """JSON with names for ids and addresses, and without times."""
        if isinstance(said, list):
            return [self.normal(each) for each in said]
        if isinstance(said, dict):
            return {key: self._value(key, value) for key, value in said.items()}
        if isinstance(said, str):
            return ID.sub(r"\1turn", LINK.sub(self._link, said))
        return said

    def _value(self, key: str, value: Any) -> Any:
        if key in TIMES and value is not None:
            return 0
        if key == "conversation" and isinstance(value, dict):
            return {"id": "conversation"}
        return self.normal(value)

    def _link(self, found: re.Match[str]) -> str:
        if found[1] not in self._keys:
            self._keys.append(found[1])
        return f"http://127.0.0.1/passages/{self._keys.index(found[1]) + 1}"

    def answer(self, answer: httpx.Response) -> Json:
        """An answer as it is recorded."""
        headers = {name: answer.headers[name] for name in OF_ANSWERS if name in answer.headers}
        is_stream = answer.headers["content-type"].startswith("text/event-stream")
        body: Json = {"events": merged(list(events_in(answer.text)))} if is_stream else {"body": answer.json()}
        return {"status": answer.status_code, "headers": headers, **self.normal(body)}


def events_in(text: str) -> Iterator[Json]:
    """The fields of each event of a stream, its data read as JSON where it is some."""
    assert text.endswith("\n\n")
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = [line.split(": ", 1) for line in block.split("\n") if not line.startswith(":")]
        if fields := dict(lines):
            assert len(fields) == len(lines)
            assert set(fields) <= {"event", "data"}
            yield {**fields, "data": json.loads(fields["data"]) if fields["data"] != "[DONE]" else "[DONE]"}


def merged(events: list[Json]) -> list[Json]:
    """Events with one delta for each run of deltas of one text."""
    numbers = [event["data"].pop("sequence_number") for event in events if "sequence_number" in event["data"]]
    assert numbers == list(range(len(numbers)))
    kept: list[Json] = []
    for event in events:
        place = text_in(event["data"])
        if place and kept and (before := text_in(kept[-1]["data"])) and _is_same_text(kept[-1], event, before, place):
            before[0][before[1]] += place[0][place[1]]
        else:
            kept.append(event)
    return kept


def text_in(data: Any) -> tuple[Json, str] | None:
    """Where an event holds a piece of text: the object and its key."""
    if isinstance(data, dict) and data.get("type", "").endswith(".delta"):
        return data, "delta"
    if isinstance(data, dict) and len(data.get("choices", ())) == 1:
        delta = data["choices"][0]["delta"]
        if len(delta) == 1 and (key := next(iter(delta))) in ("content", "reasoning_content"):
            return delta, key
    return None


def _is_same_text(last: Json, event: Json, before: tuple[Json, str], place: tuple[Json, str]) -> bool:
    """Whether both events differ in their pieces alone; the first one may hold more keys."""
    if before[1] != place[1]:
        return False
    piece, before[0][before[1]] = before[0][before[1]], place[0][place[1]]
    both = {**last, "data": {key: value for key, value in last["data"].items() if key in event["data"]}} == event
    before[0][before[1]] = piece
    return both
