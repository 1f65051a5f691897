"""Which questions ask of documents as a whole, and of which: told by their frame, in English and German."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.panes.chat import EXAMPLES
from i18n import CATALOGUE, text
from pipeline.models.builtin.overview_question import Aim, OverviewQuestion, calls, is_general, overview_question_of
from tests.effort import costs_less


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("What is this handbook about?", OverviewQuestion("about", "handbook")),
        ("what's this all about", OverviewQuestion("about")),
        ("Worum geht es in diesem Handbuch?", OverviewQuestion("about", "Handbuch")),
        ("Worum geht’s hier?", OverviewQuestion("about")),
        ("Wovon handelt die Datei tee.pdf?", OverviewQuestion("about", "Datei tee.pdf")),
        ("What is tea.txt about?", OverviewQuestion("about", "tea.txt")),
        ("Tell me about the document Green tea", OverviewQuestion("about", "document Green tea")),
        ("What's in my file?", OverviewQuestion("about", "file", own=True)),
        ("Summarise the handbook in three bullet points", OverviewQuestion("summary", "handbook", points=3)),
        ('Could you please summarize "Green tea" in 2 sentences?', OverviewQuestion("summary", "Green tea", points=2)),
        ("Fasse „Grüner Tee“ in fünf Stichpunkten zusammen!", OverviewQuestion("summary", "Grüner Tee", points=5)),
        ("Kannst du meine Notizen kurz zusammenfassen?", OverviewQuestion("summary", "Notizen", own=True)),
        ("Give me a short overview of the tea document", OverviewQuestion("summary", "tea document")),
        ("What are the key points of “Green tea”?", OverviewQuestion("summary", "Green tea")),
        ("tl;dr", OverviewQuestion("summary")),
        ("What is the topic of the handbook?", OverviewQuestion("about", "handbook")),
        ("Erkläre mir das Handbuch", OverviewQuestion("about", "Handbuch")),
        ("Welche Themen deckt das Handbuch ab?", OverviewQuestion("list")),
        ("List all documents.", OverviewQuestion("list")),
        ("What documents do you have?", OverviewQuestion("list")),
        ("Wie viele Dokumente gibt es?", OverviewQuestion("list")),
        ("List my files", OverviewQuestion("list", own=True)),
        ("Which topics can I ask about?", OverviewQuestion("list")),
    ],
)
def test_the_frame_of_a_question_tells_that_it_asks_of_documents_as_a_whole(
    question: str, whole: OverviewQuestion
) -> None:
    assert overview_question_of(question) == whole


@pytest.mark.parametrize("title", ["Notes", "In three points", "What is tea?", "«A» and B", "Äpfel & Birnen (2024)"])
@pytest.mark.parametrize("language", CATALOGUE)
def test_a_card_of_the_page_names_its_document_whatever_the_title(language: str, title: str) -> None:
    assert overview_question_of(text("chat.about", language, title=title)) == OverviewQuestion("about", title)


@pytest.mark.parametrize(
    "question",
    [
        *(text(f"example.{key}_question", language) for key in EXAMPLES for language in CATALOGUE),
        "Which documents mention caffeine?",
        "Who wrote the documents?",
        "What are files?",
        "What is in the water?",
        "What does espresso contain?",
        "Tell me about crema",
        "Explain crema",
        "Was ist in der Milch?",
        "Worum ging es im Krieg?",
        "How do I thank a host?",
        "",
        "?!",
        "summarise " * 80,
    ],
)
def test_any_other_question_is_left_to_the_search(question: str) -> None:
    assert overview_question_of(question) is None


@pytest.mark.parametrize(
    ("aim", "questions"),
    [
        ("hello", "hi|Hello there!|Guten Tag|test|How are you?|Wie geht es Ihnen?"),
        ("thanks", "thanks|Great, thank you so much!|ok|Danke schön!|Vielen Dank|bye"),
        (
            "self",
            "Who are you?|What can you do?|Are you ChatGPT?|help|Who made you?|Was kannst du?|What is this?",
        ),
    ],
)
def test_who_only_talks_gets_no_search(aim: Aim, questions: str) -> None:
    for question in questions.split("|"):
        assert overview_question_of(question) == OverviewQuestion(aim), question


@pytest.mark.parametrize("question", ["Summarise it", "What is it about?", "How does it work?", "Fasse das zusammen"])
def test_below_an_answer_it_is_what_the_answer_told(question: str) -> None:
    assert overview_question_of(question) is not None
    assert overview_question_of(question, "How hot should tea be?") is None


def test_below_a_question_for_a_document_it_is_that_document() -> None:
    before = "What is “Green tea” about?"
    assert overview_question_of("Summarise it in three bullet points", before) == OverviewQuestion(
        "summary", "Green tea", points=3
    )
    assert overview_question_of("Summarise it", "thanks") is None


def test_a_document_is_called_by_its_title_its_file_or_words_of_them() -> None:
    assert calls("green TEA", "Green tea", "a/tea_notes.md") == 3
    assert calls("tea_notes", "Green tea", "a/tea_notes.md") == calls("tea_notes.md", "Green tea", "tea_notes.md") == 3
    assert calls("the notes on tea", "Green tea", "a/tea_notes.md") == 2
    assert calls("the green document", "Green tea") == 1
    assert calls("the black document", "Green tea") == calls("document", "Green tea") == calls("", "Green tea") == 0
    assert is_general("handbook")
    assert not is_general("green handbook")


@given(
    st.text(max_size=60), st.sampled_from(["{}", "what is {} about", "summarise {}", "list {}", "“{}”", "thanks {}"])
)
def test_no_question_is_too_strange(text: str, frame: str) -> None:
    whole = overview_question_of(frame.format(text))
    assert whole is None or len(whole.name) <= len(text) + 10


@pytest.mark.parametrize(
    "text", ["!", "thanks", "summary of ", "what is about ", "list all ", "“", "in a ", "ten words "]
)
def test_a_hostile_question_costs_little_more_than_another(text: str) -> None:
    hostile, harmless = (text * 400)[:399] + "x", "a tale of two cities " * 19
    assert costs_less(partial(overview_question_of, hostile), partial(overview_question_of, harmless), 1000)
