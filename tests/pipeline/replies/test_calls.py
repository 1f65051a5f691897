"""Programs with fields of their own and of several calls: each call is read by itself, and their texts are joined."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import dspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ModelFault
from pipeline.events import Event, FieldDelta, FieldReset, StepChanged, Warned
from pipeline.exchanges import PromptExchange
from pipeline.models.lm import prompts
from pipeline.recording import fields_of
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions, ReplyOutcome, answer
from tests.programs import SUMMARISED, Drafted, Improved, Summarised
from tests.provider import marked
from tests.scripted import cut, find_tea, scripted_lm

LIMITS = ReplyLimits(first_token_s=5, idle_s=5, answer_chars=32_000)
DEFAULTS = ReplyOptions()
SUMMARY = ReplyOptions(fields=SUMMARISED.field_names)


async def run(
    program: dspy.Module,
    *scripts: Any,
    options: ReplyOptions = DEFAULTS,
    limits: ReplyLimits = LIMITS,
    finish: str = "stop",
    **inputs: Any,
) -> tuple[list[Event], ReplyOutcome]:
    events: list[Event] = []
    lm, _ = scripted_lm(scripts[0], finish, later=scripts[1:])
    outcome = await answer(program, {"question": "How hot?", **inputs}, lm, limits, events.append, options)
    return events, outcome


texts = st.text(st.characters(codec="utf-8"), max_size=60).filter(lambda text: text.strip())


@settings(deadline=None)
@given(reasoning=texts, summary=texts, text=texts, size=st.integers(1, 9))
def test_every_output_field_of_a_signature_streams_in_any_chunks(
    reasoning: str, summary: str, text: str, size: int
) -> None:
    said = marked(reasoning=reasoning, summary=summary, answer=text)
    program = Summarised(find_tea)
    events, _ = asyncio.run(run(program, cut(said, size), options=SUMMARY))
    parsed = dspy.ChatAdapter().parse(program.predict.signature, said)
    fields = fields_of(events)
    assert {name: fields.get(name, "") for name in SUMMARISED.field_names} == parsed


@settings(deadline=None)
@given(first=texts, draft=texts, then=texts, text=texts, sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_two_calls_in_a_row_stream_one_after_another_in_any_chunks(
    first: str, draft: str, then: str, text: str, sizes: tuple[int, int]
) -> None:
    said = [marked(reasoning=first, draft=draft), marked(reasoning=then, answer=text)]
    program = Drafted(find_tea)
    events, _ = asyncio.run(run(program, *(cut(*each) for each in zip(said, sizes, strict=True))))
    of_draft = dspy.ChatAdapter().parse(program.draft.predict.signature, said[0])
    of_answer = dspy.ChatAdapter().parse(program.answer.predict.signature, said[1])
    reasoning = [of_draft["reasoning"], of_draft["draft"], of_answer["reasoning"]]
    assert fields_of(events) == {"reasoning": "\n\n".join(reasoning), "answer": of_answer["answer"]}
    assert not [event for event in events if isinstance(event, FieldReset)]


BOTH = {"reasoning": "First.\n\nHot.\n\nThen.", "answer": "80 °C [1]."}
FIRST, THEN = {"reasoning": "First.", "draft": "Hot."}, {"reasoning": "Then.", "answer": "80 °C [1]."}


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param(([marked(**FIRST)], [marked(**THEN)]), id="each reply in one chunk"),
        pytest.param(([json.dumps(FIRST)], cut(json.dumps(THEN), 4)), id="JSON"),
        pytest.param((cut(marked(**FIRST), 5), cut(json.dumps(THEN), 5)), id="a form of its own for each call"),
    ],
)
@pytest.mark.parametrize("is_streamed", [True, False])
async def test_each_call_may_answer_in_another_form(scripts: tuple[list[str], list[str]], is_streamed: bool) -> None:
    events, outcome = await run(Drafted(find_tea), *scripts, options=ReplyOptions(is_streamed=is_streamed))
    assert fields_of(events) == BOTH
    assert [event.code for event in events if isinstance(event, Warned)] == []
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens, outcome.usage.exact) == (14, 10, True)


async def test_every_call_that_is_shown_gets_the_parameters() -> None:
    lm, engine = scripted_lm([marked(**FIRST)], later=[[marked(**THEN)]])
    options = ReplyOptions(parameters={"temperature": 0.3, "max_tokens": 77})
    await answer(Drafted(find_tea), {"question": "How hot?"}, lm, LIMITS, lambda event: None, options)
    assert [(each.config.temperature, each.config.max_tokens) for each in engine.requests] == [(0.3, 77)] * 2


@pytest.mark.parametrize("first", ["[[ ## answer ## ]]\nHot.", ("thinking", "Hm.")])
async def test_an_exchange_says_when_its_first_text_or_thinking_came(first: Any) -> None:
    made: list[PromptExchange] = []
    prompts.set(made)
    await run(Summarised(find_tea), [0.1, first, 0.1, marked(answer="Hot.")])
    (exchange,) = made
    assert exchange.first_token_s is not None
    assert 0.1 <= exchange.first_token_s <= (exchange.took_s or 0) - 0.1 + 0.001  # both are rounded


async def test_the_exchange_of_a_reply_that_broke_off_holds_the_text_and_thinking_that_had_arrived() -> None:
    made: list[PromptExchange] = []
    prompts.set(made)
    pieces = [("thinking", "Hm, "), ("thinking", "yes."), *cut("[[ ## answer ## ]]\nhalf an", 2)]
    with pytest.raises(ModelFault, match="server"):
        await run(Summarised(find_tea), [*pieces, dspy.lm15.ServerError("gone")])
    (exchange,) = made
    assert (exchange.reply, exchange.thinking) == ("[[ ## answer ## ]]\nhalf an", "Hm, yes.")
    assert exchange.fault == "server"
    assert exchange.fields == tuple(Summarised(find_tea).predict.signature.output_fields)


async def test_an_exchange_that_came_in_one_piece_has_no_first_token() -> None:
    made: list[PromptExchange] = []
    prompts.set(made)
    await run(Summarised(find_tea), [marked(answer="Hot.")], options=ReplyOptions(is_streamed=False))
    assert [exchange.first_token_s for exchange in made] == [None]


async def test_the_thinking_of_each_call_is_one_field() -> None:
    scripts = [("thinking", "Hm."), marked(**FIRST)], [("thinking", "Yes."), marked(**THEN)]
    events, _ = await run(Drafted(find_tea), *scripts)
    assert fields_of(events) == {"thinking": "Hm.\n\nYes.", **BOTH}


async def test_an_answer_in_the_thinking_of_the_last_call_is_the_answer() -> None:
    events, _ = await run(Drafted(find_tea), [marked(**FIRST)], [("thinking", marked(**THEN))])
    assert fields_of(events) == BOTH
    assert [event.code for event in events if isinstance(event, Warned)] == ["reasoning_channel"]


async def test_the_reasoning_can_be_withheld_until_it_is_complete() -> None:
    options = ReplyOptions(streams_reasoning=False)
    events, _ = await run(Drafted(find_tea), cut(marked(**FIRST), 3), cut(marked(**THEN), 3), options=options)
    deltas = [event for event in events if isinstance(event, FieldDelta)]
    assert [event.text for event in deltas if event.field == "reasoning"] == [BOTH["reasoning"]]
    assert fields_of(events) == BOTH


async def test_the_limits_of_silence_hold_for_each_call() -> None:
    scripts = cut(marked(**FIRST), 8), [3.0, marked(**THEN)]
    with pytest.raises(ModelFault, match="first_token_timeout"):
        await run(Drafted(find_tea), *scripts, limits=ReplyLimits(0.3, 5, 32_000))


async def test_an_answer_that_a_later_call_replaces_is_said_anew() -> None:
    events, _ = await run(Improved(find_tea), [marked(answer="Hot.")], [marked(answer="80 °C.")])
    assert fields_of(events) == {"answer": "80 °C."}


async def test_a_call_that_fails_after_another_keeps_what_both_said() -> None:
    events: list[Event] = []
    broken = [*cut("[[ ## answer ## ]]\nhalf an", 2), dspy.lm15.ServerError("gone")]
    lm, _ = scripted_lm([marked(**FIRST)], later=[broken])
    with pytest.raises(ModelFault, match="server"):
        await answer(Drafted(find_tea), {"question": "How hot?"}, lm, LIMITS, events.append)
    assert fields_of(events) == {"reasoning": "First.\n\nHot.", "answer": "half an"}


async def test_no_chunk_is_lost_before_an_exception_of_the_program() -> None:
    class Failing(Drafted):
        async def aforward(self, question: str, **inputs: Any) -> dspy.Prediction:
            await self.answer.acall(question=question, draft="Hot.")
            raise ModelFault("server")

    events: list[Event] = []
    lm, _ = scripted_lm(cut(marked(reasoning="r", answer="word " * 20), 3))
    with pytest.raises(ModelFault, match="server"):
        await answer(Failing(find_tea), {"question": "How hot?"}, lm, LIMITS, events.append)
    assert fields_of(events)["answer"].split() == ["word"] * 20


async def test_a_field_that_no_call_says_comes_from_the_prediction() -> None:
    class Joined(Drafted):
        async def aforward(self, question: str, **inputs: Any) -> dspy.Prediction:
            first = await self.draft.acall(question=question)
            return dspy.Prediction(answer=f"Answer: {first.draft}", reasoning=first.reasoning)

    events, _ = await run(Joined(find_tea), [marked(**FIRST)])
    assert fields_of(events) == {"reasoning": "First.\n\nHot.", "answer": "Answer: Hot."}
    steps = [(event.step, event.state) for event in events if isinstance(event, StepChanged)]
    assert steps == [("reason", "began"), ("reason", "ended"), ("answer", "began"), ("answer", "ended")]


async def test_two_calls_at_once_do_not_mix_their_texts() -> None:
    class AtOnce(Drafted):
        async def aforward(self, question: str, **inputs: Any) -> dspy.Prediction:
            calls = [self.answer.acall(question=question, draft=str(number)) for number in range(3)]
            await asyncio.gather(*calls)
            return dspy.Prediction(answer="Done.")

    said = "One two three four five six seven eight nine ten."
    events, outcome = await run(AtOnce(find_tea), cut(marked(reasoning=said, answer="a"), 2))
    assert fields_of(events) == {"reasoning": "\n\n".join([said] * 3), "answer": "Done."}
    assert outcome.usage.completion_tokens == 15
