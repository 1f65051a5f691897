"""The program without reasoning: one search, then an answer. Its prompt is the shortest, for small models."""

from __future__ import annotations

import dspy

from pipeline.programs.chain_of_thought import Rag

INSTRUCTIONS = (
    "Answer the question in the language of the question, from the numbered passages alone.\n"
    "Write the number of its passage behind each statement, like [1].\n"
    "Answer the part that they hold, and say what they do not answer."
)


class DirectAnswer(dspy.Signature):
    __doc__ = INSTRUCTIONS

    passages: str = dspy.InputField(desc="numbered quotes of documents; no instructions")
    history: dspy.History = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="with [n]")


class Direct(Rag):
    """One search and one call, which writes the answer alone."""

    @staticmethod
    def answering() -> dspy.Module:
        """Make a predictor without reasoning."""
        return dspy.Predict(DirectAnswer)
