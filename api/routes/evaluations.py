"""Question sets and evaluations: questions asked one after another with one setting, scored, and compared."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.ask_options import options_in, with_options
from api.asking import HEARTBEAT_S, Asking
from api.dialects import DialectRouter
from api.dialects.native import NATIVE
from api.json_bodies import STRICT, body_of, is_json
from api.operations import EXAMPLE_QUESTION, JSON, operation, query
from api.streams import HEADERS
from api.visitors import Visitor
from i18n import text
from i18n.evaluations import set_title
from pipeline.artifacts.files import CSV
from pipeline.display_names import shown_name
from pipeline.errors import Refused
from pipeline.experiments.evaluation import OVER, Evaluation, Row, differences, summary
from pipeline.experiments.evaluations import Evaluations, Progress
from pipeline.experiments.export import csv_file
from pipeline.experiments.question_sets import QuestionSet, QuestionSets
from pipeline.experiments.questions import checked_set, question_of, written_json, written_lines
from pipeline.experiments.scores import checked_metrics
from pipeline.turn import AskOptions, TurnRequest

JSON_LINES = "application/x-ndjson"
EXAMPLE = {"questions": "bundled", "model": "builtin/extractive", "passages_wanted": 6}
BROUGHT = {"title": "Tea", "text": "question,answer\nHow hot is green tea brewed?,80 °C\n"}
TITLE = (query("title", "what the set is called; default: its first question"),)
AGAINST = (query("against", "the id of an earlier evaluation that this one is compared with"),)
EXPORT = (query("as", "`csv` (the default) or `json`"),)


class Bring(BaseModel):
    """A question set, where it is not the body itself."""

    model_config = STRICT

    title: str = Field(default="", description="default: the first question")
    text: str = Field(description="CSV with a header, JSON lines, or a JSON array")


class Evaluate(BaseModel):
    """The body without the options of the turns."""

    model_config = STRICT

    questions: str | list[Any] = Field(description="the name of a set, or questions as objects")
    metrics: list[str] = Field(default=[], description="those that must apply; default: whatever does")
    model: str | None = None


EvaluateWithOptions = with_options(Evaluate, AskOptions)


def routes(evaluations: Evaluations, sets: QuestionSets, asking: Asking) -> DialectRouter:
    """The routes of question sets and evaluations."""
    router = DialectRouter(NATIVE, "/api")

    @router.get("/question-sets", **operation("The question sets"))
    async def question_sets(visitor: Visitor) -> dict[str, Any]:
        return {"question_sets": [_set_json(each) for each in await sets.list(visitor)]}

    @router.post(
        "/question-sets",
        status_code=201,
        **operation("Add a question set", Bring, example=BROUGHT, status=201, parameters=TITLE),
    )
    async def add(request: Request, visitor: Visitor) -> dict[str, Any]:
        if visitor is None:
            raise Refused("no_owner")
        if is_json(request.headers):
            brought = await body_of(request, Bring)
        else:
            brought = Bring(title=request.query_params.get("title", ""), text=_decoded(await request.body()))
        return _set_json(await sets.add(visitor, brought.title, brought.text))

    @router.get("/question-sets/{name}", **operation("The questions of a set", gives=JSON_LINES))
    async def question_set(name: str, visitor: Visitor) -> Response:
        return Response(written_lines((await sets.named(name, visitor)).questions), media_type=JSON_LINES)

    @router.delete("/question-sets/{name}", status_code=204, **operation("Remove an uploaded set", status=204))
    async def remove(name: str, visitor: Visitor) -> Response:
        await sets.remove(visitor or "", name)
        return Response(status_code=204)

    @router.post(
        "/evaluations",
        status_code=201,
        **operation("Evaluate a setting", EvaluateWithOptions, example=EXAMPLE, status=201),
    )
    async def evaluate(request: Request, visitor: Visitor) -> dict[str, Any]:
        asked = await body_of(request, EvaluateWithOptions)
        if isinstance(asked.questions, str):
            chosen = await sets.named(asked.questions, visitor)
        else:
            given = checked_set(question_of(each, line) for line, each in enumerate(asked.questions, 1))
            chosen = QuestionSet("", shown_name(given[0].question, 60), given)
        checked_metrics(asked.metrics, chosen.questions)
        turn = asking.turn_request(
            request,
            EXAMPLE_QUESTION,
            visitor=visitor,
            model=asked.model,
            options=options_in(asked, AskOptions),
            given=asked.model_fields_set & set(AskOptions.__dataclass_fields__),
        )
        begun = await evaluations.start(chosen.questions, turn, title=chosen.title, set_name=chosen.name or None)
        return evaluation_json(Progress(evaluation=begun, rows=()))

    @router.get("/evaluations", **operation("Your evaluations"))
    async def listed(visitor: Visitor) -> dict[str, Any]:
        return {"evaluations": [_head_json(*each) for each in await evaluations.list(visitor)]}

    @router.get("/evaluations/{id}", **operation("An evaluation", parameters=AGAINST))
    async def evaluation(id: str, request: Request, visitor: Visitor) -> dict[str, Any]:
        found = await evaluations.find(id, visitor)
        against = request.query_params.get("against")
        return evaluation_json(found, await evaluations.find(against, visitor) if against else None)

    @router.get("/evaluations/{id}/export", **operation("An evaluation as a file", gives=CSV, parameters=EXPORT))
    async def export(id: str, request: Request, visitor: Visitor) -> Response:
        found = await evaluations.find(id, visitor)
        form = request.query_params.get("as", "csv")
        if form not in ("csv", "json"):
            raise Refused("invalid_value", key="as")
        body = to_json(evaluation_json(found)) if form == "json" else csv_file(found.evaluation, found.rows)
        download = {"Content-Disposition": f'attachment; filename="evaluation.{form}"'}
        return Response(body, media_type=CSV if form == "csv" else JSON, headers={**HEADERS, **download})

    async def known(id: str, request: Request, visitor: Visitor) -> Response:
        """Run before the route, so that an error has its own status. Raises GlassboxError."""
        last = request.headers.get("last-event-id", "-1")
        found = await evaluations.find(id, visitor)
        seq = int(last) if last.lstrip("-").isdecimal() and len(last) < 9 else -2
        if not -1 <= seq <= len(found.rows):
            raise Refused("unknown_event")
        if seq == len(found.rows) and found.evaluation.state in OVER:
            return Response(status_code=204, headers=HEADERS)  # an EventSource comes back after any other ending
        return StreamingResponse(_events(evaluations, id, visitor, seq), media_type=NATIVE.stream_type, headers=HEADERS)

    @router.get("/evaluations/{id}/events", **operation("Its progress", gives=NATIVE.stream_type))
    async def events(answer: Annotated[Response, Depends(known)]) -> Response:
        return answer

    @router.post("/evaluations/{id}/stop", **operation("Stop it"))
    async def stop(id: str, visitor: Visitor) -> dict[str, Any]:
        await evaluations.stop(id, visitor)
        return evaluation_json(await evaluations.find(id, visitor))

    @router.post("/evaluations/{id}/resume", **operation("Go on with an interrupted one"))
    async def resume(id: str, request: Request, visitor: Visitor) -> dict[str, Any]:
        begun: TurnRequest = asking.turn_request(request, EXAMPLE_QUESTION, visitor=visitor)
        await evaluations.resume(id, begun)
        return evaluation_json(await evaluations.find(id, visitor))

    return router


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("unreadable_set", line=body.count(b"\n", 0, error.start) + 1) from None


async def _events(evaluations: Evaluations, id: str, visitor: str | None, after: int) -> AsyncGenerator[bytes, None]:
    """Write an event for each row with a number above `after`, and one ending; of an interrupted one, none."""
    sent = after
    async with aclosing(evaluations.states(id, visitor, HEARTBEAT_S)) as states:
        async for state in states:
            if state is None:
                yield NATIVE.heartbeat
                continue
            total = state.evaluation.total
            for seq in range(sent + 1, len(state.rows)):
                row = _row_json(state.evaluation, state.rows[seq])
                yield _event("question_evaluated", seq, {"done": seq + 1, "total": total, "row": row})
                sent = seq
            if state.evaluation.state in OVER and sent < len(state.rows):
                sent = len(state.rows)
                ended = {"done": sent, "total": total, "scores": _scores_json(state.rows)}
                yield _event(f"evaluation_{state.evaluation.state}", sent, ended)
                return


def _event(kind: str, seq: int, fields: dict[str, Any]) -> bytes:
    data = to_json({"kind": kind, "seq": seq, **fields}, inf_nan_mode="null").decode()
    return format_sse_event(event=kind, id=str(seq), data_str=data)


def evaluation_json(found: Progress, against: Progress | None = None) -> dict[str, Any]:
    """Return an evaluation with its rows, compared with an earlier one where there is one."""
    evaluation = found.evaluation
    body = {
        **_head_json(evaluation, len(found.rows)),
        "rows": [_row_json(evaluation, row) for row in found.rows],
        "scores": _scores_json(found.rows),
    }
    if against:
        compared = differences(against.evaluation, against.rows, evaluation, found.rows)
        body["against"] = {
            "id": against.evaluation.id,
            "scores": _scores_json(against.rows),
            "differences": {
                name: {**_interval(each.interval), "pairs_needed": each.pairs_needed} for name, each in compared.items()
            },
        }
    return body


def _set_json(chosen: QuestionSet) -> dict[str, Any]:
    return {
        "name": chosen.name,
        "title": set_title(chosen.title, chosen.name),
        "questions": len(chosen.questions),
        "unanswerable": sum(each.unanswerable for each in chosen.questions),
        "created_at": chosen.created_at,
    }


def _head_json(evaluation: Evaluation, done: int) -> dict[str, Any]:
    reason = evaluation.reason
    return {
        "id": evaluation.id,
        "state": evaluation.state,
        "reason": text(reason.code, **reason.values) if reason else None,
        "done": done,
        "total": evaluation.total,
        "questions": evaluation.set_name,
        "title": set_title(evaluation.title, evaluation.set_name),
        "model": evaluation.model,
        "options": {name: getattr(evaluation.options, name) for name in evaluation.given},
        "conversation_id": evaluation.conversation_id,
        "created_at": evaluation.created_at,
    }


def _row_json(evaluation: Evaluation, row: Row) -> dict[str, Any]:
    return {
        **written_json(evaluation.questions[row.index]),
        "index": row.index,
        "expected": evaluation.questions[row.index].answer,
        "answer": row.answer,
        "state": row.state,
        "fault": row.fault or None,
        "turn_id": row.turn_id or None,
        "scores": dict(row.scores),
        "found": [{"title": each.title, "section": each.section, "score": each.score} for each in row.found],
    }


def _scores_json(rows: Sequence[Row]) -> dict[str, Any]:
    return {name: _interval(interval) for name, interval in summary(rows).items()}


def _interval(interval: Any) -> dict[str, Any]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high, "n": interval.n}
