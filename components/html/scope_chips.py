"""The scope of the next question: chips of the documents and collections asked, and the list to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, icon, joined
from components.html.markdown import plain
from i18n import text
from pipeline.display_names import shown_file
from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.folders import UPLOADS, enclosing, folder_of

LISTED = 500  # documents that can be chosen from the list, the visitor's own and newest first


@dataclass(frozen=True, slots=True)
class ChosenScope:
    """The collections (names) and documents (ids) that are asked; nothing chosen means all."""

    collections: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()

    def toggled(self, collection: str = "", document: str = "") -> ChosenScope:
        """Return the scope with one more, or without one that was chosen."""
        return ChosenScope(_toggled(self.collections, collection), _toggled(self.documents, document))

    def among(self, documents: Sequence[IndexedDocument]) -> ChosenScope:
        """Return what of it there still is."""
        ids, names = {each.id for each in documents}, set(collections_of(documents))
        return ChosenScope(
            tuple(each for each in self.collections if each in names),
            tuple(each for each in self.documents if each in ids),
        )

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self.collections) + len(self.documents)

    def ids(self, documents: Sequence[IndexedDocument]) -> tuple[str, ...]:
        """Return the ids of all documents that are asked."""
        return tuple(
            each.id
            for each in documents
            if each.id in self.documents or not set(self.collections).isdisjoint(folders_of(each))
        )


EVERYTHING = ChosenScope()


def folders_of(document: IndexedDocument) -> tuple[str, ...]:
    """Return the names of the collections that a document lies in: none of an upload that came without a folder."""
    if document.owner is None:
        return (document.collection,)
    return tuple(folder_of(each) for each in enclosing(document.collection) if each != UPLOADS)


def collections_of(documents: Sequence[IndexedDocument]) -> tuple[str, ...]:
    """Return the names of the collections: the shared ones, then the folders of the visitor's own documents."""
    own = {name for each in documents if each.owner is not None for name in folders_of(each)}
    shared = (each.collection for each in documents if each.owner is None)
    return tuple(dict.fromkeys([*shared, *sorted(own)]))


def scope_chips(
    scope: ChosenScope, documents: Sequence[IndexedDocument], gone: int = 0, restored: str = ""
) -> Elements:
    """Return the button to the list with a chip for each choice, then the list.

    `gone` are choices that were left out since they are not there any more. `restored` is what the page was shown when
    the browser gave the choices back, for `scope.js`.
    """
    titles = {each.id: each.title for each in documents}
    chips = [_chip("collection", name, text("scope.collection", name=name)) for name in scope.collections]
    chips += [_chip("document", each, titles.get(each, "")) for each in scope.documents]
    clear = (
        Markup('<button type="button" data-act="scope-clear" data-key="scope-clear">{}</button>').format(
            text("scope.clear")
        )
        if chips
        else NOTHING
    )
    return [
        Markup(
            '<fieldset class="scope" data-restored="{restored}"><legend class="sr">{legend}</legend>'
            '<button type="button" data-act="scope-open" aria-haspopup="listbox">@ {open}</button>{chips}{clear}'
            '<span class="gone" role="status">{gone}</span></fieldset>'
        ).format(
            legend=text("scope.legend"),
            open=text("scope.more") if chips else text("scope.open"),
            chips=joined(chips),
            clear=clear,
            gone=text("scope.gone", count=gone) if gone else "",
            restored=restored,
        ),
        _list(scope, documents),
    ]


def _chip(kind: str, value: str, name: str) -> Markup:
    return Markup(
        '<button type="button" class="chip" data-act="scope-choose" data-{kind}="{value}" aria-label="{label}">'
        "<span>{name}</span>{cross}</button>"
    ).format(kind=kind, value=value, label=text("scope.remove", name=name), name=plain(name), cross=icon("close", 12))


def _list(scope: ChosenScope, documents: Sequence[IndexedDocument]) -> Markup:
    own = [each for each in reversed(documents) if each.owner is not None]
    shared = [each for each in documents if each.owner is None]
    rows = [("collection", name, name, text("scope.is_collection")) for name in collections_of(documents)]
    rows += [("document", each.id, each.title, shown_file(each.name)) for each in [*own, *shared][:LISTED]]
    chosen = {*scope.collections, *scope.documents}
    items = joined(
        Markup(
            '<li role="option" id="scope-row-{number}" data-{kind}="{value}" aria-selected="{chosen}">'
            "<b>{name}</b><span>{note}</span></li>"
        ).format(
            number=number, kind=kind, value=value, chosen=str(value in chosen).lower(), name=plain(name), note=note
        )
        for number, (kind, value, name, note) in enumerate(rows)
    )
    return Markup('<ul class="scope-list" id="scope-list" role="listbox" aria-label="{}" hidden>{}</ul>').format(
        text("scope.legend"), items
    )


def _toggled(chosen: tuple[str, ...], one: str) -> tuple[str, ...]:
    if not one:
        return chosen
    return tuple(each for each in chosen if each != one) if one in chosen else (*chosen, one)
