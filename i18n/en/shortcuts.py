"""Texts in the list of keyboard shortcuts."""

TEXTS = {
    "shortcuts.title": "Keyboard shortcuts",
    "shortcuts.focus_question": "Write a question",
    "shortcuts.next_doubtful": "Next doubtful sentence of an answer",
    "shortcuts.previous_doubtful": "Previous doubtful sentence",
    "shortcuts.marks": "Show or hide the marks of sentences",
    "shortcuts.new_chat": "New chat",
    "shortcuts.edit_last": "Edit the last question",
    "shortcuts.copy_last": "Copy the last answer",
    "shortcuts.models": "Choose a model",
    "shortcuts.documents": "Documents",
    "shortcuts.theme": "Light or dark",
    "shortcuts.shortcuts": "This list",
    "shortcuts.escape": "Stop the answer, leave editing or a pinned source, close what is open",
    "shortcuts.enter": "Send the question",
    "shortcuts.shift_enter": "New line",
    "shortcuts.single": "Single keys work outside text fields. Switch them off if they get in your way:",
    "shortcuts.switch": "Single-key shortcuts",
    "shortcuts.of_shortcuts": "shortcuts",
}
