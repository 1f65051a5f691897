"""The German texts, key → text. The same areas and keys as in English; a test compares them."""

from i18n.de import (
    chat,
    compare,
    documents,
    errors,
    evaluate,
    feedback,
    inquiries,
    inspector,
    optimise,
    options,
    page,
    pages,
    panes,
    profiles,
    programs,
    ratings,
    shortcuts,
    turns,
    verdicts,
)

THOUSANDS = "."  # between groups of digits
QUOTES = ("„", "“")
TEXTS = {
    **chat.TEXTS,
    **compare.TEXTS,
    **documents.TEXTS,
    **errors.TEXTS,
    **evaluate.TEXTS,
    **feedback.TEXTS,
    **inquiries.TEXTS,
    **inspector.TEXTS,
    **optimise.TEXTS,
    **options.TEXTS,
    **page.TEXTS,
    **pages.TEXTS,
    **panes.TEXTS,
    **profiles.TEXTS,
    **programs.TEXTS,
    **ratings.TEXTS,
    **shortcuts.TEXTS,
    **turns.TEXTS,
    **verdicts.TEXTS,
}
