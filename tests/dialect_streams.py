"""Reads what a dialect wrote, as the clients that are printed in its documentation do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from api.dialects import Dialect
from pipeline.turn import Turn
from tests.event_strategies import in_batches

DONE = "[DONE]"


def written(dialect: Dialect, turn: Turn, sizes: Sequence[int] = (1,)) -> list[bytes]:
    """The writes of a whole turn."""
    encode = dialect.encoder(turn)
    return [encode(batch) for batch in in_batches(turn, sizes)]


def read(writes: Sequence[bytes]) -> list[Any]:
    """The data of each event, where every write is decoded and cut at its line ends by itself."""
    data = []
    for write in writes:
        assert write == b"" or write.endswith(b"\n\n")
        for line in write.decode("ascii").split("\n"):
            if line.startswith("data: "):
                data.append(DONE if line[6:] == DONE else json.loads(line[6:]))
            else:
                assert line == "" or line.startswith("id: ")
    return data


def joined(data: Sequence[Any], kind: str = "token") -> str:
    """The text of the tokens."""
    return "".join(each["content"] for each in data if each != DONE and each.get("type") == kind)
