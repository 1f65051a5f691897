"""The page of ratings: what somebody has rated, and how well instructions went."""

from __future__ import annotations

from typing import Any

from components.handlers import browser_values
from components.handlers.listener import Component
from components.handlers.ratings_handlers import RatingsHandlers, RatingsUpdate
from components.html.html_elements import keyed
from components.pages.frame import Frames

NAME = "ratings"


def add(frames: Frames, handlers: RatingsHandlers) -> None:
    """Add the page."""
    with frames.page(NAME) as frame:
        stored = browser_values.preferences()
        said = keyed([], "ratings-notice")
        rated = keyed([], "ratings", draws="ratings", events=("ratings_save", "ratings_file", "ratings_use"))
        prompts, file = keyed([], "ratings-prompts"), keyed([], "ratings-files", draws="file")

        def changes(update: RatingsUpdate) -> dict[Component, Any]:
            values: dict[Component, Any] = {
                said: update.notice,
                rated: update.rated,
                prompts: update.prompts,
                file: update.file,
                stored: update.stored,
            }
            return {component: value for component, value in values.items() if value is not None}

        on, visitor = frame.on(changes), frame.visitor
        drawn: list[Component] = [said, rated, prompts]
        on(frame.loaded, handlers.load, [visitor], drawn)
        on(rated.ratings_save, handlers.save, [visitor], drawn)
        on(rated.ratings_file, handlers.file, [visitor], [said, file])
        on(rated.ratings_use, handlers.use, [visitor, stored], [said, stored])
