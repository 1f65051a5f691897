"""The wire, held to the letter against the app as a process."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.programs.registry import PROGRAMS
from tests.provider import HOP_QUERY, HOPS, TOOL_CALLS, Provider
from tests.served import Served, free_port, served, start

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
KEY = "sk-test-0123456789abcdef"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the app that the tests share."""
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def app(data_dir: Path, provider: Provider) -> Iterator[Served]:
    behaviours = ["ok", "status-401", "status-500", "endless", "cut-after-30", "ok-tokens-40-gap-50", "length", "rich"]
    behaviours += ["agent", "hops"]
    models = [
        {"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base, "api_key_env": "TEST_MODEL_KEY"}
        for name in behaviours
    ]
    models.append({**models[1], "label": "by-litellm", "model": "lm_studio/status-401"})
    settings = {"MODELS": json.dumps(models), "TEST_MODEL_KEY": KEY, "LEAVE_GRACE_S": "0"}
    with served(data_dir, **settings) as running:
        yield running


def post(app: Served, body: Any, **headers: str) -> httpx.Response:
    return httpx.post(f"{app.url}/api/turns", json=body, headers=headers, timeout=30)


def test_a_turn_is_answered_by_the_program_it_names(app: Served) -> None:
    listed = httpx.get(f"{app.url}/api/programs").json()["programs"]
    keys = {"name", "title", "description", "fields", "tools", "needs_document", "is_default"}
    assert [set(each) for each in listed] == [keys] * len(PROGRAMS)
    assert [each["name"] for each in listed if each["is_default"]] == ["ChainOfThought"]
    react = next(each for each in listed if each["tools"])
    asked = post(app, {"question": QUESTION, "program": react["name"]})
    assert [event["program"] for event in events_in(asked.iter_lines()) if "program" in event] == ["ReAct", "ReAct"]
    refused = post(app, {"question": QUESTION, "program": "<Unknown>"})
    assert refused.status_code == 422
    assert refused.json() == {
        "detail": "There is no program of that name here. Choose one that GET /api/programs lists."
    }


def test_one_object_says_which_fields_the_model_left_out(app: Served) -> None:
    asked = {"question": QUESTION, "program": "Compliance", "model": "ok", "stream": False}
    whole = post(app, asked).json()
    assert "findings" in {each["code"]: each["text"] for each in whole["warnings"]}["missing_fields"]
    assert whole["recoveries"] == []
    counts = Counter(each["verdict"] for each in whole["sentences"])
    assert counts == whole["checks"]
    streamed = list(events_in(httpx.get(f"{app.url}/api/turns/{whole['turn_id']}/events").iter_lines()))
    of_streams = ("kind", "seq", "at_s")
    assert whole["sentences"] == [
        {name: value for name, value in each.items() if name not in of_streams}
        for each in streamed
        if each["kind"] == "sentence_checked"
    ]


def test_an_agents_calls_of_tools_are_streamed_with_their_results_and_add_up(app: Served) -> None:
    events = list(events_in(post(app, {"question": QUESTION, "program": "ReAct", "model": "agent"}).iter_lines()))
    called, returned = ([each for each in events if each["kind"] == kind] for kind in ("tool_called", "tool_returned"))
    assert [(each["tool"], each["arguments"]) for each in called] == [
        (tool, arguments) for _, tool, arguments in TOOL_CALLS[:-1]
    ]
    assert [each["call"] for each in called] == [each["call"] for each in returned]
    assert [each["failed"] for each in returned] == [False, False, False, True, True]
    assert returned[2]["text"] == "36"
    steps = [each["step"] for each in events if each["kind"] == "step_changed" and each["state"] == "began"]
    names = ("search_documents", "open_passage", "calculate", "calculate")
    assert steps == ["retrieve", "reason", *(f"tool:{name}" for name in names), "answer"]
    ending = events[-1]
    assert ending["kind"] == "turn_finished"
    searches = [each["passages"] for each in events if each["kind"] == "passages_found"]
    assert len(searches) == 3
    found = {passage["number"]: passage["document"] for passages in searches for passage in passages}
    assert [passage["number"] for passage in ending["passages"]] == sorted(found) == list(range(1, len(found) + 1))
    assert ending["fields"]["reasoning"] == "\n\n".join(
        [*(thought for thought, *_ in TOOL_CALLS), "Passage [1] says why."]
    )
    assert ending["fields"]["answer"].startswith("Hotter water dissolves")
    assert ending["usage"]["exact"]
    stored = httpx.get(f"{app.url}/api/turns/{events[0]['turn_id']}/recording").json()["events"]
    assert [each for each in stored if each["kind"].startswith("tool_")] == [
        each for each in events if each["kind"].startswith("tool_")
    ]


def test_the_hops_of_a_turn_are_streamed_with_their_queries(app: Served) -> None:
    events = list(events_in(post(app, {"question": QUESTION, "program": "MultiHop", "model": "hops"}).iter_lines()))
    began = [each for each in events if each["kind"] == "step_changed" and each["state"] == "began"]
    assert [(each["step"], each["text"]) for each in began] == [
        ("retrieve", ""),
        ("reason", ""),
        ("search:2", HOP_QUERY),
        ("answer", ""),
    ]
    assert [each["query"] for each in events if each["kind"] == "passages_found"] == [QUESTION, HOP_QUERY]
    fields = events[-1]["fields"]
    assert fields["reasoning"] == "\n\n".join([*(missing for missing, _ in HOPS), "Passage [1] says why."])
    assert fields["answer"].startswith("Hotter water dissolves")


def test_events_are_flat_numbered_and_end_once(app: Served) -> None:
    with httpx.stream("POST", f"{app.url}/api/turns", json={"question": QUESTION}, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        blocks = [block for block in answer.read().decode().split("\n\n") if block.strip()]
    events = []
    for number, block in enumerate(blocks):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        event = json.loads(lines["data"])
        assert (lines["event"], lines["id"]) == (event["kind"], str(number))
        assert event["seq"] == number
        events.append(event)
    assert events[0]["kind"] == "turn_started"
    ending = events[-1]
    assert ending["kind"] == "turn_finished"
    assert sum(event["kind"].startswith("turn_") for event in events) == 2
    for field, text in ending["fields"].items():
        said = "".join(each["text"] for each in events if each["kind"] == "field_delta" and each["field"] == field)
        assert said == text
    found = next(event for event in events if event["kind"] == "passages_found")
    passage = found["passages"][0]
    assert {"number", "document", "title", "section", "text", "score", "matched"} < set(passage)
    assert {"document_id", "start", "end", "first_page", "last_page", "scores", "reason"} < set(passage)
    assert set(passage["scores"]) == {"keyword", "vector", "fused", "reranked"}
    assert passage["matched"]
    assert set(ending["usage"]) == {"prompt_tokens", "completion_tokens", "exact"}
    assert ending["saved"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"question": " "},
        {"question": 7},
        {"question": "x" * 8_001},
        {"question": QUESTION, "model": "gpt-9"},
        {"question": QUESTION, "surprise": 1},
        {"question": QUESTION, "passages_wanted": 0},
        {"question": QUESTION, "passages_wanted": 21},
        {"question": QUESTION, "documents": "all"},
        {"question": QUESTION, "language": "German"},
        {"question": QUESTION, "program": "Unheard"},
        {"question": QUESTION, "temperature": "hot"},
    ],
)
def test_bad_requests_are_refused_before_the_stream_with_a_constant_text(app: Served, body: Any) -> None:
    answer = post(app, body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


def test_malformed_and_oversized_bodies_are_refused(app: Served) -> None:
    headers = {"content-type": "application/json"}
    url = f"{app.url}/api/turns"
    assert httpx.post(url, content=b"{", headers=headers).status_code == 422
    assert httpx.post(url, content=b'{"question": "\\ud800"}', headers=headers).status_code == 422
    assert httpx.post(url, content=b"[" * 900_000, headers=headers).status_code == 422
    untold = httpx.post(url, content=b'{"question": "hi"}', headers={"content-type": "text/plain"})
    assert untold.status_code == 422
    assert "Send JSON" in untold.json()["detail"]
    assert httpx.put(url, json={"question": "hi"}).status_code == 405
    assert httpx.post(url, content=b'"' + b"x" * 1_100_000 + b'"', headers=headers).status_code == 413
    assert post(app, {"question": QUESTION}, **{"X-Visitor": "short"}).status_code == 422


def test_conversations_belong_to_their_visitor(app: Served) -> None:
    conversation_id = app.ask({"question": QUESTION}, MAYA)[0]["conversation_id"]
    again = {"question": "And then?", "conversation_id": conversation_id}
    assert app.ask(again, MAYA)[0]["conversation_id"] == conversation_id
    assert post(app, again, **{"X-Visitor": NOAH}).status_code == 404
    assert post(app, again).status_code == 404
    assert post(app, {**again, "conversation_id": "unknown"}).status_code == 404


def test_a_replaced_turn_stays_readable_and_only_its_owner_replaces_it(app: Served) -> None:
    started = app.ask({"question": QUESTION}, MAYA)[0]
    edit = {"question": "How hot?", "replaces": started["turn_id"]}
    edited = app.ask(edit, MAYA)[0]
    assert edited["conversation_id"] == started["conversation_id"]
    for at in (started, edited):
        assert get(app, at["turn_id"]).json()["question"] == at["question"]
    assert post(app, edit, **{"X-Visitor": NOAH}).status_code == 404
    elsewhere = app.ask({"question": QUESTION}, MAYA)[0]["conversation_id"]
    assert post(app, {**edit, "conversation_id": elsewhere}, **{"X-Visitor": MAYA}).status_code == 404


def test_a_conversation_without_a_visitor_goes_on_for_whoever_knows_its_id(app: Served) -> None:
    conversation_id = app.ask({"question": QUESTION})[0]["conversation_id"]
    again = {"question": "And then?", "conversation_id": conversation_id}
    assert app.ask(again, NOAH)[-1]["kind"] == "turn_finished"


@contextmanager
def running(app: Served, model: str, visitor: str = MAYA) -> Iterator[dict[str, Any]]:
    """A turn that runs as long as the context is open → its first event."""
    body, headers = {"question": QUESTION, "model": model}, {"X-Visitor": visitor}
    with httpx.stream("POST", f"{app.url}/api/turns", json=body, headers=headers, timeout=20) as answer:
        events = events_in(answer.iter_lines())  # kept: httpx closes the answer with it
        yield next(events)


def events_in(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    return (json.loads(line[6:]) for line in lines if line.startswith("data: "))


def get(app: Served, path: str, visitor: str | None = MAYA, **headers: str) -> httpx.Response:
    named = {"X-Visitor": visitor} if visitor else {}
    return httpx.get(f"{app.url}/api/turns/{path}", headers={**named, **headers}, timeout=20)


def test_a_reader_who_comes_back_gets_the_rest_without_a_gap_or_a_second_provider_request(
    app: Served, provider: Provider
) -> None:
    asked = len(provider.requests)
    with running(app, "ok-tokens-40-gap-50") as started:
        path = f"{started['turn_id']}/events"
        with httpx.stream("GET", f"{app.url}/api/turns/{path}", headers={"X-Visitor": MAYA}, timeout=20) as answer:
            first = list(islice(events_in(answer.iter_lines()), 12))
        rest = list(events_in(iter(get(app, path, **{"Last-Event-ID": str(first[-1]["seq"])}).text.splitlines())))
    assert [event["seq"] for event in first + rest] == list(range(len(first + rest)))
    assert rest[-1]["kind"] == "turn_finished"
    said = "".join(each["text"] for each in first + rest if each["kind"] == "field_delta" and each["field"] == "answer")
    assert said == rest[-1]["fields"]["answer"]
    assert len(provider.requests) == asked + 1
    last = rest[-1]["seq"]
    assert get(app, f"{path}?after={last - 1}").text.startswith("event: turn_finished")
    assert get(app, f"{path}?after=0", **{"Last-Event-ID": str(last)}).text == ""
    for seq in (str(last + 1), "x", "-2"):
        assert get(app, path, **{"Last-Event-ID": seq}).status_code == 422


def test_a_turn_is_read_and_stopped_by_its_id_and_its_visitor_alone(app: Served, provider: Provider) -> None:
    with running(app, "endless") as started:
        turn_id = started["turn_id"]
        for stranger in (NOAH, None):
            assert get(app, turn_id, stranger).status_code == 404
            assert get(app, f"{turn_id}/events", stranger).status_code == 404
            headers = {"X-Visitor": stranger} if stranger else {}
            assert httpx.post(f"{app.url}/api/turns/{turn_id}/stop", headers=headers).status_code == 404
        assert get(app, "unknown").status_code == get(app, "unknown/events").status_code == 404
        now = get(app, turn_id).json()
        assert (now["state"], now["question"], now["model"]) == ("running", QUESTION, "endless")
        assert "kind" not in now
        stopped = httpx.post(f"{app.url}/api/turns/{turn_id}/stop", headers={"X-Visitor": MAYA}, timeout=20)
    assert stopped.status_code == 200
    ended = stopped.json()
    assert (ended["kind"], ended["state"], ended["saved"]) == ("turn_stopped", "stopped", True)
    assert get(app, turn_id).json() == ended
    assert httpx.post(f"{app.url}/api/turns/{turn_id}/stop", headers={"X-Visitor": MAYA}).json() == ended


def test_a_recording_says_what_was_said_and_when(app: Served) -> None:
    events = app.ask({"question": QUESTION, "model": "ok-tokens-40-gap-50", "uses_cache": False}, MAYA)
    recorded = get(app, f"{events[0]['turn_id']}/recording").json()["events"]
    assert get(app, f"{events[0]['turn_id']}/recording", None).status_code == 404

    def others(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [event for event in said if event["kind"] != "field_delta"]

    assert others(recorded) == others(events)
    answer = [event for event in recorded if (event["kind"], event.get("field")) == ("field_delta", "answer")]
    assert "".join(event["text"] for event in answer) == events[-1]["fields"]["answer"]
    assert len(answer) > 3
    times = {event["seq"]: event["at_s"] for event in events}
    assert all(event["at_s"] == times[event["seq"]] for event in answer)


def test_the_artifacts_of_an_answer_are_downloaded_by_its_owner_as_files_that_no_browser_runs(app: Served) -> None:
    events = app.ask({"question": QUESTION, "model": "rich"}, MAYA)
    turn_id, answer = events[0]["turn_id"], events[-1]["fields"]["answer"]
    found = [event for event in events if event["kind"] == "artifact_found"]
    assert {"table", "code"} <= {event["type"] for event in found}
    assert [event["index"] for event in found] == list(range(len(found)))
    for event in found:
        file = get(app, f"{turn_id}/artifacts/{event['index']}")
        assert file.status_code == 200
        assert file.headers["content-type"].partition(";")[0] in ("text/plain", "text/markdown")
        assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        assert file.headers["x-content-type-options"] == "nosniff"
        assert all(line.strip() in answer for line in file.text.splitlines())
    table, code = (next(each for each in found if each["type"] == kind)["index"] for kind in ("table", "code"))
    as_csv = get(app, f"{turn_id}/artifacts/{table}?as=csv")
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert as_csv.content.startswith("\ufeff".encode())
    for path in (f"{code}?as=csv", f"{table}?as=html"):
        assert get(app, f"{turn_id}/artifacts/{path}").status_code == 422
    for path, visitor in ((str(len(found)), MAYA), ("x", MAYA), ("-1", MAYA), (str(table), NOAH), (str(table), None)):
        assert get(app, f"{turn_id}/artifacts/{path}", visitor).status_code == 404


def test_the_exact_prompts_of_a_turn_are_for_its_owner_and_hold_no_key(app: Served) -> None:
    events = app.ask({"question": QUESTION, "model": "ok"}, MAYA)
    answer = get(app, f"{events[0]['turn_id']}/exchanges")
    (exchange,) = answer.json()["exchanges"]
    assert QUESTION in exchange["messages"][-1]["content"]
    assert (exchange["fault"], exchange["usage"]["completion_tokens"] > 0) == (None, True)
    assert KEY not in answer.text
    assert "http" not in str((exchange["model"], exchange["parameters"]))
    assert get(app, f"{events[0]['turn_id']}/exchanges", None).status_code == 404


OWN_KEYS = ("own.key:Qm7xJ2vT9wLr4zNc", "other.key:Hk3sYb8dPf6gUe1a")


def test_a_visitors_own_key_is_sent_to_the_model_and_found_nowhere_else(app: Served, provider: Provider) -> None:
    """After a success, faults through both engines, a retry, a fallback, a stop and malformed keys."""
    since, first = len(provider.authorized), OWN_KEYS[0]
    told = []
    for key, model in ((first, "ok"), (first, "status-401"), (first, "by-litellm"), (OWN_KEYS[1], "status-500")):
        answer = post(app, {"question": QUESTION, "model": model}, **{"X-Visitor": MAYA, "X-Model-Key": key})
        assert answer.status_code == 200
        told.append(answer.text)
        events = list(events_in(iter(answer.text.splitlines())))
        assert events[-1]["kind"] == "turn_finished"
        told.append(get(app, f"{events[0]['turn_id']}/exchanges").text)
        told.append(get(app, events[0]["turn_id"]).text)
    asked = {"question": QUESTION, "model": "ok-tokens-40-gap-50", "replaces": events[0]["turn_id"]}
    headers = {"X-Visitor": MAYA, "X-Model-Key": first}
    with httpx.stream("POST", f"{app.url}/api/turns", json=asked, headers=headers, timeout=30) as answer:
        started = next(events_in(answer.iter_lines()))
        told.append(httpx.post(f"{app.url}/api/turns/{started['turn_id']}/stop", headers=headers, timeout=30).text)
    assert set(provider.authorized[since:]) == set(OWN_KEYS)
    for malformed in ("", "with a blank", "x" * 501, "schlüssel"):
        asked_so = httpx.post(
            f"{app.url}/api/turns",
            json={"question": QUESTION, "model": "ok"},
            headers=[(b"X-Model-Key", malformed.encode("latin-1"))],
        )
        assert (asked_so.status_code, list(asked_so.json())) == (422, ["detail"])
        told.append(asked_so.text)
    told += [httpx.get(f"{app.url}{path}").text for path in ("/", "/metrics", "/config", "/health", "/api/models")]
    folder = app.log.parent / app.log.name.rpartition("-")[0]
    files = [app.log, *(each for each in folder.rglob("*") if each.is_file())]
    assert any(each.name.startswith("glassbox.db") for each in files)
    pieces = [key[at : at + 8] for key in OWN_KEYS for at in range(len(key) - 8)]
    assert [piece for piece in pieces if piece in "".join(told)] == []
    assert [each.name for each in files for piece in pieces if piece.encode() in each.read_bytes()] == []


def test_what_will_be_sent_is_said_over_http_without_asking_a_model(app: Served) -> None:
    body = {"question": QUESTION, "model": "ok", "rewrites": True, "language": "de"}
    answer = httpx.post(f"{app.url}/api/turns/preview", json=body, headers={"X-Visitor": MAYA}, timeout=60)
    said = answer.json()
    assert QUESTION in said["messages"][-1]["content"]
    assert said["prompt_chars"] == sum(len(each["content"]) for each in said["messages"])
    assert [(each["code"], "Umformulieren" in each["text"]) for each in said["notes"]] == [("rewrites", True)]
    assert KEY not in answer.text
    refused = httpx.post(f"{app.url}/api/turns/preview", json={"question": " "}, timeout=60)
    assert refused.status_code == 422


def test_a_turn_says_how_it_was_asked(app: Served) -> None:
    events = app.ask({"question": QUESTION, "passages_wanted": 2, "temperature": 0.2, "instructions": " "}, MAYA)
    options = get(app, events[0]["turn_id"]).json()["options"]
    assert (options["passages_wanted"], options["temperature"], options["instructions"]) == (2, 0.2, None)
    told = {"documents": ["a", "b"], "collections": ["c"], "language": "de", "program": "ChainOfThought"}
    events = app.ask({"question": QUESTION, **told}, MAYA)
    options = get(app, events[0]["turn_id"]).json()["options"]
    assert {name: options[name] for name in told} == told
    assert events[0]["language"] == "de"


@pytest.mark.parametrize(
    ("asked", "told", "word"), [("auto", "en", "limit"), ("de", "de", "Höchstzahl"), ("fi", "fi", "limit")]
)
def test_a_turn_speaks_of_itself_in_the_language_that_was_asked_for(
    app: Served, asked: str, told: str, word: str
) -> None:
    started, *events = app.ask({"question": QUESTION, "model": "length", "language": asked})
    assert started["language"] == told
    assert [word in event["text"] for event in events if event["kind"] == "warned"] == [True]


def test_a_turn_of_nobody_is_open_to_who_knows_its_id(app: Served) -> None:
    turn_id = app.ask({"question": QUESTION})[0]["turn_id"]
    assert get(app, turn_id, NOAH).json()["kind"] == "turn_finished"
    assert get(app, f"{turn_id}/events", None).status_code == 200


def test_an_answer_that_is_not_streamed_is_the_same_turn_as_one_object(app: Served, provider: Provider) -> None:
    answer = post(app, {"question": QUESTION, "model": "ok", "stream": False}, **{"X-Visitor": MAYA})
    assert answer.headers["content-type"] == "application/json"
    ending = answer.json()
    assert (ending["kind"], ending["question"], ending["state"]) == ("turn_finished", QUESTION, "finished")
    assert provider.requests[-1]["stream"] is True
    events = list(events_in(iter(get(app, f"{ending['turn_id']}/events").text.splitlines())))
    assert events[-1].items() <= ending.items()
    assert post(app, {"question": QUESTION, "model": "cut-after-30", "stream": False}).json()["kind"] == "turn_failed"
    assert post(app, {"question": " ", "stream": False}).status_code == 422


def test_leaving_an_answer_that_is_not_streamed_ends_it(app: Served, provider: Provider) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{app.url}/api/turns", json={"question": QUESTION, "model": "endless", "stream": False}, timeout=1)
    until = time.monotonic() + 60
    while provider.active and time.monotonic() < until:
        time.sleep(0.05)
    assert provider.active == 0


@pytest.mark.parametrize("model", ["status-401", "by-litellm"])
def test_a_key_that_the_provider_echoes_is_nowhere(app: Served, model: str, provider: Provider) -> None:
    asked = len(provider.requests)
    events = app.ask({"question": QUESTION, "model": model})
    assert len(provider.requests) == asked + 1
    assert [event["code"] for event in events if event["kind"] == "recovered"] == ["auth"]
    assert (events[-1]["kind"], events[-1]["model"]) == ("turn_finished", "builtin/extractive")
    assert KEY not in json.dumps(events)
    assert KEY not in app.log.read_text()


def test_closing_the_connection_is_leaving_and_the_provider_sees_it(app: Served, provider: Provider) -> None:
    with httpx.stream("POST", f"{app.url}/api/turns", json={"question": QUESTION, "model": "endless"}) as answer:
        for line in answer.iter_lines():
            if line == "event: field_delta":
                break
    until = time.monotonic() + 60
    while provider.active and time.monotonic() < until:
        time.sleep(0.05)
    assert provider.active == 0


def test_health_and_the_page_carry_the_policy_and_the_leaking_paths_are_closed(app: Served) -> None:
    health = httpx.get(f"{app.url}/health")
    assert set(health.json()) == {"status", "version", "model", "documents", "uptime_s"}
    assert "default-src 'self'" in health.headers["content-security-policy"]
    assert "default-src 'self'" in httpx.get(app.url).headers["content-security-policy"]
    for path in ("/gradio_api/deep_link?session_hash=x", "/monitoring/summary", "/gradio_api/runs"):
        assert httpx.get(app.url + path).status_code == 404
    assert httpx.get(app.url, headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.timeout(240)  # the app starts twice
def test_signals_end_running_turns_and_a_restart_still_has_them(tmp_path: Path, provider: Provider) -> None:
    models = json.dumps([{"label": "endless", "model": "hosted_vllm/endless", "api_base": provider.base}])
    data_dir = tmp_path / "data"
    with served(data_dir, MODELS=models) as app:
        body = {"question": QUESTION, "model": "endless"}
        headers = {"X-Visitor": MAYA}
        with httpx.stream("POST", f"{app.url}/api/turns", json=body, headers=headers, timeout=20) as answer:
            lines = answer.iter_lines()
            events = [next(events_in(lines))]
            while next(lines) != "event: field_delta":
                pass
            app.process.send_signal(signal.SIGINT)
            events += [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        assert app.process.wait(10) == 0
    assert events[-1]["kind"] == "turn_stopped"
    assert events[-1]["saved"] is True
    with served(data_dir, MODELS=models) as app:
        gone = get(app, f"{events[0]['turn_id']}/events")  # a new process has no buffers
        assert gone.status_code == 410
        assert gone.json()["turn"] == gone.headers["location"] == f"/api/turns/{events[0]['turn_id']}"
        assert get(app, events[0]["turn_id"]).json().items() >= events[-1].items()
        assert get(app, f"{events[0]['turn_id']}/events", NOAH).status_code == 404
        finished = app.ask({"question": "And how hot?", "conversation_id": conversation_of(data_dir)}, MAYA)[-1]
        assert finished["kind"] == "turn_finished"
        assert app.stop(signal.SIGTERM) == 0


def test_a_hundred_requests_with_made_up_addresses_count_as_one_client(tmp_path: Path, provider: Provider) -> None:
    models = json.dumps([{"label": "ok", "model": "hosted_vllm/ok", "api_base": provider.base}])
    asked = len(provider.requests)
    with served(tmp_path / "data", MODELS=models, RATE_LIMIT="3/hour") as app, httpx.Client() as client:
        headers = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in range(100))
        body = {"question": QUESTION, "model": "ok", "stream": False}
        answers = [client.post(f"{app.url}/api/turns", json=body, headers=each, timeout=30) for each in headers]
        assert post(app, {"question": " "}).status_code == 422
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 97
    assert 3_500 < int(answers[-1].headers["retry-after"]) <= 3_600
    assert answers[-1].json() == {"detail": "Those were many questions in a short time. Ask again in 60 minutes."}
    assert len(provider.requests) == asked + 3


def test_a_taken_port_and_a_taken_folder_each_get_one_line(app: Served, data_dir: Path, tmp_path: Path) -> None:
    second = start(tmp_path / "two", PORT=app.url.rpartition(":")[2])
    assert second.process.wait(60) == 1
    assert len(second.log.read_text().splitlines()) == 1
    third = start(data_dir, PORT=str(free_port()))
    assert third.process.wait(60) == 2
    assert len(third.log.read_text().splitlines()) == 1


def conversation_of(data_dir: Path) -> str:
    import sqlite3

    with sqlite3.connect(data_dir / "glassbox.db") as database:
        (conversation_id,) = database.execute("select id from conversations").fetchone()
    database.close()
    return str(conversation_id)
