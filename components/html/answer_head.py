"""The line above an answer: that its claims are not in the passages, or which part of the question it answers.

Its element stands there from the beginning and has no height until the ending fills it, so nothing moves while an
answer is written.
"""

from __future__ import annotations

from markupsafe import Markup

from components.html.html_elements import NOTHING, attribute, icon
from components.view import View
from i18n import available, text
from i18n.messages import warning_text
from pipeline.events import TurnFinished
from pipeline.settings import BUILTIN_MODEL

UNSUPPORTED = "unsupported"  # the code of the warning that stands here

_EMPTY = Markup('<p class="answer-head"></p>')
_DOUBTFUL = Markup('<p class="answer-head doubtful" role="note"{}>{}<span>{}</span></p>')
_ANSWERED = Markup('<p class="answer-head"{}>{}<span><b>{}</b>{}</span></p>')


def head(view: View) -> Markup:
    """Return the line, empty where there is nothing to say."""
    lang = available(view.language)
    language = attribute("lang", lang)
    doubt = next((each for each in view.warnings if each.code == UNSUPPORTED), None)
    if doubt and isinstance(view.ending, TurnFinished):
        return _DOUBTFUL.format(language, icon("warn", 14), warning_text(doubt, lang))
    if not isinstance(view.ending, TurnFinished) or not view.ending.missing or view.ending.abstained:
        return _EMPTY
    if parts := view.ending.parts:
        counted = text("refusal.parts", lang, answered=parts.answered, asked=parts.asked)
        return _ANSWERED.format(language, icon("good", 14), text("refusal.answered", lang), f" {counted}")
    if view.model == BUILTIN_MODEL:  # which says itself that its quotes may not answer
        return _EMPTY
    return _ANSWERED.format(language, icon("good", 14), text("refusal.answered_in_part", lang), NOTHING)
