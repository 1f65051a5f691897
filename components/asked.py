"""What a turn was asked with, as quiet chips under its answer."""

from __future__ import annotations

from html import escape

from components.knobs import USUAL
from components.markdown import plain
from components.view import View
from pipeline.conversation import AskOptions
from pipeline.settings import BUILTIN_MODEL

MODES = {"keyword": "search by words", "vector": "search by meaning", "hybrid": "search by both"}


def chips(view: View) -> str:
    """Model, program and passages always, of the other knobs those that were turned."""
    told = [view.model_asked or view.model, view.program]
    if view.asked:
        told += _knobs(view.asked, is_builtin=view.model_asked == BUILTIN_MODEL)
    items = "".join(f"<li>{plain(each)}</li>" for each in told if each)
    return f'<ul class="chips" aria-label="Asked with">{items}{_instructions(view)}</ul>'


def _knobs(asked: AskOptions, *, is_builtin: bool) -> list[str]:
    told = [f"{asked.passages_wanted} passage{'' if asked.passages_wanted == 1 else 's'}"]
    if not is_builtin:
        told.append("default temperature" if asked.temperature is None else f"temperature {asked.temperature:g}")
    if asked.max_tokens is not None and not is_builtin:
        told.append(f"at most {asked.max_tokens:,} tokens")
    if asked.history_turns != USUAL.history_turns:
        told.append(f"{asked.history_turns} turn{'' if asked.history_turns == 1 else 's'} of history")
    if asked.mode:
        told.append(MODES[asked.mode])
    if asked.candidates != USUAL.candidates:
        told.append(f"{asked.candidates} candidates")
    if asked.reranks:
        told.append("reranked")
    if asked.rewrites and not is_builtin:
        told.append("question rewritten")
    return told


def _instructions(view: View) -> str:
    """A chip that opens; the built-in model follows none."""
    if not view.asked or not view.asked.instructions or view.model_asked == BUILTIN_MODEL:
        return ""
    text = escape(view.asked.instructions)
    return f'<li class="own"><details><summary>own instructions</summary><p dir="auto">{text}</p></details></li>'
