"""What the tests of the index put in: documents with a word of their own, and an embedding by hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from pipeline.errors import EmbeddingFault
from pipeline.ingest import Chunk, Document

GROUPS = ("coffee beans espresso brew cup", "froth foam crema bubbles", "milk dairy cow", "pressure bar druck")


def word(number: int) -> str:
    """A word that no other number has; digits would be words of their own."""
    return f"x{''.join('bcdfghjklm'[int(digit)] for digit in str(number))}k"


def letter(number: int, passages: int = 3) -> Document:
    """A document with a word of its own, in every passage."""
    chunks = []
    for place in range(passages):
        text = f"Letter {word(number)} says coffee, part{place}."
        chunks.append(Chunk("", text, 100 * place, 100 * place + len(text)))
    return Document(f"hash {number}", f"{number}.txt", f"Letter {number}", "en", "", None, tuple(chunks))


class ScriptedEmbedding:
    """Vectors by hand: one axis for each group of words, so that synonyms are near each other."""

    def __init__(self, name: str = "scripted-1", groups: Sequence[str] = GROUPS) -> None:
        self.name, self.groups = name, tuple(frozenset(group.split()) for group in groups)
        self.fails = False
        self.waits: asyncio.Event | None = None
        self.asked: list[str] = []

    async def __call__(self, texts: Sequence[str], kind: str) -> list[list[float]]:
        if self.fails:
            raise EmbeddingFault
        if self.waits:
            await self.waits.wait()
        self.asked += [kind] * len(texts)
        words = [set(re.findall(r"\w+", text.lower())) for text in texts]
        return [[0.05, *(float(len(group & own)) for group in self.groups)] for own in words]
