"""Takes a question apart that asks the same of several things, where some of them are nowhere to be found. Pure.

    At what temperature does water boil in La Paz and in Kathmandu?
    → "At what temperature does water boil in La Paz?", without "Kathmandu"

Only words that no passage has tell where such a thing is, so a question that can be answered is never taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

QUESTION_CHARS = 1000  # a longer text is not taken apart

_JOINED = re.compile(r"(?:,\s*(?:and|und)\s|,\s|\s(?:and|und|sowie|or|oder)\s)\s*", re.IGNORECASE)
_COMPARES = re.compile(
    r"\b(?:between|zwischen|differ\w*|compar\w*|versus|vs|unterscheid\w*|unterschied\w*|vergleich\w*|both|beide\w*"
    r"|together|zusammen|better|besser|than|als)\b",
    re.IGNORECASE,
)
_PREPOSITION = (
    r"(?:at|in|on|by|for|from|of|to|with|about|an|auf|aus|bei|für|mit|nach|von|zu|über|im|am|zum|zur|vom|beim)\b"
)
_ARTICLE = r"(?:the|a|an|der|die|das|den|dem|des|eine[mnrs]?|ein|my|your|mein\w*|dein\w*)\b"
_LED = re.compile(rf"(?:{_PREPOSITION}|{_ARTICLE})", re.IGNORECASE)
_LEADING = re.compile(rf"(?:{_PREPOSITION}\s+)?(?:{_ARTICLE}\s+)?$", re.IGNORECASE)
_WORD = re.compile(r"[\w’'.-]*\w")
_ENDS = " \t\n?!.,;:"


@dataclass(frozen=True, slots=True)
class Rest:
    """A question without the things that are nowhere to be found, and these things in the question's words."""

    question: str
    things: tuple[str, ...]


def rest_of(question: str, absent: Collection[str]) -> Rest | None:
    """Return what is left of a question without things that are `absent`: words of it that no passage has.

    None where it does not ask of several things, where all of them are absent, or where what is absent is no thing but
    a verb or an adjective.
    """
    if len(question) > QUESTION_CHARS or _COMPARES.search(question):
        return None
    body = question.strip(_ENDS)
    joints = [joint.span() for joint in _JOINED.finditer(body)]
    if not joints or not absent:
        return None
    gone = [(joint, _after(body, joint, end, absent)) for joint, end in zip(joints, _ends(body, joints), strict=True)]
    cuts = [(joint[0], end, body[joint[1] : end]) for joint, end in gone if end is not None]
    if (begin := _before(body, joints[0][0], absent)) is not None:
        cuts = [(begin, joints[0][1], body[begin : joints[0][0]]), *cuts]
    if not cuts or len(cuts) > len(joints):
        return None
    left = body
    for begin, end, _ in reversed(cuts):
        left = left[:begin] + left[end:]
    return Rest(f"{left.rstrip(_ENDS)}?", tuple(_named(thing) for _, _, thing in cuts))


def _ends(body: str, joints: list[tuple[int, int]]) -> list[int]:
    """Return where what follows each joint ends at the latest."""
    return [*(begin for begin, _ in joints[1:]), len(body)]


def _after(body: str, joint: tuple[int, int], end: int, absent: Collection[str]) -> int | None:
    """Return the end of the absent thing that follows a joint: its last absent word and the names behind it."""
    thing_end = None
    names = False
    for word in _WORD.finditer(body, joint[1], end):
        is_name = word[0][0].isupper() or word[0][0].isdigit()
        if thing_end is not None and not is_name:
            break
        if word[0] in absent or thing_end is not None:
            thing_end = word.end()
        names = names or (word[0] in absent and is_name)
    return thing_end if names or _LED.match(body, joint[1]) else None


def _before(body: str, end: int, absent: Collection[str]) -> int | None:
    """Return the beginning of the absent thing that ends at a joint, its preposition and article included."""
    begin = end
    for word in reversed(list(_WORD.finditer(body, 0, end))):
        if word[0] not in absent:
            break
        begin = word.start()
    led = _LEADING.search(body, 0, begin)
    is_led, first = bool(led and led[0]), body[begin : begin + 1]
    if begin == end or not (is_led or first.isupper() or first.isdigit()):
        return None
    return led.start() if led else begin


def _named(thing: str) -> str:
    """Return a thing without the preposition before it."""
    return re.sub(rf"^{_PREPOSITION}\s+", "", thing.strip(_ENDS), flags=re.IGNORECASE)
