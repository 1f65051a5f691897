"""Every test starts from the defaults: no setting of this machine, no key, nothing looked up."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from pipeline.settings import QUIET, Settings
from tests.browsing import chromium

NAMES = {name.upper() for name in Settings.model_fields} | {"GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"}

for _name in [name for name in os.environ if name in NAMES or name.endswith("_API_KEY")]:
    del os.environ[_name]
os.environ.update(QUIET)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file; visitors are told apart by their contexts."""
    with chromium() as running:
        yield running
