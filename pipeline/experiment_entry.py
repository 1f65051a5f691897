"""The setting EXPERIMENT: variants of how questions are answered, among which visitors are split. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

ShortName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class ExperimentEntry(BaseModel):
    """One experiment. The values of a variant are those of options, and `model`; they are checked at the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: ShortName
    strategy: Literal["split", "best"] = "split"
    variants: Mapping[ShortName, Mapping[str, JsonValue]] = Field(min_length=2, max_length=10)
