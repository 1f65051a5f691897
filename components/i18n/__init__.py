"""What the page says under an answer, in the language of its question. One table per language.

A language that lacks a text is no value of `Texts`, and no start: there are no defaults. What turns themselves say
(warnings, faults) is in `pipeline.notices`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.events import Rung


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
    not_from_documents: str  # where no passage was found at all
    doing: Mapping[Rung, str]  # what is done about a fault; {model} is asked next, {wait} says when
    answered: Mapping[Rung, str]  # how the answer came about in the end
    faults: Mapping[str, str]  # in two or three words; a code that is not here reads well as it is


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
    not_from_documents="This answer does not come from the documents.",
    doing=MappingProxyType(
        {
            "retry": "Trying again{wait} …",
            "unstreamed": "Asking for the whole answer at once …",
            "default_prompt": "Asking with the default instructions …",
            "fallback": "Asking {model} …",
            "extractive": "Quoting the passages …",
        }
    ),
    answered=MappingProxyType(
        {
            "retry": "answered after a retry",
            "unstreamed": "answered without streaming",
            "default_prompt": "answered with the default instructions",
            "fallback": "answered by fallback {model}",
            "extractive": "quotes only: no language model answered",
        }
    ),
    faults=MappingProxyType(
        {
            "auth": "key refused",
            "billing": "no credit",
            "unsupported_model": "not offered",
            "wrong_address": "no such address",
            "context_window_exceeded": "too long",
            "connection": "connection broke",
            "refused": "server not reached",
            "connect_timeout": "not reached in time",
            "first_token_timeout": "no reply in time",
            "server": "provider error",
            "bad_reply": "unreadable reply",
            "incomplete": "incomplete reply",
            "empty": "empty reply",
            "format": "broke the format",
            "cut_short": "ran out of tokens",
            "not_configured": "no key",
        }
    ),
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
    not_from_documents="Diese Antwort stammt nicht aus den Dokumenten.",
    doing=MappingProxyType(
        {
            "retry": "Neuer Versuch{wait} …",
            "unstreamed": "Die ganze Antwort wird auf einmal erbeten …",
            "default_prompt": "Gefragt wird mit den üblichen Anweisungen …",
            "fallback": "{model} wird gefragt …",
            "extractive": "Die Passagen werden zitiert …",
        }
    ),
    answered=MappingProxyType(
        {
            "retry": "Antwort im neuen Versuch",
            "unstreamed": "Antwort in einem Stück",
            "default_prompt": "Antwort mit den üblichen Anweisungen",
            "fallback": "Antwort von {model} als Ersatz",
            "extractive": "nur Zitate: kein Sprachmodell hat geantwortet",
        }
    ),
    faults=MappingProxyType(
        {
            "auth": "Schlüssel abgelehnt",
            "billing": "kein Guthaben",
            "rate_limit": "ausgelastet",
            "unsupported_model": "nicht im Angebot",
            "wrong_address": "falsche Adresse",
            "context_window_exceeded": "zu lang",
            "invalid_request": "Anfrage abgelehnt",
            "content_filter": "Inhaltsfilter",
            "not_configured": "kein Schlüssel",
            "connection": "Verbindung abgebrochen",
            "refused": "Server nicht erreicht",
            "unreachable": "nicht erreichbar",
            "connect_timeout": "nicht rechtzeitig erreicht",
            "first_token_timeout": "keine rechtzeitige Antwort",
            "idle_timeout": "verstummt",
            "turn_timeout": "dauerte zu lange",
            "server": "Fehler beim Anbieter",
            "cannot_stream": "sendet nicht fortlaufend",
            "bad_reply": "unlesbare Antwort",
            "incomplete": "unvollständige Antwort",
            "empty": "leere Antwort",
            "format": "Format nicht eingehalten",
            "cut_short": "Token verbraucht",
            "repeats": "wiederholte sich",
            "resting": "ruht",
            "answer_limit": "zu lange Antwort",
            "unexpected": "unerwarteter Fehler",
        }
    ),
)
TEXTS = MappingProxyType({"en": ENGLISH, "de": GERMAN})


def texts_of(language: str) -> Texts:
    """The texts in a language, in English where there are none."""
    return TEXTS.get(language, ENGLISH)
