"""`/api/models`: the models that a turn request may name, as the picker lists them, and the test of one."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.access import AUTHORISED
from api.clients import address_of, is_local
from api.json_bodies import STRICT, body_of
from api.model_keys import ModelKey
from api.operations import operation
from api.visitors import Visitor
from i18n.messages import model_test_text, note_text
from pipeline.models.catalogue import ModelChoice, Models
from pipeline.turn import TurnRequest
from pipeline.turns.engine import Pipeline


class TestedModel(BaseModel):
    """Which model is to be tested."""

    model_config = STRICT

    model: str


def routes(models: Models, pipeline: Pipeline) -> APIRouter:
    """The routes that list the models, the built-in one first, and test one."""
    router = APIRouter(dependencies=[AUTHORISED])

    @router.get("/api/models", **operation("The models"))
    async def listed() -> dict[str, Any]:
        await models.find()
        return {"models": [_described(each, is_default=each.label == models.default) for each in models.choices]}

    @router.post("/api/models/test", **operation("Test a model", TestedModel, example={"model": "builtin/extractive"}))
    async def test(request: Request, visitor: Visitor, key: ModelKey) -> dict[str, Any]:
        asked = TurnRequest(
            "",
            visitor=visitor,
            model=(await body_of(request, TestedModel)).model,
            model_key=key,
            address=address_of(request),
            is_local=is_local(request),
        )
        result = await pipeline.test_model(asked)
        return {
            "ok": result.fault is None,
            "code": result.fault.code if result.fault else "",
            "text": model_test_text(result.fault, result.first_token_s, result.tokens_per_s),
            "first_token_s": result.first_token_s,
            "tokens_per_s": result.tokens_per_s,
        }

    return router


def _described(choice: ModelChoice, *, is_default: bool) -> dict[str, Any]:
    return {
        "label": choice.label,
        "provider": choice.provider,
        "state": choice.state,
        "note": note_text(choice.note),
        "context_tokens": choice.context_tokens,
        "prices": asdict(choice.prices) if choice.prices else None,
        "is_default": is_default,
    }
