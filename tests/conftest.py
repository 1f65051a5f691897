"""Every test starts from the defaults: no setting of this machine, no key, nothing looked up."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from components.skip_gradio_stubs import without_stubs
from pipeline.ingest.markdown import read_folder
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import QUIET, ROOT, Settings
from tests.chromium import chromium
from tests.provider import Provider

# Two workers take a file each in this order, so that the longest do not come last.
LONGEST_FIRST = (
    *("test_chromium.py", "test_to_add.py", "test_faults.py", "test_chromium_citing.py", "test_chromium_documents.py"),
    *("test_frozen.py", "test_continuity.py", "test_disk.py", "test_start.py", "test_turns_api.py"),
)

NAMES = {name.upper() for name in Settings.model_fields} | {"GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"}

for _name in [name for name in os.environ if name in NAMES or name.endswith("_API_KEY")]:
    del os.environ[_name]
os.environ.update(QUIET)
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
without_stubs()  # which mypy would read in the place of our module


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, launched once for the tests of a file."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The local provider, started once for the tests of a file."""
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def search() -> Iterator[EdgeIndex]:
    """An index of the samples, built once for the tests of a file."""
    built = EdgeIndex.build(read_folder(ROOT / "samples"))
    yield built
    built.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes come first; all else stays in its order."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
