"""Shows recoveries: a line while one is tried, and badges with the model that answered and the faults before it."""

from __future__ import annotations

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, badge, joined
from components.html.markdown import plain
from components.view import View
from i18n import text
from i18n.messages import recovery_text, short_fault_text
from pipeline.events import TurnFinished


def now(view: View) -> Elements:
    """Return the line about the recovery that is tried, until the first text."""
    if not view.recoveries or any(view.fields.values()):
        return []
    doing = recovery_text(view.recoveries[-1], view.language)
    return [Markup('<p class="recovery" role="status">{}</p>').format(plain(doing))]


def badges(view: View) -> Markup:
    """Return the badges of a turn that ended: the recovery that answered, and the faults before it."""
    if not view.recoveries:
        return NOTHING
    last = view.recoveries[-1]
    how = text(f"recovery.answered.{last.what}", view.language, model=last.to_model)
    answered = badge("fallback", how) if isinstance(view.ending, TurnFinished) else NOTHING
    failed = {each.from_model: each.code for each in view.recoveries}
    faults = (badge("warn", f"{model}: {short_fault_text(code, view.language)}") for model, code in failed.items())
    return Markup('<p class="recoveries">{}{}</p>').format(answered, joined(faults))
