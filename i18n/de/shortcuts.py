"""The German texts of the list of keyboard shortcuts."""

TEXTS = {
    "shortcuts.title": "Tastenkürzel",
    "shortcuts.focus_question": "Eine Frage schreiben",
    "shortcuts.next_doubtful": "Nächster fraglicher Satz einer Antwort",
    "shortcuts.previous_doubtful": "Vorheriger fraglicher Satz",
    "shortcuts.marks": "Zeichen an Sätzen zeigen oder ausblenden",
    "shortcuts.new_chat": "Neues Gespräch",
    "shortcuts.edit_last": "Die letzte Frage bearbeiten",
    "shortcuts.copy_last": "Die letzte Antwort kopieren",
    "shortcuts.models": "Ein Modell wählen",
    "shortcuts.documents": "Dokumente",
    "shortcuts.theme": "Hell oder dunkel",
    "shortcuts.shortcuts": "Diese Liste",
    "shortcuts.escape": "Antwort anhalten, Bearbeiten oder festgehaltene Quelle verlassen, Offenes schließen",
    "shortcuts.enter": "Die Frage senden",
    "shortcuts.shift_enter": "Neue Zeile",
    "shortcuts.single": "Einzelne Tasten wirken außerhalb von Textfeldern. Schalte sie aus, wenn sie stören:",
    "shortcuts.switch": "Kürzel mit einer Taste",
    "shortcuts.of_shortcuts": "Tastenkürzel",
}
