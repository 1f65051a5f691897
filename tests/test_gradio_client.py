"""`gradio_client`, and curl as agents use it, against a started app with API_TOKEN."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.provider import Provider
from tests.served import Served, served

LONG = "ok-tokens-3000-gap-20"  # a minute: longer than anything here
TOKEN, VISITOR = "t" * 20, "v" * 20
QUESTION = "How fine do I grind for espresso?"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "X-Visitor": VISITOR}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Served]:
    models = json.dumps([{"label": LONG, "model": f"hosted_vllm/{LONG}", "api_base": provider.base}])
    settings = {"MODELS": models, "DEFAULT_MODEL": "builtin/extractive", "API_TOKEN": TOKEN, "LEAVE_GRACE_S": "0.1"}
    with served(tmp_path_factory.mktemp("gradio") / "data", **settings) as running:
        yield running


@pytest.fixture(scope="module")
def client(app: Served) -> Client:
    return Client(app.url, headers=HEADERS, verbose=False)


def turn(app: Served, turn_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{app.url}/api/turns/{turn_id}", headers=HEADERS).json()
    return found


def test_the_client_lists_two_endpoints_with_their_parameters(client: Client) -> None:
    listed = client.view_api(return_format="dict", print_info=False)
    assert listed["named_endpoints"].keys() == {"/ask", "/search"}
    assert not listed["unnamed_endpoints"]
    question, conversation, *_ = listed["named_endpoints"]["/ask"]["parameters"]
    assert (question["parameter_name"], question["python_type"]["type"], question["example_input"]) == (
        "question",
        "str",
        QUESTION,
    )
    assert "conversation to go on with" in conversation["python_type"]["description"]
    assert conversation["example_input"] is None
    printed = client.view_api(return_format="str", print_info=False)
    assert "predict(question, conversation_id, model" in printed
    assert "sources: list[dict(number: int" in printed


def test_an_answer_grows_and_ends_with_its_sources(app: Served, client: Client) -> None:
    states = list(client.submit(QUESTION, api_name="/ask"))
    assert len(states) > 2
    for before, after in pairwise(states):
        assert after["answer"].startswith(before["answer"])
    last = states[-1]
    assert last["state"] == "finished"
    assert "[1]" in last["answer"]
    assert last["reasoning"]
    assert {each["verdict"] for each in last["sentences"]} >= {"verbatim"}
    source = last["sources"][0]
    assert (source["number"], source["cited"], source["document"]) == (1, True, "grind-size.md")
    opened = httpx.get(source["url"])  # without the token
    assert (opened.status_code, opened.headers["content-type"]) == (200, "text/html; charset=utf-8")
    stored = turn(app, last["turn_id"])
    assert stored["fields"]["answer"] == last["answer"]
    again = client.predict("And for filter?", conversation_id=last["conversation_id"], api_name="/ask")
    assert again["conversation_id"] == last["conversation_id"]


def test_the_client_finds_passages(client: Client) -> None:
    found = client.predict("grind size", api_name="/search")
    assert found["quality"] == "good"
    assert found["sources"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"question": " "}, "Please ask a question."),
        ({"question": "x", "passages_wanted": 99}, "The request is not valid. Check its keys and their values."),
        ({"question": "x", "conversation_id": "none"}, "There is no such conversation. Start a new one."),
    ],
)
def test_the_client_is_told_what_is_wrong(client: Client, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(AppError, match=text):
        client.predict(**arguments, api_name="/ask")


def test_a_client_that_cancels_leaves_the_turn(app: Served, client: Client) -> None:
    job = client.submit(QUESTION, model=LONG, api_name="/ask")
    turn_id = next(iter(job))["turn_id"]
    assert turn(app, turn_id)["state"] == "running"
    job.cancel()
    until = time.monotonic() + 30
    while turn(app, turn_id)["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert turn(app, turn_id)["state"] == "stopped"


def test_a_client_that_disconnects_leaves_the_turn(app: Served) -> None:
    url, turn_id = f"{app.url}/gradio_api/call/ask", ""
    event = httpx.post(url, json={"data": [QUESTION, None, LONG]}, headers=HEADERS).json()["event_id"]
    with httpx.stream("GET", f"{url}/{event}", headers=HEADERS) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ["):
                turn_id = json.loads(line[6:])[0]["turn_id"]
                break
    until = time.monotonic() + 30
    while turn(app, turn_id)["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert turn(app, turn_id)["state"] == "stopped"


def test_one_request_gets_the_whole_answer(app: Served) -> None:
    answer = httpx.post(f"{app.url}/gradio_api/run/ask", json={"data": [QUESTION]}, headers=HEADERS)
    (found,) = answer.json()["data"]
    assert (found["state"], found["sources"][0]["cited"]) == ("finished", True)


def test_nothing_is_answered_without_the_token_and_the_page_is(app: Served) -> None:
    assert httpx.get(app.url).status_code == 200
    assert httpx.get(f"{app.url}/config").status_code == 200
    assert httpx.post(f"{app.url}/gradio_api/run/ask", json={"data": [QUESTION]}).status_code == 401
    assert httpx.post(f"{app.url}/gradio_api/call/search", json={"data": [QUESTION]}).status_code == 401
    stranger = Client(app.url, verbose=False)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        stranger.predict(QUESTION, api_name="/ask")


def test_no_function_of_the_page_has_a_name_or_can_be_called_by_its_number(app: Served, client: Client) -> None:
    names = {each["api_name"] for each in client.config["dependencies"] if each["api_visibility"] != "private"}
    assert names == {"ask", "search"}
    said = {"data": [], "fn_index": 0, "session_hash": "s"}
    headers = {**HEADERS, "x-gradio-user": "api"}
    assert httpx.post(f"{app.url}/gradio_api/queue/join", json=said, headers=headers).status_code == 404


def test_an_agent_that_knows_the_address_alone_has_a_cited_answer_in_three_calls(app: Served) -> None:
    page = httpx.get(app.url, headers={"Accept": "text/html"})
    assert page.links["alternate"]["type"] == "text/markdown"
    told = httpx.get(f"{app.url}/{page.links['alternate']['url']}").text
    command = told.split("```bash\ncurl -s ")[1].split("\n```")[0]
    address, body = command.split(" ")[0], json.loads(command.split("-d '")[1].removesuffix("'"))
    answer = httpx.post(address, json=body, headers={"Authorization": f"Bearer {TOKEN}"}).json()["data"][0]
    assert "[1]" in answer["answer"]
    cited = next(each for each in answer["sources"] if each["cited"])
    assert httpx.get(cited["url"]).status_code == 200
