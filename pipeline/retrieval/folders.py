"""The names of collections. Those of visitors' documents lie in one another, like the folders that they came in. Pure.

A visitor's documents are in `UPLOADS` and, where they came in a folder, in a collection of that folder below it: so no
name of theirs is that of a shared collection, which a profile may let in or hide.
"""

from __future__ import annotations

from pathlib import PurePosixPath

UPLOADS = "private"  # the collection of what visitors upload: it is their own, and no profile can hide it
_BELOW = f"{UPLOADS}/"


def upload_collection(name: str) -> str:
    """Return the collection of an uploaded file with that name, which may hold folders."""
    folder = PurePosixPath(name).parent.as_posix()
    return UPLOADS if folder == "." else _BELOW + folder


def is_upload(collection: str) -> bool:
    """Whether it is a collection of what visitors upload."""
    return collection == UPLOADS or collection.startswith(_BELOW)


def enclosing(collection: str) -> tuple[str, ...]:
    """Return the collection and those that it lies in, the outermost last. Shared ones lie in no other."""
    if not is_upload(collection):
        return (collection,)
    parts = collection.split("/")
    return tuple("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))


def folder_of(collection: str) -> str:
    """Return the collection under the name that people and programs give it: a visitor's folder by its path."""
    return collection.removeprefix(_BELOW)


def named(name: str) -> tuple[str, ...]:
    """Return the collections that people and programs may mean by a name."""
    return (name, _BELOW + name)
