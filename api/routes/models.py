"""`/api/models`: the models that a turn request may name, as the picker lists them, and the test of one."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import json
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from pydantic_core import to_json

from api.access import AUTHORISED
from api.clients import address_of, is_local
from api.json_bodies import STRICT, body_of
from api.model_keys import ModelKey
from api.operations import operation
from api.repeated_requests import RepeatedRequests, sender
from api.visitors import Visitor
from i18n import text
from i18n.messages import model_test_text, note_text
from pipeline.models.catalogue import ModelChoice, Models
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import TurnRequest
from pipeline.turns.engine import Pipeline
from pipeline.turns.model_tests import ModelTest

EXAMPLE = {"model": BUILTIN_MODEL}


class TestedModel(BaseModel):
    """Which model is to be tested."""

    model_config = STRICT

    model: str


def routes(models: Models, pipeline: Pipeline, repeated: RepeatedRequests) -> APIRouter:
    """The routes that list the models, the built-in one first, and test one."""
    router = APIRouter(dependencies=[AUTHORISED])

    @router.get("/api/models", **operation("The models"))
    async def listed() -> dict[str, Any]:
        await models.find()
        return {"models": [_described(each, is_default=each.label == models.default) for each in models.choices]}

    @router.post("/api/models/test", **operation("Test a model", TestedModel, example=EXAMPLE, once=True))
    async def test(request: Request, visitor: Visitor, key: ModelKey) -> dict[str, Any]:
        model = (await body_of(request, TestedModel)).model
        address, is_from_here = address_of(request), is_local(request)
        asked = TurnRequest("", visitor=visitor, model=model, model_key=key, address=address, is_local=is_from_here)

        async def result() -> bytes:
            return _kept(await pipeline.test_model(asked))

        said = (model, str(is_from_here))  # only this machine may read the addresses of servers
        return _told(await repeated.once(request, sender(visitor, address), "model test", said, result))

    return router


def _kept(test: ModelTest) -> bytes:
    """Return a result as it is kept: codes and values."""
    fault = test.fault and {"area": test.fault.area, "code": test.fault.code, "values": dict(test.fault.values)}
    return to_json({"fault": fault, "first_token_s": test.first_token_s, "tokens_per_s": test.tokens_per_s})


def _told(kept: bytes) -> dict[str, Any]:
    """Return a result with its sentence."""
    test: dict[str, Any] = json.loads(kept)
    fault = test.pop("fault")
    said = text(f"{fault['area']}.{fault['code']}", **fault["values"]) if fault else model_test_text(**test)
    return {"ok": fault is None, "code": fault["code"] if fault else "", "text": said, **test}


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
