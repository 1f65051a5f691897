"""Estimates of a reply's length and remaining time, from the model's earlier answers and its present pace.

*Tokens* are the characters so far times the model's usual tokens per character (0.25 for a new model). *Expected* is
the median length of those of the model's latest answers that were at least about as long as this one is now. *Pace* is
that of the last seconds, and at first the model's usual one. The remaining time is the missing tokens divided by the
pace. *Confidence* is the share of those answers that lie within a quarter of the expected length, with two more counted
that do not: 3 equal answers give 0.6, 20 give 0.9. Unknown values are None. The built-in model pauses between words on
purpose, so its pace is not given. Pure: no clock, no store.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median

from pipeline.events import Estimated, Event, FieldDelta, FieldReset, Recovered, TurnStarted
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import TurnMetrics

LATEST = 20  # answers of a model that count
EVERY_S = 0.5  # at most one estimate in this time
PACE_SAMPLES = 6  # one per estimate: the pace of about the last three seconds
NEAR = 0.25
SLACK = 0.9  # an answer counts as long enough from this share of the present length on
USUAL_TOKENS_PER_CHAR = 0.25


class PastAnswers:
    """Metrics of each model's latest answers."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[TurnMetrics]] = {}

    def learn(self, measured: TurnMetrics) -> None:
        """Add the metrics of a finished answer; others are ignored."""
        if measured.ending == "finished" and measured.tokens and measured.chars:
            self._answers.setdefault(measured.model_used, deque(maxlen=LATEST)).append(measured)

    def lengths(self, model: str) -> list[int]:
        """Tokens of each answer."""
        return [each.tokens or 0 for each in self._answers.get(model, ())]

    def tokens_per_char(self, model: str) -> float:
        """The median; it includes thinking tokens that are not shown."""
        ratios = [(each.tokens or 0) / each.chars for each in self._answers.get(model, ())]
        return median(ratios) if ratios else USUAL_TOKENS_PER_CHAR

    def tokens_per_s(self, model: str) -> float | None:
        """The median pace, None for a new model."""
        paces = [each.tokens_per_s for each in self._answers.get(model, ()) if each.tokens_per_s]
        return median(paces) if paces else None


class Estimator:
    """One turn's: derives estimates from its events."""

    def __init__(self, past_answers: PastAnswers) -> None:
        self._past_answers = past_answers
        self._model = ""
        self._chars: dict[str, int] = {}
        self._samples: deque[tuple[float, int]] = deque(maxlen=PACE_SAMPLES + 1)  # (at_s, characters)

    def derive(self, event: Event) -> Sequence[Estimated]:
        """Take in the next event → an estimate, if text has come and the last estimate is half a second old."""
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
        return ()

    def _due(self, at_s: float) -> Sequence[Estimated]:
        is_first = not self._samples
        if not is_first and at_s - self._samples[-1][0] < EVERY_S:
            return ()
        self._samples.append((at_s, sum(self._chars.values())))
        return () if is_first else (self._estimate(),)

    def _estimate(self) -> Estimated:
        (then_s, before), (now_s, chars) = self._samples[0], self._samples[-1]
        per_char = self._past_answers.tokens_per_char(self._model)
        tokens = round(chars * per_char)
        pace = (chars - before) * per_char / (now_s - then_s)
        if usual := self._past_answers.tokens_per_s(self._model):
            known = (len(self._samples) - 1) / PACE_SAMPLES
            pace = known * pace + (1 - known) * usual
        shown_pace = None if self._model == BUILTIN_MODEL else round(pace, 1) or None
        longer = [length for length in self._past_answers.lengths(self._model) if length >= SLACK * tokens]
        if not longer or not pace:
            return Estimated(tokens=tokens, expected_tokens=None, tokens_per_s=shown_pace, eta_s=None, confidence=0.0)
        expected = max(tokens, round(median(longer)))
        near = sum(abs(length - expected) <= NEAR * expected for length in longer)
        return Estimated(
            tokens=tokens,
            expected_tokens=expected,
            tokens_per_s=shown_pace,
            eta_s=round((expected - tokens) / pace, 1),
            confidence=round(near / (len(longer) + 2), 2),
        )
