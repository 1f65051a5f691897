"""Verdicts that people call wrong: kept with `POST`, taken back with `DELETE`, given as JSON lines, a case a line.

`bench/verdicts.py` reads such a file.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from collections.abc import Iterable

from fastapi import HTTPException, Request, Response
from pydantic_core import to_json

from api.access import Access
from api.dialects import DialectRouter
from api.dialects.native import NATIVE
from api.operations import operation, query
from api.operators import is_operator
from api.visitors import Visitor
from i18n.messages import verdict_text
from pipeline.turns.verdict_reporting import VerdictReports
from pipeline.verdict_reports import VERDICT_REPORT, VerdictReport

JSON_LINES = "application/x-ndjson"
OF = (query("of", "`all`: those of all visitors, for whoever may read `/metrics`"),)
HEADERS = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="wrong-verdicts.jsonl"'}


def routes(reports: VerdictReports, operators: Access) -> DialectRouter:
    """The routes of reports."""
    router = DialectRouter(NATIVE, "/api")
    sentence = "/turns/{turn_id}/sentences/{field}/{index}/report"

    @router.post(sentence, status_code=204, **operation("Call a verdict wrong", status=204))
    async def add(turn_id: str, field: str, index: int, visitor: Visitor) -> Response:
        await reports.add(visitor, turn_id, field, index)
        return Response(status_code=204)

    @router.delete(sentence, status_code=204, **operation("Take that back", status=204))
    async def remove(turn_id: str, field: str, index: int, visitor: Visitor) -> Response:
        await reports.remove(visitor, turn_id, field, index)
        return Response(status_code=204)

    @router.get("/verdict-reports", **operation("Verdicts called wrong", gives=JSON_LINES, parameters=OF))
    async def export(request: Request, visitor: Visitor) -> Response:
        if request.query_params.get("of") != "all":
            return _lines(await reports.of_visitor(visitor))
        if not is_operator(request, operators):
            raise HTTPException(404)
        return _lines(await reports.of_all())

    return router


def _lines(reports: Iterable[VerdictReport]) -> Response:
    body = b"".join(to_json(_json(each)) + b"\n" for each in reports)
    return Response(body, media_type=JSON_LINES, headers=HEADERS)


def _json(report: VerdictReport) -> dict[str, object]:
    """Return a report with its reason as a sentence."""
    keys = VERDICT_REPORT.dump_python(report, mode="json")
    return {**keys, "reason": verdict_text(report.reason, report.language)}
