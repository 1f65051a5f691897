"""The steps of a program that works in several, below each other: its searches, and its calls of tools with results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import shorten

from markupsafe import Markup, escape

from components.html.html_elements import NOTHING, attribute, icon, joined, measured
from components.html.markdown import plain
from components.view import SearchView, StepView, ToolCallView, View
from i18n import text
from pipeline.events import TurnStopped, is_search
from pipeline.passages import Passage

TOOL_ICONS: Mapping[str, str] = {"search_documents": "search", "open_passage": "documents", "calculate": "calculate"}
ARGUMENT_CHARS = 80  # of one argument; the whole call is the tooltip
SHORT_CHARS = 200  # of a result that is shown at once; a longer one is folded
START_CHARS = 240  # of a passage, in the preview of its chip
SIGNS = {"done": "", "failed": "close", "broken": "close", "stopped": "stop"}  # in the place of the icon of what it is

_ROW = Markup(
    '<li class="{state}"><i>{icon}</i><div class="call"><span>{name}</span><span class="sr"> {said}</span>'
    "<em>{facts}</em></div>{result}</li>"
)
_CITED = re.compile(r"^\[(\d{1,4})\]", re.MULTILINE)  # the heading of a numbered passage


def has_timeline(view: View) -> bool:
    """Return whether a turn's steps stand below each other: its program has tools, or more steps than a line holds."""
    spec = view.programs.get(view.program)
    return bool(view.tool_calls) or bool(spec and (spec.tools or spec.most_steps))


def timeline(view: View, now: str, began_s: float) -> Markup:
    """Return the steps so far. `now` is what a running turn does since `began_s`, where no step says it."""
    rows = [*_rows(view)]
    if view.ending is None and not any(is_running for _, is_running in rows):
        rows.append((_row("run", NOTHING, plain(now), "", _running(began_s)), True))
    return Markup('<ol class="timeline" aria-label="{}">{}</ol>').format(
        text("step.list"), joined(row for row, _ in rows)
    )


def running_call(view: View) -> ToolCallView | None:
    """Return the call of a tool whose result is waited for."""
    last = view.tool_calls[-1] if view.tool_calls else None
    return last if last and _state(view, last) == "running" else None


def _rows(view: View) -> Iterator[tuple[Markup, bool]]:
    """Yield each step in the order in which they began, and whether it is running."""
    steps = [each for each in view.steps if _is_shown(view, each)]
    timed: list[tuple[float, StepView | ToolCallView]] = [(each.began_s, each) for each in steps]
    timed += [(each.began_s, each) for each in view.tool_calls]
    for _, each in sorted(timed, key=lambda pair: pair[0]):
        if isinstance(each, StepView):
            yield _step(view, each), each.state == "running"
        else:
            yield _call(view, each), _state(view, each) == "running"


def _is_shown(view: View, step: StepView) -> bool:
    """Return whether a step has a row of its own: not where the call of a tool, or what the turn does now, says it."""
    if step.state in ("waiting", "skipped") or step.name.startswith("tool:"):
        return False
    if step.name in ("reason", "answer"):
        return step.state != "running" and step.name == "answer"
    return not any(each.began_s <= step.began_s <= _end_s(each) for each in view.tool_calls)


def _end_s(call: ToolCallView) -> float:
    return call.began_s + call.took_s if call.text is not None else float("inf")


def _step(view: View, step: StepView) -> Markup:
    found = next((each for each in view.searches if each.step == step.name), None)
    query = found.query if found and found.query != view.question else ""
    name = step_name(step, query)
    facts = _running(step.began_s) if step.state == "running" else _facts(_counted(found), step.took_s)
    numbers = found.numbers if found else ()
    result = _passages(view, numbers, found, "") if found else NOTHING
    kind = "search" if is_search(step.name) else "good"
    return _row(_step_state(view, step), icon(kind, 14), name, "", facts, result)


def _step_state(view: View, step: StepView) -> str:
    if step.state == "running":
        return "run"
    if step.state == "broken":
        return "stopped" if isinstance(view.ending, TurnStopped) else "broken"
    return "done"


def step_name(step: StepView, query: str = "") -> Markup:
    """Return the name of a step as people read it; a search with its query."""
    kind, _, which = step.name.partition(":")
    if step.place:
        return plain(text("step.place_in_line", place=step.place))
    name = step.status or (text(f"step.{kind}", which=which) if which else text(f"step.{kind}"))
    if query:
        return plain(text("step.with_query", name=name, query=shorten(query, ARGUMENT_CHARS, placeholder=" …")))
    return plain(name) if which or step.status else escape(name)


def _call(view: View, call: ToolCallView) -> Markup:
    state = _state(view, call)
    found = [each for each in view.searches if each.call == call.call]
    numbers = tuple(dict.fromkeys(number for each in found for number in each.numbers)) or _numbers(view, call)
    if state == "running":
        return _row("run", NOTHING, _signature(call), "", _running(call.began_s))
    word = "" if state == "done" else text(f"step.state_{state}")
    counted = text("tool.passages", count=len(numbers)) if numbers else ""
    facts = _facts(word or counted, call.took_s if call.text is not None else None)
    result = _passages(view, numbers, found[0] if found else None, call.text or "") if numbers else _result(call)
    sign = SIGNS[state] or TOOL_ICONS.get(call.tool, "tool")
    return _row(state, icon(sign, 14), _signature(call), word, facts, result)


def _state(view: View, call: ToolCallView) -> str:
    """Return how a call stands: one without a result is running, or was ended with the turn or with its attempt."""
    if call.text is not None:
        return "failed" if call.failed else "done"
    if isinstance(view.ending, TurnStopped):
        return "stopped"
    is_over = (
        view.ending or call is not view.tool_calls[-1] or any(each.at_s > call.began_s for each in view.recoveries)
    )
    return "broken" if is_over else "running"


def _row(state: str, sign: Markup, name: Markup, word: str, facts: Markup, result: Markup = NOTHING) -> Markup:
    said = text("step.state_running") if state == "run" else word or text("step.state_done")
    return _ROW.format(state=state, icon=sign, name=name, said=said, facts=facts, result=result)


def _running(began_s: float) -> Markup:
    return Markup('<b data-began="{:g}"></b>').format(began_s)


def _facts(first: str, took_s: float | None) -> Markup:
    facts = [first, "" if took_s is None else measured(took_s)]
    return Markup(" · ").join(Markup("<span>{}</span>").format(each) for each in facts if each)


def _counted(found: SearchView | None) -> str:
    return text("tool.passages", count=len(found.numbers)) if found else ""


def _signature(call: ToolCallView) -> Markup:
    """Return the call as a programmer would write it: the first argument alone, the others with their names."""
    written = [(name, _literal(value)) for name, value in call.arguments.items()]
    arguments = Markup(", ").join(
        Markup("{}<s>{}</s>").format(f"{name}=" if at else "", _cut(value)) for at, (name, value) in enumerate(written)
    )
    whole = f"{call.tool}({', '.join(f'{name}={value}' for name, value in written)})"
    is_cut = any(_cut(value) != value for _, value in written)
    return Markup('<code dir="ltr"{}>{}({})</code>').format(
        attribute("title", whole if is_cut else ""), call.tool, arguments
    )


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(value: str) -> str:
    return value if len(value) <= ARGUMENT_CHARS else f"{value[: ARGUMENT_CHARS - 1]}…"


def _numbers(view: View, call: ToolCallView) -> tuple[int, ...]:
    """Return the numbers of the passages whose headings stand in a result."""
    known = {passage.number for passage in view.passages}
    return tuple(dict.fromkeys(number for each in _CITED.findall(call.text or "") if (number := int(each)) in known))


def _passages(view: View, numbers: Sequence[int], search: SearchView | None, result: str) -> Markup:
    """Return chips of the passages that a step found, those known already last, and the text of the result."""
    before = view.searches[: view.searches.index(search)] if search else view.searches
    earlier = {number for each in before for number in each.numbers}
    by_number = {passage.number: passage for passage in view.passages}
    new = [by_number[number] for number in numbers if number in by_number and number not in earlier]
    known = [by_number[number] for number in numbers if number in by_number and number in earlier]
    note = Markup('<span class="again">{}</span>').format(text("tool.known")) if known else NOTHING
    if not new and not known:
        return Markup('<p class="found"><span class="again">{}</span></p>').format(text("tool.nothing"))
    return Markup('<div class="found">{}{}{}{}</div>').format(
        joined(map(_chip, new)),
        joined(map(_chip, known)),
        note,
        _folded(result, text("tool.result")) if result else NOTHING,
    )


def _chip(passage: Passage) -> Markup:
    name = f"{passage.title} › {passage.section}" if passage.section else passage.title
    return Markup(
        '<a class="passage-chip" href="#src-{number}" data-n="{number}" data-title="{title}" data-path="{path}" '
        'data-start="{start}" aria-label="{label}"><b>{number}</b>{name}</a>'
    ).format(
        number=passage.number,
        title=passage.title,
        path=passage.section,
        start=passage.text[:START_CHARS],
        label=text("answer.source", number=passage.number, title=name),
        name=plain(name),
    )


def _result(call: ToolCallView) -> Markup:
    """Return the result of a call that found no passages: a number at once, a long text folded."""
    result = (call.text or "").strip()
    if not result:
        return NOTHING
    if len(result) > SHORT_CHARS or "\n" in result:
        return Markup('<div class="found">{}</div>').format(
            _folded(result, shorten(result, SHORT_CHARS, placeholder=" …"))
        )
    sign = Markup("= ") if call.tool == "calculate" and not call.failed else NOTHING
    return Markup('<p class="found"><span class="value">{}{}</span></p>').format(sign, plain(result))


def _folded(whole: str, summary: str) -> Markup:
    return Markup('<details><summary>{}</summary><p dir="auto">{}</p></details>').format(plain(summary), plain(whole))
