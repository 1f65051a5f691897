"""The reasoning pane: how the model gets from the passages to the answer, while it does."""

from __future__ import annotations

from components.ink import Ink
from components.parts import Parts
from components.view import View

NAME, TITLE = "reasoning", "Reasoning"

EMPTY: Parts = [
    f'<header class="pane-head"><h2>{TITLE}</h2></header>',
    '<div class="hint"><p>Before it answers, the model writes down how it gets from the passages to the answer. '
    "You can read along here.</p></div>",
    '<ol class="flow"><li><span class="number">1</span><span><b>Search</b> finds the passages, and says why each was '
    'chosen.</span></li><li><span class="number">2</span><span><b>Reasoning</b> weighs them in the open.</span></li>'
    '<li><span class="number">3</span><span><b>The answer</b> cites the passages that it stands on.</span></li></ol>',
]


def render(view: View, ink: Ink) -> Parts:
    """Head first, then the blocks: native thinking, where a model has it, above the reasoning."""
    thinking, reasoning = ink.blocks(view, "thinking"), ink.blocks(view, "reasoning")
    parts = [_head(view)]
    if thinking:
        parts += ['<h3 class="kind">The model’s own thinking</h3>', *_said(thinking, "thinking")]
        parts += ['<h3 class="kind">Reasoning</h3>'] if reasoning else []
    parts += _said(reasoning, "reason")
    return parts if len(parts) > 1 else [*parts, _nothing(view)]


def _said(blocks: tuple[str, ...], kind: str) -> Parts:
    return [f'<div class="said {kind}">{block}</div>' for block in blocks]


def _head(view: View) -> str:
    return f'<header class="pane-head" data-turn="{view.turn_id}"><h2>{TITLE}</h2>{_state(view)}</header>'


def _state(view: View) -> str:
    step = view.step("reason")
    if view.ending is None and step.state == "running":
        return '<span class="state running">writing</span>'
    words = len(f"{view.text('thinking')} {view.text('reasoning')}".split())
    return (
        f'<span class="state">{words} words · {step.took_s:.1f} s</span>' if words and step.state != "waiting" else ""
    )


def _nothing(view: View) -> str:
    text = "This turn has no reasoning." if view.ending else "Reading the passages …"
    return f'<p class="quiet">{text}</p>'
