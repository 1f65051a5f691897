"""The output fields of a program beside its reasoning: the answer alone as it is, several in blocks with their titles.

A block is several elements, its head, its parts and its end, so that a growing field costs only what is new in it.
"""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from components.html.findings import findings
from components.html.html_elements import Elements
from components.html.render_cache import RenderCache
from components.view import View
from i18n import text
from i18n.program_texts import title_of
from pipeline.events import TurnFinished
from pipeline.field_names import THOUGHTS
from pipeline.programs.findings import Finding, read_findings
from pipeline.programs.registry import ANSWER, FieldKind

BlockState = Literal["done", "writing", "waiting", "incomplete"]

_ANSWER = Markup('<div class="answer">{}</div>')
_ANSWER_PART = Markup('<div class="field-part"><div class="answer">{}</div></div>')
_PART = Markup('<div class="field-part said">{}</div>')
_WHOLE = Markup('<div class="field-part">{}</div>')
_BARS = Markup('<div class="field-part waiting"><i></i><i></i></div>')
_HEAD = Markup('<h3 class="field-head {state}" data-field="{name}">{title}<span>{said}</span></h3>')
_END = Markup('<div class="field-end {}"></div>')


def fields(view: View, cache: RenderCache) -> Elements:
    """Return the output fields so far; nothing before the first word of any."""
    names = _names(view)
    if names == [ANSWER.name]:
        return [*cache.wrapped(view, ANSWER.name, _ANSWER)]
    return [element for at, name in enumerate(names) for element in _block(view, cache, names, at)]


def writing(view: View) -> tuple[int, int]:
    """Return the place of the field that is written, from 1, and how many fields there are; (0, 0) before the first."""
    names = _names(view)
    return sum(bool(view.text(name)) for name in names), len(names)


def _names(view: View) -> list[str]:
    """Return the fields to show, in their order: those with text and, while the turn runs, those that still come."""
    spec = view.programs.get(view.program)
    declared = [name for name in spec.field_names if name not in (*THOUGHTS, *view.hidden)] if spec else []
    ordered = [*declared, *(name for name in view.fields if name not in (*declared, *THOUGHTS))]
    last = max((at for at, name in enumerate(ordered) if view.text(name)), default=None)
    if last is None:
        return []
    is_running = view.ending is None
    return [name for at, name in enumerate(ordered) if view.text(name) or (is_running and at > last)]


def _block(view: View, cache: RenderCache, names: list[str], at: int) -> Elements:
    name, state = names[at], _state(view, names, at)
    title = title_of(view.program, name, view.programs)
    if state == "waiting":
        said = text("block.waits", field=title_of(view.program, names[at - 1], view.programs))
        return [_HEAD.format(state=state, name=name, title=title, said=said), _BARS, _END.format(state)]
    parts, count = _parts(view, cache, name)
    said = text(f"block.{state}") if count is None or state == "incomplete" else _counted(count, state)
    return [_HEAD.format(state=state, name=name, title=title, said=said), *(parts or [_BARS]), _END.format(state)]


def _state(view: View, names: list[str], at: int) -> BlockState:
    if not view.text(names[at]):
        return "waiting"
    is_last = not any(view.text(name) for name in names[at + 1 :])
    if not is_last or isinstance(view.ending, TurnFinished):
        return "done"
    return "writing" if view.ending is None else "incomplete"


def _counted(count: int, state: BlockState) -> str:
    return text("block.so_far", count=count) if state == "writing" else text("block.findings", count=count)


def _parts(view: View, cache: RenderCache, name: str) -> tuple[Elements, int | None]:
    """Return the elements of a field, and how many findings it holds where it is a field of findings."""
    if _kind(view, name) == "findings":
        said, is_growing = str(view.text(name)), view.ending is None
        items = cache.once(f"findings of {name}", (said, is_growing), lambda: _findings(said, is_growing=is_growing))
        if is_growing or any(isinstance(each, Finding) for each in items):
            if not items:
                return [], 0
            key = items, view.passages, is_growing
            html = cache.once(f"rows of {name}", key, lambda: findings(items, view.passages, is_growing=is_growing))
            return [_WHOLE.format(html)], sum(isinstance(each, Finding) for each in items)
    return [*cache.wrapped(view, name, _ANSWER_PART if name == ANSWER.name else _PART)], None


def _findings(said: str, *, is_growing: bool) -> tuple[Finding | str, ...]:
    """Return the findings of a text; a line that still grows may yet become one and is held back."""
    items = read_findings(said)
    is_open = is_growing and items and isinstance(items[-1], str) and "\n" not in items[-1]
    return items[:-1] if is_open else items


def _kind(view: View, name: str) -> FieldKind:
    spec = view.programs.get(view.program)
    return next((each.kind for each in spec.fields if each.name == name), "text") if spec else "text"
