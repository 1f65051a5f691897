"""Under an answer: the form in which somebody says more than a thumb does, and what they said."""

from __future__ import annotations

from markupsafe import Markup

from components.html.html_elements import NOTHING, action, as_json, joined
from components.view import View
from i18n import text
from pipeline.feedback import COMMENT_CHARS, CORRECTED_CHARS, Feedback

_SAID = Markup('<p><span class="kind">{}</span> {}</p>')


def slot(view: View, said: Feedback) -> Markup:
    """Return the place under an answer. It has no height while nothing was said."""
    return Markup('<div class="feedback" data-place="{}">{}</div>').format(view.place, remark(said, view.place))


def remark(said: Feedback, place: int) -> Markup:
    """Return what was said of the answer at that place, with the button that changes it; nothing for a thumb alone."""
    lines = [
        _SAID.format(text(f"feedback.{key}"), value)
        for key, value in (("said", said.comment), ("said_right", said.corrected))
        if value
    ]
    if not lines:
        return NOTHING
    edit = action("edit-feedback", text("feedback.edit"), of=text("turn.of_answer", place=place))
    return Markup('<div class="remark" data-comment="{}" data-corrected="{}"><div>{}</div>{}</div>').format(
        as_json(said.comment), as_json(said.corrected), joined(lines), edit
    )


def form_template() -> Markup:
    """Return the form as a template: the script puts it under the answer whose thumb was pressed."""
    return Markup(
        '<template id="say"><form class="say" aria-label="{title}">'
        '<label><span class="of-dislike">{wrong}</span><span class="of-like">{good}</span> <small>{optional}</small>'
        '<textarea name="comment" rows="1" maxlength="{comment_chars}"></textarea></label>'
        '<label class="of-dislike">{right} <small>{optional}</small>'
        '<textarea name="corrected" rows="2" maxlength="{corrected_chars}"></textarea></label>'
        '<div class="do"><span>{counted}</span><button type="button" data-act="skip-feedback">{skip}</button>'
        '<button type="button" data-act="save-feedback" class="primary">{save}</button></div></form></template>'
    ).format(
        title=text("feedback.title"),
        wrong=text("feedback.wrong"),
        good=text("feedback.good"),
        right=text("feedback.right"),
        optional=text("feedback.optional"),
        counted=text("feedback.counted"),
        skip=text("feedback.skip"),
        save=text("feedback.save"),
        comment_chars=COMMENT_CHARS,
        corrected_chars=CORRECTED_CHARS,
    )
