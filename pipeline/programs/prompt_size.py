"""Measures prompts, and chooses the earlier turns and passages that fit into the limit of the model that is asked.

Everything that is sent counts: instructions, format, earlier turns, question and passages, so that a title of 40 kB or
twenty long passages do not become an expensive prompt. The oldest turns are left out first, then the last passages.

How a program keeps to the limit, which stands in `prompt_limit` while it runs: one with the usual inputs makes a
`PromptSize` and a `Fitting` of it, gives `Fitting.count_fitting` to its `SearchStep`, sends `Fitting.turns` and the
passages that the step returns, and emits `Fitting.warning`. Any other program asks `fits` before each call, and leaves
something out until it is true. A prompt that is too long all the same raises ModelFault where the model is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from operator import add
from typing import Any

import dspy

from pipeline.errors import ModelFault
from pipeline.events import Warned
from pipeline.messages import Value
from pipeline.models.lm import prompt_limit
from pipeline.models.prompt_limit import PromptLimit, prompt_tokens, text_tokens
from pipeline.passages import Passage
from pipeline.prompt_passages import numbered

PROMPT_LIMIT_CHARS = 120_000
BETWEEN = 2  # characters between two passages
BETWEEN_TOKENS = 1
# Upper bounds for what an adapter adds: names and descriptions of fields, repeated instructions, the marks of one turn.
FRAME_CHARS, FRAME_TIMES, FRAME_TURN_CHARS = 20_000, 2, 500
MOST_TOKENS_PER_CHAR = 3
NO_ROOM = "(those found are too long to be shown: say so, and answer nothing from elsewhere)"

Message = Mapping[str, str]  # an earlier turn: its fields


def limit_now(limit_chars: int) -> PromptLimit:
    """The limit of the prompts of the program that runs, with at most so many characters."""
    limit = prompt_limit.get() or PromptLimit()
    return replace(limit, chars=min(limit_chars, limit.chars or limit_chars))


def prompt_texts(signature: type[dspy.Signature], demos: Sequence[Any], inputs: Mapping[str, Any]) -> list[str]:
    """Return the messages of the prompt that the present adapter makes of these inputs."""
    adapter = dspy.settings.adapter or dspy.ChatAdapter()
    return [str(message["content"]) for message in adapter.format(signature, list(demos), dict(inputs))]


def fits(
    signature: type[dspy.Signature], inputs: Mapping[str, Any], limit_chars: int, demos: Sequence[Any] = ()
) -> bool:
    """Whether the prompt of these inputs is within the limit."""
    return limit_now(limit_chars).admits_texts(prompt_texts(signature, demos, inputs))


def left_out_warning(*, turns: int = 0, passages: int = 0, steps: int = 0) -> Warned | None:
    """Return the warning that so much had no room in the prompt, None where nothing was left out."""
    counts: dict[str, Value] = {"turns": turns, "passages": passages, "steps": steps}
    values = {name: count for name, count in counts.items() if count}
    return Warned(code="prompt_limit", values=values) if values else None


class PromptSize:
    """The size of one prompt: instructions and all inputs but the earlier turns and the passages."""

    def __init__(
        self,
        limit_chars: int,
        signature: type[dspy.Signature],
        demos: Sequence[Any],
        inputs: Mapping[str, str],
        always: Sequence[Message] = (),
    ) -> None:
        """`always` are turns that are sent even where none before them fits."""
        self.limit_chars, self._limit = limit_chars, limit_now(limit_chars)
        self._signature, self._demos, self._inputs = signature, demos, inputs
        self._always = always
        # The last turns measured, and the characters and tokens with them.
        self._measured: tuple[Sequence[Message], int, int] | None = None

    def turns(self, turns: Sequence[Message], passages: Sequence[Passage] = ()) -> list[Message]:
        """Return the newest turns that fit beside these passages, none where the passages alone do not fit.

        Raises ModelFault where even the question does not fit.
        """
        left, text = list(turns), numbered(passages)
        if self._surely_fits(left, len(text)):
            return left
        needed = len(text), text_tokens(text)
        while not self._admits(left, *needed):
            if not left:
                if not self._admits([], 0, 0):
                    raise ModelFault("prompt_too_long")
                return []
            left = left[1:]
        return left

    def passages(self, passages: Sequence[Passage], turns: Sequence[Message]) -> int:
        """Return the number of passages, counted from the first, that fit beside the turns."""
        most = self._limit.most_passages(len(passages))
        if self._surely_fits(turns, len(numbered(passages[:most]))):
            return most
        texts = [numbered((each,)) for each in passages[:most]]
        chars = accumulate((len(each) + BETWEEN for each in texts), add)
        tokens = accumulate((text_tokens(each) + BETWEEN_TOKENS for each in texts), add)
        return sum(self._admits(turns, end - BETWEEN, each) for end, each in zip(chars, tokens, strict=True))

    def _admits(self, turns: Sequence[Message], chars: int, tokens: int) -> bool:
        """Whether the prompt with these turns fits, with so much more."""
        if self._measured is None or self._measured[0] != turns:
            texts = self._texts(turns)
            self._measured = turns, sum(map(len, texts)), prompt_tokens(texts)
        return self._limit.admits(self._measured[1] + chars, self._measured[2] + tokens)

    def _surely_fits(self, turns: Sequence[Message], passages_chars: int) -> bool:
        """Whether the prompt fits by a rough upper bound, which saves formatting it to measure it."""
        sent = (*turns, *self._always, self._inputs)
        raw = sum(len(text) for fields in sent for text in fields.values())
        raw += len(self._signature.instructions) + sum(len(str(demo)) for demo in self._demos) + passages_chars
        most = FRAME_CHARS + FRAME_TURN_CHARS * len(sent) + FRAME_TIMES * raw
        return self._limit.admits(most, most * MOST_TOKENS_PER_CHAR)

    def _texts(self, turns: Sequence[Message]) -> list[str]:
        history = dspy.History(messages=[dict(each) for each in (*turns, *self._always)])
        return prompt_texts(self._signature, self._demos, {**self._inputs, "history": history})


class Fitting:
    """Chooses the earlier turns and passages of one prompt. `turns` are those to send with what was counted last."""

    def __init__(self, size: PromptSize, earlier: Sequence[Message]) -> None:
        """Raises ModelFault where even the question does not fit."""
        self._size, self._earlier = size, earlier
        self.turns = size.turns(earlier)

    def count_fitting(self, passages: Sequence[Passage]) -> int:
        """Return how many of the passages fit, from the first on; turns make room for them."""
        self.turns = self._size.turns(self._earlier, passages)
        return self._size.passages(passages, self.turns)

    def warning(self, passages_left_out: int) -> Warned | None:
        """Return what to tell of what was left out."""
        return left_out_warning(turns=len(self._earlier) - len(self.turns), passages=passages_left_out)
