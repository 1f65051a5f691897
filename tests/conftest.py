"""Every test starts from the defaults: no setting of this machine, no key, nothing looked up."""

from __future__ import annotations

import os

from pipeline.settings import QUIET, Settings

NAMES = {name.upper() for name in Settings.model_fields} | {"GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"}

for _name in [name for name in os.environ if name in NAMES or name.endswith("_API_KEY")]:
    del os.environ[_name]
os.environ.update(QUIET)
