"""The link of a citation opens its passage for whoever has it, and nothing else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

import server
from pipeline.documents.library import Upload
from pipeline.passages import Passage
from pipeline.settings import Settings
from pipeline.turn import AskOptions
from server import Parts
from tests.documents import pdf
from tests.in_process import api_of

MAYA = "maya-0123456789abcdef"
TEXT = b"# Lights\n\nThe **lamp** of Dover burns <script>alert(1)</script> whale oil.\n\n# Fog\n\nHorns boom at dawn."


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    parts = server.build(Settings(data_dir=tmp_path, api_token=SecretStr("token-0123456789abcdef")))
    yield parts
    await parts.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as client:
        yield client


async def brought(parts: Parts, name: str, content: bytes) -> str:
    async for step in parts.library.take([Upload(name, content)], MAYA):
        if step.entry:
            return step.entry.id
    raise AssertionError(name)


async def found(parts: Parts, query: str, document: str) -> Passage:
    result = await parts.library.search(query, MAYA, AskOptions(documents=(document,)))
    return result.passages[0]


def path_of(parts: Parts, passage: Passage) -> str:
    return f"/passages/{parts.library.passage_key(passage, time.time())}"


async def test_a_link_opens_its_passage_without_a_visitor_or_a_token(parts: Parts, client: httpx.AsyncClient) -> None:
    document = await brought(parts, "lights.md", TEXT)
    passage = await found(parts, "lamp whale oil", document)
    opened = await client.get(path_of(parts, passage), headers={"Sec-Fetch-Site": "cross-site"})
    assert opened.status_code == 200
    assert "<strong>lamp</strong>" in opened.text
    assert "<script" not in opened.text
    assert MAYA not in opened.text + path_of(parts, passage)
    assert str(parts.settings.data_dir) not in opened.text
    assert "noindex" in opened.text
    assert "default-src 'none'" in opened.headers["content-security-policy"]
    assert (await client.head(path_of(parts, passage))).status_code == 200
    german = await client.get(path_of(parts, passage), headers={"Accept-Language": "fr, de-DE;q=0.8, en;q=0.5"})
    assert 'lang="de"' in german.text


async def test_the_pages_of_a_pdf_are_shown_with_the_mark_and_no_other(parts: Parts, client: httpx.AsyncClient) -> None:
    document = await brought(
        parts, "report.pdf", pdf([["The first page is about tea."] * 40, ["Beacons burn on the coast."] * 40])
    )
    passage = await found(parts, "beacons coast", document)
    path = path_of(parts, passage)
    opened = await client.get(path)
    assert "Page 2" in opened.text
    assert f'src="{path}/pages/2.jpg"' in opened.text
    picture = await client.get(f"{path}/pages/2.jpg")
    marked = await parts.library.picture(document, 2, MAYA, start=passage.start or 0, end=passage.end or 0)
    assert (picture.headers["content-type"], picture.content) == ("image/jpeg", marked)
    head = await client.head(f"{path}/pages/2.jpg")
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "image/jpeg", b"")
    others = [await client.get(f"{path}/pages/{number}.jpg") for number in ("1", "3", "0", "x", "9" * 5000)]
    assert [each.status_code for each in others] == [404] * 5
    assert (await client.get(f"/api/documents/{document}/original")).status_code == 401


async def test_a_link_dies_with_its_document_and_what_is_wrong_opens_the_same_page(
    parts: Parts, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    document = await brought(parts, "lights.md", TEXT)
    passage = await found(parts, "lamp whale oil", document)
    path, elsewhere = path_of(parts, passage), replace(passage, end=(passage.end or 0) - 1)
    expired = f"/passages/{parts.library.passage_key(passage, time.time() - 31 * 86_400)}"
    foreign_parts = server.build(Settings(data_dir=tmp_path / "another"))
    foreign = path_of(foreign_parts, passage)
    await foreign_parts.close()
    wrong = ("/passages/x", f"{path[:-1]}é", f"{path}/pages/1.jpg", path_of(parts, elsewhere), expired, foreign)
    answers = [await client.get(each) for each in wrong]
    await parts.library.remove(document, MAYA)
    answers.append(await client.get(path))
    assert {(each.status_code, each.headers["content-type"]) for each in answers} == {(404, "text/html; charset=utf-8")}
    assert len({each.text for each in answers}) == 1
    assert "This link no longer opens anything" in answers[0].text


async def test_a_link_that_is_opened_too_often_says_that_it_is_not_gone(tmp_path: Path) -> None:
    parts = server.build(Settings(data_dir=tmp_path, rate_limit="1/hour"))
    passage = await found(parts, "lamp whale oil", await brought(parts, "lights.md", TEXT))
    async with api_of(parts) as client:
        opened = [await client.get(path_of(parts, passage)) for _ in range(12)]
    assert (opened[0].status_code, opened[-1].status_code) == (200, 429)
    assert "retry-after" in opened[-1].headers
    assert "This passage cannot be shown now" in opened[-1].text
    await parts.close()


async def test_a_link_outlives_a_restart(parts: Parts) -> None:
    document = await brought(parts, "lights.md", TEXT)
    path = path_of(parts, await found(parts, "lamp whale oil", document))
    await parts.close()
    restarted = server.build(parts.settings)
    async with api_of(restarted) as client:
        assert (await client.get(path)).status_code == 200
    await restarted.close()
