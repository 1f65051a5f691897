"""Texts of ratings: the form under an answer, and what was said."""

TEXTS = {
    "feedback.title": "Say more about this answer",
    "feedback.wrong": "What was wrong?",
    "feedback.good": "What was good?",
    "feedback.right": "What would be right?",
    "feedback.optional": "optional",
    "feedback.counted": "The thumb is saved already.",
    "feedback.save": "Save",
    "feedback.skip": "Skip",
    "feedback.edit": "Change what you said",
    "feedback.said": "You said:",
    "feedback.said_right": "Right would be:",
    "script.feedback_asked": "The thumb is saved. Below it you can say more.",
    "script.feedback_saved": "Saved.",
}
