"""The question and what was said before → queries that stand on their own, by the model that will answer.

It is a step beside the answer: where it fails or takes too long, the question is searched as it is asked.
"""

from __future__ import annotations

import asyncio

import dspy
from dspy.utils.exceptions import AdapterParseError

from pipeline.errors import GlassboxError
from pipeline.faults import fault_of

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
    """One exchange, never streamed: its text is no part of the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(QueriesForSearch)

    async def aforward(self, question: str, history: dspy.History) -> tuple[str, ...]:
        """The queries; () where the model gave none in time. Cancellation goes through."""
        try:
            with dspy.context(send_stream=None):
                said = await asyncio.wait_for(self.predict.acall(question=question, history=history), PATIENCE_S)
        except (GlassboxError, AdapterParseError, TimeoutError):
            return ()
        except Exception as error:  # noqa: BLE001  a bug of ours is no reason not to search either
            fault_of(error)
            return ()
        return _usable(said.get("queries"))


def _usable(queries: object) -> tuple[str, ...]:
    texts = [" ".join(str(each).split())[:MOST_QUERY_CHARS] for each in queries] if isinstance(queries, list) else []
    return tuple(dict.fromkeys(text for text in texts if text))[:MOST_QUERIES]
