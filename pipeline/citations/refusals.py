"""Recognises answers that say the passages hold no answer, in English and German. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SOURCE = r"(?:passages?|documents?|sources?|context|texts?|excerpts?|material|information|handbook)"
_STATES = (
    r"(?:mention|provide|specify|contain|state|say|include|answer|tell|cover|address|describe|discuss|give|know|name)"
)
_STATED = r"(?:mentioned|specified|provided|stated|covered|answered|addressed|described|discussed|found|included|given)"
_QUELLE = r"(?:passagen?|dokumente?n?|quellen?|texte?n?|unterlagen|auszüge?n?|material|informationen)"
_GENANNT = r"(?:erwähnt|angegeben|genannt|enthalten|beantworten|beantwortet|beschrieben|behandelt|gefunden)"
_MISSING = re.compile(
    "|".join(
        (
            r"\bunable to (?:answer|find|tell)\b",
            r"\bcan(?:not|['’]t) (?:be )?(?:answer|find|tell|say|determine)",
            rf"\b(?:do|does|did)(?: not|n['’]t) (?:\w+ ){{0,2}}{_STATES}\b",
            rf"\bnot (?:\w+ )?{_STATED}\b",
            rf"\b(?:no|nothing|none)\b[^.]{{0,40}}\b{_SOURCE}\b",
            rf"\b{_SOURCE}\b[^.]{{0,40}}\b(?:nothing|no (?:information|mention|answer|details?))\b",
            r"\bno (?:information|mention|details?|answer) (?:is|was|on|about|of|regarding)\b",
            rf"\bnicht (?:\w+ )?{_GENANNT}\b",
            r"\bbeantwort\w+ (?:\w+ ){0,3}nicht\b",
            rf"\b(?:nichts|kein\w*)\b[^.]{{0,40}}\b{_QUELLE}\b",
            rf"\b{_QUELLE}\b[^.]{{0,40}}\b(?:nichts|kein\w*|nicht)\b",
        )
    ),
    re.IGNORECASE,
)


def says_missing(sentence: str) -> bool:
    """Whether a sentence says that something is not in the passages."""
    return bool(_MISSING.search(sentence))


def is_refusal(sentences: Iterable[tuple[str, bool]]) -> bool:
    """Whether an answer, as (sentence, whether it cites), refuses: it says what is missing and cites nothing else."""
    checked = [(says_missing(text), cites) for text, cites in sentences]
    return any(is_missing for is_missing, _ in checked) and all(
        is_missing or not cites for is_missing, cites in checked
    )
