"""Reads the letters of a picture with `tesseract`, where Debian's package is installed. Runs in the child process.

The program inherits the child's confinement: it gets the picture by a pipe, writes no file, and each run has the
child's limits of memory and CPU time. It is asked for words with their boxes, so that a passage can be marked.
"""

from __future__ import annotations

import ctypes
import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from PIL import Image

from pipeline.errors import IngestFault

DPI = 300  # of a page; the size of letters that it was trained with
LONGEST_PIXELS = 5000  # of a page's longer side
LEAST_CONFIDENCE = 30  # of 100; less is a stain or a part of a picture
MOST_LANGUAGES = 4  # each one more takes its time
_PATHS = "/usr/bin:/usr/local/bin:/opt/homebrew/bin"
_FIRST = ("eng", "deu", "fra", "spa", "ita", "nld", "por", "pol")  # before other languages that are installed
_DIE_WITH_PARENT = 1  # prctl
_WORD = "5"

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels


@dataclass(frozen=True, slots=True)
class Word:
    """A word: its span in the text, and its box on the picture in the given line."""

    start: int
    end: int
    line: tuple[str, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of a picture, a paragraph a line, with the place of each word."""

    text: str
    words: tuple[Word, ...]

    @property
    def paragraphs(self) -> list[tuple[int, int]]:
        """The spans of the paragraphs."""
        spans, start = [], 0
        for paragraph in self.text.split("\n"):
            spans.append((start, start + len(paragraph)))
            start += len(paragraph) + 1
        return spans if self.text else []

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        """Iterate over the boxes of the lines' parts between two offsets of the text."""
        found: dict[tuple[str, ...], Box] = {}
        for word in self.words:
            if word.start < end and word.end > start:
                left, top, right, bottom = found.get(word.line, word.box)
                box = word.box
                found[word.line] = min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3])
        yield from found.values()


@cache
def program() -> str | None:
    """Return the path of tesseract, None where it is not installed."""
    return shutil.which("tesseract", path=_PATHS)


def recognised(picture: Image.Image) -> Recognised:
    """Read a picture. Raises IngestFault where tesseract is not installed, or fails."""
    if program() is None:
        raise IngestFault("no_ocr")
    content = io.BytesIO()
    picture.convert("L").save(content, "PNG", compress_level=1)
    return _joined(_ran("stdin", "stdout", "-l", _languages(), "tsv", given=content.getvalue()))


@cache
def _languages() -> str:
    lines = _ran("--list-langs").splitlines()[1:]  # the first line is a heading
    installed = sorted(set(lines) - {"osd"}, key=lambda each: (_FIRST.index(each) if each in _FIRST else 99, each))
    if not installed:
        raise IngestFault("no_ocr")
    return "+".join(installed[:MOST_LANGUAGES])


def _ran(*arguments: str, given: bytes = b"") -> str:
    path = program()
    assert path
    done = subprocess.run(
        [path, *arguments],
        input=given,
        capture_output=True,
        env={"LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1"},
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        check=False,
    )
    if done.returncode:
        raise IngestFault("timeout" if done.returncode == -signal.SIGXCPU else "broken")
    return done.stdout.decode(errors="replace")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _joined(table: str) -> Recognised:
    """Join the words of tesseract's table: lines of a paragraph by a blank, a word that a line end cuts by nothing."""
    text, last = "", tuple[str, ...]()
    words: list[Word] = []
    for row in table.splitlines()[1:]:
        level, page, block, paragraph, line, _, left, top, width, height, confidence, said = row.split("\t", 11)
        if level != _WORD or not said.strip() or float(confidence) < LEAST_CONFIDENCE:
            continue
        place = (page, block, paragraph, line)
        if words and place[:3] != last[:3]:
            text += "\n"
        elif words and place != last and _is_cut(text, said):
            text = text[:-1]
            words[-1] = replace(words[-1], end=len(text))
        elif words:
            text += " "
        x, y = float(left), float(top)
        box = (x, y, x + float(width), y + float(height))
        words.append(Word(len(text), len(text) + len(said), place, box))
        text, last = text + said, place
    return Recognised(text, tuple(words))


def _is_cut(text: str, following: str) -> bool:
    return text[-1] in "-\xad" and text[-2:-1].isalpha() and following[0].islower()
