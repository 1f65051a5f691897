"""The keyboard shortcuts: each is listed here once, with what `keys.js` does when it is pressed."""

from __future__ import annotations

from html import escape

from components.parts import action

NAME, TITLE = "shortcuts", "Keyboard shortcuts"
# key, what it does, the script's name for that; "" for a key that is no single character and works everywhere
SHORTCUTS = (
    ("/", "Write a question", "focus-question"),
    ("n", "New chat", "new-chat"),
    ("e", "Edit the last question", "edit-last"),
    ("c", "Copy the last answer", "copy-last"),
    ("m", "Choose a model", "models"),
    ("d", "Documents", "documents"),
    ("t", "Light or dark", "theme"),
    ("?", "This list", "shortcuts"),
    ("Esc", "Stop the answer, leave editing or a pinned source, close what is open", ""),
    ("Enter", "Send the question", ""),
    ("Shift + Enter", "New line", ""),
)
SINGLE = "Single keys work outside text fields. Switch them off if they get in your way:"


def dialog() -> str:
    """The list, and the switch of those that are one character."""
    rows = "".join(_row(*each) for each in SHORTCUTS)
    return (
        f'<dialog aria-label="{TITLE}"><header class="dialog-head"><h2>{TITLE}</h2>'
        f"{action('close-dialog', 'Close', of='shortcuts')}</header>"
        f'<div class="dialog-body"><dl>{rows}</dl><p>{SINGLE}</p>'
        '<label><input type="checkbox" checked> Single-key shortcuts</label></div></dialog>'
    )


def _row(key: str, told: str, does: str) -> str:
    heard = f' data-on="{escape(key)}" data-does="{does}"' if does else ""
    return f"<div{heard}><dt><kbd>{escape(key)}</kbd></dt><dd>{told}</dd></div>"
