"""What can be chosen on the page, and what a choice means: models, programs, documents and profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from components import sidebar
from components.handlers import browser_values
from components.handlers.page_state import Asking
from components.handlers.signed_in import SignedIn
from components.html.html_elements import Elements
from components.option_controls import Offer
from components.preferences import Preferences
from i18n import text
from i18n.program_texts import program_description, program_title
from pipeline.documents.library import Library
from pipeline.errors import GlassboxError, Refused
from pipeline.messages import Message
from pipeline.models.catalogue import HUGGING_FACE, ModelChoice, Models
from pipeline.models.visitor_keys import model_key
from pipeline.options import options_of
from pipeline.programs.chain_of_thought import DEFAULT_INSTRUCTIONS
from pipeline.programs.profiles import Profile
from pipeline.programs.registry import ProgramSpec
from pipeline.retrieval import IndexedDocument
from pipeline.turn import AskOptions, TurnRequest
from pipeline.turns.engine import Pipeline
from pipeline.turns.model_tests import ModelTest


class Choices:
    """The choices of the sidebar, as they are now for the visitor of the running request."""

    def __init__(self, pipeline: Pipeline, models: Models, library: Library, signed_in: SignedIn) -> None:
        self._pipeline, self._models, self._library, self._signed_in = pipeline, models, library, signed_in

    @property
    def models(self) -> tuple[ModelChoice, ...]:
        """The models as this visitor can use them: who is signed in pays for those of Hugging Face."""
        is_signed_in = self._signed_in.user is not None
        return tuple(
            replace(each, state="ready", note=Message("your_account"))
            if is_signed_in and each.key_scope == HUGGING_FACE and each.state == "no_key"
            else each
            for each in self._models.choices
        )

    def model_picker(self, chosen: str, visitor: str, test: ModelTest | None = None) -> Elements:
        """Return the models with what is left of the budget, and the result of a test."""
        return [*sidebar.picker(self.models, chosen, test), *sidebar.budget(self._pipeline.budget(visitor))]

    def usable_model(self, label: str) -> str:
        """Return the label itself, or the default where there is no such model (any longer)."""
        usable = {each.label for each in self._models.choices if each.state != "no_key" or each.key_scope}
        return label if isinstance(label, str) and label in usable else self._models.default

    def model(self, label: str) -> ModelChoice | None:
        """Return the model of that label, None where there is none."""
        return next((each for each in self._models.choices if each.label == label), None)

    @property
    def offer(self) -> Offer:
        """Return the choices of the sidebar."""
        programs = self._pipeline.programs
        return Offer(
            choices={"mode": self._library.search_modes, "program": tuple(programs)},
            descriptions={"program": {name: _about(spec) for name, spec in programs.items()}},
            hidden=("documents",) if self._library.can_rerank else ("documents", "reranks"),
            texts={"instructions": DEFAULT_INSTRUCTIONS},
        )

    @property
    def programs_with_document(self) -> list[str]:
        """Return the names of the programs for which a document is chosen."""
        return [spec.name for spec in self._pipeline.programs.values() if spec.needs_document]

    async def offer_with_documents(self, visitor: str, profile: str | None) -> Offer:
        """Return the choices of the sidebar with a visitor's saved programs and documents, their own first.

        There are no documents where the search fails, and no saved programs where the store does.
        """
        documents = await self.documents(visitor, profile)
        listed = sorted(documents, key=lambda each: each.owner is None)
        titles = {"": text("option.documents.best"), **{each.id: each.title for each in listed}}
        offer = await self._offer_with_programs(visitor)
        hidden = set(offer.hidden) - {"documents"}
        choices = {**offer.choices, "documents": tuple(titles)}
        return replace(offer, choices=choices, titles={**offer.titles, "documents": titles}, hidden=hidden)

    async def _offer_with_programs(self, visitor: str) -> Offer:
        offer = self.offer
        try:
            saved = await self._pipeline.saved_programs(visitor)
        except GlassboxError:
            return offer
        programs = (*offer.choices["program"], *(each.name for each in saved))
        titles = {each.name: each.title for each in saved}
        return replace(
            offer,
            choices={**offer.choices, "program": programs},
            titles={**offer.titles, "program": {**offer.titles.get("program", {}), **titles}},
        )

    def dropdown_choices(self, name: str, offer: Offer) -> dict[str, Any]:
        """Return the choices of an option's dropdown."""
        option = next(each for each in options_of(AskOptions) if each.name == name)
        return {"choices": offer.labels(option)}

    async def documents(self, visitor: str, profile: str | None) -> Sequence[IndexedDocument]:
        """Return what the visitor may ask, inside the fence of a profile; nothing where the search fails."""
        try:
            return await self._library.documents(visitor, profile)
        except GlassboxError:
            return ()

    async def usable_options(self, preferences: Preferences, visitor: str) -> AskOptions:
        """Return the options that can be used now: a document only with a program that answers from one."""
        options = preferences.options
        program = self.completed(preferences).program or ""
        if program in self.programs_with_document:
            return (await self.offer_with_documents(visitor, options.profile)).usable(options)
        is_saved = program and program not in self.offer.choices["program"]
        return (await self._offer_with_programs(visitor) if is_saved else self.offer).usable(options)

    def completed(self, preferences: Preferences) -> AskOptions:
        """Return the options with those that the profile sets in the place of what was not chosen."""
        profile = self.profile(preferences.options.profile)
        request = TurnRequest("", preferences.options, given=preferences.given)
        return (profile.completed(request) if profile else request).options

    def profile(self, name: str | None) -> Profile | None:
        """Return the profile of that name, None where there is none (any longer)."""
        return next((each for each in self._pipeline.profiles.listed if each.name == name), None)

    def profile_picker(self, chosen: str | None = None, *, is_drawn_for_all: bool = False) -> Elements:
        """Return the picker, with the faults of files for a person at this machine, who can mend them."""
        profiles = self._pipeline.profiles
        sees_faults = not is_drawn_for_all and self._pipeline.is_private and browser_values.is_local()
        return sidebar.profile_picker(profiles.listed, chosen, profiles.faults if sees_faults else ())

    def own_key(self, asking: Asking) -> SecretStr | None:
        """Return the visitor's key for the model. Raises Refused for an invalid one."""
        choice = self.model(asking.model)
        if asking.own_key and choice and choice.key_scope:
            return model_key(asking.own_key.strip())
        if choice and choice.key_scope == HUGGING_FACE and (user := self._signed_in.user):
            return user.token
        return None

    def check_key(self, request: TurnRequest) -> None:
        """Raise Refused where the chosen model needs a key of the visitor and there is none."""
        choice = self.model(request.model or "")
        if choice and choice.state == "no_key" and choice.label != self._models.default and not request.model_key:
            raise Refused("needs_key")


def _about(spec: ProgramSpec) -> str:
    """Return what a program is, under its name in the list."""
    title = program_title(spec)
    is_said = title.casefold().replace(" ", "") == spec.name.casefold()
    return program_description(spec) if is_said else f"{title}. {program_description(spec)}".strip()
