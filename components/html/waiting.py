"""Shows the running step and its seconds in the place of the answer until its first word."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten

from markupsafe import Markup

from components.html.field_blocks import writing
from components.html.markdown import plain
from components.html.timeline import ARGUMENT_CHARS, running_call
from components.view import StepView, ToolCallView, View
from i18n import text
from pipeline.events import is_search
from pipeline.settings import BUILTIN_MODEL


def place(view: View) -> Markup:
    """Return one line and the outline of a text. The script counts the seconds: the HTML is constant in a phase."""
    doing, began_s = phase(view)
    return Markup(
        '<div class="waiting"><p><i></i>{}<b data-began="{:g}"></b></p>'
        '<div class="outline"><i></i><i></i><i></i></div></div>'
    ).format(plain(doing), began_s)


def said(view: View) -> str:
    """Return the running step for a screen reader, which reads it once per phase."""
    call = running_call(view)
    return _of_call(call) if call else phase(view)[0]


def phase(view: View) -> tuple[str, float]:
    """Return the text of the running step and when it began, in seconds of the turn."""
    running = {step.name: step for step in view.steps if step.state == "running"}
    if "wait" in running:
        place = text("step.place_in_line", place=running["wait"].place or 1)
        return text("waiting.line", place=place), running["wait"].began_s
    own = next((step for step in running.values() if step.status), None)
    if own:
        return own.status, own.began_s
    if "rewrite" in running:
        return text("waiting.rewrite"), running["rewrite"].began_s
    if "answer" in running:
        return _writing(view), running["answer"].began_s
    if view.tool_calls or len(view.searches) > 1:
        return _between(view, running)
    if view.first_delta and any(view.fields.values()):
        return (_writing(view) if writing(view)[0] else text("waiting.reasoning")), view.first_delta.at_s
    if not view.searched or "retrieve" in running:
        return text("waiting.search"), view.step("retrieve").began_s
    last = view.recoveries[-1] if view.recoveries else None
    model = (last.to_model if last else None) or view.model
    since_s = last.at_s if last else view.step("reason").began_s
    return (text("waiting.quotes") if model == BUILTIN_MODEL else text("waiting.model", model=model)), since_s


def _between(view: View, running: Mapping[str, StepView]) -> tuple[str, float]:
    """Return what goes on between two steps of several."""
    search = next((step for name, step in running.items() if is_search(name)), None)
    if search:
        return text("waiting.search"), search.began_s
    ends = [call.began_s + call.took_s for call in view.tool_calls]
    ends += [step.began_s + step.took_s for step in view.steps if is_search(step.name)]
    return (_writing(view) if writing(view)[0] else text("waiting.next_step")), max(ends)


def _writing(view: View) -> str:
    number, count = writing(view)
    return text("waiting.field", number=number, count=count) if count > 1 else text("waiting.answer")


def _of_call(call: ToolCallView) -> str:
    query = next((str(value) for value in call.arguments.values() if value not in (None, "")), "")
    return text("waiting.tool", tool=call.tool, argument=shorten(query, ARGUMENT_CHARS, placeholder=" …"))
