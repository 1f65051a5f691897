"""The local provider misbehaves exactly as a test asks it to."""

import json
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.provider import BEHAVIOURS, Provider, Wish

WHOLE = {"html", "no-body", "unstreamed", "redirect"}  # these never stream


def events_of(base: str, model: str, timeout_s: float = 5) -> Generator[dict[str, Any], None, None]:
    """The JSON objects of the stream, as they come."""
    request = {"model": model, "messages": [{"role": "user", "content": "Why?"}], "stream": True}
    with httpx.stream("POST", f"{base}/chat/completions", json=request, timeout=timeout_s) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                yield json.loads(line[6:])


def said(events: Iterator[dict[str, Any]], key: str = "content") -> list[str]:
    """The texts of all deltas that have one."""
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    return [delta[key] for delta in deltas if delta.get(key)]


def heard_until(error: type[Exception], events: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events before the stream breaks in the wished way."""
    heard = []
    try:
        for event in events:
            heard.append(event)
    except error:
        return heard
    raise AssertionError("the stream did not break")


def finish_of(provider: Provider, model: str) -> str | None:
    reasons = [choice["finish_reason"] for event in events_of(provider.base, model) for choice in event["choices"]]
    return reasons[-1] if reasons else None


def answer_of(provider: Provider, model: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    request = {"model": model, "messages": [{"role": "user", "content": "Why?"}], **body}
    return httpx.post(f"{provider.base}/chat/completions", json=request, headers=headers)


def is_idle(provider: Provider) -> bool:
    """Whether the provider has seen every connection close, which it is given a minute for."""
    until = time.monotonic() + 60
    while provider.active and time.monotonic() < until:
        time.sleep(0.01)
    return provider.active == 0


def test_a_model_name_is_read_as_a_wish() -> None:
    assert Wish.read("head-no-token-gap-20") == Wish("head-no-token", gap_ms=20)
    assert Wish.read("status-429-retry-7") == Wish("status-429", retry_s=7)
    assert Wish.read("cut-after-3-tokens-40") == Wish("cut", tokens=40, after=3)
    assert Wish.read("gpt-after-all") == Wish("gpt-after-all")


@pytest.mark.parametrize("tokens", [24, 60, 2000])
def test_ok_says_exactly_the_wished_tokens_and_both_fields(provider: Provider, tokens: int) -> None:
    events = list(events_of(provider.base, f"ok-tokens-{tokens}"))
    texts = said(iter(events))
    assert len(texts) == events[-1]["usage"]["completion_tokens"] == tokens
    text = "".join(texts)
    markers = ["[[ ## reasoning ## ]]\n", "\n\n[[ ## answer ## ]]\n", " [1].\n\n[[ ## completed ## ]]"]
    assert sorted(map(text.index, markers)) == [text.index(marker) for marker in markers]


def test_a_gap_lies_between_two_tokens(provider: Provider) -> None:
    for pace, at_least_s in (("gap-20", 24 * 0.02), ("rate-2000", 24 / 2000)):
        begun = time.monotonic()
        assert len(said(events_of(provider.base, f"ok-tokens-24-{pace}"))) == 24
        assert time.monotonic() - begun > at_least_s


def test_the_same_text_comes_by_characters_or_at_once(provider: Provider) -> None:
    text = said(events_of(provider.base, "onechunk"))
    characters = said(events_of(provider.base, "chars"))
    assert len(text) == 1
    assert {len(piece) for piece in characters} == {1}
    assert "".join(characters) == text[0] == "".join(said(events_of(provider.base, "ok")))


@pytest.mark.parametrize(
    ("model", "finish"),
    [
        ("ok", "stop"),
        ("length", "length"),
        ("length-before", "length"),
        ("silent-length", "length"),
        ("content-filter", "content_filter"),
        ("empty", "stop"),
        ("eof", None),
        ("no-finish", None),
    ],
)
def test_a_reply_ends_for_the_wished_reason(provider: Provider, model: str, finish: str | None) -> None:
    assert finish_of(provider, model) == finish


def test_thinking_comes_before_an_answer_without_reasoning(provider: Provider) -> None:
    events = list(events_of(provider.base, "thinking"))
    assert said(iter(events), "reasoning_content")
    assert "".join(said(iter(events))).startswith("[[ ## answer ## ]]")
    assert not said(events_of(provider.base, "thinking-only"))


@pytest.mark.parametrize(
    ("model", "reasonings", "answers"),
    [
        ("ok", 1, 1),
        ("no-markers", 0, 0),
        ("no-reasoning", 0, 1),
        ("dup-markers", 1, 2),
        ("swap-markers", 1, 1),
        ("odd-markers", 1, 1),
        ("no-completed", 1, 1),
        ("crlf", 1, 1),
    ],
)
def test_markers_are_there_missing_or_twice(provider: Provider, model: str, reasonings: int, answers: int) -> None:
    text = "".join(said(events_of(provider.base, model)))
    assert (text.count("## reasoning ##"), text.count("## answer ##")) == (reasonings, answers)
    assert "[1]" in text


def test_characters_split_between_chunks_come_whole(provider: Provider) -> None:
    assert "Wässer 水 💧" in "".join(said(events_of(provider.base, "splitutf8")))


def test_what_cannot_be_read_is_not_readable(provider: Provider) -> None:
    with pytest.raises(json.JSONDecodeError):
        list(events_of(provider.base, "badjson"))
    answer = answer_of(provider, "badutf8", stream=True)
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


def test_an_error_can_come_in_the_stream(provider: Provider) -> None:
    assert "error" in list(events_of(provider.base, "error-in-stream"))[-1]


@pytest.mark.parametrize(
    ("model", "error", "events"),
    [
        ("cut-after-3", httpx.RemoteProtocolError, 3),
        ("reset-after-3", httpx.ReadError, 3),
        ("short-after-3", httpx.RemoteProtocolError, 2),
        ("bad-chunk-after-3", httpx.RemoteProtocolError, 3),
    ],
)
def test_a_broken_connection_is_an_error_after_some_text(
    provider: Provider, model: str, error: type[Exception], events: int
) -> None:
    assert len(heard_until(error, events_of(provider.base, model))) == events


def test_a_reply_in_one_piece_is_the_streamed_one_or_a_good_one_where_the_stream_breaks(provider: Provider) -> None:
    for model in ("ok", "cut", "eof", "badjson", "badutf8", "unstreamed", "no-streams", "endless"):
        (choice,) = answer_of(provider, model).json()["choices"]
        assert choice["message"]["content"] == "".join(said(events_of(provider.base, "ok")))
        assert choice["finish_reason"] == "stop"
    (choice,) = answer_of(provider, "length").json()["choices"]
    assert choice["finish_reason"] == "length"
    assert answer_of(provider, "no-streams", stream=True).status_code == 400


def test_what_comes_instead_of_a_stream_comes_whole(provider: Provider) -> None:
    assert answer_of(provider, "html", stream=True).headers["content-type"] == "text/html"
    assert answer_of(provider, "no-body", stream=True).content == b""
    assert answer_of(provider, "unstreamed", stream=True).json()["object"] == "chat.completion"
    moved = answer_of(provider, "redirect", stream=True)
    assert moved.status_code == 307
    httpx.post(f"{provider.base.removesuffix('/v1')}{moved.headers['location']}", json={"model": "m"})
    assert provider.redirected == [{"model": "m"}]


def test_a_refusal_can_depend_on_the_request(provider: Provider) -> None:
    long = [{"role": "user", "content": "Why?"}] * 5
    assert answer_of(provider, "too-long-history", messages=long).json()["error"]["code"] == "context_length_exceeded"
    assert answer_of(provider, "too-long-history").status_code == 200
    told = [{"role": "user", "content": "Be a pirate."}]
    assert "[[ ##" not in answer_of(provider, "pirate", messages=told).text
    assert "[[ ##" in answer_of(provider, "pirate").text
    assert "[[ ##" not in answer_of(provider, "spendthrift", max_tokens=9).text
    assert "[[ ##" in answer_of(provider, "spendthrift").text


def test_one_line_can_be_huge(provider: Provider) -> None:
    answer = answer_of(provider, "huge-kb-100", stream=True)
    assert max(map(len, answer.iter_lines())) > 100_000


@pytest.mark.parametrize(("model", "events"), [("hang", 0), ("head-no-token", 1), ("stall-after-4", 4)])
def test_silence_falls_where_wished_and_the_leaving_is_noticed(provider: Provider, model: str, events: int) -> None:
    assert len(heard_until(httpx.ReadTimeout, events_of(provider.base, model, timeout_s=0.3))) == events
    assert is_idle(provider)


@pytest.mark.parametrize("model", ["endless", "endless-gap-0", "drip"])
def test_long_streams_go_on_until_the_client_leaves(provider: Provider, model: str) -> None:
    with closing(events_of(provider.base, model)) as events:
        for _ in range(3):
            next(events)
        assert provider.active == 1
    assert is_idle(provider)


def test_a_401_echoes_the_key_it_was_sent(provider: Provider) -> None:
    answer = answer_of(provider, "status-401", {"Authorization": "Bearer sk-secret"})
    assert answer.status_code == 401
    assert "Bearer sk-secret" in answer.json()["error"]["message"]


def test_a_status_can_ask_for_patience(provider: Provider) -> None:
    answer = answer_of(provider, "status-429-retry-7")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "retry-after" not in answer_of(provider, "status-503").headers
    assert answer_of(provider, "status-502-html").headers["content-type"] == "text/html"


def test_an_unknown_model_is_a_404(provider: Provider) -> None:
    assert answer_of(provider, "gpt-9").json()["error"]["code"] == "model_not_found"


def test_requests_are_recorded_and_share_a_connection(provider: Provider) -> None:
    before = len(provider.requests)
    with httpx.Client() as client:
        for model in ("ok", "status-500", "ok"):
            client.post(f"{provider.base}/chat/completions", json={"model": model})
    assert [body["model"] for body in provider.requests[before:]] == ["ok", "status-500", "ok"]


def test_leaving_the_context_ends_every_stream() -> None:
    with Provider() as passing:
        streams = [events_of(passing.base, model) for model in ("stall", "endless", "drip")]
        for events in streams:
            next(events)
    for events in streams:
        with pytest.raises(httpx.TransportError):
            list(events)


def test_every_behaviour_begins_or_hangs(provider: Provider) -> None:
    for behaviour in sorted(set(BEHAVIOURS) - {"hang", "empty", "badutf8", "silent-length", *WHOLE}):
        with closing(events_of(provider.base, behaviour)) as events:
            assert "choices" in next(events)


def test_as_a_process_it_prints_its_port_and_serves() -> None:
    with subprocess.Popen([sys.executable, Path(__file__).with_name("provider.py")], stdout=subprocess.PIPE) as process:
        assert process.stdout
        base = f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        assert len(said(events_of(base, "ok-tokens-30"))) == 30
        process.terminate()
