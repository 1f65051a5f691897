"""The keyboard shortcuts: each is listed here once, with what `keys.js` does when it is pressed."""

from __future__ import annotations

from markupsafe import Markup

from components.html.html_elements import NOTHING, action, joined
from i18n import text

NAME, TITLE = "shortcuts", text("shortcuts.title")
# key, the key of its text, the script's name for it; "" for a key that is no single character and works everywhere
SHORTCUTS = (
    ("/", "focus_question", "focus-question"),
    ("n", "next_doubtful", "next-doubtful"),
    ("p", "previous_doubtful", "previous-doubtful"),
    ("v", "marks", "toggle-marks"),
    ("+", "new_chat", "new-chat"),
    ("e", "edit_last", "edit-last"),
    ("c", "copy_last", "copy-last"),
    ("m", "models", "models"),
    ("d", "documents", "documents"),
    ("t", "theme", "theme"),
    ("?", "shortcuts", "shortcuts"),
    ("Esc", "escape", ""),
    ("Enter", "enter", ""),
    ("Shift + Enter", "shift_enter", ""),
)


def dialog() -> Markup:
    """Return the list, and the switch of those that are one character."""
    return Markup(
        '<dialog aria-label="{title}"><header class="dialog-head"><h2>{title}</h2>{close}</header>'
        '<div class="dialog-body"><dl>{rows}</dl><p>{single}</p>'
        '<label><input type="checkbox" checked> {switch}</label></div></dialog>'
    ).format(
        title=TITLE,
        close=action("close-dialog", text("documents.close"), of=text("shortcuts.of_shortcuts")),
        rows=joined(_row(*each) for each in SHORTCUTS),
        single=text("shortcuts.single"),
        switch=text("shortcuts.switch"),
    )


def _row(key: str, about: str, does: str) -> Markup:
    listens = Markup(' data-on="{}" data-does="{}"').format(key, does) if does else NOTHING
    return Markup("<div{}><dt><kbd>{}</kbd></dt><dd>{}</dd></div>").format(listens, key, text(f"shortcuts.{about}"))
