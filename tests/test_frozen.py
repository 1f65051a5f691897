"""What was recorded before is said again, byte for byte once ids and times are taken out; see `tests/frozen`.

A wanted change: `python -m tests.frozen`, then review the diff of the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frozen import database, streams
from tests.frozen.normal import difference
from tests.provider import Provider
from tests.served import Served

pytestmark = pytest.mark.timeout(240)
ANEW = "\n\nIf this is wanted: python -m tests.frozen, and review the diff."


def same(name: str, text: str) -> None:
    if told := difference(name, text):
        pytest.fail(told + ANEW, pytrace=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Provider]]:
    with streams.running(tmp_path_factory.mktemp("streams")) as both:
        yield both


@pytest.mark.parametrize("name", streams.PARTS)
def test_a_scene_on_the_api_is_answered_as_it_was(name: str, running: tuple[Served, Provider]) -> None:
    same(name, streams.PARTS[name](*running))


def test_a_database_of_each_revision_is_read_as_it_was(tmp_path: Path) -> None:
    for name, text in database.said_of(tmp_path).items():
        same(name, text)
