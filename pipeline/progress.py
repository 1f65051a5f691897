"""How far a reply is and how long it will still take, from the model's earlier answers and its pace right now.

The rule. *Tokens* so far are the characters so far times the model's usual tokens per character (a quarter where it is
new). *Expected* is the median length of the model's latest answers, of those alone that were at least about as long as
this one is already: the longer a reply gets, the longer it will be. *Pace* is that of the last seconds, at first the
model's usual one. The time left is what is missing at that pace. *Confidence* is the share of those answers that lie
within a quarter of the expected length, with two more that do not: 3 equal answers give 0.6, 20 give 0.9, and a model
whose answers differ wildly never gets far. What is not known is None, never a guess; the built-in model's pause between
words is no pace to be told. Pure: no clock, no store.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from pipeline.conversation import TurnMetrics
from pipeline.events import Estimated, Event, FieldDelta, FieldReset, Recovered, TurnStarted
from pipeline.settings import BUILTIN_MODEL

LATEST = 20  # answers of a model that count
EVERY_S = 0.5  # at most one estimate in this time
PACE_SAMPLES = 6  # one per estimate: the pace of about the last three seconds
NEAR = 0.25
SLACK = 0.9  # an answer counts as long enough from this share of the present length on
USUAL_TOKENS_PER_CHAR = 0.25


class Experience:
    """What the latest answers of each model were like."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[TurnMetrics]] = {}

    def learn(self, measured: TurnMetrics) -> None:
        """Remember an answer; a turn that broke off teaches nothing."""
        if measured.ending == "finished" and measured.tokens and measured.chars:
            self._answers.setdefault(measured.model_used, deque(maxlen=LATEST)).append(measured)

    def lengths(self, model: str) -> list[int]:
        """Tokens of its answers."""
        return [each.tokens or 0 for each in self._answers.get(model, ())]

    def tokens_per_char(self, model: str) -> float:
        """The usual number, also where the model thinks without showing it."""
        ratios = [(each.tokens or 0) / each.chars for each in self._answers.get(model, ())]
        return median(ratios) if ratios else USUAL_TOKENS_PER_CHAR

    def tokens_per_s(self, model: str) -> float | None:
        """The usual pace."""
        paces = [each.tokens_per_s for each in self._answers.get(model, ()) if each.tokens_per_s]
        return median(paces) if paces else None


class Progress:
    """One turn's: hears its events in their order, and now and then has an estimate to say."""

    def __init__(self, experience: Experience) -> None:
        self._experience = experience
        self._model = ""
        self._chars: dict[str, int] = {}
        self._samples: deque[tuple[float, int]] = deque(maxlen=PACE_SAMPLES + 1)  # (at_s, characters)

    def heard(self, event: Event) -> Estimated | None:
        """Take in one more event → an estimate, while text comes and half a second after the one before."""
        if isinstance(event, FieldDelta):
            self._chars[event.field] = self._chars.get(event.field, 0) + len(event.text)
            return self._due(event.at_s)
        if isinstance(event, TurnStarted):
            self._model = event.model
        elif isinstance(event, Recovered):
            self._model = event.to_model
            self._samples.clear()
        elif isinstance(event, FieldReset):
            self._chars.pop(event.field, None)
            self._samples.clear()
        return None

    def _due(self, at_s: float) -> Estimated | None:
        is_first = not self._samples
        if not is_first and at_s - self._samples[-1][0] < EVERY_S:
            return None
        self._samples.append((at_s, sum(self._chars.values())))
        return None if is_first else self._estimate()

    def _estimate(self) -> Estimated:
        (then_s, before), (now_s, chars) = self._samples[0], self._samples[-1]
        per_char = self._experience.tokens_per_char(self._model)
        tokens = round(chars * per_char)
        pace = (chars - before) * per_char / (now_s - then_s)
        if usual := self._experience.tokens_per_s(self._model):
            known = (len(self._samples) - 1) / PACE_SAMPLES
            pace = known * pace + (1 - known) * usual
        told_pace = None if self._model == BUILTIN_MODEL else round(pace, 1) or None
        longer = [length for length in self._experience.lengths(self._model) if length >= SLACK * tokens]
        if not longer or not pace:
            return Estimated(tokens=tokens, expected_tokens=None, tokens_per_s=told_pace, eta_s=None, confidence=0.0)
        expected = max(tokens, round(median(longer)))
        near = sum(abs(length - expected) <= NEAR * expected for length in longer)
        return Estimated(
            tokens=tokens,
            expected_tokens=expected,
            tokens_per_s=told_pace,
            eta_s=round((expected - tokens) / pace, 1),
            confidence=round(near / (len(longer) + 2), 2),
        )
