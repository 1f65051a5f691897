"""Programs that a newcomer might add: with a field of its own, and of two calls."""

from __future__ import annotations

from typing import Any

import dspy

from pipeline.passages import Query
from pipeline.programs.registry import ANSWER, REASONING, OutputField, ProgramSpec
from pipeline.programs.search_step import SearchStep
from pipeline.prompt_passages import neutral, numbered
from pipeline.retrieval import DEFAULT_OPTIONS, SHARED, DocumentReader, Scope, Search, SearchOptions


class Summarise(dspy.Signature):
    """Answer the question from the passages."""

    passages: str = dspy.InputField()
    question: str = dspy.InputField()
    reasoning: str = dspy.OutputField()
    summary: str = dspy.OutputField()
    answer: str = dspy.OutputField()


class Summarised(dspy.Module):
    """Three fields in one call."""

    def __init__(self, search: Search, reader: DocumentReader | None = None) -> None:
        super().__init__()
        self.search = search
        self.predict = dspy.Predict(Summarise)

    async def aforward(
        self, question: str, scope: Scope = SHARED, options: SearchOptions = DEFAULT_OPTIONS, **inputs: Any
    ) -> dspy.Prediction:
        passages = await SearchStep(self.search, scope, options, inputs.get("found")).find(Query(question))
        return await self.predict.acall(passages=numbered(passages), question=neutral(question))


class Drafted(dspy.Module):
    """A draft, then an answer made of it: two calls, both with reasoning."""

    def __init__(self, search: Search, reader: DocumentReader | None = None) -> None:
        super().__init__()
        self.draft = dspy.ChainOfThought("question -> draft")
        self.answer = dspy.ChainOfThought("question, draft -> answer")

    async def aforward(self, question: str, **inputs: Any) -> dspy.Prediction:
        first = await self.draft.acall(question=neutral(question))
        return await self.answer.acall(question=neutral(question), draft=first.draft)


class Improved(dspy.Module):
    """The same field twice: the second answer replaces the first."""

    def __init__(self, search: Search, reader: DocumentReader | None = None) -> None:
        super().__init__()
        self.first, self.second = dspy.Predict("question -> answer"), dspy.Predict("question, draft -> answer")

    async def aforward(self, question: str, **inputs: Any) -> dspy.Prediction:
        first = await self.first.acall(question=neutral(question))
        return await self.second.acall(question=neutral(question), draft=first.answer)


SUMMARISED = ProgramSpec(
    name="Summarised",
    title="With a summary",
    description="Says a summary beside the answer.",
    build=Summarised,
    fields=(REASONING, OutputField("summary", "In a sentence"), ANSWER),
)
DRAFTED = ProgramSpec(
    name="Drafted", title="Draft first", description="Drafts, then answers.", build=Drafted, needs_passages=False
)
