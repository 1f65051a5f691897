"""`GET /api/profiles`: the profiles that a turn request may name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.access import AUTHORISED
from api.operations import operation
from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profile, Profiles
from pipeline.programs.registry import Programs, program_named


def routes(profiles: Profiles, programs: Programs, models: Models) -> APIRouter:
    """The route that lists the profiles, with the program and the model that answer when the request names none."""
    router = APIRouter(dependencies=[AUTHORISED])

    def described(profile: Profile) -> dict[str, Any]:
        return {
            "name": profile.name,
            "title": profile.title,
            "program": program_named(profile.options.get("program"), programs).name,
            "model": profile.model or models.default,
            "collections": [each for each in profile.collections or () if each not in profile.private],
        }

    @router.get("/api/profiles", **operation("The profiles"))
    async def listed() -> dict[str, Any]:
        return {"profiles": [described(each) for each in profiles.listed]}

    return router
