"""Turns a question with its answer into a statement, as a model would write it. Pure.

"When did the Normans invade England?" and "1066" become "The Normans invade England in 1066.": the verb keeps its form.
Questions that would take more than that give no statement.
"""

from __future__ import annotations

import re

from pipeline.retrieval.languages import Language

_LEADS_EN = "in|on|at|by|from|to|for|of|with|during|under|after|through|into|against|since|along"
_BE = "is|are|was|were"
_ASKED_EN = re.compile(
    rf"(?:(?P<lead>{_LEADS_EN}) )?(?P<word>who|whom|what|which|when|where|how many|how much)\b(?P<rest> .+)",
    re.IGNORECASE,
)
_INVERTED = re.compile(rf"(?P<noun>(?: [\w'’-]+){{0,4}}?) (?P<verb>do|does|did|{_BE}) (?P<rest>.+)", re.IGNORECASE)
_OTHER_AUXILIARY = re.compile(r"(?: [\w'’-]+){0,4}? (?:has|have|had|can|could|will|would|should|may|might)\b")
_PARTICIPLE = re.compile(
    r"(?<!that )(?<!who )(?<!which )\b(?:\w{2,}ed|built|made|held|won|sent|sold|known|born|found|given|taken|written"
    r"|seen|led|set|begun|broken|chosen|driven|fought|left|lost|paid|put|said|shown|spent|taught|told|used|torn|thrown"
    r"|drawn|grown|spoken|hit)\b"
)
_PLACED_EN = re.compile(
    rf"(?:{_LEADS_EN}|around|about|until|between|before|as|because|every|within|near)\b", re.IGNORECASE
)
_DEFAULT_LEAD = {"when": "in", "where": "in"}
_DAY = re.compile(r"[a-z]+ \d{1,2}\b")

_LEADS_DE = "in|mit|von|aus|auf|an|zu|durch|nach|für|bei|über|unter|gegen|seit|um|am|im|zwischen|neben"
_ASKED_DE = re.compile(
    rf"(?:(?P<lead>(?i:{_LEADS_DE})) )?(?:(?i:wer|was|wen|wem|wann|wo)|(?P<which>(?i:wie ?viele?|welche[rsmn]?))"
    r"(?P<noun> (?:[a-zäöü]+en )?[A-ZÄÖÜ][\w-]+(?: [A-ZÄÖÜ][\w-]+)?)) (?P<rest>[a-zäöü].+)"
)
_ARTICLE_DE = re.compile(r"(?:der|die|das|den|dem|des)\b")
_PLACED_DE = re.compile(rf"(?:{_LEADS_DE}|zur|zum|vom|beim|während|vor|ab|bis)\b", re.IGNORECASE)


def statement(question: str, gold: str, language: Language) -> str:
    """Return the statement; "" where there is none."""
    asked, answer = question.strip().rstrip(" ?."), gold.strip().rstrip(".,")
    said = _english(asked, answer) if language == "en" else _german(asked, answer)
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _english(asked: str, gold: str) -> str:
    match = _ASKED_EN.fullmatch(asked)
    if not match or _OTHER_AUXILIARY.match(match["rest"]):
        return ""
    word, inverted = match["word"].lower(), _INVERTED.fullmatch(match["rest"])
    is_count = word.startswith("how")
    if not inverted:
        noun, _, rest = match["rest"].strip().partition(" ")
        answer = gold if word in ("who", "what") else _counted(gold, noun) if is_count else ""
        return f"{answer} {rest if is_count else f'{noun} {rest}'}" if answer else ""
    noun, verb, rest = (inverted[name].strip() for name in ("noun", "verb", "rest"))
    answer = _counted(gold, noun) if is_count else gold
    is_be = verb.lower() in _BE.split("|")
    if is_be and not match["lead"] and word not in _DEFAULT_LEAD:
        return f"{answer} {verb} {rest}"
    placed = _placed(answer, match["lead"] or _DEFAULT_LEAD.get(word, ""), word)
    if not is_be:
        return f"{rest} {placed}"
    at = max((found.start() for found in _PARTICIPLE.finditer(rest)), default=len(rest))
    return f"{rest[:at].strip()} {verb} {rest[at:]} {placed}".replace("  ", " ")


def _placed(answer: str, lead: str, word: str) -> str:
    """Return the answer with its preposition."""
    if not lead or _PLACED_EN.match(answer):
        return answer
    return f"{'on' if word == 'when' and _DAY.search(answer) else lead.lower()} {answer}"


def _german(asked: str, gold: str) -> str:
    match = _ASKED_DE.fullmatch(asked)
    if not match or _ARTICLE_DE.match(match["rest"]):
        return ""
    is_count = (match["which"] or "").lower().startswith("wie")
    answer, lead = _counted(gold, match["noun"].strip()) if is_count else gold, match["lead"]
    return f"{lead} {answer} {match['rest']}" if lead and not _PLACED_DE.match(gold) else f"{answer} {match['rest']}"


def _counted(gold: str, noun: str) -> str:
    """Return the answer with what it counts, unless it says that."""
    return f"{gold} {noun}" if noun and noun.split()[-1].lower() not in gold.lower() else gold
