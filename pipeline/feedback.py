"""What somebody says of an answer beside the thumb: what was wrong, what would be right, and tags. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from pipeline.errors import Refused

COMMENT_CHARS = 2_000
CORRECTED_CHARS = 8_000
TAG_CHARS = 40
MOST_TAGS = 20

Comment = Annotated[str, Field(max_length=COMMENT_CHARS, description="what is wrong or right about the answer")]
Corrected = Annotated[str, Field(max_length=CORRECTED_CHARS, description="the answer that would be right")]
# Without commas, since people write several behind one another.
Tag = Annotated[str, Field(pattern=rf"^[^,\x00-\x1f\x7f]{{1,{TAG_CHARS}}}$")]
Tags = Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS, description="words by which ratings are sorted")]


@dataclass(frozen=True, slots=True)
class Feedback:
    """The texts are "" where nothing was said. `changed_at` is in seconds since the epoch, 0 before a first thumb."""

    comment: Comment = ""
    corrected: Corrected = ""
    tags: Tags = ()
    changed_at: float = 0.0


NO_FEEDBACK = Feedback()

_feedback: TypeAdapter[Feedback] = TypeAdapter(Feedback)


def checked(feedback: Feedback) -> Feedback:
    """Return it without blanks around its texts, and each tag once. Raises Refused for a value out of its limits."""
    tags = tuple(dict.fromkeys(tag.strip() for tag in feedback.tags if tag.strip()))
    stripped = Feedback(feedback.comment.strip(), feedback.corrected.strip(), tags, feedback.changed_at)
    try:
        return _feedback.validate_python(_values(stripped))
    except ValidationError as error:
        raise Refused("invalid_value", key=str(error.errors()[0]["loc"][0])) from error


def _values(feedback: Feedback) -> dict[str, Any]:
    return {name: getattr(feedback, name) for name in ("comment", "corrected", "tags", "changed_at")}
