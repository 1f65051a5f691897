"""The documents dialog: what there is and whose it is, what may be brought, and how far the files are that are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Literal

from components.markdown import plain
from components.parts import Parts, action, icon
from pipeline.ingest.kinds import KINDS, ZIP
from pipeline.library import Bounds, Taken
from pipeline.names import shown_file
from pipeline.retrieval import Entry

NAME, TITLE = "documents", "Documents"
ROWS_SHOWN = 12  # of the files being brought; failed ones are always shown, up to FAILED_SHOWN
FAILED_SHOWN = 50
STEPS = {"waiting": "waiting", "reading": "reading …", "indexing": "indexing …", "cancelled": "not added"}
SIGNS = {"waiting": "wait", "reading": "run", "indexing": "run", "done": "done", "failed": "bad", "cancelled": "halt"}


@dataclass(frozen=True, slots=True)
class Row:
    """One file that is being brought. What is inside a zip has no name before its turn comes."""

    name: str = ""
    step: Literal["waiting", "reading", "indexing", "done", "failed", "cancelled"] = "waiting"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Bringing:
    """Files being brought, in their order; `after` gives it one step on."""

    rows: tuple[Row, ...] = ()
    is_running: bool = False

    def after(self, step: Taken) -> Bringing:
        """The file that the step is about has moved on; an opened zip becomes the files in it."""
        at = step.done - (step.step in ("done", "failed"))
        more = step.files - len(self.rows)
        text = step.text or (extent(step.entry) if step.entry else "")
        inside = (Row(),) * max(more, 0)
        return replace(self, rows=(*self.rows[:at], Row(step.name, step.step, text), *inside, *self.rows[at + 1 :]))

    def over(self) -> Bringing:
        """It has ended: what is not done now will not be."""
        ended = ("done", "failed")
        return Bringing(tuple(row if row.step in ended else replace(row, step="cancelled") for row in self.rows))

    def count(self, *steps: str) -> int:
        """How many files are at one of these steps."""
        return sum(row.step in steps for row in self.rows)


@dataclass(slots=True)
class Desk:
    """What one open page is bringing. It lives as long as the page and is never shared."""

    bringing: Bringing = field(default_factory=Bringing)
    halted: asyncio.Event | None = None  # of the files that are being brought


def opener(entries: Sequence[Entry], bringing: Bringing) -> Parts:
    """The sidebar's way to the dialog, with the number of documents, or how far the files are."""
    over = bringing.count("done", "failed")
    count = f"{over} of {len(bringing.rows)}" if bringing.is_running else str(len(entries))
    busy = " busy" if bringing.is_running else ""
    return [
        f'<button type="button" data-act="documents" class="opener{busy}" aria-haspopup="dialog">'
        f"{icon('documents')}<span>{TITLE}</span><em>{count}</em></button>"
    ]


def dialog(entries: Sequence[Entry], bringing: Bringing, bounds: Bounds, said: str = "") -> Parts:
    """Head, place to drop files, files being brought, the visitor's own documents, then the shared ones."""
    own = [entry for entry in reversed(entries) if entry.owner is not None]
    shared = [entry for entry in entries if entry.owner is None]
    facts = f"{len(own)} yours · {len(shared)} shared"
    return [
        f'<header class="dialog-head"><h2>{TITLE}</h2><span class="state">{facts}</span>'
        f"{action('close-dialog', 'Close')}</header>",
        _drop(bounds),
        f'<p class="refused" role="alert">{escape(said)}</p>' if said else "<p hidden></p>",
        _progress(bringing),
        _files(bringing),
        _own(own),
        _shared(shared),
    ]


def extent(entry: Entry) -> str:
    """How much a document is."""
    passages = f"{entry.passages} passage{'' if entry.passages == 1 else 's'}"
    return f"{entry.pages} page{'' if entry.pages == 1 else 's'} · {passages}" if entry.pages else passages


def _drop(bounds: Bounds) -> str:
    kept = f", removed after {bounds.kept_s / 3600:.0f} hours" if bounds.kept_s else ""
    return (
        f'<div class="drop" data-files="{bounds.files}" data-bytes="{bounds.size_bytes}">'
        f'<div class="idle">{icon("upload", 22)}<p><span class="mouse">Drop files anywhere on this page, or </span>'
        '<button type="button" data-act="choose" data-key="choose">choose files</button></p>'
        f"<small>PDF, DOCX, PPTX, XLSX, HTML, Markdown, text, CSV or a zip of them. At most {bounds.files} at once, "
        f"{bounds.size_bytes / 1e6:.0f} MB each. Only you can see them{kept}.</small></div>"
        '<div class="sending"><p></p><i></i><button type="button" data-act="halt">Cancel</button></div>'
        f'<input type="file" multiple hidden accept="{",".join([*KINDS, ZIP])}" aria-label="Files"></div>'
    )


def _progress(bringing: Bringing) -> str:
    files, failed, done = len(bringing.rows), bringing.count("failed"), bringing.count("done")
    if not files:
        return "<div hidden></div>"
    share = (done + failed + bringing.count("indexing") / 2) / files
    if bringing.is_running:
        said = f"{done + failed} of {files} file{'' if files == 1 else 's'}"
        tool = '<button type="button" data-act="halt" data-key="bringing">Cancel</button>'
    else:
        said = f"{done} added" if done or not failed else "Nothing was added"
        if stopped := bringing.count("cancelled"):
            said += f", {stopped} cancelled"
        tool = '<button type="button" data-act="tidy" data-key="bringing">Close</button>'
    if failed:
        said += f", {failed} could not be read"
    busy = " data-busy" if bringing.is_running else ""
    return (
        f'<div class="bringing"{busy}><p role="status">{said}</p>{tool}'
        f'<i role="progressbar" aria-label="Files" aria-valuemin="0" aria-valuemax="{files}" '
        f'aria-valuenow="{done + failed}" style="--share:{share:.3f}"></i></div>'
    )


def _files(bringing: Bringing) -> str:
    """All of a few; of many those that failed and those that are being worked on."""
    named = [row for row in bringing.rows if row.name]
    if len(named) > ROWS_SHOWN:
        failed = [row for row in named if row.step == "failed"]
        named = [*failed[:FAILED_SHOWN], *(row for row in named if row.step in ("reading", "indexing"))]
    rows = (
        f'<li class="{SIGNS[row.step]}"><i></i><b>{plain(row.name)}</b>'
        f"<span>{escape(row.text or STEPS[row.step])}</span></li>"
        for row in named
    )
    return f'<ol class="files">{"".join(rows)}</ol>'


def _own(entries: Sequence[Entry]) -> str:
    if not entries:
        nothing = '<p class="quiet">Nothing yet. What you bring can be asked at once.</p>'
        return f'<section class="shelf"><h3>Yours</h3>{nothing}</section>'
    every = (
        '<span class="row"><button type="button" data-act="doubt" class="bin word">Delete all</button>'
        f'<span class="sure"><button type="button" data-act="remove-all">Delete all {len(entries)}</button>'
        '<button type="button" data-act="keep" aria-label="Keep all">Keep</button></span></span>'
    )
    rows = "".join(f"<li>{_row(entry)}</li>" for entry in entries)
    return f'<section class="shelf"><header><h3>Yours</h3>{every}</header><ul>{rows}</ul></section>'


def _shared(entries: Sequence[Entry]) -> str:
    rows = "".join(f"<li>{_row(entry)}</li>" for entry in entries)
    return (
        f'<section class="shelf"><h3>Shared with everybody</h3><ul>{rows}</ul></section>' if rows else "<p hidden></p>"
    )


def _row(entry: Entry) -> str:
    facts = [extent(entry)]
    if entry.owner is None:
        facts += [entry.collection, "shared"]
    name = f"<span>{plain(shown_file(entry.name))}</span>" if entry.name != entry.title else ""
    told = name + "".join(f"<span>{escape(fact)}</span>" for fact in facts if fact)
    named = escape(entry.title if entry.name == entry.title else f"{entry.title}, {shown_file(entry.name)}")
    tools = (
        '<button type="button" data-act="doubt" class="bin" '
        f'aria-label="Delete {named} …" title="Delete">{icon("delete")}</button>'
        f'<span class="sure"><button type="button" data-act="remove" aria-label="Delete {named}">Delete</button>'
        f'<button type="button" data-act="keep" aria-label="Keep {named}">Keep</button></span>'
        if entry.owner is not None
        else ""
    )
    return (
        f'<div class="row document" data-document="{escape(entry.id)}"><div class="title"><b>{plain(entry.title)}</b>'
        f"<p>{told}</p></div>{tools}</div>"
    )
