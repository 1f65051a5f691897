"""Profiles: what the host has written down for one purpose, as a support desk, and its meaning for a turn.

A profile sets what a request leaves out. Its collections are a fence: a request can only narrow inside it, and a
collection that a profile names as private is found through profiles that name it, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from pipeline.errors import Refused
from pipeline.messages import Message
from pipeline.options import options_of
from pipeline.retrieval import Scope
from pipeline.turn import DEFAULTS, AskOptions, TurnRequest

# What a bot of the public chat has where its profile says nothing.
CHATBOT_OPTIONS: Mapping[str, Any] = MappingProxyType({"temperature": 0.7, "max_tokens": 500, "history_turns": 5})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One profile. `options` are the values that it sets, by the names of options (`AskOptions`).

    `collections` are the only ones that it searches, None for no fence; those of `private` are found through it alone.
    `fields` are the output fields that are shown, by name with their titles, None for all of them. `status_texts` are
    its own words for steps.
    """

    name: str
    title: str
    model: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    collections: tuple[str, ...] | None = None
    private: frozenset[str] = frozenset()
    example_questions: tuple[str, ...] = ()
    fields: Mapping[str, str] | None = None
    status_texts: Mapping[str, str] = field(default_factory=dict)

    def completed(self, request: TurnRequest) -> TurnRequest:
        """Return the request with the values of the profile where it does not set its own."""
        chosen = {each.name for each in options_of(AskOptions) if is_chosen(each.name, request)}
        own = {name: value for name, value in self.options.items() if name not in chosen}
        return replace(request, options=replace(request.options, **own), model=request.model or self.model)

    def status(self, step: str) -> str:
        """The profile's own words for a step, "" where it has none; `search` stands for every later search."""
        return self.status_texts.get(step) or self.status_texts.get(step.partition(":")[0], "")


@dataclass(frozen=True, slots=True)
class ProfileFault:
    """Why a file is no profile: its name, the line (from 1) and the message of what is to be changed there."""

    file: str
    line: int
    message: Message


@dataclass(frozen=True, slots=True)
class ProfileSet:
    """The profiles that can be chosen, by name; the faults of those that cannot; the collections that are private."""

    usable: Mapping[str, Profile] = field(default_factory=dict)
    faults: tuple[ProfileFault, ...] = ()
    private: frozenset[str] = frozenset()


NO_PROFILES = ProfileSet()


def set_of(*profiles: Profile) -> ProfileSet:
    """Return the set of some profiles."""
    private = frozenset(name for each in profiles for name in each.private)
    return ProfileSet(MappingProxyType({each.name: each for each in profiles}), private=private)


class Profiles:
    """The profiles of this process. `read` returns them as they are now."""

    def __init__(self, read: Callable[[], ProfileSet] = lambda: NO_PROFILES, *, are_samples: bool = False) -> None:
        """`are_samples`: the host has not written them, so that nobody can be expected to know their names."""
        self._read, self._are_samples = read, are_samples

    @property
    def listed(self) -> tuple[Profile, ...]:
        """Every profile that can be used, in the order of their names."""
        return tuple(self._read().usable.values())

    @property
    def faults(self) -> tuple[ProfileFault, ...]:
        """The faults of the files that are no profiles."""
        return self._read().faults

    def named(self, name: str | None) -> Profile | None:
        """The profile of that name, None for None. Raises Refused for an unknown name."""
        if name is None:
            return None
        usable = self._read().usable
        if name not in usable:
            raise Refused("unknown_profile", near=get_close_matches(name, usable, 1))
        return usable[name]

    def completed(self, request: TurnRequest) -> TurnRequest:
        """Return the request as its profile completes it. Raises Refused for an unknown profile."""
        profile = self.named(request.options.profile)
        return profile.completed(request) if profile else request

    def scope(self, visitor: str | None, options: AskOptions) -> Scope:
        """The documents that a visitor's question may see: inside the fence of its profile, narrowed by its options.

        Raises Refused for an unknown profile.
        """
        profile = self.named(options.profile)
        fence = profile.collections if profile else None
        hidden = tuple(sorted(self._read().private - set(fence or ())))
        return Scope(visitor, fence, hidden=hidden).chosen(options)

    def chatbot(self, chatbot_id: str | None, request: TurnRequest) -> TurnRequest:
        """Return the request of a public chat to the bot of that id: its profile, with a bot's usual parameters.

        An unknown id is the default bot as long as the host has written no profile. Raises Refused.
        """
        known = {each.name for each in self.listed}
        is_known = chatbot_id in known or (chatbot_id is not None and bool(known) and not self._are_samples)
        options = replace(request.options, profile=chatbot_id if is_known else None)
        profile = self.named(options.profile)
        completed = self.completed(replace(request, options=options))
        own = profile.options if profile else {}
        chosen = {name for name in CHATBOT_OPTIONS if name in own or is_chosen(name, request)}
        usual = {name: value for name, value in CHATBOT_OPTIONS.items() if name not in chosen}
        return replace(completed, options=replace(completed.options, **usual))


def is_chosen(name: str, request: TurnRequest) -> bool:
    """Whether a request chooses an option, also where its value is the default."""
    return name in request.given or getattr(request.options, name) != getattr(DEFAULTS, name)
