"""The German texts of ratings: the form under an answer, and what was said."""

TEXTS = {
    "feedback.title": "Mehr zu dieser Antwort sagen",
    "feedback.wrong": "Was war falsch?",
    "feedback.good": "Was war gut?",
    "feedback.right": "Was wäre richtig?",
    "feedback.optional": "freiwillig",
    "feedback.counted": "Der Daumen ist schon gespeichert.",
    "feedback.save": "Speichern",
    "feedback.skip": "Überspringen",
    "feedback.edit": "Ändern, was Sie gesagt haben",
    "feedback.said": "Sie sagten:",
    "feedback.said_right": "Richtig wäre:",
    "script.feedback_asked": "Der Daumen ist gespeichert. Darunter können Sie mehr sagen.",
    "script.feedback_saved": "Gespeichert.",
}
