"""A program is an entry: its fields are those of its signatures, and a turn names it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import Tab
from components.html.render_cache import RenderCache
from components.panes import chat, reasoning
from components.view import view_of
from i18n.program_texts import title_of
from pipeline.errors import Refused
from pipeline.events import Event, FieldDelta, TurnFailed, TurnFinished, TurnStarted, Warned
from pipeline.models.catalogue import Models
from pipeline.programs.registry import PROGRAMS, ProgramSpec, program_named, programs_of
from pipeline.recording import fields_of
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, TurnRequest
from pipeline.turns.engine import Pipeline
from server import Parts, build
from tests.in_process import api_of, events_of
from tests.programs import DRAFTED, SUMMARISED
from tests.provider import Provider
from tests.scripted import TeaIndex, find_tea

BEHAVIOURS = ("ok", "summary", "cut-after-30", "status-401")
MAYA = "m" * 32
SPECS = programs_of([*PROGRAMS.values(), SUMMARISED, DRAFTED])


@pytest.fixture
async def parts(tmp_path: Path) -> Any:
    with Provider() as provider:
        models = tuple(
            ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base) for name in BEHAVIOURS
        )
        values, index = Settings(models=models, data_dir=tmp_path), cast("Any", TeaIndex())
        made = build(values, index=index, models=Models(values, pace_s=0.0), programs=SPECS)
        yield made
        await made.pipeline.close()
        made.store.close()


@pytest.fixture
def pipeline(parts: Parts) -> Pipeline:
    return parts.pipeline


async def turn(pipeline: Pipeline, model: str, program: str | None) -> list[Event]:
    request = TurnRequest("How hot is the water for green tea?", AskOptions(program=program), model=model)
    return await events_of(pipeline, request)


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.name)
def test_the_fields_of_a_program_are_outputs_of_its_signatures(spec: ProgramSpec) -> None:
    predictors = spec.build(find_tea, None).predictors()
    assert set(spec.field_names) <= {name for each in predictors for name in each.signature.output_fields}


def test_a_program_needs_an_answer_and_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="no field named answer"):
        replace(SUMMARISED, fields=SUMMARISED.fields[:2])
    with pytest.raises(ValueError, match="same name"):
        programs_of([SUMMARISED, replace(DRAFTED, name="Summarised")])


def test_the_first_program_is_the_default_and_an_unknown_one_is_refused() -> None:
    assert program_named(None, PROGRAMS).name == "ChainOfThought"
    with pytest.raises(Refused, match="unknown_program"):
        program_named("Unknown", PROGRAMS)


async def test_each_turn_is_answered_by_the_program_it_names(pipeline: Pipeline) -> None:
    events = await turn(pipeline, "summary", "Summarised")
    assert isinstance(events[0], TurnStarted)
    assert isinstance(events[-1], TurnFinished)
    assert events[0].program == "Summarised"
    assert events[-1].fields == fields_of(events)
    assert list(events[-1].fields) == ["reasoning", "summary", "answer"]
    assert events[-1].fields["summary"] == "It is hot."
    started, *_, ending = await turn(pipeline, "ok", None)
    assert isinstance(started, TurnStarted)
    assert isinstance(ending, TurnFinished)
    assert (started.program, list(ending.fields)) == ("ChainOfThought", ["reasoning", "answer"])


async def test_an_unknown_program_is_refused_before_anything_is_stored(pipeline: Pipeline) -> None:
    with pytest.raises(Refused, match="unknown_program"):
        await pipeline.start(TurnRequest("How hot?", AskOptions(program="Unknown")))


async def test_the_built_in_model_answers_for_every_program(pipeline: Pipeline) -> None:
    for spec in SPECS.values():
        *events, ending = await turn(pipeline, BUILTIN_MODEL, spec.name)
        assert isinstance(ending, TurnFinished)
        assert "80 °C" in ending.fields["answer"]
        assert set(spec.field_names) <= set(ending.fields)
        warned = [event.code for event in events if isinstance(event, Warned)]
        assert (spec.builtin.warning in warned) is bool(spec.builtin.warning)


async def test_the_built_in_model_fills_the_fields_that_it_can(pipeline: Pipeline) -> None:
    ending = (await turn(pipeline, BUILTIN_MODEL, "Direct"))[-1]
    assert isinstance(ending, TurnFinished)
    assert list(ending.fields) == ["answer"]
    ending = (await turn(pipeline, BUILTIN_MODEL, "Compliance"))[-1]
    assert isinstance(ending, TurnFinished)
    assert ending.fields["analysis"].startswith("This compares words")
    assert ending.fields["findings"] == ""
    ending = (await turn(pipeline, BUILTIN_MODEL, "DocumentAnalysis"))[-1]
    assert isinstance(ending, TurnFinished)
    assert "Green tea wants water of 80 °C. [1]" in ending.fields["summary"]
    assert "| 80 °C | Green tea wants water of 80 °C. [1] |" in ending.fields["key_figures"]
    assert ending.fields["open_questions"] == ""


async def test_a_turn_goes_on_only_by_a_program_that_can(pipeline: Pipeline) -> None:
    broken = (await turn(pipeline, "cut-after-30", None))[0]
    assert isinstance(broken, TurnStarted)
    for program, goes_on in (("Summarised", False), (None, True)):
        request = TurnRequest(
            broken.question,
            AskOptions(program=program),
            conversation_id=broken.conversation_id,
            model="summary",
            replaces=broken.turn_id,
            continues=True,
        )
        kinds = [event.kind for event in await events_of(pipeline, request)]
        assert (kinds.index("field_delta") < kinds.index("step_changed")) is goes_on


async def test_quotes_do_not_replace_a_program_that_needs_no_passages(pipeline: Pipeline) -> None:
    assert isinstance((await turn(pipeline, "status-401", "Summarised"))[-1], TurnFinished)
    assert isinstance((await turn(pipeline, "status-401", "Drafted"))[-1], TurnFailed)


def test_the_page_shows_other_fields_under_their_titles() -> None:
    started = TurnStarted(turn_id="t", conversation_id="c", question="?", model="m", program="X", language="en")
    said = [FieldDelta(field=name, text=f"Text of {name}.") for name in ("reasoning", "next_<b>", "answer")]
    view = view_of([started, *said])
    html = "".join(chat.render(view, RenderCache()))
    assert "Next &lt;b&gt;" in html
    assert "Text of next_" in html
    assert "Text of reasoning" not in html
    assert "Text of next_" not in "".join(reasoning.render(view, RenderCache()))


async def test_programs_that_a_server_is_built_with_are_listed_and_name_the_fields_on_the_page(parts: Parts) -> None:
    async with api_of(parts) as client:
        listed = (await client.get("/api/programs")).json()["programs"]
    assert [each["name"] for each in listed] == list(SPECS)
    running = await parts.pipeline.start(
        TurnRequest("How hot?", AskOptions(program="Summarised"), visitor=MAYA, model="summary")
    )
    handlers = ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library)
    *_, live = [update async for update in handlers.follow(Tab(running.conversation_id, running.id))]
    stored = await handlers.load(Tab(), MAYA, "summary", running.conversation_id, 0)
    for html in (live.panes["chat"], stored.thread or []):
        assert ">In a sentence<span>done</span></h3>" in "".join(html)


def test_a_title_is_that_of_the_programs_field() -> None:
    assert title_of("Summarised", "summary", SPECS) == "In a sentence"
    assert title_of("Removed", "next_step", SPECS) == "Next step"
