"""Query rewriting: the model that will answer writes search queries that are complete without the conversation.

Where that fails or takes too long, the question itself is searched, and the model is not asked for queries for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import dspy

from pipeline.errors import GlassboxError
from pipeline.models.lm import asked_label, asked_with_own_key
from pipeline.models.provider_faults import fault_of
from pipeline.replies.dspy_internals import AdapterParseError, unstreamed

PATIENCE_S, REST_S = 2.0, 300.0
MOST_QUERIES, MOST_QUERY_CHARS = 3, 300


class QueriesForSearch(dspy.Signature):
    """Write one to three short search queries that together find what the question asks for.

    Each stands on its own: names and things stand in it instead of "it" and "they". Use the language of the question,
    add no answer, and do not repeat a query in other words.
    """

    history: dspy.History = dspy.InputField(desc="earlier turns of this conversation")
    question: str = dspy.InputField()
    queries: list[str] = dspy.OutputField(desc="one to three queries, the most important one first")


class Rewrite(dspy.Module):
    """Asks for queries in one exchange, which is not streamed since its text is not part of the answer.

    A model that gave none is not asked again for `REST_S`; with a visitor's own key it rests for such visitors alone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.predict = dspy.Predict(QueriesForSearch)
        self._clock = clock
        self._rests_until: dict[tuple[str, bool], float] = {}

    async def aforward(self, question: str, history: dspy.History) -> tuple[str, ...]:
        """Return the queries; () where the model gave none within PATIENCE_S, or rests. Cancellation goes through."""
        model = asked_label.get(), asked_with_own_key.get()
        if self._clock() < self._rests_until.get(model, 0.0):
            return ()
        queries = await self._written(question, history)
        if queries:
            self._rests_until.pop(model, None)
        else:
            self._rests_until[model] = self._clock() + REST_S
        return queries

    async def _written(self, question: str, history: dspy.History) -> tuple[str, ...]:
        try:
            with unstreamed():
                prediction = await asyncio.wait_for(self.predict.acall(question=question, history=history), PATIENCE_S)
        except (GlassboxError, AdapterParseError, TimeoutError):
            return ()
        except Exception as error:  # noqa: BLE001  a bug of ours must not prevent the search either
            fault_of(error)
            return ()
        return _usable(prediction.get("queries"))


def _usable(queries: object) -> tuple[str, ...]:
    texts = [" ".join(str(each).split())[:MOST_QUERY_CHARS] for each in queries] if isinstance(queries, list) else []
    return tuple(dict.fromkeys(text for text in texts if text))[:MOST_QUERIES]
