"""What a person sees of the ladder: a line while a fault is made good, and badges that say who answered in the end."""

from __future__ import annotations

from components.i18n import Texts, texts_of
from components.markdown import plain
from components.parts import Parts, badge
from components.view import View
from pipeline.events import Recovered, TurnFinished


def now(view: View) -> Parts:
    """Before any text: what is being done about the last fault."""
    if not view.recoveries or any(view.fields.values()):
        return []
    return [f'<p class="rung" role="status">{plain(_doing(view.recoveries[-1], texts_of(view.language)))}</p>']


def badges(view: View) -> str:
    """After the ending: which rung answered, and what had failed before it."""
    if not view.recoveries:
        return ""
    texts, last = texts_of(view.language), view.recoveries[-1]
    told = texts.answered[last.what].format(model=last.to_model)
    answered = badge("fallback", told) if isinstance(view.ending, TurnFinished) else ""
    failed = {each.from_model: each.code for each in view.recoveries}
    faults = (badge("warn", f"{model}: {_short(code, texts)}") for model, code in failed.items())
    return f'<p class="rungs">{answered}{"".join(faults)}</p>'


def _doing(event: Recovered, texts: Texts) -> str:
    wait = f" in {event.waits_s:.0f} s" if event.waits_s >= 1 else ""
    doing = texts.doing[event.what].format(model=event.to_model, wait=wait)
    return f"{event.from_model}: {_short(event.code, texts)}. {doing}"


def _short(code: str, texts: Texts) -> str:
    return texts.faults.get(code, code.replace("_", " "))
