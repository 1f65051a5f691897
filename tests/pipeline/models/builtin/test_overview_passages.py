"""A question about documents as a whole is answered from titles, headings and first sentences, whoever answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.events import Event, FieldDelta, PassagesFound, Warned
from pipeline.ingest import Chunk, Document
from pipeline.models.builtin.overview_passages import LINES_MOST, beginning, passages_on
from pipeline.models.builtin.overview_question import overview_question_of
from pipeline.models.catalogue import Models
from pipeline.passages import Passage
from pipeline.programs.chain_of_thought import Rag
from pipeline.recording import fields_of
from pipeline.replies.dspy_stream import ReplyLimits, answer
from pipeline.retrieval import SHARED, Scope
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.terms import language_of
from pipeline.settings import BUILTIN_MODEL, Settings
from tests.scripted import reply, scripted_lm

MAYA = "maya-0123456789abc"
LIMITS = ReplyLimits(5, 5, 32_000)


def document(name: str, title: str, *sections: tuple[str, str], language: str = "en") -> Document:
    text, chunks = "", list[Chunk]()
    for section, body in sections:
        chunks.append(Chunk(section, body, len(text), len(text) + len(body)))
        text += body + "\n\n"
    return Document(f"hash of {name}", name, title, language, text, None, tuple(chunks))


TEA = document(
    "tea.md",
    "Green tea",
    ("", "Green tea is made from leaves that were heated early. It comes from China."),
    ("Water", "Water of 70 °C is hot enough. Boiling water makes it bitter."),
    ("Water › Minerals", "Soft water suits it."),
    ("Cups", "These cups are used:\n\n- small ones without a handle"),
    ("Keeping", "A tin keeps it fresh for a year."),
)
TEE = document("tee.md", "Der Tee", ("", "Der Tee ist ein Getränk aus Blättern."), language="de")
TABLE = document("sales.csv", "sales", ("", "| tea | price |\n| --- | --- |\n| Sencha | 9 |\n| Gyokuro | 30 |"))
NOTE = document("notes.txt", "notes", ("", "Tea meeting\n\nAna buys the kettle. Ben writes the invitation."))


@pytest.fixture(scope="module")
def index() -> Iterator[EdgeIndex]:
    index = EdgeIndex.build([TEA, TEE])
    asyncio.run(index.add([TABLE, NOTE], "own", MAYA))
    yield index
    index.close()


def found(index: EdgeIndex, question: str, visitor: str | None = None, wanted: int = 4) -> tuple[Passage, ...]:
    whole = overview_question_of(question)
    assert whole
    return asyncio.run(passages_on(whole, language_of(question), index, Scope(visitor), wanted))


def asked(index: EdgeIndex, question: str, visitor: str | None = None) -> str:
    """What the built-in model answers, all the way from the question."""
    events: list[Event] = []
    inputs = {"question": question, "scope": Scope(visitor)}
    lm = Models(Settings(), pace_s=0).lm(BUILTIN_MODEL)
    asyncio.run(answer(Rag(index, index), inputs, lm, LIMITS, events.append))
    assert not [event for event in events if isinstance(event, Warned)]
    return fields_of(events)["answer"]


def test_a_document_is_told_by_its_beginning_and_that_of_its_sections(index: EdgeIndex) -> None:
    passages = found(index, "What is “Green tea” about?")
    assert [passage.section for passage in passages] == ["", "Water", "Cups", "Keeping"]
    assert [passage.number for passage in passages] == [1, 2, 3, 4]
    assert asked(index, "What is “Green tea” about?") == (
        "Green tea is made from leaves that were heated early. [1] It comes from China. [1]\n\n"
        "- **Water**: Water of 70 °C is hot enough. [2]\n"
        "- **Cups**: small ones without a handle [3]\n"
        "- **Keeping**: A tin keeps it fresh for a year. [4]"
    )


def test_the_number_of_passages_that_were_wanted_is_kept(index: EdgeIndex) -> None:
    assert [len(found(index, "Summarise Green tea", wanted=wanted)) for wanted in (1, 3, 5, 9)] == [1, 3, 5, 5]
    assert [passage.section for passage in found(index, "Summarise Green tea", wanted=5)][2] == "Water › Minerals"


def test_who_asks_for_three_points_gets_three_and_is_told_that_they_are_quotes(index: EdgeIndex) -> None:
    said = asked(index, "Summarise “Green tea” in three bullet points")
    assert said.startswith("The built-in model only quotes, so this is no summary in words of its own")
    assert [line[-3:] for line in said.splitlines() if line.startswith("- ")] == ["[1]", "[2]", "[3]"]


def test_all_documents_are_told_by_their_titles_and_first_sentences(index: EdgeIndex) -> None:
    (contents,) = found(index, "What is this handbook about?")
    assert (contents.title, contents.section) == ("Contents", "2 documents")
    assert asked(index, "What is this handbook about?") == (
        "2 documents. This is how they begin:\n\n"
        "- **Green tea**: Green tea is made from leaves that were heated early. [1]\n"
        "- **Der Tee**: Der Tee ist ein Getränk aus Blättern. [1]"
    )


def test_documents_in_the_language_of_the_question_come_first_and_so_does_what_is_said_of_them(
    index: EdgeIndex,
) -> None:
    said = asked(index, "Worum geht es in diesem Handbuch?")
    assert said.startswith("2 Dokumente. So beginnen sie:\n\n- **Der Tee**")
    assert asked(index, "Welche Dokumente gibt es?").endswith("- Der Tee [1]\n- Green tea [1]")


def test_ones_own_documents_are_told_to_nobody_else_and_come_first(index: EdgeIndex) -> None:
    assert "sales" not in asked(index, "List the documents")
    assert asked(index, "List the documents", MAYA).splitlines()[2:4] == ["- sales [1]", "- notes [1]"]
    assert found(index, "What are my documents about?", MAYA)[0].section == "2 documents"
    assert "kettle" in asked(index, "Summarise my notes", MAYA)
    assert found(index, "What is “sales” about?") == ()  # a search may know better


@pytest.mark.parametrize("name", ["“sales”", "sales.csv", "the file sales.csv", "the sales table"])
def test_a_table_is_told_by_its_head_and_first_rows(index: EdgeIndex, name: str) -> None:
    said = asked(index, f"What is {name} about?", MAYA)
    assert said == "| tea | price |\n| --- | --- |\n| Sencha | 9 [1] |\n| Gyokuro | 30 [1] |"


def test_a_plain_note_is_told_by_its_heading_and_first_sentences(index: EdgeIndex) -> None:
    said = asked(index, "What is notes.txt about?", MAYA)
    assert said == "Tea meeting [1] Ana buys the kettle. [1] Ben writes the invitation. [1]"
    assert beginning("Tea meeting\n\nAna buys the new kettle.") == "Ana buys the new kettle."


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("hi", "Hello!"),
        ("Hallo", "Guten Tag!"),
        ("Who are you?", "no language model"),
        ("Was kannst du?", "kein Sprachmodell"),
        ("thanks", "You are welcome."),
        ("Danke!", "Gern."),
    ],
)
def test_a_greeting_and_a_question_for_who_answers_are_met_honestly(index: EdgeIndex, question: str, says: str) -> None:
    said = asked(index, question)
    assert says in said
    assert ("Green tea" in said) is (says not in ("You are welcome.", "Gern."))


async def test_a_real_model_is_given_the_same_passages(index: EdgeIndex) -> None:
    events: list[Event] = []
    lm, engine = scripted_lm([reply("r", "a")])
    await answer(Rag(index, index), {"question": "Summarise the handbook"}, lm, LIMITS, events.append)
    (told,) = [event for event in events if isinstance(event, PassagesFound)]
    assert (told.query, told.quality, told.mode, len(told.passages)) == ("Summarise the handbook", None, None, 1)
    prompt = str(engine.requests[0].messages[-1].text)
    assert "[1] Contents › 2 documents\n- **Green tea**: Green tea is made" in prompt
    assert [event.field for event in events if isinstance(event, FieldDelta)]


async def test_many_documents_are_counted_where_they_are_not_all_told() -> None:
    many = [document(f"{number}.md", f"Letter {number}", ("", f"This is letter {number}.")) for number in range(50)]
    index = EdgeIndex.build(many)
    whole = overview_question_of("List the documents")
    assert whole
    (contents,) = await passages_on(whole, "en", index, SHARED, 4)
    assert contents.section == "50 documents"
    assert contents.text.splitlines()[LINES_MOST:] == ["- and 10 more"]
    (single,) = await passages_on(replace(whole, aim="about", name="letter 7"), "en", index, SHARED, 4)
    assert single.title == "Letter 7"
    index.close()
