"""The panes that show a turn: the chat first, then those beside it. A new pane is a file and its name in `PANES`."""

from components.panes import (
    chat,
    reasoning,
    sources,
)
from components.panes.pane import Pane

PANES: tuple[Pane, ...] = (
    chat,
    reasoning,
    sources,
)
