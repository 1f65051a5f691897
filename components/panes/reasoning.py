"""The reasoning pane: how the model gets from the passages to the answer, while it does."""

from __future__ import annotations

from markupsafe import Markup

from components.html.field_blocks import writing
from components.html.html_elements import NOTHING, Elements, html_text, joined
from components.html.render_cache import RenderCache
from components.panes.pane import EmptyPage
from components.view import View
from i18n import text

NAME, TITLE = "reasoning", text("reasoning.title")
WRITING = text("reasoning.writing")

_EMPTY: Elements = [
    Markup('<header class="pane-head"><h2>{}</h2></header>').format(TITLE),
    Markup('<div class="hint"><p>{}</p></div>').format(text("reasoning.hint")),
    Markup('<ol class="flow">{}</ol>').format(
        joined(
            Markup('<li><span class="number">{}</span><span>{}</span></li>').format(
                number, html_text(f"reasoning.{key}", part=Markup("<b>{}</b>").format(text(f"reasoning.{key}_part")))
            )
            for number, key in enumerate(("flow_search", "flow_reasoning", "flow_answer"), start=1)
        )
    ),
]
_THINKING, _REASONING = Markup('<div class="said thinking">{}</div>'), Markup('<div class="said reason">{}</div>')
_FIELD_TITLE, _STEP = Markup('<h3 class="kind">{}</h3>'), Markup('<h3 class="kind of-step">{}</h3>')
_NOW = Markup('<div class="said reason now">{}</div>')


def empty(page: EmptyPage) -> Elements:
    """Return what the pane is for."""
    return _EMPTY


def render(view: View, cache: RenderCache) -> Elements:
    """Return the head, native thinking where a model has it, then the reasoning, by steps where there are several."""
    thinking = cache.wrapped(view, "thinking", _THINKING)
    reasoning = _by_steps(view, cache) if view.thoughts else cache.wrapped(view, "reasoning", _REASONING)
    key = (view.text("thinking"), view.text("reasoning"), view.step("reason"), view.ending is None)
    state = cache.once("state", key, lambda: _state(view))
    elements = [cache.once("head", (view.turn_id, state), lambda: _head(view, state))]
    if thinking:
        elements += [_FIELD_TITLE.format(text("reasoning.thinking")), *thinking]
        elements += [_FIELD_TITLE.format(TITLE)] if reasoning else []
    elements += reasoning
    return elements if len(elements) > 1 else [*elements, _nothing(view)]


def _by_steps(view: View, cache: RenderCache) -> Elements:
    """Return what was reasoned before each step, under the number of that step."""
    thoughts, elements = [each for each in view.thoughts if each.text], Elements()
    for each in thoughts:
        is_now = view.ending is None and each is view.thoughts[-1] and not writing(view)[0]
        elements.append(
            _STEP.format(text("reasoning.step_now" if is_now else "reasoning.step", number=each.step_number))
        )
        name = f"reasoning before step {each.step_number}"
        elements += cache.wrapped(view, name, _NOW if is_now else _REASONING, each.text)
    return elements


def _head(view: View, state: str) -> Markup:
    css_class = "state running" if state == WRITING else "state"
    return Markup('<header class="pane-head" data-turn="{}"><h2>{}</h2>{}</header>').format(
        view.turn_id, TITLE, Markup('<span class="{}">{}</span>').format(css_class, state) if state else NOTHING
    )


def _state(view: View) -> str:
    """Return that the model writes, or how much it wrote in which time."""
    step = view.step("reason")
    if view.ending is None and step.state == "running":
        return WRITING
    words = len(f"{view.text('thinking')} {view.text('reasoning')}".split())
    is_written = words and step.state != "waiting"
    return text("reasoning.extent", count=words, seconds=f"{step.took_s:.1f}") if is_written else ""


def _nothing(view: View) -> Markup:
    if NAME in view.hidden:
        return Markup('<p class="quiet">{}</p>').format(text("reasoning.hidden"))
    why = text("reasoning.none") if view.ending else text("reasoning.reading")
    return Markup('<p class="quiet">{}</p>').format(why)
