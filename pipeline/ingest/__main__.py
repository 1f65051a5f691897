"""`python -m pipeline.ingest PATH`: adds a folder or a file to the shared documents, with a progress bar.

Use it for more documents than can be read at each start. It writes the index of DATA_DIR while Glassbox does not run.
Running it again with the same path adds new files and replaces changed ones.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from pipeline.settings import Settings, SettingsFault, load


def main() -> int:
    """Add the files of the arguments and return the exit code: 1 when a file failed, 2 when the index is in use."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.ingest", description="Add documents for everybody.")
    parser.add_argument("path", type=Path, help="a file, or a folder with all below it")
    parser.add_argument("--collection", help="its collection; default: the name of the path")
    given = parser.parse_args()
    try:
        settings = load()
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        return 2
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.data_dir / "lock", blocking=False):
            return added(settings, given.path, given.collection or given.path.resolve().stem)
    except Timeout:
        print("Glassbox is running on this DATA_DIR. Stop it first, or send the files to it.", file=sys.stderr)
        return 2


def added(settings: Settings, path: Path, collection: str) -> int:
    """Read and index every file, one after the other, and return the exit code."""
    from i18n.messages import error_text
    from pipeline.documents.library import Library
    from pipeline.errors import GlassboxError, IngestFault
    from pipeline.ingest.files import files_below
    from pipeline.own_faults import own_fault
    from pipeline.retrieval.open_index import open_index

    folder, files = (path, files_below(path)) if path.is_dir() else (path.parent, [path])
    if not path.exists() or not files:
        print("There is nothing to read at this path.", file=sys.stderr)
        return 1
    failed = passages = 0
    index = open_index(settings)
    try:
        library = Library(index, settings)
        with asyncio.Runner() as runner:
            for file in tqdm(files, unit="file"):
                name = file.relative_to(folder).as_posix()
                try:
                    passages += runner.run(library.share(file, name, collection)).passages
                except (GlassboxError, OSError) as fault:
                    failed += 1
                    why = error_text(fault) if isinstance(fault, GlassboxError) else "It cannot be read."
                    tqdm.write(f"{name}: {why}")
                except Exception as error:  # noqa: BLE001  a failing file must not stop the others
                    failed += 1
                    own_fault(error, "document")
                    tqdm.write(f"{name}: {error_text(IngestFault('internal'))}")
    finally:
        index.close()
    print(f"{len(files) - failed} documents, {passages} passages in “{collection}”; {failed} failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
