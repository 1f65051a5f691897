"""`@name` in a question: the documents and collections that it asks alone, and the question without their names. Pure.

A name is that of a document the asker may see: its title, its file with or without folder or ending; or that of a
collection. The longest one counts, upper and lower case are the same, and quotes may stand around it. Anything else
after an `@` is plain text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.display_names import NAME_CHARS
from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.folders import UPLOADS, enclosing, folder_of

MOST = 20  # of one question; more are plain text

_AT = re.compile(r"(?<![\w.+-])@")
_QUOTED = re.compile(rf"[\"“„«]([^\"“”„«»\n]{{1,{NAME_CHARS}}})[\"”“»]")
_GOES_ON = re.compile(r"\w|[-./@]\w")  # after a name: then it is the beginning of a longer word
_SPACES = re.compile(r"[ \t]{2,}")
_BEFORE_SIGNS = re.compile(r"[ \t]+(?=[,.;:!?])")


@dataclass(frozen=True, slots=True)
class Mentions:
    """The ids of the documents that a question names, itself or by their collection, and the question without it."""

    documents: tuple[str, ...]
    question: str


def mentioned(question: str, documents: Sequence[IndexedDocument]) -> Mentions | None:
    """Return what a question names among the documents that its asker may see; None where it names nothing."""
    if not _AT.search(question):
        return None
    question = unicodedata.normalize("NFC", question)
    known, named, rest, last = _names(documents), dict[str, None](), list[str](), 0
    for start, end, name in _found(question, known):
        named |= dict.fromkeys(known[name])
        rest.append(question[last:start])
        last = end
    if not named:
        return None
    left = _BEFORE_SIGNS.sub("", _SPACES.sub(" ", "".join([*rest, question[last:]]))).strip()
    # A question of a name alone is asked by that name.
    return Mentions(tuple(named), left if re.search(r"\w", left) else question.replace("@", ""))


def _found(question: str, known: Mapping[str, object]) -> Iterator[tuple[int, int, str]]:
    """Yield where each name begins and ends, with its `@`, and the name."""
    lengths, count, last = sorted({len(name) for name in known}, reverse=True), 0, 0
    for at in _AT.finditer(question):
        start = at.end()
        if count == MOST or start <= last:
            continue
        if quoted := _QUOTED.match(question, start):
            name, last_here = _key(quoted[1]), quoted.end()
            is_known = name in known
        else:
            ends = (start + length for length in lengths if not _GOES_ON.match(question, start + length))
            last_here = next((end for end in ends if _key(question[start:end]) in known), start)
            name, is_known = _key(question[start:last_here]), last_here > start
        if is_known:
            count, last = count + 1, last_here
            yield at.start(), last, name


def _names(documents: Sequence[IndexedDocument]) -> Mapping[str, list[str]]:
    """Map each name to the ids of the documents that it stands for; a file without its ending where nothing else is."""
    names: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    for each in documents:
        path = PurePosixPath(each.name)
        stems.setdefault(_key(path.stem), []).append(each.id)
        own = {each.title, each.name, path.name}
        around = enclosing(each.collection) if each.owner is not None else (each.collection,)
        own |= {folder_of(name) for name in around if name != UPLOADS}
        for name in {_key(name) for name in own} - {""}:
            names.setdefault(name, []).append(each.id)
    return {**stems, **names}


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower().strip()
