"""The two endpoints of Gradio that programs call: `/ask` and `/search`. Everything else of the page is private."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Protocol

import gradio as gr

from components.handlers.traced import traced
from pipeline.options import options_of
from pipeline.turn import AskOptions

Json = Mapping[str, Any]
Called = tuple[int, tuple[str, ...]]  # the number of an endpoint, by which Gradio's clients call it, and its parameters

DESCRIPTIONS = {
    "question": "what is asked",
    "query": "what is searched for",
    "conversation_id": "the conversation to go on with, of an earlier answer; default: a new one",
    "model": "a label of GET /api/models; default: the host's choice",
    **{each.name: each.meaning for each in options_of(AskOptions)},
}
EXAMPLES = {"question": "How fine do I grind for espresso?", "query": "grind size for espresso"}


class Endpoints(Protocol):
    """What the endpoints do. The states of an answer and what a search finds are JSON objects of their schemas."""

    @property
    def answer_schema(self) -> Json:
        """The schema of a state of an answer."""
        ...

    @property
    def found_schema(self) -> Json:
        """The schema of what a search finds."""
        ...

    def ask(self, request: Any, **given: Any) -> AsyncGenerator[Any, None]:
        """Answer a question: the answer so far, again and again."""
        ...

    async def search(self, request: Any, **given: Any) -> Any:
        """Find passages."""
        ...


def add(page: gr.Blocks, endpoints: Endpoints) -> dict[str, Called]:
    """Add the endpoints to a page, and return how Gradio calls each."""

    async def ask(
        question: str,
        conversation_id: str | None = None,
        model: str | None = None,
        profile: str | None = None,
        program: str | None = None,
        documents: list[str] | None = None,
        collections: list[str] | None = None,
        passages_wanted: int | None = None,
        language: str | None = None,
        request: gr.Request | None = None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Answer a question from the documents, with citations. The answer streams: each state holds all of it."""
        given = {
            "question": question,
            "conversation_id": conversation_id,
            "model": model,
            "profile": profile,
            "program": program,
            "documents": documents,
            "collections": collections,
            "passages_wanted": passages_wanted,
            "language": language,
        }
        async with aclosing(endpoints.ask(_of(request), **given)) as answers:
            async for answer in answers:
                if answer["error"]:
                    raise gr.Error(answer["error"], print_exception=False)
                yield answer

    async def search(
        query: str,
        documents: list[str] | None = None,
        collections: list[str] | None = None,
        profile: str | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Find the passages of the documents for a query, without an answer."""
        given = {"query": query, "documents": documents, "collections": collections, "profile": profile}
        found: dict[str, Any] = await endpoints.search(_of(request), **given)
        return found

    with page:
        return {"ask": _add(page, ask, endpoints.answer_schema), "search": _add(page, search, endpoints.found_schema)}


def _of(request: gr.Request | None) -> Any:
    assert request
    return request.request


def _add(page: gr.Blocks, function: Callable[..., Any], returns: Json) -> Called:
    gr.api(traced(function), api_name=function.__name__, api_description=function.__doc__, concurrency_limit=None)
    index, added = next(reversed(page.fns.items()))
    assert added.api_name == function.__name__  # no event of the page has it
    names = tuple(each for each in function.__annotations__ if each not in ("request", "return"))
    for name, component in zip(names, added.inputs, strict=True):
        _describe(component, name, {**component.api_info(), "additional_description": DESCRIPTIONS[name]})
    _describe(added.outputs[0], "answer" if function.__name__ == "ask" else "found", returns)
    return int(index), names


def _describe(component: Any, name: str, schema: Json) -> None:
    """Set what Gradio cannot see in the types of a function."""
    component.label, component._api_info = name, dict(schema)
    component.example_payload = component.example_value = lambda: EXAMPLES.get(name)
