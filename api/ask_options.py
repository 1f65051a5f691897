"""The options of a turn in requests of programs: as keys of a JSON body, and as parameters of an address.

Both are made from the declaration in `pipeline.turn.AskOptions`: an option that is added there is a key here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from starlette.datastructures import QueryParams

from pipeline.errors import Refused
from pipeline.options import options_of

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)


def with_options(body: type[Body], kind: type[Any]) -> type[Body]:
    """A request body with the options of `kind` as further keys, but for those that it declares itself."""
    more = [each for each in options_of(kind) if each.name not in body.model_fields]
    keys: dict[str, Any] = {each.name: (each.type, each.default) for each in more}
    return create_model(body.__name__, __base__=body, **keys)


def options_in(body: BaseModel, kind: type[T]) -> T:
    """The options that a body holds."""
    return kind(**{each.name: getattr(body, each.name) for each in options_of(kind)})


def options_in_query(query: QueryParams, kind: type[T], names: Collection[str]) -> T:
    """The options out of the parameters of an address, those of `names` alone; a sequence is a repeated parameter.

    Raises Refused for one that has a wrong type or is out of its range.
    """
    known = [each for each in options_of(kind) if each.name in names and each.name in query]
    given = {each.name: query.getlist(each.name) if each.is_sequence else query[each.name] for each in known}
    keys: dict[str, Any] = {each.name: (each.type, each.default) for each in known}
    try:
        read = create_model("Query", __config__=ConfigDict(allow_inf_nan=False), **keys).model_validate(given)
    except ValidationError as error:
        raise Refused("invalid_request") from error
    return kind(**{each.name: getattr(read, each.name) for each in known})
