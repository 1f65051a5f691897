"""The documents dialog: the documents and their owners, what may be uploaded, and the progress of an upload."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from components.html.html_elements import (
    NOTHING,
    Elements,
    dialog_head,
    icon,
    joined,
)
from components.html.markdown import plain
from i18n import text
from i18n.messages import file_text
from pipeline.display_names import shown_file
from pipeline.documents.library import UploadLimits, UploadStep
from pipeline.documents.web_addresses import MOST_CHARS
from pipeline.ingest.kinds import FORMATS, KINDS, ZIP
from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.folders import UPLOADS

NAME, TITLE = "documents", text("documents.title")
ROWS_SHOWN = 12  # of the files of an upload; failed ones are always shown, up to FAILED_SHOWN
FAILED_SHOWN = 50
_TOOL = Markup('<button type="button" data-act="{}" data-key="bringing">{}</button>')
SIGNS = {"waiting": "wait", "reading": "run", "indexing": "run", "done": "done", "failed": "bad", "cancelled": "halt"}


@dataclass(frozen=True, slots=True)
class Row:
    """One file of an upload. A file inside a zip has no name before its turn comes."""

    name: str = ""
    step: Literal["waiting", "reading", "indexing", "done", "failed", "cancelled"] = "waiting"
    text: str = ""
    share: float = 0.0  # of the step, from 0 to 1
    document: str = ""  # the id of what it became


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """The files of an upload, in their order; `after` returns the progress one step later."""

    rows: tuple[Row, ...] = ()
    is_running: bool = False

    def after(self, step: UploadStep) -> UploadProgress:
        """Return the progress after a step of one file; an opened zip is replaced by the files in it."""
        at = step.done - (step.step in ("done", "failed"))
        more = step.files - len(self.rows)
        said = file_text(step.code) if step.code else _became(step)
        row = Row(step.name, step.step, said, step.share, step.entry.id if step.entry else "")
        inside = (Row(),) * max(more, 0)
        return replace(self, rows=(*self.rows[:at], row, *inside, *self.rows[at + 1 :]))

    def over(self) -> UploadProgress:
        """Return the progress of an upload that has ended: files that are not done are cancelled."""
        ended = ("done", "failed")
        return UploadProgress(tuple(row if row.step in ended else replace(row, step="cancelled") for row in self.rows))

    def count(self, *steps: str) -> int:
        """Return how many files are at one of these steps."""
        return sum(row.step in steps for row in self.rows)


@dataclass(slots=True)
class UploadState:
    """The upload of one open page. It lives as long as the page and is never shared."""

    progress: UploadProgress = field(default_factory=UploadProgress)
    cancelled: asyncio.Event | None = None  # set when the running upload is to end


def opener(documents: Sequence[IndexedDocument], progress: UploadProgress) -> Elements:
    """Return the sidebar's button to the dialog, with the number of documents or the progress of an upload."""
    ended = progress.count("done", "failed")
    of_all = text("documents.count_of", done=ended, all=len(progress.rows))
    count = of_all if progress.is_running else str(len(documents))
    return [
        Markup(
            '<button type="button" data-act="documents" class="opener{busy}" aria-haspopup="dialog">'
            "{icon}<span>{title}</span><em>{count}</em></button>"
        ).format(busy=" busy" if progress.is_running else "", icon=icon("documents"), title=TITLE, count=count)
    ]


def dialog(
    documents: Sequence[IndexedDocument],
    progress: UploadProgress,
    limits: UploadLimits,
    minutes_west: int = 0,
    refusal: str = "",
) -> Elements:
    """Return head, drop zone, files of the upload, the visitor's own documents, then the shared ones.

    `minutes_west` is the visitor's clock.
    """
    added = _Added(timezone(timedelta(minutes=-minutes_west)))
    own = [each for each in reversed(documents) if each.owner is not None]
    shared = [each for each in documents if each.owner is None]
    head = dialog_head(TITLE, text("documents.owned", own=len(own), shared=len(shared)))
    refused = Markup('<p class="refused" role="alert">{}</p>').format(refusal) if refusal else Markup("<p hidden></p>")
    files = _files(progress, own, added)
    lists = _own(own, added), _shared(shared, added)
    return [head, _drop_zone(limits), refused, _progress(progress), files, *lists]


@dataclass(frozen=True, slots=True)
class _Added:
    """Writes when a document was added, by the visitor's clock."""

    zone: timezone

    def __call__(self, document: IndexedDocument) -> str:
        return datetime.fromtimestamp(document.added_at, self.zone).strftime("%Y-%m-%d %H:%M")


def _became(step: UploadStep) -> str:
    """Return how long the document of a file is, or under which name the same content is there already."""
    if step.entry is None:
        return ""
    if step.entry.name != step.name:
        return text("documents.known", name=shown_file(step.entry.name))
    return extent(step.entry)


def extent(document: IndexedDocument) -> str:
    """Return how long a document is, and what of it could not be read, in words."""
    parts = [text("documents.pages", count=document.pages)] if document.pages else []
    parts.append(text("documents.passages", count=document.passages))
    if unread := document.left_out:
        said = ", ".join(text(f"documents.unread_{what}", count=count) for what, count in unread.items())
        parts.append(text("documents.unread", what=said))
    if document.is_outdated:
        parts.append(text("documents.outdated"))
    return " · ".join(parts)


def _drop_zone(limits: UploadLimits) -> Markup:
    return Markup(
        '<div class="bring"><div class="drop" data-files="{files}" data-bytes="{bytes}">'
        '<div class="idle">{icon}<p><span class="mouse">{drop}</span>'
        '<button type="button" data-act="choose" data-key="choose">{choose}</button>'
        '<span class="mouse">{or_folder}<button type="button" data-act="choose-folder">{folder}</button></span></p>'
        "<small>{accepted}</small></div>"
        '<div class="sending"><p></p><i></i><button type="button" data-act="halt">{cancel}</button></div>'
        '<input type="file" multiple hidden accept="{kinds}" aria-label="{label}"></div>{address}</div>'
    ).format(
        files=limits.files,
        bytes=limits.size_bytes,
        icon=icon("upload", 22),
        drop=text("documents.drop"),
        choose=text("documents.choose"),
        or_folder=text("documents.or"),
        folder=text("documents.choose_folder"),
        accepted=text(
            "documents.limits",
            formats=FORMATS,
            files=limits.files,
            megabytes=f"{limits.size_bytes / 1e6:.0f}",
            hours=f"{limits.kept_s / 3600:.0f}" if limits.kept_s else "",
        ),
        cancel=text("documents.cancel"),
        label=text("documents.files"),
        kinds=",".join([*KINDS, ZIP]),
        address=_address() if limits.web else NOTHING,
    )


def _address() -> Markup:
    return Markup(
        '<form class="address"><label><span>{label}</span>'
        '<input type="url" name="address" required maxlength="{most}" placeholder="{hint}" autocomplete="off">'
        '</label><button type="submit" aria-label="{read_label}">{read}</button></form>'
    ).format(
        label=text("documents.address"),
        most=MOST_CHARS,
        hint=text("documents.address_hint"),
        read_label=text("documents.add_address_label"),
        read=text("documents.add_address"),
    )


def _progress(progress: UploadProgress) -> Markup:
    files, failed, done = len(progress.rows), progress.count("failed"), progress.count("done")
    if not files:
        return Markup("<div hidden></div>")
    if progress.is_running:
        counts = [text("documents.file_count", done=done + failed, count=files)]
        tool = _TOOL.format("halt", text("documents.cancel"))
    else:
        counts = [text("documents.added", added=done) if done or not failed else text("documents.nothing_added")]
        if cancelled := progress.count("cancelled"):
            counts.append(text("documents.cancelled", cancelled=cancelled))
        tool = _TOOL.format("tidy", text("documents.close"))
    if failed:
        counts.append(text("documents.failed", failed=failed))
    return Markup(
        '<div class="bringing"{busy}><p role="status">{text}</p>{tool}'
        '<i role="progressbar" aria-label="{label}" aria-valuemin="0" aria-valuemax="{files}" '
        'aria-valuenow="{ended}" style="--share:{share:.3f}"></i></div>'
    ).format(
        busy=Markup(" data-busy") if progress.is_running else NOTHING,
        text=", ".join(counts),
        tool=tool,
        label=text("documents.files"),
        files=files,
        ended=done + failed,
        share=(done + failed + sum(map(_under_way, progress.rows))) / files,
    )


def _under_way(row: Row) -> float:
    """Return how much of a file that is being added is done: half of it is read, the other half indexed."""
    return {"reading": row.share / 2, "indexing": (1 + row.share) / 2}.get(row.step, 0.0)


def _files(progress: UploadProgress, own: Sequence[IndexedDocument], added: _Added) -> Markup:
    """Return all of a few files; of many those that failed, and those that are being worked on or ask for something."""
    older = {row.document: _older(row.document, own) for row in progress.rows if row.document}
    named = [row for row in progress.rows if row.name]
    if len(named) > ROWS_SHOWN:
        failed = [row for row in named if row.step == "failed"]
        under_way = [row for row in named if row.step in ("reading", "indexing") or older.get(row.document)]
        named = [*failed[:FAILED_SHOWN], *under_way[:FAILED_SHOWN]]
    rows = joined(
        Markup('<li class="{}"><i></i><b>{}</b><span>{}{}</span></li>').format(
            SIGNS[row.step],
            plain(row.name),
            row.text or _step(row),
            joined(_replaceable(each, added(each)) for each in older.get(row.document, ())),
        )
        for row in named
    )
    return Markup('<ol class="files">{}</ol>').format(rows)


def _older(document_id: str, own: Sequence[IndexedDocument]) -> list[IndexedDocument]:
    """Return the other documents of the same name that were there before, the newest first."""
    new = next((each for each in own if each.id == document_id), None)
    if new is None:
        return []
    return [each for each in own if each.name == new.name and each.id != new.id and each.added_at <= new.added_at]


def _replaceable(older: IndexedDocument, when: str) -> Markup:
    """Return that another document of the name is there since `when`, and the button that removes it."""
    return Markup(
        ' <span class="older" data-document="{id}">{said} '
        '<button type="button" data-act="replace-older" aria-label="{label}">{button}</button></span>'
    ).format(
        id=older.id,
        said=text("documents.same_name", when=when),
        label=text("documents.replace_of", name=shown_file(older.name), when=when),
        button=text("documents.replace"),
    )


def _step(row: Row) -> str:
    said = text(f"documents.step_{row.step}")
    return text("documents.share", step=said, percent=int(100 * row.share)) if row.share else said


def _own(documents: Sequence[IndexedDocument], added: _Added) -> Markup:
    if not documents:
        return Markup('<section class="document-list"><h3>{}</h3><p class="quiet">{}</p></section>').format(
            text("documents.yours"), text("documents.yours_empty")
        )
    return Markup(
        '<section class="document-list"><header><h3>{yours}</h3>'
        '<span class="row"><button type="button" data-act="doubt" class="bin word">{delete}</button>'
        '<span class="sure"><button type="button" data-act="remove-all">{delete_all}</button>'
        '<button type="button" data-act="keep" aria-label="{keep_all}">{keep}</button></span></span>'
        "</header><ul>{rows}</ul>{folders}</section>"
    ).format(
        yours=text("documents.yours"),
        delete=text("documents.delete_all"),
        delete_all=text("documents.delete_all_count", all=len(documents)),
        keep_all=text("documents.keep_all"),
        keep=text("documents.keep"),
        rows=_rows([each for each in documents if each.collection == UPLOADS], added),
        folders=_folders([each for each in documents if each.collection != UPLOADS], added),
    )


def _folders(documents: Sequence[IndexedDocument], added: _Added) -> Markup:
    """Return a list for each folder that documents came in, with the button that asks it alone."""
    section = Markup(
        '<section class="folder"><header><h4>{folder}</h4>'
        '<button type="button" data-act="scope-only" data-collection="{folder}" aria-label="{label}">{button}</button>'
        "</header><ul>{rows}</ul></section>"
    )
    return joined(
        section.format(
            folder=folder,
            label=text("documents.ask_folder_label", name=folder),
            button=text("documents.ask_folder"),
            rows=_rows(list(inside), added),
        )
        for folder, inside in groupby(sorted(documents, key=_folder), _folder)
    )


def _folder(document: IndexedDocument) -> str:
    return document.folder


def _shared(documents: Sequence[IndexedDocument], added: _Added) -> Markup:
    if not documents:
        return Markup("<p hidden></p>")
    return Markup('<section class="document-list"><h3>{}</h3><ul>{}</ul></section>').format(
        text("documents.shared_with_all"), _rows(documents, added)
    )


def _rows(documents: Sequence[IndexedDocument], added: _Added) -> Markup:
    names = Counter(each.name for each in documents if each.owner is not None)
    row = Markup("<li>{}</li>")
    return joined(row.format(_row(each, added(each) if names[each.name] > 1 else "")) for each in documents)


def _row(document: IndexedDocument, when: str) -> Markup:
    """Return the row of a document; one of several of the same name says `when` it was added."""
    facts = [extent(document), when]
    if document.owner is None:
        facts += [document.collection, text("documents.shared")]
    name = document.title if document.name == document.title else f"{document.title}, {shown_file(document.name)}"
    name += f", {when}" if when else ""
    shown = [plain(shown_file(document.name))] if document.name != document.title else []
    return Markup(
        '<div class="row document" data-document="{id}"><div class="title"><b>{title}</b><p>{facts}</p></div>'
        "{tools}</div>"
    ).format(
        id=document.id,
        title=plain(document.title),
        facts=joined(Markup("<span>{}</span>").format(fact) for fact in [*shown, *facts] if fact),
        tools=NOTHING if document.owner is None else _delete(name),
    )


def _delete(name: str) -> Markup:
    return Markup(
        '<button type="button" data-act="doubt" class="bin" aria-label="{delete_one} …" title="{delete}">{icon}'
        "</button>"
        '<span class="sure"><button type="button" data-act="remove" aria-label="{delete_one}">{delete}</button>'
        '<button type="button" data-act="keep" aria-label="{keep_one}">{keep}</button></span>'
    ).format(
        delete=text("documents.delete"),
        delete_one=text("documents.delete_one", name=name),
        keep=text("documents.keep"),
        keep_one=text("documents.keep_one", name=name),
        icon=icon("delete"),
    )
