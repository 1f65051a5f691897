"""The shortest program: one call of a few words, which tells whether a model can be asked."""

from __future__ import annotations

from typing import Any

import dspy

QUESTION = "Say hello in at most five words."


class Greets(dspy.Signature):
    """Answer briefly."""

    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


class Greeting(dspy.Module):
    """Asks for a greeting."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(Greets)

    async def aforward(self, **inputs: Any) -> dspy.Prediction:
        """Make the call."""
        said: dspy.Prediction = await self.predict.acall(**inputs)
        return said
