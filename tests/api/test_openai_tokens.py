"""Limits of tokens as OpenAI's clients write them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from api.openai_tokens import MaxTokens
from pipeline.turn import MOST_TOKENS

LIMIT: TypeAdapter[int | None] = TypeAdapter(MaxTokens)


@pytest.mark.parametrize(
    ("written", "taken"),
    [(None, None), (-1, None), (1, 1), (700, 700), (MOST_TOKENS, MOST_TOKENS), (2**40, MOST_TOKENS)],
)
def test_more_tokens_than_there_may_be_are_the_most_and_minus_one_is_the_models_own(
    written: int | None, taken: int | None
) -> None:
    assert LIMIT.validate_python(written, strict=True) == taken


@pytest.mark.parametrize("written", [0, -2, 1.5, "700", True])
def test_what_is_no_limit_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        LIMIT.validate_python(written, strict=True)
