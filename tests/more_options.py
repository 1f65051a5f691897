"""The options of a turn with one more: what somebody writes who adds an option, and all that they write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from pipeline.options import ForLanguageModels, Slider
from pipeline.turn import AskOptions


@dataclass(frozen=True, slots=True)
class MoreOptions(AskOptions):
    """The options with `top_p`."""

    top_p: Annotated[
        float | None,
        Field(ge=0, le=1, description="from how much of the probable the model chooses; default: the model's own"),
        Slider("top-p", "advanced", step=0.05, rests_at=1),
        ForLanguageModels(is_parameter=True),
    ] = None
