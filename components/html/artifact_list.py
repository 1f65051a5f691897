"""The artifacts of a turn as entries under its answer, and the offer to make a document of an answer.

An entry holds the artifact itself, so that it is copied and downloaded without asking the server again. The offer asks
no model: the document is the answer as it is, under its question and with its sources.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from components.html.html_elements import Elements, action, as_json, attribute, icon, joined
from components.html.markdown import language_name, plain
from components.html.render_cache import RenderCache
from components.view import View
from i18n import available, text
from pipeline.artifacts.documents import would_be_document
from pipeline.artifacts.files import ArtifactFile, csv_file_of, document_file, file_of
from pipeline.events import ArtifactFound, TurnFinished
from pipeline.passages import Passage

PREVIEW_LINES, PREVIEW_CHARS = 6, 200  # characters of a line

_ENTRY = Markup(
    '<li class="artifact" data-content="{content}" data-name="{name}" data-type="{media_type}"{csv}>'
    '<details><summary>{icon}<span class="what">{title}</span><span class="about">{about}</span>'
    '<span class="sr"> {of}</span></summary>'
    '<pre tabindex="0" dir="auto">{preview}</pre></details><div class="tools">{tools}</div></li>'
)


def entries(view: View, cache: RenderCache) -> Elements:
    """Return the list of artifacts, and the offer for an answer that would better be a document.

    Both come with the ending: below a text that still grows they would move with each of its lines.
    """
    elements: Elements = []
    if view.artifacts and view.ending is not None:
        elements.append(cache.once("artifacts", view.artifacts, lambda: _list(view)))
    if isinstance(view.ending, TurnFinished) and not _has_document(view):
        elements += cache.once("offer", (view.text("answer"), view.passages), lambda: _offer(view))
    return elements


def _list(view: View) -> Markup:
    items = joined(_entry(each, str(view.text(each.field)), view.place) for each in view.artifacts)
    return Markup('<ul class="artifacts" aria-label="{}">{}</ul>').format(text("artifacts.list"), items)


def _entry(artifact: ArtifactFound, field_text: str, place: int) -> Markup:
    as_csv = csv_file_of(artifact, field_text) if artifact.type == "table" else None
    of = text("artifacts.of", number=artifact.index + 1, place=place)
    return _shown(file_of(artifact, field_text), _about(artifact), artifact.title, artifact.type, of, as_csv)


def _shown(
    file: ArtifactFile, about: str, title: str, kind: str, of: str, as_csv: ArtifactFile | None = None
) -> Markup:
    tools = [
        action("copy-artifact", text("artifacts.copy"), of=of),
        action("download-artifact", text("artifacts.download"), of=of),
    ]
    if as_csv:
        label = text("artifacts.as_csv")
        tools.append(
            Markup('<button type="button" data-act="download-csv" aria-label="{} {}" title="{}">CSV</button>').format(
                label, of, label
            )
        )
    return _ENTRY.format(
        content=as_json(file.text),
        name=file.name,
        media_type=file.media_type,
        csv=attribute("data-csv", as_json(as_csv.text)) + attribute("data-csv-name", as_csv.name) if as_csv else "",
        icon=icon(f"artifact_{kind}", 16),
        title=plain(title or text(f"artifacts.{kind}")),
        about=about,
        of=of,
        preview=plain(_preview(file.text)),
        tools=joined(tools),
    )


def _about(artifact: ArtifactFound) -> str:
    kind = text(f"artifacts.{artifact.type}")
    return f"{kind} · {language_name(artifact.language)}" if artifact.type == "code" and artifact.language else kind


def _preview(content: str) -> str:
    lines = content.strip("\n").split("\n")
    shown = [line if len(line) <= PREVIEW_CHARS else f"{line[:PREVIEW_CHARS]}…" for line in lines[:PREVIEW_LINES]]
    return "\n".join([*shown, "…"] if len(lines) > PREVIEW_LINES else shown)


def _has_document(view: View) -> bool:
    return any(each.type == "document" and each.field == "answer" for each in view.artifacts)


def _offer(view: View) -> Elements:
    answer = str(view.text("answer"))
    if not would_be_document(answer):
        return []
    lang = available(view.language)
    file = document_file(view.question, answer, text("artifacts.sources", lang), _sources(view.passages))
    of = text("artifacts.of_answer", place=view.place)
    entry = _shown(file, text("artifacts.document"), view.question, "document", of)
    return [
        Markup(
            '<details class="offer"{lang}><summary title="{why}">{icon}{make}<span class="sr"> {of}</span></summary>'
            '<ul class="artifacts">{entry}</ul></details>'
        ).format(
            lang=attribute("lang", "" if lang == "en" else lang),
            why=text("artifacts.make_why", lang),
            icon=icon("artifact_document", 14),
            make=text("artifacts.make", lang),
            entry=entry,
            of=of,
        )
    ]


def _sources(passages: Sequence[Passage]) -> list[str]:
    return [f"[{each.number}] {each.title}{f', {each.section}' if each.section else ''}" for each in passages]
