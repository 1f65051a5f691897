"""The names of the pages."""

TEXTS = {
    "pages.title": "Pages",
}
