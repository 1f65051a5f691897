"""The turns of a conversation as a tree, and the one path through it that is shown. Pure.

A retry or an edit is a sibling of the turn that it replaces: both have the same parent. The active path leads from a
first turn to the active leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Branches:
    """`parents` maps the id of each turn to that of its parent, in order of asking, so that parents come first."""

    parents: Mapping[str, str | None] = field(default_factory=dict)
    active_leaf: str | None = None

    def opened(
        self, turn_id: str, replaces: str | None = None, follows: str | None = None, below: str | None = None
    ) -> Branches:
        """Add a turn below its parent (`parent_of`) and make it the active leaf."""
        return Branches({**self.parents, turn_id: self.parent_of(replaces, follows, below)}, turn_id)

    def parent_of(
        self, replaces: str | None = None, follows: str | None = None, below: str | None = None
    ) -> str | None:
        """Return the parent of a new turn: that of the turn it replaces, the turn `below` which it was asked, the leaf.

        `follows` is the last turn of the path that it was asked on. Where another version has become active since, it
        is the parent: a model answers to one history, and the turn stands below that one.
        """
        if replaces is not None and replaces in self.parents:
            return self.parents[replaces]
        if below in self.parents:
            return below
        is_elsewhere = follows in self.parents and follows not in self.path()
        return follows if is_elsewhere else self.active_leaf

    def activated(self, turn_id: str) -> Branches:
        """Make the newest turn below `turn_id` the active leaf; an unknown id changes nothing."""
        return replace(self, active_leaf=self.newest_below(turn_id)) if turn_id in self.parents else self

    def newest_below(self, turn_id: str) -> str:
        """Return the latest asked of a turn and its descendants; being the latest, it is a leaf."""
        below, newest = {turn_id}, turn_id
        for each, parent in self.parents.items():
            if parent in below:
                below.add(each)
                newest = each
        return newest

    def path(self, leaf: str | None = None) -> tuple[str, ...]:
        """Return the ids from the first turn to `leaf`, or to the active leaf where that is none or unknown."""
        path: list[str] = []
        turn_id = leaf if leaf in self.parents else self.active_leaf
        while turn_id is not None and turn_id in self.parents:
            path.append(turn_id)
            turn_id = self.parents[turn_id]
        return tuple(reversed(path))

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Map each turn of the active path to itself and its siblings, in order of asking."""
        children: dict[str | None, list[str]] = {}
        for turn_id, parent in self.parents.items():
            children.setdefault(parent, []).append(turn_id)
        return {turn_id: tuple(children[self.parents[turn_id]]) for turn_id in self.path()}
