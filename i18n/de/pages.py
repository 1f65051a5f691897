"""The names of the pages, in German."""

TEXTS = {
    "pages.evaluate": "Auswerten",
    "pages.title": "Seiten",
    "pages.optimise": "Optimieren",
}
