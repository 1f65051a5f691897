"""The ids by which OpenAI's clients name a model: a label of the picker, or `label@profile`."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.errors import Refused
from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profiles


class NamedModel(NamedTuple):
    """What an id names; None for the default, of the profile where there is one."""

    label: str | None = None
    profile: str | None = None


def model_named(id: str | None, models: Models, profiles: Profiles) -> NamedModel:
    """Return what an id names; without one, or without a label before the @, the default. Raises Refused."""
    if not id:
        return NamedModel()
    if models.known(id):  # a label may hold an @ itself
        return NamedModel(id)
    label, at, profile = id.rpartition("@")
    if not at or profile not in {each.name for each in profiles.listed} or not (label == "" or models.known(label)):
        raise Refused("unknown_model", near=models.nearest(label or id))
    return NamedModel(label or None, profile)
