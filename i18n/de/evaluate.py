"""Die Texte der Auswertungen."""

TEXTS = {
    "evaluate.set_bundled": "Kaffeehandbuch",
    "evaluate.set_ratings": "Bewertete Antworten",
    "evaluate.set_request": "Fragen einer Anfrage",
}
