"""Turns in groups: by the variants of the host's experiment, and by the instructions that they were answered by."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from dataclasses import asdict
from typing import Any

from fastapi import HTTPException, Request

from api.access import Access
from api.dialects import DialectRouter
from api.dialects.native import NATIVE
from api.operations import operation
from api.operators import is_operator
from api.visitors import Visitor
from pipeline.experiments.experiment_results import ExperimentResults
from pipeline.experiments.prompt_results import PromptResults
from pipeline.experiments.turn_groups import TurnGroup


def routes(results: ExperimentResults | None, prompts: PromptResults, operators: Access) -> DialectRouter:
    """The routes of groups; without an experiment `results` is None."""
    router = DialectRouter(NATIVE, "/api")

    @router.get("/experiment", **operation("The host's experiment"))
    async def experiment(request: Request) -> dict[str, Any]:
        if results is None or not is_operator(request, operators):
            raise HTTPException(404)
        groups, known = await results.groups(), results.experiment
        variants = [
            {
                "name": each.name,
                "options": {**({"model": each.model} if each.model else {}), **each.options},
                **_json(groups.get(each.id)),
            }
            for each in known.variants
        ]
        best = known.best.name if known.best else None
        return {"name": known.name, "strategy": known.strategy, "best": best, "variants": variants}

    @router.get("/prompts", **operation("Instructions that were used"))
    async def used(visitor: Visitor) -> dict[str, Any]:
        found = await prompts.of_visitor(visitor)
        return {
            "prompts": [
                {"text": prompt.text, "first_used_at": prompt.first_used_at, **_json(group)} for prompt, group in found
            ]
        }

    return router


def _json(group: TurnGroup | None) -> dict[str, Any]:
    """Return the keys of a group; one without turns has no other."""
    if group is None:
        return {"turns": 0}
    return {name: value for name, value in asdict(group).items() if name != "name"}
