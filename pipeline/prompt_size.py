"""How long a prompt becomes, and what is left out so that the whole of it keeps to its limit.

All that is sent counts: instructions, frame, earlier turns, question and passages. A title of 40 kB, or twenty long
passages, must not become a prompt on somebody's key. Of passages the last are left out, of turns the oldest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import dspy

from pipeline.conversation import Passage
from pipeline.errors import ModelFault
from pipeline.numbered import numbered

PROMPT_LIMIT_CHARS = 120_000
BETWEEN = 2  # characters between two passages
# More than any frame of ours has: names and descriptions of fields, instructions said twice, the marks of one turn.
FRAME_CHARS, FRAME_TIMES, FRAME_TURN_CHARS = 20_000, 2, 500

Message = Mapping[str, str]  # an earlier turn: its fields


class PromptSize:
    """One exchange that is to be asked: its instructions and all inputs but the earlier turns and the passages."""

    def __init__(
        self,
        limit_chars: int,
        signature: type[dspy.Signature],
        demos: Sequence[Any],
        inputs: Mapping[str, str],
        kept: Sequence[Message] = (),
    ) -> None:
        """`kept` are turns that are sent whatever becomes of those before them."""
        self._limit_chars, self._signature, self._demos, self._inputs = limit_chars, signature, demos, inputs
        self._kept = kept
        self._counted: tuple[Sequence[Message], int] | None = None  # turns, and what was counted with them

    def turns(self, turns: Sequence[Message], passages: Sequence[Passage] = ()) -> list[Message]:
        """The newest of the turns that have room beside these passages. Raises ModelFault where nothing has any."""
        left, needed = list(turns), len(numbered(passages))
        if self._surely_fits(left, needed):
            return left
        while self._chars(left) + needed > self._limit_chars:
            if not left:
                if passages:
                    return []  # some of those have to go
                raise ModelFault("context_window_exceeded")
            left = left[1:]
        return left

    def passages(self, passages: Sequence[Passage], turns: Sequence[Message]) -> int:
        """How many of the passages, from the first on, have room beside the turns."""
        if self._surely_fits(turns, len(numbered(passages))):
            return len(passages)
        room = self._limit_chars - self._chars(turns)
        used = accumulate(len(numbered((each,))) + BETWEEN for each in passages)
        return sum(end - BETWEEN <= room for end in used)

    def _surely_fits(self, turns: Sequence[Message], passages_chars: int) -> bool:
        """Whether no frame could make the prompt too long, which spares writing it out to count it."""
        said = (*turns, *self._kept, self._inputs)
        raw = sum(len(text) for fields in said for text in fields.values())
        raw += len(self._signature.instructions) + sum(len(str(demo)) for demo in self._demos) + passages_chars
        return FRAME_CHARS + FRAME_TURN_CHARS * len(said) + FRAME_TIMES * raw <= self._limit_chars

    def _chars(self, turns: Sequence[Message]) -> int:
        if self._counted is None or self._counted[0] != turns:
            self._counted = turns, self._count(turns)
        return self._counted[1]

    def _count(self, turns: Sequence[Message]) -> int:
        adapter = dspy.settings.adapter or dspy.ChatAdapter()
        history = dspy.History(messages=[dict(each) for each in (*turns, *self._kept)])
        messages = adapter.format(self._signature, list(self._demos), {**self._inputs, "history": history})
        return sum(len(str(message["content"])) for message in messages)
