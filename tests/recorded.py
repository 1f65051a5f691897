"""Compact records of events, as tests make and read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, TypeAdapter

from pipeline.events import Event
from pipeline.recording import Recording

_record: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Annotated[Event, Field(discriminator="kind")], ...])


def compact(events: Iterable[Event]) -> tuple[Event, ...]:
    """The compact record of a turn's events."""
    record = Recording()
    for event in events:
        record.add(event)
    return record.events()


def record_from_wire(text: bytes | str) -> tuple[Event, ...]:
    """Read what `record_to_wire` wrote. Raises pydantic's ValidationError for anything else."""
    return _record.validate_json(text)
