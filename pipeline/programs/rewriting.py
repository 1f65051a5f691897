"""Query rewriting: the model that will answer writes search queries that are complete without the conversation.

Where that fails or takes too long, the question itself is searched.
"""

from __future__ import annotations

import asyncio

import dspy

from pipeline.errors import GlassboxError
from pipeline.models.provider_faults import fault_of
from pipeline.replies.dspy_internals import AdapterParseError, unstreamed

PATIENCE_S = 10.0
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
    """Asks for queries in one exchange, which is not streamed since its text is not part of the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(QueriesForSearch)

    async def aforward(self, question: str, history: dspy.History) -> tuple[str, ...]:
        """Return the queries; () where the model gave none within PATIENCE_S. Cancellation goes through."""
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
