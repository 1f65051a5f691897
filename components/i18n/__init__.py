"""What the page says under an answer, in the language of its question. One table per language.

A language that lacks a text is no value of `Texts`, and no start: there are no defaults. What turns themselves say
(warnings, faults) is in `pipeline.notices`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that belong to one turn; `{}` stands for a value."""

    cut_short: str
    cut_short_why: str
    stopped: str
    written_kept: str
    nothing_stored: str
    nothing_written: str
    incomplete: str
    no_answer: str
    arrived_kept: str
    not_saved: str
    go_on: str
    again: str
    other_model: str
    of_answer: str  # behind a button's name, for a screen reader
    nothing_found: str  # where nothing is cited that could be checked
    cites_nothing: str


ENGLISH = Texts(
    cut_short="Cut short",
    cut_short_why="The model reached its limit of tokens.",
    stopped="Stopped",
    written_kept="What was written is kept.",
    nothing_stored="No answer had been stored yet.",
    nothing_written="No answer was written yet.",
    incomplete="Incomplete answer",
    no_answer="No answer",
    arrived_kept="What had arrived is kept above.",
    not_saved="This turn could not be saved: it will be gone after a restart. Copy what you need.",
    go_on="Continue",
    again="Try again",
    other_model="Choose another model",
    of_answer="answer {}",
    nothing_found="Hardly a word of the question was found in the documents.",
    cites_nothing="This answer cites none of the passages that were found.",
)
GERMAN = Texts(
    cut_short="Abgeschnitten",
    cut_short_why="Das Modell hat seine Höchstzahl an Token erreicht.",
    stopped="Angehalten",
    written_kept="Was geschrieben war, bleibt erhalten.",
    nothing_stored="Es war noch keine Antwort gespeichert.",
    nothing_written="Es war noch keine Antwort geschrieben.",
    incomplete="Unvollständige Antwort",
    no_answer="Keine Antwort",
    arrived_kept="Was angekommen war, steht oben.",
    not_saved="Diese Antwort war nicht zu speichern und ist nach einem Neustart fort. Kopieren Sie, was Sie brauchen.",
    go_on="Fortsetzen",
    again="Noch einmal versuchen",
    other_model="Anderes Modell wählen",
    of_answer="Antwort {}",
    nothing_found="In den Dokumenten wurde kaum ein Wort der Frage gefunden.",
    cites_nothing="Diese Antwort beruft sich auf keine der gefundenen Passagen.",
)
TEXTS = MappingProxyType({"en": ENGLISH, "de": GERMAN})


def texts_of(language: str) -> Texts:
    """The texts in a language, in English where there are none."""
    return TEXTS.get(language, ENGLISH)
