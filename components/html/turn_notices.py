"""Notices under an answer that ended: warnings, and the next steps after an unusual ending.

In the language of the question. Under an answer that cites nothing there is nothing to check, so nobody is sent to the
sources from there.
"""

from __future__ import annotations

from markupsafe import Markup

from components.html.citations import Standing, standing
from components.html.html_elements import Elements, attribute, button, icon, notice
from components.html.render_cache import RenderCache
from components.view import View
from i18n import available, text
from i18n.messages import failure_text, warning_text
from pipeline.errors import MODEL_FAULTS
from pipeline.events import Ending, TurnFailed, TurnFinished, TurnStopped, Warned
from pipeline.settings import BUILTIN_MODEL

CONTEXT = ("weak_context", "no_context")
LEFT_OUT = "prompt_limit"
HAS_NOTICE = ("length", "unsupported")  # what a notice or the line above the answer says needs no note


def under(view: View, cache: RenderCache) -> Elements:
    """Notes first, then the notice with its buttons; nothing under an answer with which all is well."""
    if view.ending is None:
        return []
    notes = [*_of_context(view, standing(cache.blocks(view, "answer"))), *_others(view)]
    if not view.ending.saved:
        notes.append(text("turn.not_saved", view.language))
    return [*(_note(each, view.language) for each in notes), *_notice(view, view.ending)]


def _of_context(view: View, stands: Standing) -> list[str]:
    """Return notes on a search that found too little. The warning to check sources is shown only if some are cited."""
    notes = {each.code: warning_text(each, view.language) for each in view.warnings if each.code in CONTEXT}
    if view.quality == "none":  # turns of an earlier version did not warn of it
        notes.setdefault("no_context", text("warning.no_context", view.language))
    if not view.text("answer") or (isinstance(view.ending, TurnFinished) and view.ending.missing):
        return []  # the card of what is missing says it
    if stands == "cites" or not isinstance(view.ending, TurnFinished):
        return list(notes.values())
    shown = [text("turn.nothing_found", view.language)] if "no_context" in notes else []
    if stands == "refuses" or view.quality is None or view.model == BUILTIN_MODEL:  # a greeting needs no source
        return shown
    return [*shown, text("turn.cites_nothing" if view.passages else "turn.not_from_documents", view.language)]


def _others(view: View) -> list[str]:
    """The warnings that no notice repeats."""
    others = [each for each in view.warnings if each.code not in (*CONTEXT, *HAS_NOTICE, LEFT_OUT)]
    return [warning_text(each, view.language) for each in (*others, *_left_out(view))]


def _left_out(view: View) -> list[Warned]:
    """Return one warning of what had no room in the prompts of all attempts; each one leaves out further passages."""
    warnings = [each for each in view.warnings if each.code == LEFT_OUT]
    if len(warnings) < 2:
        return warnings
    counts = {name: [each.values.get(name, 0) for each in warnings] for name in ("turns", "passages", "steps")}
    numbers = {name: [count for count in each if isinstance(count, int)] for name, each in counts.items()}
    totals = {name: sum(each) if name == "passages" else max(each) for name, each in numbers.items() if any(each)}
    return [Warned(code=LEFT_OUT, values=totals)]


def _note(note: str, language: str) -> Markup:
    return Markup('<p class="note"{}>{}<span>{}</span></p>').format(
        attribute("lang", available(language)), icon("warn", 14), note
    )


def _notice(view: View, ending: Ending) -> Elements:
    lang = available(view.language)
    of, has_answer = text("turn.of_answer", lang, place=view.place), bool(view.text("answer"))
    can_go_on = has_answer and view.model != BUILTIN_MODEL  # only a language model can go on with what it wrote
    more = [button("go-on", text("turn.go_on", lang), of=of)] if can_go_on else []
    match ending:
        case TurnFinished(finish="length"):
            return [notice("calm", text("turn.cut_short", lang), text("turn.cut_short_why", lang), more, lang=lang)]
        case TurnFinished():
            return []
        case TurnStopped():
            # After a kill nobody knows what was on a screen, only what had reached the store.
            was_cut = any(each.code == "interrupted" for each in view.warnings)
            nothing = "turn.nothing_stored" if was_cut else "turn.nothing_written"
            why = text("turn.written_kept" if has_answer else nothing, lang)
            buttons = [*more, button("retry", text("turn.again", lang), of=of)]
            return [notice("calm", text("turn.stopped", lang), why, buttons, "stop", lang=lang)]
        case TurnFailed():
            return [_failed(view, ending, more, of)]


def _failed(view: View, ending: TurnFailed, more: Elements, of: str) -> Markup:
    lang, has_answer = available(view.language), bool(view.text("answer"))
    again = button("retry", text("turn.again", lang), "primary" if ending.retryable else "plain", of=of)
    buttons = [again, *more]
    if ending.code in MODEL_FAULTS:
        other = text("turn.other_model", lang)
        buttons.append(button("models", other, "plain" if ending.retryable else "primary", of=of))
    why = failure_text(ending, lang)
    if has_answer:
        why = f"{why} {text('turn.arrived_kept', lang)}"
    title = text("turn.incomplete" if has_answer else "turn.no_answer", lang)
    return notice("bad", title, why, buttons if ending.retryable else buttons[::-1], lang=lang)
