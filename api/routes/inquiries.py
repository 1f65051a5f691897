"""Further questions about an answer that has ended: which passage a sentence stands on, and the second check.

`GET` says what it would cost, and what was found before; `POST` asks. The result comes as one object, or each state of
it as a server-sent event. Whoever closes the connection ends what it asks.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from pydantic_core import to_json

from api.clients import address_of, is_local
from api.dialects import DialectRouter
from api.dialects.native import NATIVE
from api.json_bodies import STRICT, body_of
from api.model_keys import ModelKey
from api.operations import operation, query
from api.repeated_requests import request_key_of
from api.streams import HEADERS, JSON, JSON_HEARTBEAT
from api.visitors import Visitor
from i18n.inquiries import counterfactual_json, price_json, rates_text, second_check_json
from pipeline.errors import Refused
from pipeline.inquiries.counterfactuals import Counterfactuals
from pipeline.inquiries.results import Counterfactual, SecondCheck
from pipeline.inquiries.running import Inquiry
from pipeline.inquiries.second_checks import SecondChecks
from pipeline.recording import language_of_turn
from pipeline.turn import TurnRequest
from pipeline.turns.engine import Pipeline

S = TypeVar("S", Counterfactual, SecondCheck)

MODEL = (query("model", "a label of the picker; default: the one of CHECK_MODEL"),)


class Inquire(BaseModel):
    """How the result is sent."""

    model_config = STRICT

    stream: bool = False


class InquireWithModel(Inquire):
    """Which model is asked; None: the one of CHECK_MODEL."""

    model: str | None = None


def routes(pipeline: Pipeline, counterfactuals: Counterfactuals, second_checks: SecondChecks) -> DialectRouter:
    """The routes of both."""
    router = DialectRouter(NATIVE, "/api/turns")
    sentence = "/{turn_id}/sentences/{field}/{index}/counterfactual"

    async def language(turn_id: str, visitor: str | None) -> str:
        return language_of_turn((await pipeline.turn(turn_id, visitor)).record)

    @router.get(sentence, **operation("Which passage a sentence stands on: cost and result"))
    async def counterfactual(turn_id: str, field: str, index: int, visitor: Visitor) -> dict[str, Any]:
        lang, known = await language(turn_id, visitor), await counterfactuals.known(visitor, turn_id, field, index)
        try:
            price = await counterfactuals.price(visitor, turn_id, field, index)
        except Refused:
            if known is None:
                raise
            price = None  # the prompt is not kept any more, and the result is
        return {
            "price": price and price_json(price, lang),
            "result": known and counterfactual_json(known, lang),
        }

    async def asked(
        request: Request, turn_id: str, field: str, index: int, visitor: Visitor, key: ModelKey
    ) -> StreamingResponse:
        """Run before the route, so that an error has its own status. Raises GlassboxError."""
        ask, lang = await body_of(request, Inquire), await language(turn_id, visitor)
        inquiry = await counterfactuals.ask(_request(request, visitor, key), turn_id, field, index)
        return _sent(inquiry, lambda state: counterfactual_json(state, lang), is_stream=ask.stream)

    @router.post(
        sentence, **operation("Ask which passage a sentence stands on", Inquire, example={"stream": False}, asks=True)
    )
    async def ask(answer: Annotated[StreamingResponse, Depends(asked)]) -> StreamingResponse:
        return answer

    @router.get("/{turn_id}/second-check", **operation("The second check: cost and result", parameters=MODEL))
    async def second_check(turn_id: str, visitor: Visitor, model: str | None = None) -> dict[str, Any]:
        lang, known = await language(turn_id, visitor), await second_checks.known(visitor, turn_id)
        try:
            price = await second_checks.price(visitor, turn_id, model or (known.model if known else None))
        except Refused:
            if known is None:
                raise
            price = None
        rates = second_checks.rates(price.model) if price else None
        return {
            "price": price and price_json(price, lang),
            "rates": {**(asdict(rates) if rates else {}), "text": rates_text(rates, lang)},
            "result": known and second_check_json(known, lang),
        }

    async def checked(request: Request, turn_id: str, visitor: Visitor, key: ModelKey) -> StreamingResponse:
        """Run before the route, so that an error has its own status. Raises GlassboxError."""
        ask, lang = await body_of(request, InquireWithModel), await language(turn_id, visitor)
        inquiry = await second_checks.ask(_request(request, visitor, key, ask.model), turn_id)
        return _sent(inquiry, lambda state: second_check_json(state, lang), is_stream=ask.stream)

    @router.post(
        "/{turn_id}/second-check",
        **operation("Ask a model about weak sentences", InquireWithModel, example={"model": "fast"}, asks=True),
    )
    async def check(answer: Annotated[StreamingResponse, Depends(checked)]) -> StreamingResponse:
        return answer

    return router


def _request(request: Request, visitor: str | None, key: Any, model: str | None = None) -> TurnRequest:
    """Return who asks. An Idempotency-Key only has to be valid: the same thing is asked once anyway. Raises Refused."""
    request_key_of(request)
    return TurnRequest(
        "",
        visitor=visitor,
        model=model,
        model_key=key,
        address=address_of(request),
        is_local=is_local(request),
    )


def _sent(inquiry: Inquiry[S], json_of: Callable[[S], dict[str, Any]], *, is_stream: bool) -> StreamingResponse:
    """Send each state as an event, or the last one as an object; both streamed, so that leaving is noticed."""

    async def events() -> AsyncGenerator[bytes, None]:
        async with aclosing(inquiry.states()) as states:
            async for state in states:
                if state is None:
                    yield NATIVE.heartbeat
                else:
                    kind = "result" if state.is_over else "progress"
                    yield format_sse_event(event=kind, data_str=to_json(json_of(state)).decode())

    async def whole() -> AsyncGenerator[bytes, None]:
        async with aclosing(inquiry.states()) as states:
            async for state in states:
                if state is None:
                    yield JSON_HEARTBEAT
        yield to_json(json_of(inquiry.state))

    media_type = NATIVE.stream_type if is_stream else JSON
    return StreamingResponse(events() if is_stream else whole(), media_type=media_type, headers=HEADERS)
