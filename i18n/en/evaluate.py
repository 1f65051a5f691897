"""The texts of evaluations."""

TEXTS = {
    "evaluate.set_bundled": "Coffee handbook",
    "evaluate.set_ratings": "Rated answers",
    "evaluate.set_request": "Questions of a request",
}
