"""What the marks of sentences mean, and the switch that hides them: a dialog over the chat."""

from __future__ import annotations

from markupsafe import Markup

from components.html.html_elements import NOTHING, action, joined
from components.html.verdict_marks import SHOWN
from i18n import text
from pipeline.verdicts import Label

NAME, TITLE = "marks", text("marks.title")
CITED, SAYS_IT = 3, 1  # the numbers of the sample

_CHIP = Markup('<span class="cite" data-v="{}">{}</span>')
_OURS = Markup('<span class="ours {}"><i data-n="{}"></i></span>')


def dialog() -> Markup:
    """Return a sample of each mark with its meaning, and the switch."""
    return Markup(
        '<dialog aria-label="{title}"><header class="dialog-head"><h2>{title}</h2>{close}</header>'
        '<div class="dialog-body"><ul class="mark-legend marked">{rows}</ul><p>{about}</p>'
        '<label><input type="checkbox" data-switch="marks" checked> {switch}</label></div></dialog>'
    ).format(
        title=TITLE,
        close=action("close-dialog", text("documents.close"), of=TITLE),
        rows=joined(map(_row, SHOWN)),
        about=text("marks.about"),
        switch=text("marks.switch"),
    )


def _row(label: Label) -> Markup:
    return Markup('<li><span aria-hidden="true">{}</span><p><b>{}</b> {}</p></li>').format(
        _sample(label), text(f"verdict_name.{label}"), text(f"marks.{label}", cited=f"[{CITED}]", number=f"[{SAYS_IT}]")
    )


def _sample(label: Label) -> Markup:
    if label == "uncited":
        return _OURS.format("added", SAYS_IT)
    ours = _OURS.format("repointed", SAYS_IT) if label == "wrong_source" else NOTHING
    return _CHIP.format(label, CITED if ours else SAYS_IT) + ours
