"""Write the frozen files anew: `python -m tests.frozen`, or only those whose name holds one of the arguments.

What has changed is then a diff to be reviewed. The database stays as an earlier version wrote it; see `database.py`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from pipeline.settings import QUIET

os.environ.update(QUIET)  # before the libraries that read it are imported

from tests.frozen import database, streams
from tests.frozen.normal import write


def main(wanted: list[str]) -> None:
    def wants(name: str) -> bool:
        return not wanted or any(each in name for each in wanted)

    with tempfile.TemporaryDirectory() as folder:
        if parts := {name: part for name, part in streams.PARTS.items() if wants(name)}:
            with streams.running(Path(folder)) as (app, provider):
                for name, part in parts.items():
                    write({name: part(app, provider)})
        if wants("database/"):
            write(database.said_of(Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
