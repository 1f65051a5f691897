"""The host's experiment: which variant a visitor is in, and what that means for a question.

A question takes part where it comes from a visitor, and where neither it nor its profile chooses any option that one of
the variants sets: else the variants would be compared on other questions each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from pipeline.experiment_entry import ExperimentEntry
from pipeline.keyed_hashes import Secret
from pipeline.models.catalogue import Models
from pipeline.options import options_of
from pipeline.programs.profiles import is_chosen
from pipeline.programs.registry import Programs
from pipeline.settings import SettingsFault
from pipeline.turn import AskOptions, TurnRequest

PURPOSE = "experiment"  # of the hash
LEFT_OUT = ("profile", "documents", "collections")  # options that say what may be seen, not how it is answered


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to answer. `options` are the values that it sets, by the names of options; `id` is stored with turns."""

    id: str
    name: str
    model: str | None
    options: Mapping[str, Any]


class Experiment:
    """The experiment of this process. `best` is the variant that everybody gets, None while visitors are split."""

    def __init__(self, entry: ExperimentEntry, models: Models, programs: Programs, secret: Secret) -> None:
        """Raise SettingsFault for a variant that nobody could be given."""
        self.name, self.strategy = entry.name, entry.strategy
        self.variants = tuple(
            _variant(entry.name, name, values, models, programs) for name, values in entry.variants.items()
        )
        self.best: Variant | None = None
        self._secret, self._models = secret, models
        self._sets_model = any(each.model for each in self.variants)
        self._sets = frozenset(name for each in self.variants for name in each.options)

    def variant_of(self, visitor: str) -> Variant:
        """Return the variant of a visitor, always the same one while visitors are split."""
        hashed = self._secret.hash(PURPOSE, self.name, visitor)
        return self.best or self.variants[int.from_bytes(hashed[:8], "big") % len(self.variants)]

    def applied(self, request: TurnRequest) -> TurnRequest:
        """Return the request, which its profile has completed, as its variant completes it."""
        # The page always names a model: the default one is as good as none.
        is_default = request.model in (None, self._models.default) and request.model_key is None
        has_model = "model" in request.given or not is_default
        takes_no_part = (self._sets_model and has_model) or any(is_chosen(name, request) for name in self._sets)
        if request.visitor is None or takes_no_part:
            return request
        variant = self.variant_of(request.visitor)
        options = replace(request.options, **variant.options)
        return replace(request, options=options, model=variant.model or request.model, variant=variant.id)


def _variant(of: str, name: str, values: Mapping[str, Any], models: Models, programs: Programs) -> Variant:
    """Check the values of a variant. Raises SettingsFault, which repeats no value."""
    place, known = f"EXPERIMENT, variant {name}", {each.name: each for each in options_of(AskOptions)}
    options = {}
    for key, value in values.items():
        if key == "model":
            if not isinstance(value, str) or not models.known(value):
                raise SettingsFault(f"{place} names a model that is not in the list. Use a label of MODELS.")
        elif key not in known or key in LEFT_OUT:
            raise SettingsFault(f"{place} holds a key that no variant can set. Use `model` and options of docs/api.md.")
        else:
            try:
                options[key] = known[key].checked(value)
            except ValidationError:
                raise SettingsFault(f"{place}: `{key}` has a wrong type or is out of its range.") from None
    if options.get("program") is not None and options["program"] not in programs:
        raise SettingsFault(f"{place} names a program that there is not. Use one that GET /api/programs lists.")
    return Variant(f"{of}/{name}", name, values.get("model"), MappingProxyType(options))
