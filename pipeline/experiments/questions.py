"""Questions with what is expected of their answers, and question sets as CSV, JSON and JSON lines. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import Refused
from pipeline.turn import Said

QUESTIONS_MOST = 2_000  # of a set
SET_CHARS_MOST = 4_000_000
QUESTION_CHARS_MOST, ANSWER_CHARS_MOST = 8_000, 20_000
KEYS = ("question", "answer", "alternatives", "documents", "unanswerable", "previous")
COLUMNS = (*KEYS[:5], "previous_question", "previous_answer")
LIST_JOIN = "|"  # between the items of a CSV cell
_DELIMITERS = ",;\t|"
_TRUE, _FALSE = (
    frozenset(("true", "yes", "1", "x", "ja", "wahr")),
    frozenset(("", "false", "no", "0", "nein", "falsch")),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what is expected of its answer.

    `answer` is the text that the answer should hold ("gold"), "" where none is expected; each of the `alternatives`
    is as good. `documents` are the names of those in which it stands. An `unanswerable` one is not answered by the
    documents, so that a right answer refuses. `previous` is the turn that it follows.
    """

    question: str
    answer: str = ""
    alternatives: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    unanswerable: bool = False
    previous: Said | None = None

    @property
    def golds(self) -> tuple[str, ...]:
        """Every text that the answer may hold."""
        return tuple(text for text in (self.answer, *self.alternatives) if text.strip())


def read_questions(text: str) -> tuple[Question, ...]:
    """Read a set that is written as JSON lines, as a JSON array, or as CSV with a header and any delimiter.

    Raises Refused with the line, from 1, of what is wrong.
    """
    if len(text) > SET_CHARS_MOST:
        raise Refused("set_too_large", SET_CHARS_MOST)
    text = text.removeprefix("\ufeff")
    first = text.lstrip()[:1]
    if first == "[":
        questions = _of_array(text)
    elif first == "{":
        questions = _of_lines(text)
    else:
        questions = _of_csv(text)
    return checked_set(questions)


def checked_set(questions: Iterator[Question]) -> tuple[Question, ...]:
    """Return the questions of a set. Raises Refused where it has none, or too many."""
    found: list[Question] = []
    for question in questions:
        found.append(question)
        if len(found) > QUESTIONS_MOST:
            raise Refused("too_many_questions", QUESTIONS_MOST)
    if not found:
        raise Refused("no_questions")
    return tuple(found)


def question_of(entry: object, line: int = 0) -> Question:
    """Read one JSON object. Raises Refused: an unknown key, a value of a wrong type, no question."""
    if not isinstance(entry, Mapping):
        raise Refused("invalid_question", line=line)
    if set(entry) - set(KEYS):
        raise Refused("unknown_column", near=KEYS, line=line)
    previous, unanswerable = entry.get("previous"), entry.get("unanswerable") or False
    if not isinstance(unanswerable, bool):
        raise Refused("invalid_question", line=line, key="unanswerable")
    if previous is not None and not isinstance(previous, Mapping):
        raise Refused("invalid_question", line=line, key="previous")
    return _question(
        line,
        question=_text(entry, "question", line, QUESTION_CHARS_MOST),
        answer=_text(entry, "answer", line, ANSWER_CHARS_MOST),
        alternatives=_texts(entry, "alternatives", line),
        documents=_texts(entry, "documents", line),
        unanswerable=unanswerable,
        previous=Said(*(_text(previous, key, line, ANSWER_CHARS_MOST) for key in ("question", "answer")))
        if previous
        else None,
    )


def written_json(question: Question) -> dict[str, Any]:
    """Return a question as the JSON object that `question_of` reads; what it does not have is left out."""
    entry: dict[str, Any] = {"question": question.question}
    entry |= {"answer": question.answer} if question.answer else {}
    entry |= {"alternatives": list(question.alternatives)} if question.alternatives else {}
    entry |= {"documents": list(question.documents)} if question.documents else {}
    entry |= {"unanswerable": True} if question.unanswerable else {}
    if question.previous:
        entry["previous"] = {"question": question.previous.question, "answer": question.previous.answer}
    return entry


def written_lines(questions: Sequence[Question]) -> str:
    """Write a set as JSON lines."""
    return "".join(json.dumps(written_json(each), ensure_ascii=False) + "\n" for each in questions)


def _of_array(text: str) -> Iterator[Question]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused("unreadable_set", line=getattr(error, "lineno", 1)) from None
    lines = _element_lines(text, len(entries))
    return (question_of(entry, line) for entry, line in zip(entries, lines, strict=True))


def _element_lines(text: str, count: int) -> list[int]:
    """Return the line on which each element of a valid JSON array begins."""
    decoder, at, lines = json.JSONDecoder(), text.index("[") + 1, []
    for _ in range(count):
        while text[at] in " \t\r\n,":
            at += 1
        lines.append(text.count("\n", 0, at) + 1)
        _, at = decoder.raw_decode(text, at)
    return lines


def _of_lines(text: str) -> Iterator[Question]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                raise Refused("unreadable_set", line=number) from None
            yield question_of(entry, number)


def _of_csv(text: str) -> Iterator[Question]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: list[str] | None = None
    begins = 1
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                pass
            elif header is None:
                header = [cell.strip().lower() for cell in row]
                if set(header) - set(COLUMNS) or len(set(header)) < len(header) or "question" not in header:
                    raise Refused("unknown_column", near=COLUMNS, line=begins)
            elif any(cell.strip() for cell in row[len(header) :]):
                raise Refused("unreadable_set", line=begins)
            else:
                yield _of_cells(dict(zip(header, row, strict=False)), begins)
            begins = rows.line_num + 1
    except csv.Error:
        raise Refused("unreadable_set", line=max(begins, rows.line_num)) from None


def _delimiter(text: str) -> str:
    """Return the delimiter of the header: the one that most of the known columns stand between."""
    head = next((line for line in text.splitlines() if line.strip()), "")

    def known(delimiter: str) -> int:
        return sum(cell.strip().strip('"').lower() in COLUMNS for cell in head.split(delimiter))

    return max(_DELIMITERS, key=known)


def _of_cells(cells: Mapping[str, str], line: int) -> Question:
    written = cells.get("unanswerable", "").strip().lower()
    if written not in _TRUE | _FALSE:
        raise Refused("invalid_question", line=line, key="unanswerable")
    said = Said(cells.get("previous_question", "").strip(), cells.get("previous_answer", "").strip())
    return _question(
        line,
        question=_text(cells, "question", line, QUESTION_CHARS_MOST),
        answer=_text(cells, "answer", line, ANSWER_CHARS_MOST),
        alternatives=_items(cells.get("alternatives", "")),
        documents=_items(cells.get("documents", "")),
        unanswerable=written in _TRUE,
        previous=said if said.question or said.answer else None,
    )


def _question(line: int, question: str, **fields: Any) -> Question:
    if not question:
        raise Refused("no_question_text", line=line)
    return Question(question, **fields)


def _text(entry: Mapping[str, object], key: str, line: int, most: int) -> str:
    value = entry.get(key)
    if value is not None and not isinstance(value, str):
        raise Refused("invalid_question", line=line, key=key)
    text = (value or "").strip()
    if len(text) > most:
        raise Refused("long_question_field", most, line=line, key=key)
    return text


def _texts(entry: Mapping[str, object], key: str, line: int) -> tuple[str, ...]:
    value = entry.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refused("invalid_question", line=line, key=key)
    return tuple(each.strip() for each in value if each.strip())


def _items(cell: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in cell.split(LIST_JOIN) if each.strip())
