"""The options of a turn: their titles in the sidebar, and the chips under an answer that was asked with them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "option.passages_wanted.title": "Passages",
        "option.passages_wanted.chip.one": "{count} passage",
        "option.passages_wanted.chip.other": "{count} passages",
        "option.history_turns.title": "Turns of history",
        "option.history_turns.chip.one": "{count} turn of history",
        "option.history_turns.chip.other": "{count} turns of history",
        "option.temperature.title": "Temperature",
        "option.temperature.chip": "temperature {value}",
        "option.temperature.chip.unset": "default temperature",
        "option.max_tokens.title": "Maximum tokens",
        "option.max_tokens.chip": "at most {count} tokens",
        "option.instructions.title": "Instructions",
        "option.instructions.chip": "own instructions",
        "option.mode.title": "Mode",
        "option.mode.keyword": "Keywords",
        "option.mode.vector": "Meaning",
        "option.mode.hybrid": "Both",
        "option.mode.chip.keyword": "search by words",
        "option.mode.chip.vector": "search by meaning",
        "option.mode.chip.hybrid": "search by both",
        "option.candidates.title": "Candidates",
        "option.candidates.chip": "{count} candidates",
        "option.reranks.title": "Rerank candidates",
        "option.reranks.chip": "reranked",
        "option.rewrites.title": "Rewrite the question first",
        "option.rewrites.info": "By the language model: one to three queries.",
        "option.rewrites.chip": "with rewriting",
        "option.documents.title": "Document",
        "option.documents.best": "Best match",
        "option.documents.chip.one": "in {count} chosen document",
        "option.documents.chip.other": "in {count} chosen documents",
        "option.collections.title": "Collections",
        "option.collections.chip.one": "in {count} collection",
        "option.collections.chip.other": "in {count} collections",
        "option.language.title": "Language of the answer",
        "option.language.chip": "answer in {value}",
        "option.program.title": "Program",
        "option.uses_cache.title": "Reuse stored answers",
        "option.uses_cache.info": "The same question, asked in the same way, gets its stored answer at no cost.",
        "option.uses_cache.chip": "without stored answers",
        "option.profile.title": "Profile",
        "option.profile.chip": "profile {value}",
    }
)
