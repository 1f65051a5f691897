"""Direct, Compliance and DocumentAnalysis: what they ask, and what becomes of replies as models really write them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pipeline.events import Event, FieldDelta, FieldReset, PassagesFound, Warned
from pipeline.ingest import Chunk, Document
from pipeline.messages import Message
from pipeline.programs.findings import Finding, read_findings
from pipeline.programs.registry import PROGRAMS
from pipeline.recording import fields_of
from pipeline.replies.adapters import DspyAdapter, ShownAdapter
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions, answer
from pipeline.retrieval import Scope
from pipeline.retrieval.edge import EdgeIndex
from pipeline.turn import Turn
from tests.provider import marked
from tests.scripted import PASSAGE, cut, find_tea, prompts_of, scripted_lm

LIMITS = ReplyLimits(first_token_s=5, idle_s=5, answer_chars=32_000)
CHECKED = {
    "analysis": "The rule asks for a date.",
    "findings": "- high | The date is missing [1]\n- low | A name is short [1]",
    "answer": "The letter breaks the rule [1].",
}
ANALYSED = {
    "summary": "It is about tea [1].",
    "key_figures": "| Figure | Value | Passage |\n|---|---|---|\n| Water | 80 °C | [1] |",
    "open_questions": "- Which tea?\n- How long?",
    "answer": "80 °C [1].",
}
REPLIES = {"Direct": {"answer": "80 °C [1]."}, "Compliance": CHECKED, "DocumentAnalysis": ANALYSED}


async def run(
    name: str,
    *scripts: str,
    search: Any = find_tea,
    reader: Any = None,
    adapter: type[DspyAdapter] = DspyAdapter,
    **inputs: Any,
) -> tuple[list[Event], list[str]]:
    """The events of a program, and the prompts that were sent."""
    spec, events = PROGRAMS[name], list[Event]()
    pieces = [cut(text, 7) for text in scripts]
    lm, engine = scripted_lm(pieces[0], later=pieces[1:])
    options = ReplyOptions(fields=spec.field_names, adapter=adapter)
    given = {"question": "How hot?", **inputs}
    await answer(spec.build(search, reader), given, lm, LIMITS, events.append, options)
    return events, prompts_of(engine)


def headed(fields: dict[str, str], form: str) -> str:
    return "\n\n".join(form.format(name.replace("_", " ").capitalize()) + text for name, text in fields.items())


def warnings(events: Sequence[Event]) -> list[tuple[str, dict[str, Any]]]:
    return [(event.code, dict(event.values)) for event in events if isinstance(event, Warned)]


def found(events: Sequence[Event]) -> PassagesFound:
    return next(event for event in events if isinstance(event, PassagesFound))


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("adapter", [DspyAdapter, ShownAdapter])
async def test_every_field_streams_under_its_own_name(name: str, adapter: type[DspyAdapter]) -> None:
    events, prompts = await run(name, marked(**REPLIES[name]), adapter=adapter)
    assert fields_of(events) == REPLIES[name]
    said = [event.field for event in events if isinstance(event, FieldDelta)]
    assert list(dict.fromkeys(said)) == list(PROGRAMS[name].field_names)
    assert all(said.count(field) > 1 for field in REPLIES[name])
    assert not [event for event in events if isinstance(event, FieldReset)]
    assert warnings(events) == []
    assert len(prompts) == 1


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(lambda fields: headed(fields, "## {}\n\n"), id="headings"),
        pytest.param(lambda fields: headed(fields, "**{}:**\n"), id="bold labels"),
        pytest.param(lambda fields: headed(fields, "### {}\n"), id="smaller headings"),
        pytest.param(lambda fields: marked(**dict(reversed(fields.items()))), id="swapped order"),
        pytest.param(
            lambda fields: "".join(f"<{name}>\n{text}\n</{name}>\n" for name, text in fields.items()), id="tags"
        ),
        pytest.param(json.dumps, id="JSON"),
        pytest.param(lambda fields: f"```json\n{json.dumps(fields, indent=2)}\n```", id="JSON in a fence"),
        pytest.param(lambda fields: marked(**fields).replace("_", " "), id="names with spaces"),
        pytest.param(
            lambda fields: marked(**fields).replace("[[ ## ", "**[[ ##").replace(" ## ]]", "## ]]**"), id="bold"
        ),
    ],
)
@pytest.mark.parametrize("name", ["Compliance", "DocumentAnalysis"])
async def test_fields_are_found_in_whatever_form_a_model_marks_them(name: str, reply: Any) -> None:
    events, _ = await run(name, reply(REPLIES[name]))
    assert fields_of(events) == REPLIES[name]


async def test_findings_as_objects_become_lines_that_can_be_read() -> None:
    objects = [
        {"severity": "high", "finding": "The date is missing", "passage": 1},
        {"severity": "low", "finding": "A name is short", "passages": [1, 2]},
    ]
    wanted = (Finding("high", "The date is missing [1]", (1,)), Finding("low", "A name is short [1][2]", (1, 2)))
    for said in (json.dumps({**CHECKED, "findings": objects}), marked(**CHECKED | {"findings": json.dumps(objects)})):
        events, _ = await run("Compliance", said)
        fields = fields_of(events)
        assert read_findings(fields["findings"]) == wanted
        assert (fields["analysis"], fields["answer"]) == (CHECKED["analysis"], CHECKED["answer"])


async def test_lines_of_a_finding_with_names_of_their_own_stay_in_the_findings() -> None:
    lines = "Finding: The date is missing\nSeverity: high\nPassage: 1"
    events, _ = await run("Compliance", headed({**CHECKED, "findings": lines}, "## {}\n"))
    assert read_findings(fields_of(events)["findings"]) == (Finding("high", "The date is missing [1]", (1,)),)


@pytest.mark.parametrize("name", ["Compliance", "DocumentAnalysis"])
async def test_fields_may_be_missing(name: str) -> None:
    events, _ = await run(name, marked(answer="80 °C [1]."))
    assert fields_of(events) == {"answer": "80 °C [1]."}


@pytest.mark.parametrize("name", ["Compliance", "DocumentAnalysis"])
async def test_a_model_that_leaves_the_answer_out_is_asked_for_it(name: str) -> None:
    others = {field: text for field, text in REPLIES[name].items() if field != "answer"}
    events, prompts = await run(name, marked(**others), marked(answer="80 °C [1]."))
    assert fields_of(events) == {**others, "answer": "80 °C [1]."}
    assert len(prompts) == 2
    assert "Green tea wants water" in prompts[1]


@pytest.mark.parametrize("name", REPLIES)
async def test_a_reply_without_any_mark_is_the_answer(name: str) -> None:
    events, _ = await run(name, "The water should have 80 °C, as the passage says [1].")
    assert fields_of(events) == {"answer": "The water should have 80 °C, as the passage says [1]."}
    assert warnings(events) == ([] if name == "Direct" else [("format", {})])  # one field needs no mark


async def test_reasoning_in_place_of_an_analysis_is_the_analysis() -> None:
    reasoned = {"reasoning": CHECKED["analysis"], "findings": CHECKED["findings"], "answer": CHECKED["answer"]}
    events, _ = await run("Compliance", marked(**reasoned))
    assert fields_of(events) == CHECKED


async def test_a_program_without_reasoning_says_none_whatever_a_model_writes() -> None:
    events, _ = await run("Direct", marked(reasoning="Hm.", answer="80 °C [1]."))
    assert fields_of(events) == {"answer": "80 °C [1]."}


@pytest.mark.parametrize("name", REPLIES)
async def test_own_instructions_replace_the_default_ones(name: str) -> None:
    _, (prompt,) = await run(name, marked(**REPLIES[name]), instructions="Write like a pirate.")
    assert "Write like a pirate." in prompt
    assert PROGRAMS[name].instructions.splitlines()[0] not in prompt


@pytest.mark.parametrize("name", REPLIES)
async def test_earlier_turns_are_sent_without_fields_that_they_do_not_have(name: str) -> None:
    earlier = Turn("t", "c", "What is tea?", "fast", "finished", fields={"answer": "A drink.", "reasoning": "Secret."})
    _, (prompt,) = await run(name, marked(**REPLIES[name]), history=[earlier])
    assert "A drink." in prompt
    assert "Secret." not in prompt
    assert "None" not in prompt


async def test_direct_has_the_shortest_prompt() -> None:
    sizes = {}
    for name in ("ChainOfThought", "Direct", "Compliance"):
        _, (prompt,) = await run(name, marked(answer="Hot."), adapter=ShownAdapter)
        sizes[name] = len(prompt)
    assert min(sizes, key=lambda name: sizes[name]) == "Direct"


# One document


def document(number: int, *texts: str) -> Document:
    chunks, at = [], 0
    for place, text in enumerate(texts):
        chunks.append(Chunk(f"Part {place}", text, at, at + len(text)))
        at += len(text) + 1
    return Document(f"hash {number}", f"{number}.md", f"Letter {number}", "en", "", None, tuple(chunks))


TEA = document(1, "Tea is a drink.", "Black tea wants boiling water.", "Green tea wants water of 80 degrees.")
WINE = document(2, "Wine is made of grapes.", "Red wine is served at 16 degrees.")


FILLER = "The weather was neither good nor bad that day. " * 8
LONG = document(3, *(f"{FILLER}{place}" for place in range(20)), "Green tea wants water of 80 degrees.", FILLER)
MAYA, OTHER = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeIndex]:
    """Tea and wine in one collection, a long letter in another, and wine in a third that is Maya's."""
    made = EdgeIndex(tmp_path_factory.mktemp("index"))
    for each, collection, owner in (
        (TEA, "drinks", None),
        (WINE, "drinks", None),
        (LONG, "long", None),
        (WINE, "own", MAYA),
    ):
        asyncio.run(made.add([each], collection, owner))
    yield made
    made.close()


async def ids(index: EdgeIndex, collection: str, visitor: str | None = None) -> tuple[str, ...]:
    return tuple(each.id for each in await index.documents(visitor) if each.collection == collection)


async def analysed(index: Any, question: str, scope: Scope, **inputs: Any) -> tuple[list[Event], str]:
    asked = {"question": question, "scope": scope, **inputs}
    events, (prompt,) = await run("DocumentAnalysis", marked(**ANALYSED), search=index, reader=index, **asked)
    return events, prompt


async def test_a_chosen_document_is_read_whole_and_in_its_order(index: EdgeIndex) -> None:
    _, wine = await ids(index, "drinks")
    events, prompt = await analysed(index, "Is green tea hot?", Scope(None, documents=(wine,)))
    assert [(each.number, each.text) for each in found(events).passages] == [
        (1, "Wine is made of grapes."),
        (2, "Red wine is served at 16 degrees."),
    ]
    assert "[2] Letter 2" in prompt
    assert warnings(events) == []


@pytest.mark.parametrize(
    ("question", "chosen", "code", "title"),
    [
        ("Is green tea hot?", (), "document_found", "Letter 1"),
        ("At what degrees is red wine served?", (0, 1), "document_of_several", "Letter 2"),
        ("What is “Letter 2” about?", (), "document_found", "Letter 2"),
    ],
)
async def test_without_one_chosen_document_the_best_is_read_and_named(
    question: str, chosen: tuple[int, ...], code: str, title: str, index: EdgeIndex
) -> None:
    known = await ids(index, "drinks")
    scope = Scope(None, collections=("drinks",), documents=tuple(known[at] for at in chosen) or None)
    events, _ = await analysed(index, question, scope)
    assert warnings(events) == [(code, {"title": title})]
    assert {each.title for each in found(events).passages} == {title}


async def test_nobody_reads_a_document_of_others(index: EdgeIndex) -> None:
    theirs = await ids(index, "own", MAYA)
    for scope in (Scope(OTHER, documents=theirs), Scope(OTHER, collections=("own",))):
        events, prompt = await analysed(index, "Is red wine served?", scope)
        assert found(events).passages == ()
        assert warnings(events) == [("no_document", {})]
        assert "16 degrees" not in prompt


async def test_what_has_no_room_is_left_out_by_its_rank_and_counted(index: EdgeIndex) -> None:
    scope = Scope(None, documents=await ids(index, "long"))
    events, prompt = await analysed(index, "How hot is green tea?", scope, prompt_limit_chars=6_000)
    event = found(events)
    kept = [each.start or 0 for each in event.passages]
    assert 1 < len(kept) < 22
    assert kept == sorted(kept)
    assert [each.number for each in event.passages] == list(range(1, len(kept) + 1))
    assert "water of 80 degrees" in prompt
    assert warnings(events) == [("prompt_limit", {"passages": 22 - len(kept)})]
    assert {each.reason.code for each in event.rejected if isinstance(each.reason, Message)} == {"no_room"}
    assert len(prompt) <= 6_000


async def test_a_later_attempt_with_less_room_keeps_what_ranks_best() -> None:
    given = [replace(PASSAGE, number=1, text="x " * 300, score=0.0), replace(PASSAGE, number=2, score=2.0)]
    _, (alone,) = await run("DocumentAnalysis", marked(**ANALYSED), found=given[1:])
    limit = len(alone) + 100
    _, (prompt,) = await run("DocumentAnalysis", marked(**ANALYSED), found=given, prompt_limit_chars=limit)
    assert PASSAGE.text in prompt
    assert "x x x" not in prompt
