"""The examples that a program is optimised with, and how they are divided. Pure.

The optimiser is given the training and the validation examples alone. The held-out ones measure what it has found.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

HELD_OUT_SHARE, HELD_OUT_LEAST, HELD_OUT_MOST = 0.4, 6, 20  # fewer pairs give no interval
VALIDATION_MOST = 12  # each trial asks them all
LEAST = 10  # examples of an optimisation

# A comment that says what to change, or judges the answer, instead of what would be right.
_ADVICE = re.compile(
    r"\?|\b(?:should|must|please|don't|do not|never|always|more|less|too|wrong|incorrect|false|bad|poor|missing|lacks?|"
    r"incomplete|unclear|vague|cited?|cites|citations?|passages?|sources?|documents?|made up|invented|hallucinat\w*|"
    r"say|says|said|mention\w*|answers?|question|refus\w*|nonsense|boring|sollte|muss|bitte|nicht|nie|immer|mehr|"
    r"weniger|zu (?:lang|kurz|vage|ungenau)|falsch|schlecht|fehlt|fehlen|unvollständig|unklar|zitier\w*|belegt?|"
    r"quellen?|passagen?|dokumente?n?|erfunden|sagen?|nenne\w*|antworte?n?|frage|unsinn)\b",
    re.IGNORECASE,
)
_REFUSE = re.compile(
    r"\b(?:refuse|refused|not in the (?:documents|passages|sources)|nothing about (?:it|this)|"
    r"ablehnen|steht nicht in den|nichts darüber)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question and what is known of its answer; `number` counts the examples of one optimisation from 0.

    `answer` is the right one, "" where it is unknown, and each of the `alternatives` is as good; `wrong` is one that
    somebody disliked, `comment` why. `refuses`: the documents do not hold the answer, and the program is to say so.
    """

    number: int = 0
    question: str
    answer: str = ""
    alternatives: tuple[str, ...] = ()
    wrong: str = ""
    comment: str = ""
    refuses: bool = False

    @property
    def is_known(self) -> bool:
        """Whether it says what a right answer is, or what a wrong one is."""
        return bool(self.answer or self.wrong or self.refuses)


def rated_example(question: str, answer: str, rating: int, comment: str, corrected: str, *, abstained: bool) -> Example:
    """Return what a rating says of a question; the comment of a disliked answer may be the right one."""
    if rating > 0:
        right = corrected or ("" if abstained else answer)
        return Example(question=question, answer=right, comment=comment, refuses=abstained and not corrected)
    refuses = not corrected and bool(_REFUSE.search(comment))
    said = "" if refuses or _ADVICE.search(comment) else comment.strip()
    return Example(question=question, answer=corrected or said, wrong=answer, comment=comment, refuses=refuses)


@dataclass(frozen=True, slots=True)
class Split:
    """The examples of an optimisation in three parts that share no question."""

    training: tuple[Example, ...]
    validation: tuple[Example, ...]
    held_out: tuple[Example, ...]


def split_of(examples: Sequence[Example], seed: int) -> Split:
    """Number the examples in the given order, and divide them at random by a seed.

    Four of ten are held out, and the rest is divided between choosing and training, which gets what is left of a large
    set. Of two examples with the same question the last one counts.
    """
    by_question = {" ".join(each.question.split()).casefold(): each for each in examples}
    numbered = [replace(each, number=number) for number, each in enumerate(by_question.values())]
    random.Random(seed).shuffle(numbered)
    wanted = min(max(HELD_OUT_LEAST, round(HELD_OUT_SHARE * len(numbered))), HELD_OUT_MOST)
    held_out = min(wanted, max(len(numbered) - 2, 0))
    rest = numbered[held_out:]
    validation = min(len(rest) - len(rest) // 2, VALIDATION_MOST)
    training = len(rest) - validation
    return Split(tuple(rest[:training]), tuple(rest[training:]), tuple(numbered[:held_out]))
