"""What stands in the answer's place before its first word: what is being done, and for how long."""

from __future__ import annotations

from components.markdown import plain
from components.view import View
from pipeline.settings import BUILTIN_MODEL


def place(view: View) -> str:
    """One line and the outline of a text. The seconds are the script's: the HTML stays as it is within a phase."""
    text, began_s = _phase(view)
    return (
        f'<div class="waiting"><p><i></i>{plain(text)}<b data-began="{began_s:g}"></b></p>'
        '<div class="outline"><i></i><i></i><i></i></div></div>'
    )


def said(view: View) -> str:
    """The same for a screen reader, which is told once per phase."""
    return _phase(view)[0]


def _phase(view: View) -> tuple[str, float]:
    """→ what is being done, and since when (seconds of the turn)."""
    running = {step.name: step for step in view.steps if step.state == "running"}
    if "wait" in running:
        return f"Waiting: {running['wait'].text}", running["wait"].began_s
    if "rewrite" in running:
        return "Rewriting the question…", running["rewrite"].began_s
    if "answer" in running:
        return "Writing the answer…", running["answer"].began_s
    if view.first_delta and any(view.fields.values()):
        return "Reasoning…", view.first_delta.at_s
    if not view.searched or "retrieve" in running:
        return "Searching the documents…", view.step("retrieve").began_s
    last = view.recoveries[-1] if view.recoveries else None
    model = (last.to_model if last else None) or view.model
    since_s = last.at_s if last else view.step("reason").began_s
    return ("Choosing sentences…" if model == BUILTIN_MODEL else f"Waiting for {model}…"), since_s
