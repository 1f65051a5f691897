"""A program with several fields beside the answer: a model that leaves the answer out is asked for it again."""

from __future__ import annotations

from typing import Any

import dspy

from pipeline.programs.chain_of_thought import Rag
from pipeline.programs.direct import DirectAnswer
from pipeline.replies.adapters import fields_of_signature
from pipeline.replies.dspy_internals import AdapterParseError
from pipeline.replies.reading import read
from pipeline.retrieval import DocumentReader, Search


class StructuredRag(Rag):
    """Asks once for all fields, and once more for the answer alone where the reply has others but not that one."""

    def __init__(self, search: Search, reader: DocumentReader | None = None) -> None:
        super().__init__(search, reader)
        self.answer_alone = dspy.Predict(DirectAnswer)

    async def ask(self, **inputs: Any) -> dspy.Prediction:
        """Call the model. Raises AdapterParseError and ModelFault."""
        try:
            return await super().ask(**inputs)
        except AdapterParseError as error:
            said = read(error.lm_response or "", fields_of_signature(error.signature))
            if not said or "answer" in said:
                raise
        del inputs["signature"]
        prediction: dspy.Prediction = await self.answer_alone.acall(**inputs)
        return prediction
