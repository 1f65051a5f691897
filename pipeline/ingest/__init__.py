"""What documents become before they are indexed: values without a place, a search or a screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one section. `section` is its heading path, "" before the first heading; it is not part of `text`."""

    section: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it is searched. `name` is its path below its folder; `language` is what it says of itself, maybe ""."""

    name: str
    title: str
    language: str
    chunks: tuple[Chunk, ...]
