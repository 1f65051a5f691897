"""The English texts, key → text. Each area is a file: add its table to TEXTS."""

from i18n.en import (
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

THOUSANDS = ","  # between groups of digits
QUOTES = ("“", "”")
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
