"""Programs of several steps and fields: steps below each other, a block per field, findings as rows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from components.html import option_chips
from components.html.render_cache import RenderCache
from components.panes import chat, reasoning, sources
from components.view import View, view_of
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    StepChanged,
    ToolCalled,
    ToolReturned,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
)
from pipeline.programs.chain_of_thought import Rag
from pipeline.programs.registry import ANSWER, REASONING, OutputField, ProgramSpec, programs_of
from pipeline.recording import Recording, timed
from pipeline.turn import AskOptions
from tests.scripted import PASSAGE

DESK = ProgramSpec(
    name="Desk",
    build=Rag,
    tools=("search_documents",),
    most_steps=6,
    fields=(REASONING, OutputField("analysis"), OutputField("findings", kind="findings"), ANSWER),
)
PLAIN = ProgramSpec(name="Plain", build=Rag)
BEFORE = View(programs=programs_of((DESK, PLAIN)))
STARTED = TurnStarted(turn_id="t", conversation_id="c", question="How hot?", model="m", program="Desk", language="en")
MILK = replace(PASSAGE, number=2, title="Milk", section="", text="Milk wants 65 °C.", matched=())
FIELDS = {
    "reasoning": "Look.",
    "analysis": "Two claims are wrong [1].",
    "findings": "- high | The water is too hot. [1]\n- low | Milk is named twice [2]",
    "answer": "Use 80 °C [1].",
}
FINISHED = TurnFinished(
    fields=FIELDS, passages=(PASSAGE, MILK), usage=Usage(7, 5, exact=True), cost=None, finish="stop", model="m",
    cached=False, saved=True,
)  # fmt: skip


def called(number: int, tool: str, at_s: float, **arguments: str | int) -> ToolCalled:
    return ToolCalled(call=str(number), tool=tool, arguments=arguments, at_s=at_s)


def returned(number: int, text: str, *, failed: bool = False) -> ToolReturned:
    return ToolReturned(call=str(number), text=text, took_s=0.25, failed=failed)


def delta(name: str, text: str = "") -> FieldDelta:
    return FieldDelta(field=name, text=text or FIELDS[name])


SEARCHED: list[Event] = [
    STARTED,
    StepChanged(step="retrieve", state="began", at_s=0.1),
    PassagesFound(query="heat", passages=(PASSAGE,)),
    StepChanged(step="retrieve", state="ended", took_s=0.02),
    delta("reasoning", "I look for milk."),
    called(1, "search_documents", 1.0, query="milk heat"),
    StepChanged(step="search:2", state="began", at_s=1.1),
    PassagesFound(query="milk heat", passages=(MILK, PASSAGE), at_s=1.2),
    StepChanged(step="search:2", state="ended", took_s=0.1),
    returned(1, "[2] Milk\nMilk wants 65 °C."),
]


def shown(events: list[Event], before: View = BEFORE) -> str:
    return "".join(chat.render(view_of(events, before), RenderCache()))


def rows(html: str) -> list[str]:
    return re.findall(r'<li class="(?:run|done|failed|broken|stopped)">.*?(?=<li class="|</ol>)', html, re.DOTALL)


def test_a_search_by_a_tool_is_one_row_with_its_argument_its_time_and_chips_of_what_it_found() -> None:
    first, second, running = rows(shown(SEARCHED))
    assert "search “heat”" in first
    assert "1 passage</span> · <span>20 ms" in first
    assert "search_documents(<s>&#34;milk heat&#34;</s>)" in second
    assert "2 passages</span> · <span>250 ms" in second
    assert re.findall(r'passage-chip" href="#src-(\d)"', second) == ["2", "1"]
    assert second.index("Tea › Brewing") < second.index("known already")
    assert "Milk wants 65 °C." in second.partition("<details>")[2]
    assert "Choosing the next step" in running


def test_a_running_call_has_a_spinner_and_a_clock_and_the_screen_reader_hears_which_tool_runs() -> None:
    html = shown([*SEARCHED, called(2, "calculate", 2.0, expression="2 * 63", digits=1)])
    *_, last = rows(html)
    assert last.startswith('<li class="run">')
    assert "calculate(<s>&#34;2 * 63&#34;</s>, digits=<s>1</s>)" in last
    assert 'data-began="2"' in last
    assert 'data-said="Running calculate: 2 * 63…"' in html
    assert html.count('class="run"') == 1


def test_a_result_is_said_at_once_where_it_is_short_and_folded_where_it_is_long() -> None:
    events = [*SEARCHED, called(2, "calculate", 2.0, expression="2 * 63"), returned(2, "126")]
    assert '<span class="value">= <span dir="auto">126</span>' in rows(shown(events))[2]
    long = [*SEARCHED, called(2, "weather", 2.0), returned(2, "It rains.\n" * 40)]
    assert "<details><summary>" in rows(shown(long))[2]


def test_a_call_that_failed_says_so_by_word_and_sign() -> None:
    row = rows(shown([*SEARCHED, called(2, "calculate", 2.0), returned(2, "Write numbers.", failed=True)]))[2]
    assert row.startswith('<li class="failed">')
    assert "<span>failed</span> · <span>250 ms" in row
    assert "Write numbers." in row


def test_stopping_in_the_middle_of_a_tool_leaves_it_stopped_and_nothing_running() -> None:
    html = shown([*SEARCHED, called(2, "calculate", 2.0), TurnStopped(partial={}, saved=True)])
    assert [row[11:18] for row in rows(html)] == ['done"><', 'done"><', "stopped"]
    assert 'class="run"' not in html
    assert "data-began" not in html


def test_the_line_below_says_which_step_of_how_many_runs() -> None:
    html = shown(SEARCHED)
    assert '<i style="--share:0.50"></i><span>step 3 of at most 6</span><span>1 tool call</span>' in html
    assert "step 3 of at most 6" in shown([*SEARCHED, called(2, "calculate", 2.0)])


def test_a_program_without_tools_keeps_its_line_and_a_later_search_has_its_query_there() -> None:
    plain = replace(STARTED, program="Plain")
    events = [plain, *SEARCHED[1:5], *SEARCHED[6:9]]
    html = shown(events)
    assert "timeline" not in html
    assert re.search(r'<ol class="steps".*search 2 “milk heat”', html)


def test_each_field_has_a_block_with_its_title_and_its_state() -> None:
    heads = re.findall(
        r'field-head (\w+)" data-field="(\w+)">([^<]+)<span>([^<]*)',
        shown([STARTED, delta("analysis"), delta("findings")]),
    )
    assert heads == [
        ("done", "analysis", "Analysis", "done"),
        ("writing", "findings", "Findings", "2 so far"),
        ("waiting", "answer", "Answer", "waits for Findings"),
    ]
    ended = shown([STARTED, *map(delta, FIELDS), FINISHED])
    assert re.findall(r'field-head (\w+)".*?<span>([^<]*)', ended) == [
        ("done", "done"),
        ("done", "2 findings"),
        ("done", "done"),
    ]
    stopped = shown([STARTED, delta("analysis"), TurnStopped(partial={}, saved=True)])
    assert re.findall(r'field-head (\w+)".*?<span>([^<]*)', stopped) == [("incomplete", "incomplete")]


def test_an_answer_that_comes_to_stand_alone_leaves_its_block() -> None:
    cache = RenderCache()
    events: list[Event] = [STARTED, delta("analysis"), delta("answer")]
    assert "field-head" in "".join(chat.render(view_of(events, BEFORE), cache))
    alone = view_of([*events, FieldReset(field="analysis"), FINISHED], BEFORE)
    assert chat.render(alone, cache) == chat.render(alone, RenderCache())


def test_a_field_that_a_profile_hides_has_no_block_and_none_waits_for_it() -> None:
    view = replace(BEFORE, hidden=frozenset(["findings"]))
    html = shown([STARTED, delta("analysis"), delta("findings")], view)
    assert re.findall(r'data-field="(\w+)"', html) == ["analysis", "answer"]
    assert "waits for Analysis" in html


def test_the_answer_holds_nothing_but_its_own_text() -> None:
    html = shown([STARTED, *map(delta, FIELDS), FINISHED])
    (answer,) = re.findall(r'<div class="answer">(.*?)</div>', html)
    assert re.sub(r"<[^>]*>|\W", "", answer) == "Use80C1"


@pytest.mark.parametrize("names", [["answer"], ["reasoning", "answer"]])
def test_an_answer_alone_stands_in_no_block(names: list[str]) -> None:
    ended = replace(FINISHED, fields={name: FIELDS[name] for name in names})
    assert "field-head" not in shown([replace(STARTED, program="Plain"), *map(delta, names)])
    assert "field-head" not in shown([STARTED, *map(delta, names), ended])


def test_a_finding_is_a_row_with_its_severity_as_word_and_sign_and_its_passages_at_the_end() -> None:
    html = shown([STARTED, PassagesFound(query="q", passages=(PASSAGE, MILK)), *map(delta, FIELDS), FINISHED])
    high, low = re.findall(r'<li class="(?:high|medium|low)">.*?</li>', html)
    assert '<span class="severity"><i></i>high</span>' in high
    assert re.search(r'The water is too hot\.</p><span class="cites">[^<]*<a class="cite" [^>]*data-n="1"', high)
    assert 'data-n="2"' in low


def test_a_line_that_may_become_a_finding_is_held_back_until_it_is_one() -> None:
    growing = shown([STARTED, delta("findings", "- high | Too hot. [1]\n- med")])
    assert "med" not in growing.partition("findings")[2].partition("field-end")[0]
    assert ">1 so far<" in growing
    ended = replace(FINISHED, fields={"findings": "- med", "answer": "x"})
    assert "med" in shown([STARTED, delta("findings", "- med"), delta("answer"), ended])


def test_what_was_thought_before_each_step_stands_under_its_number_also_after_a_reload() -> None:
    events = [*SEARCHED, delta("reasoning", "\n\nNow I know."), *map(delta, ("analysis", "answer")), FINISHED]
    events = [replace(event, seq=at) for at, event in enumerate(events)]
    live = "".join(reasoning.render(view_of(events, BEFORE), RenderCache()))
    assert re.findall(r'of-step">([^<]*)</h3><div class="said reason"><p dir="auto">([^<]*)', live) == [
        ("step 2", "I look for milk."),
        ("step 3", "Now I know."),
    ]
    record = Recording()
    for event in events:
        record.add(event)
    stored = timed(record.events(), record.timings())
    assert "".join(reasoning.render(view_of(stored, BEFORE), RenderCache())) == live


def test_thoughts_before_later_searches_of_a_program_are_divided_too() -> None:
    again: list[Event] = [StepChanged(step="search:2", state="began"), PassagesFound(query="milk", passages=(MILK,))]
    events = [*SEARCHED[:5], *again, delta("reasoning", "\n\nNow I know.")]
    html = "".join(reasoning.render(view_of(events, BEFORE), RenderCache()))
    assert re.findall(r'of-step">([^<]*)</h3>', html) == ["step 2", "step 3 · now"]


def test_a_card_says_which_later_step_found_it_and_the_head_how_many_there_are_so_far() -> None:
    html = "".join(sources.render(view_of(SEARCHED, BEFORE), RenderCache()))
    cards = html.split('<article class="source"')[1:]
    assert ["found by step 2" in card for card in cards] == [False, True]
    assert "2 passages so far" in html
    assert html.count('class="searched"') == 2


def test_passages_are_no_chip_of_a_program_that_reads_a_whole_document() -> None:
    reader = replace(PLAIN, name="Reader", needs_document=True)
    before = View(programs=programs_of((PLAIN, reader)))
    views = [view_of([replace(STARTED, program=each)], before) for each in ("Plain", "Reader")]
    assert ["4 passages" in option_chips.chips(replace(view, asked=AskOptions())) for view in views] == [True, False]


@pytest.mark.parametrize(("said", "extent"), [("Look.", "1 word · "), ("Look again.", "2 words · ")])
def test_the_extent_of_a_reasoning_is_counted_in_the_right_number(said: str, extent: str) -> None:
    began = StepChanged(step="reason", state="began")
    ended = replace(FINISHED, fields={**FIELDS, "reasoning": said})
    view = view_of([STARTED, began, FieldDelta(field="reasoning", text=said), ended], BEFORE)
    assert extent in reasoning.render(view, RenderCache())[0]
