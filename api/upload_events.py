"""What programs are told of documents that are added: an event for each step of a file, or one object at the end."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from fastapi.sse import format_sse_event

from api.error_responses import problem_of
from i18n.messages import file_text
from pipeline.display_names import shown_file
from pipeline.documents.library import UploadStep
from pipeline.own_faults import own_fault
from pipeline.retrieval import IndexedDocument

EVENT_STREAM = "text/event-stream"

Json = dict[str, Any]


async def upload_events(first: UploadStep, steps: AsyncGenerator[UploadStep, None]) -> AsyncGenerator[bytes, None]:
    """Yield each step as a server-sent event as it comes, then `upload_finished` with the outcome of all."""
    taken = [first]
    yield _event(first)
    try:
        async with aclosing(steps):
            async for step in steps:
                if step.step in ("done", "failed"):
                    taken.append(step)
                yield _event(step)
    except Exception as error:  # noqa: BLE001  the 200 is sent already: what is left is to say how it ends
        yield _written("upload_failed", {"detail": problem_of(own_fault(error, "api")).text})
    else:
        yield _written("upload_finished", outcome(taken))


def outcome(steps: Iterable[UploadStep]) -> Json:
    """Return the documents that were added, and the files that were not, with their reasons."""
    documents, failed = [], []
    for step in steps:
        if step.entry:
            documents.append(document_json(step.entry))
        elif step.code:
            failed.append(_failure(step))
    return {"documents": documents, "failed": failed}


def document_json(entry: IndexedDocument) -> Json:
    """Return a document as programs read it."""
    return {
        "id": entry.id,
        "name": shown_file(entry.name),
        "title": entry.title,
        "pages": entry.pages,
        "passages": entry.passages,
        "unread": entry.left_out,
        "outdated": entry.is_outdated,
        "language": entry.language,
        "collection": entry.folder,
        "shared": entry.owner is None,
    }


def _event(step: UploadStep) -> bytes:
    counted = {"done": step.done, "files": step.files}
    if step.entry:
        return _written("file_added", {"name": step.name, "document": document_json(step.entry), **counted})
    if step.code:
        return _written("file_failed", {**_failure(step), **counted})
    return _written("file_progress", {"name": step.name, "step": step.step, "share": step.share, **counted})


def _failure(step: UploadStep) -> Json:
    return {"name": step.name, "code": step.code, "text": file_text(step.code)}


def _written(kind: str, data: Json) -> bytes:
    return format_sse_event(event=kind, data_str=json.dumps({"kind": kind, **data}))
