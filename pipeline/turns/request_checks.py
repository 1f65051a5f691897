"""Checks a request before anything is stored."""

from __future__ import annotations

from dataclasses import replace

from pipeline.display_names import shown_name
from pipeline.errors import Refused
from pipeline.models.catalogue import Models
from pipeline.options import checked
from pipeline.programs.profiles import Profiles
from pipeline.programs.registry import Programs, program_named
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import AskOptions, TurnRequest


def checked_request(
    request: TurnRequest, models: Models, programs: Programs, profiles: Profiles, question_limit_chars: int
) -> TurnRequest:
    """The request with its question trimmed, and with the values of its profile. Raises Refused.

    Default instructions become None, so that they are sent as the program's own.
    """
    request = profiles.completed(replace(request, options=checked(request.options)))
    question = request.question.strip()
    if not shown_name(question):  # characters without a width are no question either
        raise Refused("blank_question")
    if len(question) > question_limit_chars:
        raise Refused("long_question", question_limit_chars)
    said = (text for each in request.history or () for text in (each.question, each.answer))
    if not all(map(_is_readable, (question, request.options.instructions or "", *said))):
        raise Refused("unreadable_question")
    check_model(request, models)
    return replace(request, question=question, options=_without_defaults(request.options, programs))


def check_model(request: TurnRequest, models: Models) -> str:
    """Return the label of the request's model. Raises Refused for an unknown one, and one that takes no key."""
    label = request.model or models.default
    if not models.known(label):
        raise Refused("unknown_model", near=models.nearest(label))
    if request.model_key and label != BUILTIN_MODEL and not models.takes_key(label):
        raise Refused("takes_no_key")
    return label


def _without_defaults(options: AskOptions, programs: Programs) -> AskOptions:
    """The options without default instructions. Raises Refused for an unknown program."""
    specs = program_named(options.program, programs), program_named(None, programs)
    defaults = {"", *(spec.instructions.strip() for spec in specs)}
    is_default = (options.instructions or "").strip() in defaults
    return replace(options, instructions=None) if is_default else options


def _is_readable(text: str) -> bool:
    """Whether a text can be stored and sent: it has no half of a surrogate pair and no NUL."""
    return not any("\ud800" <= character <= "\udfff" or character == "\0" for character in text)
