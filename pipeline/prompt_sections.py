"""Reads a message of a prompt as sections, one for each field, and leaves numbered passages out of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipeline.prompt_passages import numbered_spans

ASKS_FOR_OUTPUT = "\n\nRespond with the corresponding output fields"  # how DSPy ends the last message
MARKER = re.compile(r"\[\[ ## (\w+) ## \]\]")
_PASSAGES = ("passages", "observation")  # beginnings of the names of fields that hold numbered passages


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of a message: the field whose marker stands before it, "" for none, and its place in the text."""

    field: str
    start: int
    end: int

    @property
    def holds_passages(self) -> bool:
        """Whether its field is one that holds numbered passages."""
        return self.field.startswith(_PASSAGES)


def sections(content: str) -> list[Section]:
    """Split a message at its markers; each section begins with its marker, and all of them are the whole text."""
    starts = [(0, ""), *((found.start(), found[1]) for found in MARKER.finditer(content))]
    ends = [start for start, _ in starts[1:]] + [len(content)]
    pieces = (Section(field, start, end) for (start, field), end in zip(starts, ends, strict=True))
    return [each for each in pieces if each.end > each.start]


def passage_numbers(content: str) -> tuple[int, ...]:
    """Return the numbers of the passages in a message, each once, in their order."""
    found = (each.number for body in _passage_texts(content) for each in numbered_spans(body))
    return tuple(dict.fromkeys(found))


def without_passages(content: str, numbers: Collection[int], instead: str) -> str:
    """Return a message without the passages of these numbers; a field that loses all of its own says `instead`."""
    return "".join(
        _without(content[each.start : each.end], numbers, instead)
        if each.holds_passages
        else content[each.start : each.end]
        for each in sections(content)
    )


def _passage_texts(content: str) -> Iterator[str]:
    for each in sections(content):
        if each.holds_passages:
            yield content[each.start : each.end].partition(ASKS_FOR_OUTPUT)[0]


def _without(section: str, numbers: Collection[int], instead: str) -> str:
    text, ending, rest = section.partition(ASKS_FOR_OUTPUT)
    body = text.rstrip()
    spans = numbered_spans(body)
    kept = [body[each.start : each.end].rstrip() for each in spans if each.number not in numbers]
    if len(kept) == len(spans):
        return section
    return body[: spans[0].start] + "\n\n".join(kept or [instead]) + text[len(body) :] + ending + rest
