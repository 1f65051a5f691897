"""What a turn says about itself besides its answer: warnings and faults, in the language of its question.

One table per language. English faults stand in `errors`, beside what they mean for the ladder; all else is here.
`tests/test_architecture.py` fails where a text lacks its German. A text that names a value holds `{name}`, and the
error carries it in `values`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from pipeline.errors import GlassboxError
from pipeline.events import Warned

WARNINGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": MappingProxyType(
            {
                "format": "The model did not keep to the format, so its text is shown as it came.",
                "reasoning_channel": "The model's server took the answer for thinking. It was read from there.",
                "length": "The model reached its limit of tokens, so the answer may be cut short.",
                "content_filter": "The provider's content filter ended this answer early.",
                "weak_context": "The passages found hold only a part of the question's words. "
                "Check the sources before you rely on this.",
                "no_context": "The passages found hold hardly a word of the question. "
                "This answer may not come from your documents: check it before you rely on it.",
                "prompt_limit": "Not everything had room in the prompt: the last passages, or the oldest turns, were "
                "left out. Ask for fewer passages, or start a new conversation.",
                "interrupted": "Glassbox was ended while this was being written, so the answer is incomplete. "
                "Ask again.",
            }
        ),
        "de": MappingProxyType(
            {
                "format": "Das Modell hielt sich nicht an das Format; sein Text steht hier so, wie er kam.",
                "reasoning_channel": "Der Server des Modells hielt die Antwort für Gedanken. Sie wurde dort gelesen.",
                "length": "Das Modell hat seine Höchstzahl an Token erreicht; die Antwort kann abgeschnitten sein.",
                "content_filter": "Der Inhaltsfilter des Anbieters hat diese Antwort vorzeitig beendet.",
                "weak_context": "Die gefundenen Passagen enthalten nur einen Teil der Wörter der Frage. "
                "Prüfen Sie die Quellen, bevor Sie sich darauf verlassen.",
                "no_context": "Die gefundenen Passagen enthalten kaum ein Wort der Frage. "
                "Diese Antwort stammt vielleicht nicht aus Ihren Dokumenten: Prüfen Sie sie, bevor Sie sich darauf "
                "verlassen.",
                "prompt_limit": "Nicht alles hatte im Prompt Platz: Die letzten Passagen oder die ältesten Fragen "
                "wurden weggelassen. Fragen Sie mit weniger Passagen, oder beginnen Sie ein neues Gespräch.",
                "interrupted": "Glassbox wurde beendet, während dies geschrieben wurde; die Antwort ist "
                "unvollständig. Fragen Sie noch einmal.",
            }
        ),
    }
)

# code → text of every fault that can end a turn
FAULTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "de": MappingProxyType(
            {
                "auth": "Das Modell hat den Schlüssel abgelehnt. Prüfen Sie ihn, oder wählen Sie ein anderes Modell.",
                "billing": "Das Konto des Modells hat kein Guthaben mehr. Wählen Sie ein anderes Modell.",
                "rate_limit": "Das Modell ist gerade ausgelastet. Versuchen Sie es gleich noch einmal, oder wählen Sie "
                "ein anderes Modell.",
                "unsupported_model": "Der Anbieter führt dieses Modell nicht. Wählen Sie ein anderes Modell.",
                "context_window_exceeded": "Dieses Gespräch ist zu lang für das Modell. Beginnen Sie ein neues, oder "
                "senden Sie weniger frühere Fragen mit.",
                "invalid_request": "Das Modell hat die Anfrage abgelehnt. Ändern Sie die Einstellungen, oder wählen "
                "Sie ein anderes Modell.",
                "content_filter": "Der Inhaltsfilter des Anbieters hat dies verhindert. Fragen Sie mit anderen Worten.",
                "not_configured": "Diesem Modell fehlt noch sein Schlüssel. Setzen Sie ihn und starten Sie neu, oder "
                "wählen Sie ein anderes Modell.",
                "connection": "Die Verbindung zum Modell ist abgebrochen. Versuchen Sie es noch einmal, oder wählen "
                "Sie ein anderes Modell.",
                "refused": "Der Server des Modells{server} war nicht zu erreichen. Prüfen Sie, ob er läuft, und "
                "seine Adresse, oder wählen Sie ein anderes Modell.",
                "unreachable": "Es gab keinen sicheren Weg zur Adresse des Modells{server}. Prüfen Sie Netz und "
                "Adresse, oder wählen Sie ein anderes Modell.",
                "wrong_address": "Unter seiner Adresse{server} gibt es keinen Modell-Server oder nicht dieses Modell. "
                "Prüfen Sie die Adresse, die oft auf /v1 endet, und den Namen des Modells, oder wählen Sie ein anderes "
                "Modell.",
                "connect_timeout": "Das Modell{server} war nicht rechtzeitig zu erreichen. Versuchen Sie es noch "
                "einmal, oder wählen Sie ein anderes Modell.",
                "first_token_timeout": "Das Modell hat nicht rechtzeitig zu antworten begonnen. Versuchen Sie es noch "
                "einmal, oder wählen Sie ein anderes Modell.",
                "idle_timeout": "Das Modell ist mitten in der Antwort verstummt. Versuchen Sie es noch einmal, oder "
                "wählen Sie ein anderes Modell.",
                "turn_timeout": "Die Antwort dauerte zu lange und wurde beendet. Versuchen Sie es noch einmal, oder "
                "fragen Sie nach weniger.",
                "server": "Beim Anbieter des Modells ist ein Fehler aufgetreten. Versuchen Sie es noch einmal, oder "
                "wählen Sie ein anderes Modell.",
                "cannot_stream": "Das Modell sendet seine Antworten nicht fortlaufend. Versuchen Sie es noch einmal, "
                "oder wählen Sie ein anderes Modell.",
                "bad_reply": "Die Antwort des Modells war nicht lesbar. Versuchen Sie es noch einmal, oder wählen Sie "
                "ein anderes Modell.",
                "incomplete": "Die Antwort des Modells endete zu früh. Versuchen Sie es noch einmal, oder wählen Sie "
                "ein anderes Modell.",
                "empty": "Das Modell gab keine Antwort. Versuchen Sie es noch einmal, oder wählen Sie ein anderes "
                "Modell.",
                "format": "Das Modell hielt sich nicht an das Format. Versuchen Sie es noch einmal, oder wählen Sie "
                "ein anderes Modell.",
                "cut_short": "Das Modell hat seine Token verbraucht, bevor es antwortete. Erlauben Sie ihm mehr, oder "
                "wählen Sie ein anderes Modell.",
                "repeats": "Das Modell begann sich zu wiederholen und wurde beendet. Versuchen Sie es noch einmal, "
                "oder wählen Sie ein anderes Modell.",
                "resting": "Das Modell ist mehrmals ausgefallen und ruht vorerst. Versuchen Sie es bald noch einmal, "
                "oder wählen Sie ein anderes Modell.",
                "answer_limit": "Die Antwort ist über ihre Grenze gewachsen und wurde beendet. Fragen Sie nach "
                "weniger.",
                "unexpected": "Das Modell ist auf eine Weise ausgefallen, die keinen Namen hat. Versuchen Sie es noch "
                "einmal, oder wählen Sie ein anderes Modell.",
                "internal": "Hier ist Glassbox selbst ausgefallen; es liegt weder an Ihrer Frage noch am Modell. "
                "Versuchen Sie es noch einmal; bleibt es dabei, sagen Sie der Person, die Glassbox betreibt, sie möge "
                "im Protokoll nach „our own fault“ sehen.",
                "search": "Die Dokumente konnten nicht durchsucht werden. Versuchen Sie es noch einmal; bleibt es "
                "dabei, starten Sie Glassbox neu.",
            }
        ),
    }
)


def warned(code: str, language: str = "en") -> Warned:
    """The event that says a warning; `running` puts it into the turn's language. KeyError for an unknown code."""
    return Warned(code=code, text=_table(WARNINGS, language).get(code) or WARNINGS["en"][code])


def warned_of(error: GlassboxError, language: str) -> Warned:
    """A fault that another model made good, as a warning beside the answer."""
    return Warned(code=error.code, text=fault_text(error, language))


def in_language(event: Warned, language: str) -> Warned:
    """The same warning in another language, as far as it has a text there."""
    text = _table(WARNINGS, language).get(event.code)
    return replace(event, text=text) if text else event


def fault_text(error: GlassboxError, language: str) -> str:
    """What a person reads of a fault that ended a turn."""
    text = _table(FAULTS, language).get(error.code)
    return text.format(**error.values) if text else error.text


def _table(tables: Mapping[str, Mapping[str, str]], language: str) -> Mapping[str, str]:
    return tables.get(language, MappingProxyType({}))
