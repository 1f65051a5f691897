"""Declares the options of a turn: everything that is made from an option is made from its one declaration.

An option is a field of a frozen dataclass (`pipeline.turn.AskOptions`). Its type is `Annotated` with pydantic's `Field`
(range and meaning), with a control if the page shows it, and with `ForLanguageModels` if the built-in model ignores it.
Made from that: the check of a request, the body of the API, the controls of the page, what a browser keeps, the chips
under an answer, the stored form and the table in docs/api.md. Pure; titles and chips are texts of `i18n`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, MaxLen
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pipeline.errors import Refused

Group = Literal["program", "document", "main", "search", "instructions", "advanced"]  # of controls on the page
T = TypeVar("T")

_DECLARED: dict[type[Any], tuple[Option, ...]] = {}
_STRICT = ConfigDict(strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Slider:
    """Shows a number. `least` and `most` are given where the slider covers a part of the option's range.

    It stands at `rests_at` while the option is None.
    """

    element_id: str
    group: Group
    least: float | None = None
    most: float | None = None
    step: float = 1
    rests_at: float | None = None


@dataclass(frozen=True, slots=True)
class Checkbox:
    """Shows a boolean."""

    element_id: str
    group: Group


@dataclass(frozen=True, slots=True)
class Choice:
    """Shows one of the allowed values."""

    element_id: str
    group: Group


@dataclass(frozen=True, slots=True)
class Dropdown:
    """Shows one of the values that the page offers at present; the first one while the option is not set.

    Of an option that is a sequence it chooses the only item, or none.
    """

    element_id: str
    group: Group


@dataclass(frozen=True, slots=True)
class TextBox:
    """Shows a text."""

    element_id: str
    group: Group


Control = Slider | Checkbox | Choice | Dropdown | TextBox


@dataclass(frozen=True, slots=True)
class ForLanguageModels:
    """Marks an option that only a language model uses. `is_parameter`: it is sent to the model under its own name."""

    is_parameter: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One option as it is declared. `type` is what pydantic checks, `meaning` is a clause of the documentation.

    `values` are the allowed ones where they are few; a bound that is None does not exist. `most_items` counts the
    characters of a text and the items of a sequence.
    """

    name: str
    type: Any
    default: Any
    meaning: str
    least: float | None
    most: float | None
    most_items: int | None
    values: tuple[str, ...]
    is_sequence: bool
    control: Control | None
    use: ForLanguageModels | None
    adapter: TypeAdapter[Any] = field(repr=False, compare=False)
    plain_adapter: TypeAdapter[Any] = field(repr=False, compare=False)  # knows the type alone

    def checked(self, value: object) -> Any:
        """The value, if its type and range are right. Raises ValidationError."""
        return self.adapter.validate_python(value)

    def read(self, value: object) -> Any:
        """A stored value of any range, which may have been another one then; the default where its type is wrong."""
        try:
            return self.plain_adapter.validate_python(tuple(value) if isinstance(value, list) else value)
        except ValidationError:
            return self.default


def options_of(kind: type[Any]) -> tuple[Option, ...]:
    """The options that a dataclass declares, in its order."""
    if kind not in _DECLARED:
        types, plain = get_type_hints(kind, include_extras=True), get_type_hints(kind)
        _DECLARED[kind] = tuple(
            _option(each.name, types[each.name], plain[each.name], each.default) for each in fields(kind)
        )
    return _DECLARED[kind]


def checked(options: T) -> T:
    """Return the options unchanged. Raises Refused where one has a wrong type or is out of its range."""
    kind = type(options)
    try:
        return kind(**{each.name: each.checked(getattr(options, each.name)) for each in options_of(kind)})
    except ValidationError as error:
        raise Refused("invalid_request") from error


def read(kind: type[T], stored: Mapping[str, object]) -> T:
    """Options out of JSON. Unknown names are left out; what is missing or cannot be used is the default."""
    known = {each.name: each.read(stored[each.name]) for each in options_of(kind) if each.name in stored}
    return kind(**known)


def model_parameters(options: object) -> dict[str, Any]:
    """Return the parameters that are set, which a language model is sent beside its prompt."""
    names = [each.name for each in options_of(type(options)) if each.use and each.use.is_parameter]
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _option(name: str, annotated: Any, plain: Any, default: Any) -> Option:
    info = FieldInfo.from_annotation(annotated)
    kinds = _alternatives(info.annotation)
    marks: dict[type, Any] = {type(each): each for each in info.metadata}
    return Option(
        name=name,
        type=annotated,
        default=default,
        meaning=info.description or "",
        least=marks[Ge].ge if Ge in marks else None,
        most=marks[Le].le if Le in marks else None,
        most_items=marks[MaxLen].max_length if MaxLen in marks else None,
        values=tuple(value for each in kinds if get_origin(each) is Literal for value in get_args(each)),
        is_sequence=any(get_origin(each) is tuple for each in kinds),
        control=next((marks[each] for each in get_args(Control) if each in marks), None),
        use=marks.get(ForLanguageModels),
        adapter=TypeAdapter(annotated, config=_STRICT),
        plain_adapter=TypeAdapter(plain, config=_STRICT),
    )


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
