"""`/api/optimisations`: a program is optimised with questions or ratings, followed, stopped, gone on with, and used."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.asking import HEARTBEAT_S
from api.clients import address_of, is_local
from api.dialects import DialectRouter
from api.dialects.native import NATIVE
from api.json_bodies import STRICT, body_of
from api.model_keys import ModelKey
from api.operations import operation
from api.repeated_requests import request_key_of
from api.streams import HEADERS
from api.visitors import Visitor
from i18n.optimisations import estimate_json, optimisation_json, summary_json, trial_json
from pipeline.errors import Refused
from pipeline.experiments.questions import Question, checked_set, question_of
from pipeline.optimisation.service import Estimate, Optimisations
from pipeline.optimisation.values import CALLS_DEFAULT, CALLS_MOST, RATINGS, Optimisation, Plan
from pipeline.optimisation.wire import Optimizer
from pipeline.turn import DEFAULTS, TurnRequest

EXAMPLE = {"program": "ChainOfThought", "model": "fast", "questions": "ratings", "optimizer": "gepa", "calls": 120}


class Optimise(BaseModel):
    """What is optimised, with what, and within which limits."""

    model_config = STRICT

    program: str = Field("", description="a name of `GET /api/programs`; default: the first")
    model: str | None = Field(None, description="a label of the picker")
    questions: str | list[dict[str, Any]] = Field(
        RATINGS, description="`ratings`: the visitor's thumbs; a question set; or a list of {question, answer}"
    )
    optimizer: Optimizer = Field("bootstrap", description="`labelled`, `bootstrap`, `mipro` or `gepa`")
    calls: int = Field(CALLS_DEFAULT, ge=1, le=CALLS_MOST, description="the most requests to the provider")
    max_usd: float | None = Field(None, gt=0, description="the most that they may cost")
    seed: int = Field(0, ge=0, le=2**31)


class Use(BaseModel):
    """Whether a program is taken whose gain is not proven."""

    model_config = STRICT

    anyway: bool = False


def routes(optimisations: Optimisations) -> DialectRouter:
    """The routes of optimisations."""
    router = DialectRouter(NATIVE, "/api/optimisations")

    async def asked(request: Request, visitor: str | None, key: Any) -> tuple[TurnRequest, Plan, tuple[Question, ...]]:
        body = await body_of(request, Optimise)
        source = body.questions if isinstance(body.questions, str) else ""
        questions = await optimisations.questions(visitor, source) if source else _listed(body.questions)
        plan = Plan(
            program=body.program,
            model="",
            optimizer=body.optimizer,
            source=source,
            calls=body.calls,
            max_usd=body.max_usd,
            seed=body.seed,
        )
        return _request(request, visitor, key, body.model), plan, questions

    async def started(request: Request, visitor: Visitor, key: ModelKey) -> Optimisation:
        return await optimisations.start(*await asked(request, visitor, key))

    async def estimated(request: Request, visitor: Visitor, key: ModelKey) -> Estimate:
        return await optimisations.estimate(*await asked(request, visitor, key))

    @router.get("", **operation("The visitor's optimisations"))
    async def listed(visitor: Visitor) -> dict[str, Any]:
        return {"optimisations": [summary_json(each) for each in await optimisations.of(visitor)]}

    @router.post("", **operation("Optimise a program", Optimise, example=EXAMPLE))
    async def start(found: Annotated[Optimisation, Depends(started)]) -> dict[str, Any]:
        return optimisation_json(found)

    @router.post("/estimate", **operation("What an optimisation would ask and cost", Optimise, example=EXAMPLE))
    async def estimate(found: Annotated[Estimate, Depends(estimated)]) -> dict[str, Any]:
        return estimate_json(found)

    @router.get("/{id}", **operation("An optimisation: its trials, before and after"))
    async def get(id: str, visitor: Visitor) -> dict[str, Any]:
        return optimisation_json(await optimisations.get(visitor, id))

    @router.get("/{id}/events", **operation("Follow an optimisation", gives=NATIVE.stream_type))
    async def events(id: str, request: Request, visitor: Visitor) -> StreamingResponse:
        await optimisations.get(visitor, id)  # before the stream begins, so that an error has its own status
        after = _last_event(request)
        return StreamingResponse(
            _events(optimisations, visitor, id, after), media_type=NATIVE.stream_type, headers=HEADERS
        )

    @router.post("/{id}/stop", **operation("Stop an optimisation; what it has found is kept"))
    async def stop(id: str, visitor: Visitor) -> dict[str, Any]:
        return optimisation_json(await optimisations.stop(visitor, id))

    @router.post("/{id}/resume", **operation("Go on with the rest of the budget"))
    async def resume(id: str, request: Request, visitor: Visitor, key: ModelKey) -> dict[str, Any]:
        return optimisation_json(await optimisations.resume(_request(request, visitor, key, None), id))

    @router.post("/{id}/use", **operation("Save the best program found", Use, example={"anyway": False}))
    async def use(id: str, request: Request, visitor: Visitor) -> dict[str, Any]:
        given = await body_of(request, Use) if await request.body() else Use()
        saved = await optimisations.use(visitor, id, anyway=given.anyway)
        return {"program": saved.name, "title": saved.title}

    @router.post("/{id}/undo", **operation("Remove the program that was saved, and name the one before"))
    async def undo(id: str, visitor: Visitor) -> dict[str, Any]:
        return {"program": await optimisations.undo(visitor, id)}

    return router


def _listed(entries: list[dict[str, Any]] | str) -> tuple[Question, ...]:
    assert isinstance(entries, list)
    return checked_set(question_of(entry, line) for line, entry in enumerate(entries, 1))


def _request(request: Request, visitor: str | None, key: Any, model: str | None) -> TurnRequest:
    request_key_of(request)
    return TurnRequest(
        "",
        DEFAULTS,
        visitor=visitor,
        model=model,
        model_key=key,
        address=address_of(request),
        is_local=is_local(request),
    )


def _last_event(request: Request) -> int:
    """Return the seq of the last event that a client has got, -1 for none. Raises Refused."""
    said = request.headers.get("last-event-id", "-1")
    if not said.removeprefix("-").isdigit():
        raise Refused("unknown_event")
    return int(said)


async def _events(
    optimisations: Optimisations, visitor: str | None, id: str, after: int
) -> AsyncGenerator[bytes, None]:
    """Each trial and each ending with its seq, once; between them, without a seq, how far it is."""
    told, sent_at = after, time.monotonic()
    async with aclosing(optimisations.states(visitor, id)) as states:
        async for found in states:
            if found is None:
                if time.monotonic() - sent_at >= HEARTBEAT_S:
                    sent_at = time.monotonic()
                    yield NATIVE.heartbeat
                continue
            sent_at = time.monotonic()
            for seq, event in enumerate(_numbered(found)):
                if seq > told:
                    told = seq
                    data = to_json({**event, "seq": seq}).decode()
                    yield format_sse_event(event=event["kind"], id=str(seq), data_str=data)
            if not found.is_over:
                progress = {"kind": "progress", "phase": found.phase, "done": found.calls, "total": found.plan.calls}
                yield format_sse_event(event="progress", data_str=to_json({**progress, "cost": found.cost}).decode())


def _numbered(found: Optimisation) -> Iterator[dict[str, Any]]:
    """The events that have happened, in order: the trials, and where it stood still."""
    endings = list(found.endings)
    for count in range(len(found.trials) + 1):
        while endings and endings[0][0] == count:
            yield {"kind": "optimisation_ended", "state": endings.pop(0)[1]}
        if count < len(found.trials):
            yield {"kind": "trial_ended", **trial_json(found.trials[count])}
