"""The names of the pages, in German."""

TEXTS = {
    "pages.title": "Seiten",
}
