"""What is said under an answer that ended: warnings, and what to do about an ending that was not the usual one.

In the language of the question. Under an answer that cites nothing there is nothing to check, so nobody is sent to the
sources from there.
"""

from __future__ import annotations

from html import escape

from components.citing import Standing, standing
from components.i18n import Texts, texts_of
from components.ink import Ink
from components.parts import Parts, button, icon, notice
from components.view import View
from pipeline.errors import MODEL_FAULTS
from pipeline.events import Ending, TurnFailed, TurnFinished, TurnStopped
from pipeline.notices import warned
from pipeline.settings import BUILTIN_MODEL

CONTEXT = ("weak_context", "no_context")
HAS_NOTICE = ("length",)  # what a notice says needs no note


def under(view: View, ink: Ink) -> Parts:
    """Notes first, then the notice with its buttons; nothing under an answer with which all is well."""
    if view.ending is None:
        return []
    texts = texts_of(view.language)
    told = [*_of_context(view, texts, standing(ink.blocks(view, "answer"))), *_others(view)]
    if not view.ending.saved:
        told.append(texts.not_saved)
    return [*(_note(text, view.language) for text in told), *_notice(view, view.ending, texts)]


def _of_context(view: View, texts: Texts, stands: Standing) -> Parts:
    """What the search found too little of. Its warning says to check what is cited, so something must be."""
    said = {warning.code: warning.text for warning in view.warnings if warning.code in CONTEXT}
    if view.quality == "none":  # turns of an earlier version did not warn of it
        said.setdefault("no_context", warned("no_context", view.language).text)
    if not view.text("answer"):
        return []
    if stands == "cites" or not isinstance(view.ending, TurnFinished):
        return list(said.values())
    told = [texts.nothing_found] if "no_context" in said else []
    if stands == "refuses" or view.quality is None or view.model == BUILTIN_MODEL:  # a greeting needs no source
        return told
    return [*told, texts.cites_nothing if view.passages else texts.not_from_documents]


def _others(view: View) -> Parts:
    return [warning.text for warning in view.warnings if warning.code not in (*CONTEXT, *HAS_NOTICE)]


def _note(text: str, language: str) -> str:
    return f'<p class="note" lang="{escape(language)}">{icon("warn", 14)}<span>{escape(text)}</span></p>'


def _notice(view: View, ending: Ending, texts: Texts) -> Parts:
    # Only a language model can go on with what it wrote.
    of, lang = texts.of_answer.format(view.place), view.language
    has_answer = bool(view.text("answer"))
    more = [button("go-on", texts.go_on, of=of)] if has_answer and view.model != BUILTIN_MODEL else []
    match ending:
        case TurnFinished(finish="length"):
            return [notice("calm", texts.cut_short, texts.cut_short_why, more, lang=lang)]
        case TurnFinished():
            return []
        case TurnStopped():
            # After a kill nobody knows what was on a screen, only what had reached the store.
            was_cut = any(each.code == "interrupted" for each in view.warnings)
            nothing = texts.nothing_stored if was_cut else texts.nothing_written
            kept = texts.written_kept if has_answer else nothing
            return [
                notice("calm", texts.stopped, kept, [*more, button("retry", texts.again, of=of)], "stop", lang=lang)
            ]
        case TurnFailed():
            is_model = ending.code in MODEL_FAULTS
            other = [button("models", texts.other_model, "plain" if ending.retryable else "primary", of=of)]
            again = button("retry", texts.again, "primary" if ending.retryable else "plain", of=of)
            buttons = [again, *more, *(other * is_model)]
            kept = f" {texts.arrived_kept}" if has_answer else ""
            title = texts.incomplete if has_answer else texts.no_answer
            return [notice("bad", title, ending.text + kept, buttons if ending.retryable else buttons[::-1], lang=lang)]
