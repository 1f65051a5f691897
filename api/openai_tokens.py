"""How many tokens a reply may have, as OpenAI's clients write it. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.turn import MOST_TOKENS

AS_MANY_AS_THERE_ARE = -1


def _taken(tokens: int | None) -> int | None:
    """Return the limit that is taken: the highest one where more is asked for, None for none."""
    if tokens is None or tokens == AS_MANY_AS_THERE_ARE:
        return None
    if tokens < 1:
        raise ValueError("no limit")
    return min(tokens, MOST_TOKENS)


MaxTokens = Annotated[
    int | None,
    AfterValidator(_taken),
    Field(description=f"most tokens of the reply; more than {MOST_TOKENS} is {MOST_TOKENS}, -1 the model's own"),
]
