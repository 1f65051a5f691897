"""Try the clients of versions.toml on the application: `python -m tests.clients [--record] [NAME…]`.

Each is installed into an environment of its own, which is kept. What has arrived is compared with `recorded/`, or with
`--record` written there; `tests/run` sends the recorded requests again.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import tempfile
from pathlib import Path

from tests.clients.clients import Client, clients, remove_old
from tests.clients.scenes import settings
from tests.clients.transcripts import transcript
from tests.provider import Provider
from tests.served import served


def main() -> int:
    known = {each.name: each for each in clients()}
    reader = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    reader.add_argument("--record", action="store_true", help="write the transcripts instead of comparing them")
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(known)}")
    asked = reader.parse_args()
    if unknown := set(asked.names) - set(known):
        reader.error(f"unknown: {', '.join(sorted(unknown))}")
    remove_old()
    differing = []
    with tempfile.TemporaryDirectory() as folder, Provider() as provider:
        values = settings(Path(folder), provider)
        texts = {name.upper(): each if isinstance(each, str) else json.dumps(each) for name, each in values.items()}
        with served(Path(folder) / "data", **texts) as app:
            for client in (known[name] for name in asked.names or known):
                now = transcript(client, app.url)
                sys.stdout.write(f"{client.title}: {told(now)}\n")
                if asked.record:
                    client.recorded.write_text(now, "utf-8")
                elif not is_as_recorded(client, now):
                    differing.append(client.name)
    if differing:
        sys.stdout.write(f"not as recorded: {', '.join(differing)}\n")
    return bool(differing)


def told(text: str) -> str:
    """What arrived, in a line of JSON."""
    return json.dumps({name: scene["arrived"] for name, scene in json.loads(text)["scenes"].items()})


def is_as_recorded(client: Client, now: str) -> bool:
    """Compare a transcript with the recorded one; the difference is printed."""
    before = client.recorded.read_text("utf-8") if client.recorded.exists() else ""
    difference = difflib.unified_diff(before.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=2)
    sys.stdout.writelines(f"{line}\n" for line in difference)
    return before == now


if __name__ == "__main__":
    sys.exit(main())
