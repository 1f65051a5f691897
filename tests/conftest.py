"""Every test starts from the defaults: no setting of this machine, no key, nothing looked up."""

from __future__ import annotations

import os

import pytest

from pipeline.settings import QUIET, Settings

# Two workers take a file each in this order, so that the longest do not come last.
LONGEST_FIRST = (
    *("test_chromium.py", "test_faults.py", "test_chromium_citing.py", "test_chromium_documents.py"),
    *("test_continuity.py", "test_disk.py"),
)

NAMES = {name.upper() for name in Settings.model_fields} | {"GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"}

for _name in [name for name in os.environ if name in NAMES or name.endswith("_API_KEY")]:
    del os.environ[_name]
os.environ.update(QUIET)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes come first; all else stays in its order."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
