import csv
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Refused
from pipeline.experiments.questions import (
    COLUMNS,
    QUESTIONS_MOST,
    Question,
    read_questions,
    written_json,
    written_lines,
)
from pipeline.settings import SAMPLE_QUESTIONS
from pipeline.turn import Said

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30).map(str.strip)
SOME = TEXT.filter(bool)
NAMES = st.lists(SOME.filter(lambda text: "|" not in text), max_size=3).map(tuple)
QUESTIONS = st.builds(
    Question,
    question=SOME,
    answer=TEXT,
    alternatives=NAMES,
    documents=NAMES,
    unanswerable=st.booleans(),
    previous=st.none() | st.builds(Said, question=SOME, answer=TEXT),
)
SETS = st.lists(QUESTIONS, min_size=1, max_size=6).map(tuple)


def as_csv(questions: tuple[Question, ...], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(COLUMNS)
    for each in questions:
        said = each.previous or Said("", "")
        lists = "|".join(each.alternatives), "|".join(each.documents)
        writer.writerow([each.question, each.answer, *lists, each.unanswerable, said.question, said.answer])
    return out.getvalue()


@given(SETS)
def test_a_set_is_read_as_it_was_written(questions: tuple[Question, ...]) -> None:
    assert read_questions(written_lines(questions)) == questions
    assert read_questions(json.dumps([written_json(each) for each in questions], indent=1)) == questions


@given(SETS, st.sampled_from(",;\t"), st.sampled_from(("", "\ufeff")))
def test_a_table_is_read_with_any_delimiter(questions: tuple[Question, ...], delimiter: str, mark: str) -> None:
    assert read_questions(mark + as_csv(questions, delimiter)) == questions


def test_the_bundled_questions_are_a_set() -> None:
    questions = read_questions(SAMPLE_QUESTIONS.read_text(encoding="utf-8"))
    assert len(questions) == 109
    assert sum(each.unanswerable for each in questions) == 13
    assert sum(each.previous is not None for each in questions) == 14


def test_a_column_of_questions_alone_is_a_set() -> None:
    assert read_questions("question\nHow hot?\nHow cold?\n") == (Question("How hot?"), Question("How cold?"))


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "no_questions", 0),
        ("question\n", "no_questions", 0),
        ("[]", "no_questions", 0),
        ("question;gold\nHow hot?;96\n", "unknown_column", 1),
        ("\nanswer\n96\n", "unknown_column", 2),
        ("question,question\na,b\n", "unknown_column", 1),
        ("question,answer\nHow hot?,96\n,12\n", "no_question_text", 3),
        ('question,answer\n"How\nhot?",96\n,12\n', "no_question_text", 4),
        ("question,answer\nHow hot?,96,7\n", "unreadable_set", 2),
        ('question\n"How hot\n', "unreadable_set", 2),
        ("question,unanswerable\nHow hot?,maybe\n", "invalid_question", 2),
        ('{"question": "a"}\n\n{"question": "b", "gold": "c"}\n', "unknown_column", 3),
        ('{"question": "a"}\n{"question": 7}\n', "invalid_question", 2),
        ('{"question": "a"}\n{"question"\n', "unreadable_set", 2),
        ('[{"question": "a"},\n {"question": " "}]', "no_question_text", 2),
        ('[{"question": "a"},\n 7]', "invalid_question", 2),
        ('[{"question": "a"},\n', "unreadable_set", 2),
        ('{"question": "a", "documents": "b.md"}', "invalid_question", 1),
        ('{"question": "a", "previous": "b"}', "invalid_question", 1),
        ('{"question": "' + "a" * 8_001 + '"}', "long_question_field", 1),
        ("question\n" + "a\n" * (QUESTIONS_MOST + 1), "too_many_questions", 0),
        ("[" * 100_000, "unreadable_set", 1),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(Refused) as caught:
        read_questions(text)
    assert (caught.value.code, caught.value.values.get("line", 0)) == (code, line)


@given(st.text(max_size=200))
def test_any_text_is_a_set_or_refused(text: str) -> None:
    with suppress(Refused):
        assert read_questions(text)
