"""Scenes on `/api/turns`: what is asked, and everything that comes back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.frozen.normal import FIRST, Json, Names, ended, found_first, merged, read_of, text_of
from tests.frozen.scripted import models, scripted
from tests.provider import Provider
from tests.served import Served, served

QUESTION = "Why does water temperature change the taste of coffee?"
FOLLOW_UP = "And how hot should it be for espresso?"
GERMAN = "Wie funktioniert eine Mokkakanne?"
SETTINGS = {"QUESTION_LIMIT_CHARS": "8000", "LEAVE_GRACE_S": "60"}
SOMEBODY, ANOTHER = "somebody-of-the-tests", "another-of-the-tests"
QUIET_S = 1.5  # how long nothing comes before a reply is taken to have stalled
FEW: Json = {"passages_wanted": 2, "candidates": 3}  # so that the files stay small


@dataclass(frozen=True)
class Scene:
    """Questions of one visitor in one conversation; `shows_requests`: what the provider was sent belongs to it."""

    name: str
    bodies: tuple[Json, ...]
    shows_requests: bool = False


def of_provider(model: str, *, question: str = QUESTION, name: str = "", shows: bool = False, **more: Any) -> Scene:
    """One question to a model of the provider."""
    return Scene(name or model, ({"question": question, "model": model, **FEW, **more},), shows)


SCENES = (
    of_provider("ok", shows=True),  # first: what it finds is written into no other file
    Scene("builtin", ({"question": QUESTION},)),
    Scene("builtin-follow-up", ({"question": QUESTION, **FEW}, {"question": FOLLOW_UP, **FEW})),
    Scene("builtin-refusal", ({"question": "Who won the football world cup in 1998?"},)),
    Scene("builtin-german", ({"question": GERMAN, **FEW},)),
    Scene("builtin-overview", ({"question": "Which documents do you have?"},)),
    Scene("builtin-overview-german", ({"question": "Welche Dokumente gibt es?"},)),
    Scene("builtin-options", ({"question": QUESTION, "mode": "keyword", "passages_wanted": 1, "candidates": 1},)),
    of_provider("ok", name="german", question=GERMAN, shows=True),
    of_provider("ok", name="nothing-found", question="xyzzy plugh", shows=True),
    of_provider("ok", name="options", instructions="Be brief.", temperature=0.3, max_tokens=500, shows=True),
    Scene(
        "rewrites",
        (
            {"question": QUESTION, "model": "cites", **FEW, "rewrites": True},
            {"question": FOLLOW_UP, "model": "cites", **FEW, "rewrites": True},
        ),
        True,
    ),
    Scene(
        "follow-up",
        ({"question": QUESTION, "model": "cites", **FEW}, {"question": FOLLOW_UP, "model": "cites", **FEW}),
        True,
    ),
    of_provider("declines"),
    of_provider("rich"),
    of_provider("thinking"),
    of_provider("answer-in-thinking"),
    of_provider("parts"),
    of_provider("no-markers"),
    of_provider("late-markers"),
    of_provider("onechunk"),
    of_provider("json"),
    of_provider("odd-markers"),
    of_provider("length"),
    of_provider("content-filter"),
    of_provider("filtered"),
    of_provider("status-401"),
    of_provider("busy-once-retry-0"),
    of_provider("no-streams"),
    of_provider("pirate", instructions="Talk like a pirate."),
    of_provider("dazed", instructions="You are in a daze.", shows=True),
    of_provider("empty"),
    of_provider("spendthrift", max_tokens=50),
    Scene(
        "too-long-history",
        ({"question": QUESTION, "model": "too-long-history", **FEW},) * 2,
    ),
    of_provider("breaking-after-40"),
)
MODELS = tuple(dict.fromkeys(body["model"] for scene in SCENES for body in scene.bodies if "model" in body))
STALLING = "stall-after-40"


@contextmanager
def running(folder: Path) -> Iterator[tuple[Served, Provider]]:
    """The app with all models of the scenes."""
    with (
        scripted() as provider,
        served(folder / "data", MODELS=models(provider, (*MODELS, STALLING)), **SETTINGS) as app,
    ):
        yield app, provider


def events_of(text: str) -> list[Json]:
    """Server-sent events → their data; `id` and `event` must be those of the data, and `seq` without gaps."""
    events = []
    for block in filter(None, text.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        event = json.loads(fields["data"])
        assert (fields["event"], fields["id"]) == (event["kind"], str(event["seq"]))
        events.append(event)
    assert [event["seq"] for event in events] == list(range(len(events)))
    return events


def turn(app: Served, body: Json, names: Names, found: Json | None) -> tuple[Json, str]:
    """Ask, read the turn and follow it once more → all of that, and the conversation's id."""
    headers = {"X-Visitor": SOMEBODY}
    answer = httpx.post(f"{app.url}/api/turns", json=body, headers=headers, timeout=60)
    events = events_of(answer.text)
    at = f"{app.url}/api/turns/{events[0]['turn_id']}"
    read = httpx.get(at, headers=headers).json()
    again = httpx.get(f"{at}/events", headers=headers)
    later = httpx.get(f"{at}/events", params={"after": 2}, headers=headers)
    return {
        "asked": names.normal(body),
        "status": answer.status_code,
        "type": answer.headers["content-type"],
        "events": ended(merged(names.normal(events)), found),
        "read": names.normal(read_of(read, events[-1])),
        "followed": "the same" if again.text == answer.text else again.text,
        "followed_after_2": "the rest" if answer.text.split("\n\n", 3)[3] == later.text else later.text,
    }, events[0]["conversation_id"]


def play(app: Served, provider: Provider, scene: Scene) -> str:
    """A scene → its file's text."""
    names, before, turns, conversation = Names(), len(provider.requests), [], ""
    found = None if f"streams/{scene.name}.json" == FIRST else found_first()
    for body in scene.bodies:
        body = {**body, "conversation_id": conversation} if conversation else body
        said, conversation = turn(app, body, names, found)
        turns.append(said)
    requests = provider.requests[before:] if scene.shows_requests else []
    return text_of([*turns, *({"request": each} for each in requests)])


# What is refused -----------------------------------------------------------------------------------------------------


def refusals(app: Served, _provider: Provider) -> str:
    """Requests that start no turn → status and words of each."""
    names = Names()
    headers = {"X-Visitor": SOMEBODY}
    theirs = app.ask({"question": "Who may read this?"}, SOMEBODY)[0]
    at = f"{app.url}/api/turns"
    own = f"{at}/{theirs['turn_id']}"
    posts: tuple[Json, ...] = (
        {"question": "  "},
        {"question": "​"},
        {"question": QUESTION, "surprise": 1},
        {"question": 1},
        {},
        {"question": QUESTION, "conversation_id": "none-such"},
        {"question": "water " * 1400},
        {"question": QUESTION, "model": "builtin/extractve"},
        {"question": QUESTION, "passages_wanted": 0},
        {"question": QUESTION, "passages_wanted": 21},
        {"question": QUESTION, "temperature": 2.5},
        {"question": QUESTION, "mode": "psychic"},
    )
    said: list[Json] = []

    def told(what: Any, answer: httpx.Response) -> None:
        said.append({"asked": names.normal(what), "status": answer.status_code, "says": names.normal(answer.json())})

    for body in posts:
        told(body, httpx.post(at, json=body, headers=headers))
    other = {"X-Visitor": ANOTHER}
    foreign = {"question": QUESTION, "conversation_id": theirs["conversation_id"]}
    told("another's conversation", httpx.post(at, json=foreign, headers=other))
    told("broken JSON", httpx.post(at, content=b"{", headers={**headers, "content-type": "application/json"}))
    told("a form", httpx.post(at, data={"question": QUESTION}, headers=headers))
    told("a bad visitor", httpx.post(at, json={"question": QUESTION}, headers={"X-Visitor": "me"}))
    told("no such turn", httpx.get(f"{at}/none-such", headers=headers))
    told("another's turn", httpx.get(own, headers=other))
    told("another's events", httpx.get(f"{own}/events", headers=other))
    told("stopping another's turn", httpx.post(f"{own}/stop", headers=other))
    told("events after what is no number", httpx.get(f"{own}/events?after=x", headers=headers))
    told("events after the last one", httpx.get(f"{own}/events?after=99999", headers=headers))
    return text_of(said)


def whole_reply(app: Served, _provider: Provider) -> str:
    """`stream: false`: one object at the end."""
    names = Names()
    answers = [
        httpx.post(f"{app.url}/api/turns", json={"question": QUESTION, "stream": False, **FEW, **more}, timeout=60)
        for more in ({}, {"model": "cites"})
    ]
    return text_of([{"type": each.headers["content-type"], "says": names.normal(each.json())} for each in answers])


def stopped(app: Served, _provider: Provider) -> str:
    """A reply that stalls, read while it runs, then stopped."""
    names, heard = Names(), Heard(app, {"question": QUESTION, "model": STALLING, **FEW})
    turn_id = heard.stalled()
    headers = {"X-Visitor": SOMEBODY}
    running = httpx.get(f"{app.url}/api/turns/{turn_id}", headers=headers).json()
    stop = httpx.post(f"{app.url}/api/turns/{turn_id}/stop", headers=headers, timeout=30).json()
    events = heard.whole()
    said = {
        "events": ended(merged(names.normal(events)), found_first()),
        "while_it_runs": names.normal(running),
        "stopped": names.normal(read_of(stop, events[-1])),
    }
    return text_of(said)


class Heard:
    """A turn that is read by a thread."""

    def __init__(self, app: Served, body: Json, visitor: str = SOMEBODY) -> None:
        self._text, self._at = "", time.monotonic()
        self._thread = threading.Thread(target=self._read, args=(app, body, visitor), daemon=True)
        self._thread.start()

    def _read(self, app: Served, body: Json, visitor: str) -> None:
        headers, at = {"X-Visitor": visitor}, f"{app.url}/api/turns"
        with (
            suppress(httpx.TransportError),  # its server may be killed
            httpx.stream("POST", at, json=body, headers=headers, timeout=90) as answer,
        ):
            for text in answer.iter_text():
                if any(line.startswith("event: ") and "estimated" not in line for line in text.splitlines()):
                    self._at = time.monotonic()
                self._text += text

    def stalled(self) -> str:
        """Wait until its answer has begun and nothing more comes → the turn's id."""
        until = time.monotonic() + 60
        while '"field":"answer"' not in self._text or time.monotonic() - self._at < QUIET_S:
            assert time.monotonic() < until, self._text
            time.sleep(0.05)
        return str(json.loads(self._text.split("data: ", 1)[1].splitlines()[0])["turn_id"])

    def whole(self) -> list[Json]:
        """All its events."""
        self._thread.join(60)
        return events_of(self._text)


Part = Callable[[Served, Provider], str]


def _of(scene: Scene) -> Part:
    return lambda app, provider: play(app, provider, scene)


# file → what is played for it
PARTS: dict[str, Part] = {f"streams/{scene.name}.json": _of(scene) for scene in SCENES} | {
    "streams/refused.json": refusals,
    "streams/whole.json": whole_reply,
    "streams/stopped.json": stopped,
}
