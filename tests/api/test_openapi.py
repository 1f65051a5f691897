"""`/openapi.json`, `/docs` and `/agents.md`: every route is described, by what it reads and how it fails."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.openapi.models import OpenAPI
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from api.operations import operation_of
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import Settings
from server import application, build

TOKEN = "t" * 20
BODILESS = {
    "/api/evaluations/{id}/stop",
    "/api/evaluations/{id}/resume",  # POST routes without a body of ours
    "/api/optimisations/{id}/stop",
    "/api/optimisations/{id}/resume",
    "/api/optimisations/{id}/undo",
    "/api/turns/{turn_id}/stop",
    "/api/turns/{turn_id}/sentences/{field}/{index}/report",
    "/v1/responses/{id}/cancel",
    "/mcp",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, search: EdgeIndex) -> Iterator[FastAPI]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("api"), api_token=SecretStr(TOKEN))
    parts = build(settings, index=search, models=Models(settings))
    yield application(parts)
    parts.store.close()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
        yield client


def described(app: FastAPI) -> list[APIRoute]:
    return [each for each in app.routes if isinstance(each, APIRoute) and each.methods and each.methods - {"HEAD"}]


async def document_of(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found: dict[str, Any] = answer.json()
    return found


def schemas_in(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if isinstance(schema := value.get("schema"), dict):
            yield schema
        for each in value.values():
            yield from schemas_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from schemas_in(each)


async def test_the_document_is_valid_and_its_references_lead_somewhere(client: httpx.AsyncClient) -> None:
    document = await document_of(client)
    assert document["openapi"].startswith("3.1")
    OpenAPI.model_validate(document)
    schemas = document["components"]["schemas"]
    for schema in (*schemas.values(), *schemas_in(document["paths"])):
        Draft202012Validator.check_schema(schema)
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references <= schemas.keys()
    operations = [each for item in document["paths"].values() for each in item.values()]
    names = [each["operationId"] for each in operations]
    assert len(names) == len(set(names))


async def test_every_route_is_in_the_document_and_says_what_it_reads(app: FastAPI, client: httpx.AsyncClient) -> None:
    document = await document_of(client)
    for route in described(app):
        assert route.summary, f"{route.path} has no `operation`: see api/operations.py"
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
            said = document["paths"][route.path_format][method.lower()]
            reads = method in ("POST", "PUT", "PATCH") and route.path not in BODILESS
            assert ("requestBody" in said) == reads, route.path
            names = {each["name"] for each in said.get("parameters", ())}
            assert set(re.findall(r"\{(\w+)\}", route.path_format)) <= names, route.path


async def test_the_example_of_a_body_is_one_that_its_route_takes(app: FastAPI) -> None:
    examples = [(each.path, operation_of(each)) for each in described(app) if operation_of(each).body]
    assert examples
    for path, said in examples:
        assert said.body, path
        assert said.example, path
        said.body.model_validate_json(json.dumps(dict(said.example)))


async def test_a_route_that_asks_for_the_token_says_so_and_answers_as_it_is_described(
    client: httpx.AsyncClient,
) -> None:
    document = await document_of(client)
    for path, item in document["paths"].items():
        for method, said in item.items():
            answer = await client.request(method, re.sub(r"\{\w+\}", "1", path))
            if said.get("security") == [{"bearer": []}]:
                assert answer.status_code == 401, path
                assert answer.json() == said["responses"]["401"]["content"]["application/json"]["example"], path
            else:
                assert answer.status_code != 401 or path in ("/metrics", "/api/stats"), path


async def test_every_route_that_is_read_answers_head_but_those_that_ask_or_wait(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    silent = {each.path for each in described(app) if {"GET", "HEAD"} & (each.methods or set()) == {"GET"}}
    asking = {"/api/chat/stream", "/api/public/chat/stream", "/api/question/stream"}
    followed = {f"/api/{each}/events" for each in ("turns/{turn_id}", "evaluations/{id}", "optimisations/{id}")}
    assert silent == {*asking, *followed, "/mcp"}
    for path in ("/health", "/v1/models", "/openapi.json"):
        answer = await client.head(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.content) == (200, b"")


async def test_the_page_shows_every_route_and_loads_nothing(client: httpx.AsyncClient) -> None:
    document, page = await document_of(client), (await client.get("/docs")).text
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=\"https?:", page)


async def test_agents_are_told_the_address_that_they_asked(client: httpx.AsyncClient) -> None:
    answer = await client.get("/agents.md")
    assert answer.headers["content-type"].startswith("text/markdown")
    assert "http://127.0.0.1:7860/gradio_api/run/ask" in answer.text
    assert 'Authorization: Bearer $API_TOKEN"' in answer.text
    assert "builtin/extractive" in answer.text
    assert "{" + "base}" not in answer.text


async def test_behind_a_proxy_all_addresses_are_public(tmp_path: Path, search: EdgeIndex) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://example.com/glass")
    parts = build(settings, index=search, models=Models(settings))
    transport = httpx.ASGITransport(application(parts))
    async with httpx.AsyncClient(transport=transport, base_url="https://example.com") as client:
        assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "https://example.com/glass"}]
        told = (await client.get("/glass/agents.md")).text
        assert "https://example.com/glass/gradio_api/run/ask" in told
        assert "Authorization" not in told
    parts.store.close()
