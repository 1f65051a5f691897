"""The options of a turn in German; see `i18n.en.options`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "option.passages_wanted.title": "Passagen",
        "option.passages_wanted.chip.one": "{count} Passage",
        "option.passages_wanted.chip.other": "{count} Passagen",
        "option.history_turns.title": "Frühere Fragen",
        "option.history_turns.chip.one": "{count} frühere Frage",
        "option.history_turns.chip.other": "{count} frühere Fragen",
        "option.temperature.title": "Temperatur",
        "option.temperature.chip": "Temperatur {value}",
        "option.temperature.chip.unset": "voreingestellte Temperatur",
        "option.max_tokens.title": "Höchstzahl an Token",
        "option.max_tokens.chip": "höchstens {count} Token",
        "option.instructions.title": "Anweisungen",
        "option.instructions.chip": "eigene Anweisungen",
        "option.mode.title": "Suche",
        "option.mode.keyword": "Stichwörter",
        "option.mode.vector": "Bedeutung",
        "option.mode.hybrid": "Beides",
        "option.mode.chip.keyword": "Suche nach Wörtern",
        "option.mode.chip.vector": "Suche nach Bedeutung",
        "option.mode.chip.hybrid": "Suche nach beidem",
        "option.candidates.title": "Kandidaten",
        "option.candidates.chip": "{count} Kandidaten",
        "option.reranks.title": "Kandidaten neu ordnen",
        "option.reranks.chip": "neu geordnet",
        "option.rewrites.title": "Die Frage zuerst umschreiben",
        "option.rewrites.info": "Durch das Sprachmodell: ein bis drei Suchanfragen.",
        "option.rewrites.chip": "mit Umschreiben",
        "option.documents.title": "Dokument",
        "option.documents.best": "Bester Treffer",
        "option.documents.chip.one": "in {count} gewähltem Dokument",
        "option.documents.chip.other": "in {count} gewählten Dokumenten",
        "option.collections.title": "Sammlungen",
        "option.collections.chip.one": "in {count} Sammlung",
        "option.collections.chip.other": "in {count} Sammlungen",
        "option.language.title": "Sprache der Antwort",
        "option.language.chip": "Antwort auf {value}",
        "option.program.title": "Programm",
        "option.uses_cache.title": "Gespeicherte Antworten nutzen",
        "option.uses_cache.info": "Dieselbe Frage, auf dieselbe Weise gestellt, bekommt kostenlos ihre gespeicherte Antwort.",
        "option.uses_cache.chip": "ohne gespeicherte Antworten",
        "option.profile.title": "Profil",
        "option.profile.chip": "Profil {value}",
    }
)
