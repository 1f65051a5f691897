"""Calls a snippet in the environment of its client, once for each scene; prints what came of it as one JSON object.

    python call_snippet.py SNIPPET < scenes

It knows nothing of the project. What the client prints goes to the errors.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import sys
from typing import Any


def called(snippet: Any, scene: dict[str, Any]) -> dict[str, Any]:
    """What a function of the snippet returned, or the class of what it raised."""
    try:
        return {"returned": getattr(snippet, scene["function"])(*scene["arguments"])}
    except Exception as error:  # noqa: BLE001  which one is the result
        return {"raised": type(error).__name__, "status": getattr(error, "status_code", None)}


def main() -> None:
    spec = importlib.util.spec_from_file_location("snippet", sys.argv[1])
    assert spec
    assert spec.loader
    snippet = importlib.util.module_from_spec(spec)
    scenes, out = json.load(sys.stdin), sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        logging.disable(logging.CRITICAL)
        spec.loader.exec_module(snippet)
        came = {name: called(snippet, scene) for name, scene in scenes.items()}
    json.dump(came, out)


if __name__ == "__main__":
    main()
