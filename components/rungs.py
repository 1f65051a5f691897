"""What a person sees of the ladder: a line while a fault is made good, and badges that say who answered in the end."""

from __future__ import annotations

from components.markdown import plain
from components.parts import Parts, badge
from components.view import View
from pipeline.events import Recovered, TurnFinished

# A fault in two or three words; what is not listed reads well as it is.
SHORT = {
    "auth": "key refused",
    "billing": "no credit",
    "unsupported_model": "not offered",
    "context_window_exceeded": "too long",
    "connection": "connection broke",
    "refused": "server not reached",
    "connect_timeout": "not reached in time",
    "first_token_timeout": "no reply in time",
    "server": "provider error",
    "bad_reply": "unreadable reply",
    "incomplete": "incomplete reply",
    "empty": "empty reply",
    "format": "broke the format",
    "cut_short": "ran out of tokens",
    "not_configured": "no key",
}


def now(view: View) -> Parts:
    """Before any text: what is being done about the last fault."""
    if not view.recoveries or any(view.fields.values()):
        return []
    return [f'<p class="rung" role="status">{plain(_doing(view.recoveries[-1]))}</p>']


def badges(view: View) -> str:
    """After the ending: which rung answered, and what had failed before it."""
    if not view.recoveries:
        return ""
    answered = badge("fallback", _answered(view.recoveries[-1])) if isinstance(view.ending, TurnFinished) else ""
    failed = {each.from_model: each.code for each in view.recoveries}
    faults = (badge("warn", f"{model}: {_short(code)}") for model, code in failed.items())
    return f'<p class="rungs">{answered}{"".join(faults)}</p>'


def _doing(event: Recovered) -> str:
    fault = f"{event.from_model}: {_short(event.code)}"
    match event.what:
        case "retry":
            wait = f" in {event.waits_s:.0f} s" if event.waits_s >= 1 else ""
            return f"{fault}. Trying again{wait} …"
        case "unstreamed":
            return f"{fault}. Asking for the whole answer at once …"
        case "default_prompt":
            return f"{fault}. Asking with the default instructions …"
        case "fallback":
            return f"{fault}. Asking {event.to_model} …"
        case "extractive":
            return f"{fault}. Quoting the passages …"


def _answered(event: Recovered) -> str:
    match event.what:
        case "retry":
            return "answered after a retry"
        case "unstreamed":
            return "answered without streaming"
        case "default_prompt":
            return "answered with the default instructions"
        case "fallback":
            return f"answered by fallback {event.to_model}"
        case "extractive":
            return "quotes only: no language model answered"


def _short(code: str) -> str:
    return SHORT.get(code, code.replace("_", " "))
