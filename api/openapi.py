"""Our own routes as an OpenAPI 3.1 document, made from the routes themselves.

What a route reads and how it fails is taken from its dependencies, from its `Operation` and from the dialect of its
path; a test fails for a route that says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from http import HTTPStatus
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.access import authorised, authorised_or_signed
from api.dialects import Dialect, DialectRouter
from api.error_responses import ROUTERS, dialect_of, problem_of
from api.model_keys import model_key_of
from api.operations import JSON, Operation, operation_of
from api.visitors import visitor_of
from pipeline import VERSION
from pipeline.clients import RETRY_S
from pipeline.errors import Busy, GlassboxError, NotFound, Refused

Json = dict[str, Any]

REF = "#/components/schemas/{model}"
TEXT = {"type": "string"}
# Which group of the page a path belongs to: the first prefix that it has.
TAGS = (
    ("/api/question-sets", "Evaluations"),
    ("/api/evaluations", "Evaluations"),
    ("/v1/", "OpenAI"),
    ("/api/public", "Chat protocols"),
    ("/chat", "Chat protocols"),
    ("/ai/", "Chat protocols"),
    ("/api/chat", "Chat protocols"),
    ("/api/question", "Chat protocols"),
    ("/api/provider", "Chat protocols"),
    ("/api/health", "Chat protocols"),
    ("/api/ai/", "Chat protocols"),
    ("/api/turns", "Turns"),
    ("/api/ratings", "Turns"),
    ("/api/documents", "Documents"),
    ("/api/search", "Documents"),
    ("/passages", "Documents"),
    ("/gradio_api/upload", "Documents"),
    ("/api/programs", "Choices"),
    ("/api/profiles", "Choices"),
    ("/api/models", "Choices"),
    ("/api/optimisations", "Experiments"),
)
HEADERS = {
    visitor_of: ("X-Visitor", "names the visitor: 16 to 128 of A–Z a–z 0–9 _ -"),
    model_key_of: ("X-Model-Key", "the visitor's own key for the model"),
}
IDEMPOTENCY_KEY = ("Idempotency-Key", "the same key gives the same turn or result for a day")


def document(routes: Iterable[Any], dialects: Sequence[DialectRouter], *, needs_token: bool = False) -> Json:
    """Return the document of these routes, without an address of a server."""
    ours = [route for route in routes if isinstance(route, APIRoute)]
    plain = [copy(route) for route in ours]
    for route in plain:
        route.openapi_extra, route.methods = None, (route.methods or set()) - {"HEAD"}
    made: Json = get_openapi(
        title="Glassbox",
        version=VERSION,
        summary="Answers questions from documents, with citations.",
        routes=plain,
    )
    kinds = dict.fromkeys(body for _, body in _bodies(ours))
    references, schemas = models_json_schema([(kind, "validation") for kind in kinds], ref_template=REF)
    bearer = {"type": "http", "scheme": "bearer", "description": "API_TOKEN of the host"}
    made["components"] = {"schemas": schemas.get("$defs", {}), "securitySchemes": {"bearer": bearer}}
    for route in ours:
        body = operation_of(route).body
        schema = references[body, "validation"] if body else None
        for method in sorted((route.methods or set()) - {"HEAD"}):
            _complete(made["paths"][route.path_format][method.lower()], route, schema, dialects, needs_token)
    return _named(made, {references[body, "validation"]["$ref"]: _title(route) for route, body in _bodies(ours)})


def _bodies(routes: Iterable[APIRoute]) -> list[tuple[APIRoute, type[BaseModel]]]:
    """Each body with the first route that has it."""
    bodies = {body: route for route in reversed(list(routes)) if (body := operation_of(route).body)}
    return [(route, body) for body, route in bodies.items()]


def _title(route: APIRoute) -> str:
    return "".join(word.capitalize() for word in (route.summary or "").split())


def _named(made: Json, names: Mapping[str, str]) -> Json:
    """Return the document with the schemas of bodies under these names; ours of Python are often the same."""
    schemas, text = made["components"]["schemas"], json.dumps(made)
    for reference, name in names.items():
        old = reference.rpartition("/")[2]
        if name not in schemas:
            text = text.replace(f'"{reference}"', f'"{REF.format(model=name)}"').replace(
                f'"{old}": {{', f'"{name}": {{'
            )
    named: Json = json.loads(text)
    return named


def _complete(said: Json, route: APIRoute, schema: Any, dialects: Sequence[DialectRouter], needs_token: bool) -> None:
    """Add to an operation what FastAPI does not see."""
    operation, calls = operation_of(route), set(_calls(route.dependant))
    dialect = dialect_of({"path": route.path_format, ROUTERS: tuple(dialects)})
    tag = next((tag for prefix, tag in TAGS if route.path_format.startswith(prefix)), "Operation")
    said["tags"] = [tag]
    calls |= {visitor_of, model_key_of} if operation.asks else set()
    headers = [named for call, named in HEADERS.items() if call in calls] + [IDEMPOTENCY_KEY] * (
        operation.asks or operation.once
    )
    parameters = [*said.get("parameters", []), *operation.parameters, *(_header(*named) for named in headers)]
    if parameters:
        said["parameters"] = parameters
    if schema:
        example = {"example": dict(operation.example)} if operation.example else {}
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": schema, **example}}}
    if operation.form_field:
        files = {"type": "array", "items": {"type": "string", "format": "binary"}}
        form = {"type": "object", "properties": {operation.form_field: files}, "required": [operation.form_field]}
        said["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    said["responses"] = _responses(operation, dialect, list(_errors(route, operation, calls)))
    if authorised in calls or authorised_or_signed in calls:
        said["security"] = [{"bearer": []}, *([] if needs_token else [{}])]


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def _header(name: str, meaning: str) -> Json:
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": TEXT}


def _errors(route: APIRoute, operation: Operation, calls: set[Any]) -> Iterator[GlassboxError]:
    """The errors that a route may answer with, one for each status."""
    if authorised in calls or authorised_or_signed in calls:
        yield Refused("unauthorized")
    if route.dependant.path_params:
        yield NotFound("turn" if "turn" in route.path_format or "/v1/" in route.path_format else "document")
    if operation.body or operation.form_field:
        yield Refused("too_large")
    if operation.body or operation.form_field or operation.parameters or visitor_of in calls:
        yield Refused("invalid_request")
    if operation.asks or operation.once or operation.form_field:
        yield Busy("requests", RETRY_S)


def _responses(operation: Operation, dialect: Dialect, errors: Sequence[GlassboxError]) -> Json:
    types = [operation.gives] if operation.status != HTTPStatus.NO_CONTENT else []
    if operation.asks:
        types = list(dict.fromkeys((dialect.stream_type, JSON)))
    content = {kind: {"schema": {} if kind == JSON else TEXT} for kind in types}
    responses: Json = {str(operation.status): {"description": HTTPStatus(operation.status).phrase}}
    if content:
        responses[str(operation.status)]["content"] = content
    for error in errors:
        problem = problem_of(error)
        status, body = dialect.status(problem), json.loads(dialect.error(problem))
        said = {"description": problem.text, "content": {JSON: {"schema": _shape(body), "example": body}}}
        responses.setdefault(str(status), said)
    return responses


def _shape(value: Any) -> Json:
    """Return the schema of an error of this shape."""
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: _shape(each) for name, each in value.items()}}
    return TEXT if isinstance(value, str) else {}
