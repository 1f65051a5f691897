"""The names of the pages."""

TEXTS = {
    "pages.evaluate": "Evaluate",
    "pages.title": "Pages",
    "pages.optimise": "Optimise",
}
