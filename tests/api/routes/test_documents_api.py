"""Documents and search over HTTP: whose they are, what is refused, and the page with the passage marked."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.documents import pdf
from tests.served import Served, served

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
PAGES = ("The lamp of Skagen turns once in four seconds.", "Fog horns boom in Dover when the weather is thick.")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("documents"), UPLOAD_FILES="2", UPLOAD_MB="1") as running:
        yield running


def call(app: Served, method: str, path: str, visitor: str | None = MAYA, **given: Any) -> httpx.Response:
    headers = {"X-Visitor": visitor} if visitor else {}
    return httpx.request(method, f"{app.url}{path}", headers=headers, timeout=60, **given)


def sent(app: Served, *files: tuple[str, bytes], visitor: str | None = MAYA) -> httpx.Response:
    return call(app, "POST", "/api/documents", visitor, files=[("file", file) for file in files])


@pytest.fixture(scope="module")
def lights(app: Served) -> dict[str, Any]:
    answer = sent(app, ("lights.pdf", pdf([[line] for line in PAGES])), ("none.txt", b""))
    assert answer.status_code == 200
    said = answer.json()
    assert [(each["name"], each["code"]) for each in said["failed"]] == [("none.txt", "empty")]
    (document,) = said["documents"]
    return document  # type: ignore[no-any-return]


def test_an_upload_says_what_it_became(lights: dict[str, Any]) -> None:
    assert (lights["name"], lights["pages"], lights["language"]) == ("lights.pdf", 2, "en")
    assert lights["passages"] >= 1


def test_a_visitor_lists_the_shared_documents_and_their_own(app: Served, lights: dict[str, Any]) -> None:
    def names(visitor: str | None) -> set[str]:
        return {each["name"] for each in call(app, "GET", "/api/documents", visitor).json()["documents"]}

    assert names(MAYA) == names(None) | {"lights.pdf"}
    assert names(NOAH) == names(None)
    assert len(names(None)) >= 12


def test_a_search_gives_passages_with_their_place_and_what_was_not_chosen(app: Served, lights: dict[str, Any]) -> None:
    found = call(app, "GET", "/api/search?q=fog+horns+Dover&passages_wanted=1").json()
    assert set(found) >= {"query", "passages", "rejected", "quality", "took_s"}
    (passage,) = found["passages"]
    assert (passage["document_id"], passage["number"]) == (lights["id"], 1)
    assert passage["first_page"] <= 2 <= passage["last_page"]
    assert passage["scores"]["keyword"] > 0
    others = call(app, "GET", "/api/search?q=fog+horns+Dover", NOAH).json()
    assert lights["id"] not in str(others)


def test_an_answer_stands_on_the_visitors_own_document(app: Served, lights: dict[str, Any]) -> None:
    *_, ending = app.ask({"question": "How often does the lamp of Skagen turn?"}, MAYA)
    assert "four seconds" in ending["fields"]["answer"]
    assert ending["passages"][0]["document_id"] == lights["id"]
    *_, ending = app.ask({"question": "How often does the lamp of Skagen turn?"}, NOAH)
    assert "four seconds" not in ending["fields"]["answer"]


def test_an_answer_and_a_search_stand_on_the_documents_and_collections_that_are_named(
    app: Served, lights: dict[str, Any]
) -> None:
    question = "What boils water in Dover?"

    def answered(visitor: str | None, **options: list[str]) -> set[str]:
        *_, ending = app.ask({"question": question, **options}, visitor)
        return {each["document_id"] for each in ending["passages"]}

    def found(visitor: str | None, **options: list[str]) -> set[str]:
        answer = call(app, "GET", "/api/search", visitor, params={"q": question, **options})
        return {each["document_id"] for each in answer.json()["passages"] + answer.json()["rejected"]}

    for ids in (answered, found):
        assert lights["id"] in ids(MAYA)
        assert len(ids(MAYA)) > 1
        assert ids(MAYA, documents=[lights["id"]]) == {lights["id"]}
        assert ids(MAYA, collections=[lights["collection"]]) == {lights["id"]}
        assert lights["id"] not in ids(MAYA, collections=["documents"])
        assert ids(MAYA, documents=["unknown"]) == ids(MAYA, collections=["unknown"]) == set()
        assert ids(NOAH, documents=[lights["id"]]) == ids(None, documents=[lights["id"]]) == set()
    assert found(MAYA, collection=[lights["collection"]]) == {lights["id"]}


def test_a_page_is_a_picture_with_the_passage_marked_on_its_own_page_alone(app: Served, lights: dict[str, Any]) -> None:
    def picture(page: int, **span: int) -> httpx.Response:
        return call(app, "GET", f"/api/documents/{lights['id']}/pages/{page}.jpg", params=span)

    plain, marked = picture(1), picture(1, start=0, end=20)
    assert plain.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(plain.content)).size == Image.open(io.BytesIO(marked.content)).size
    assert plain.content != marked.content
    assert picture(2, start=0, end=20).content == picture(2).content
    assert picture(0).status_code == picture(3).status_code == 404


@pytest.mark.parametrize("visitor", [NOAH, None])
def test_nobody_else_opens_or_removes_it(app: Served, lights: dict[str, Any], visitor: str | None) -> None:
    for path in (f"/api/documents/{lights['id']}/pages/1.jpg", f"/api/documents/{lights['id']}/original"):
        assert call(app, "GET", path, visitor).status_code == 404
    removed = call(app, "DELETE", f"/api/documents/{lights['id']}", visitor)
    assert removed.status_code == (404 if visitor else 422)


def test_the_original_comes_as_a_download_and_never_as_a_page(app: Served) -> None:
    (document,) = sent(app, ("page.html", b"<h1>Fog</h1><script>alert(1)</script><p>Horns boom.</p>")).json()[
        "documents"
    ]
    answer = call(app, "GET", f"/api/documents/{document['id']}/original")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert call(app, "DELETE", f"/api/documents/{document['id']}").status_code == 204
    assert call(app, "GET", f"/api/documents/{document['id']}/original").status_code == 404


def test_bad_requests_are_refused_with_constant_texts(app: Served) -> None:
    assert sent(app, ("a.txt", b"Fog."), visitor=None).status_code == 422
    assert sent(app, *[("a.txt", b"Fog.")] * 3).status_code == 422
    assert sent(app, ("a.txt", b"x" * 4_000_000)).status_code == 413
    assert call(app, "POST", "/api/documents", json={"file": "a"}).status_code == 422
    assert call(app, "POST", "/api/documents", content=b"junk").status_code == 422
    assert call(app, "GET", "/api/search").status_code == 422
    assert call(app, "GET", "/api/search?q=+").status_code == 422
    assert call(app, "GET", "/api/search?q=fog&mode=magic").status_code == 422
    assert call(app, "GET", "/api/search?q=fog&passages_wanted=0").status_code == 422
    assert call(app, "GET", "/api/search?q=fog&passages_wanted=20").status_code == 200
    assert call(app, "GET", "/api/search?q=fog&passages_wanted=21").status_code == 422
    assert call(app, "DELETE", "/api/documents/none").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://through.a.proxy"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_the_pages_own_upload_takes_files_from_this_page_alone(
    app: Served, headers: dict[str, str], status: int
) -> None:
    answer = httpx.post(f"{app.url}/gradio_api/upload", files=[("files", ("a.txt", b"Fog."))], headers=headers)
    assert answer.status_code == status


def test_the_pages_own_upload_refuses_a_file_over_the_limit(app: Served) -> None:
    answer = httpx.post(f"{app.url}/gradio_api/upload", files=[("files", ("a.txt", b"x" * 1_100_000))])
    assert answer.status_code == 413


def test_an_upload_tells_of_each_file_as_it_goes_where_events_are_accepted(app: Served) -> None:
    files = [("file", ("tide.md", b"# Tide\n\nIt turns in Hoek.")), ("file", ("none.txt", b""))]
    headers = {"X-Visitor": NOAH, "Accept": "text/event-stream"}
    answer = httpx.post(f"{app.url}/api/documents", headers=headers, files=files, timeout=60)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data:")]
    told = [(each["kind"], each.get("name"), each.get("step")) for each in events]
    assert [each for each in told if each[0] != "file_progress"] == [
        ("file_added", "tide.md", None),
        ("file_failed", "none.txt", None),
        ("upload_finished", None, None),
    ]
    assert ("file_progress", "tide.md", "reading") in told
    assert ("file_progress", "tide.md", "indexing") in told
    *_, ending = events
    (document,) = ending["documents"]
    assert document["name"] == "tide.md"
    assert [each["code"] for each in ending["failed"]] == ["empty"]
    assert call(app, "DELETE", f"/api/documents/{document['id']}", NOAH).status_code == 204


def test_a_web_address_that_is_not_public_is_refused_with_a_constant_text(app: Served) -> None:
    for address in ("http://127.0.0.1/secret", "http://169.254.169.254/latest", "ftp://example.org/secret"):
        answer = call(app, "POST", "/api/documents/address", json={"address": address})
        assert answer.status_code == 200
        (failed,) = answer.json()["failed"]
        assert failed["code"] == "web_address"
        assert failed["text"].startswith("This is no public web address.")
    assert "secret" not in app.log.read_text()
    assert call(app, "POST", "/api/documents/address", None, json={"address": "https://example.org"}).status_code == 422
    assert call(app, "POST", "/api/documents/address", json={}).status_code == 422


def test_a_refused_upload_has_its_status_where_events_are_accepted(app: Served) -> None:
    headers = {"X-Visitor": NOAH, "Accept": "text/event-stream"}
    files = [("other", ("tide.md", b"Tide."))]
    assert httpx.post(f"{app.url}/api/documents", headers=headers, files=files, timeout=60).status_code == 422
