"""What the clients of versions.toml were answered is answered again; `python -m tests.clients` runs them."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from pipeline.settings import Settings
from server import build, index_shared_documents
from tests.clients.clients import Client, clients
from tests.clients.normal import Json, Names, events_in, merged
from tests.clients.scenes import SCENES, settings
from tests.clients.transcripts import replayed
from tests.in_process import api_of
from tests.provider import CITING, Provider

ANEW = "if this is wanted: python -m tests.clients --record, and review the diff"
EVERY = pytest.mark.parametrize("client", clients(), ids=lambda client: client.name)
ANSWER = CITING.partition("[[ ## answer ## ]]\n")[2].partition("\n\n[[")[0]


def recorded(client: Client) -> Json:
    return dict(json.loads(client.recorded.read_text("utf-8")))


@EVERY
async def test_what_a_client_sent_is_answered_as_it_was(client: Client, tmp_path: Path, provider: Provider) -> None:
    parts = build(Settings(data_dir=tmp_path, **settings(tmp_path, provider)))
    try:
        await index_shared_documents(parts)
        async with api_of(parts) as http:
            for name, scene in recorded(client)["scenes"].items():
                for exchange in scene["exchanges"]:
                    assert await replayed(http, exchange) == exchange["answer"], f"{name}: {ANEW}"
    finally:
        await parts.close()


@EVERY
def test_a_client_was_recorded_in_its_version_with_every_scene(client: Client) -> None:
    assert recorded(client)["packages"] == list(client.packages), ANEW
    assert list(recorded(client)["scenes"]) == list(SCENES), ANEW


@EVERY
def test_the_whole_answer_and_errors_of_their_own_have_arrived(client: Client) -> None:
    arrived = {name: scene["arrived"] for name, scene in recorded(client)["scenes"].items()}
    for name in ("whole", "streamed"):
        assert arrived.pop(name)["returned"]["text"] == ANSWER
    assert all(each.get("raised") for each in arrived.values())


def test_ids_times_addresses_and_the_cuts_of_a_stream_are_no_difference() -> None:
    def chunk(id: str, port: int, **delta: str) -> str:
        data = {"id": f"chatcmpl-{id * 22}", "created": port, "choices": [{"index": 0, "delta": delta}]}
        return f"data: {json.dumps(data)}\n\n"

    def said(id: str, port: int, *pieces: str) -> Json:
        link = f"http://127.0.0.1:{port}/passages/{id}.{id}"
        text = "".join([chunk(id, port, content=each) for each in pieces] + [chunk(id, port, url=link)])
        headers = {"content-type": "text/event-stream"}
        return Names().answer(httpx.Response(200, headers=headers, content=f": waiting\n\n{text}data: [DONE]\n\n"))

    assert said("a", 8000, "Hot", " water", " [1].") == said("b", 9000, "Hot water", " [1].")
    assert said("a", 8000, "Hot", " water") != said("a", 8000, "Hot", "water")


def test_texts_of_other_parts_stay_apart_and_a_gap_in_the_numbers_is_a_fault() -> None:
    def event(number: int, part: int, text: str) -> str:
        data = {"type": "response.output_text.delta", "content_index": part, "delta": text, "sequence_number": number}
        return f"event: response.output_text.delta\ndata: {json.dumps(data)}\n\n"

    events = merged(list(events_in(event(0, 0, "a") + event(1, 0, "b") + event(2, 1, "c"))))
    assert [each["data"]["delta"] for each in events] == ["ab", "c"]
    with pytest.raises(AssertionError):
        merged(list(events_in(event(0, 0, "a") + event(2, 0, "b"))))
