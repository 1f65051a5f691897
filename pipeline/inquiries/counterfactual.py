"""Which passage a sentence stands on: the prompt of its answer is sent again with passages left out. Pure.

The first call leaves out nothing: a model that then does not say the sentence says something else each time, and
nothing can be told. Each further call leaves out one passage, cited ones first. Where the sentence never goes, a last
call leaves out all of them: it stands on several, each of which is enough, or the model says it without any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.citations.restating import Restated, restated
from pipeline.exchanges import Message, PromptExchange
from pipeline.inquiries.results import Counterfactual, Trial
from pipeline.programs.chain_of_thought import NOTHING_FOUND
from pipeline.prompt_sections import passage_numbers, without_passages
from pipeline.replies.adapters import reply_fields
from pipeline.replies.reading import read

MOST_CALLS = 6
CONTROL: tuple[int, ...] = ()  # what the first call leaves out

_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt that a sentence's answer was written from: its messages, and the fields that were asked for."""

    messages: tuple[Message, ...]
    fields: tuple[str, ...]

    @property
    def passages(self) -> tuple[int, ...]:
        """The numbers of the passages in its last message; earlier ones show examples and earlier turns."""
        return passage_numbers(self.messages[-1].content) if self.messages else ()

    def without(self, numbers: Sequence[int]) -> Prompt:
        """Return the prompt without these passages."""
        *before, last = self.messages
        left = replace(last, content=without_passages(last.content, numbers, NOTHING_FOUND))
        return replace(self, messages=(*before, left))


def exchange_of(field: str, sentence: str, exchanges: Iterable[PromptExchange]) -> PromptExchange | None:
    """Return the last exchange whose reply says a sentence in a field, None where there is none."""
    for each in reversed(tuple(exchanges)):
        if each.fault is None and each.reply and field in each.fields:
            said = read(each.reply, reply_fields(each.fields), each.thinking or "").get(field, "")
            if _plain(sentence) in _plain(said):
                return each
    return None


def planned(cited: Sequence[int], passages: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return what each call leaves out, in order: nothing, then one passage, cited ones first, at last all."""
    first = [number for number in dict.fromkeys(cited) if number in passages]
    order = [*first, *(number for number in passages if number not in first)]
    alone = [(number,) for number in order[: MOST_CALLS - 2]]
    return CONTROL, *alone, *([tuple(passages)] if len(passages) > 1 else [])


def trial_of(state: Counterfactual, left_out: tuple[int, ...], answer: str) -> Trial:
    """Return whether an answer says the sentence, in its own words or in those of the first call."""
    wordings = [state.sentence]
    if state.trials and state.trials[0].outcome == "said" and state.trials[0].said:
        wordings.append(state.trials[0].said)
    found: Restated = max((restated(each, answer) for each in wordings), key=lambda each: each.rank)
    return Trial(left_out=left_out, outcome=found.outcome, said=found.text)


def next_left_out(state: Counterfactual) -> tuple[int, ...] | None:
    """Return what the next call leaves out, None where enough is known."""
    tried = [each.left_out for each in state.trials]
    if tried and state.trials[0].outcome != "said":
        return None
    waiting = [each for each in state.planned if each not in tried]
    if not waiting or state.calls >= MOST_CALLS:
        return None
    is_clear = any(_changes(each) for each in state.trials)
    return None if len(waiting[0]) > 1 and is_clear else waiting[0]


def concluded(state: Counterfactual) -> Counterfactual:
    """Return the state of an inquiry that has asked enough, with what follows from it.

    `unstable`: the sentence does not come again though all passages are there. `stands_on`: it goes without each of
    these passages. `changes`: it does not go, but without each of these it is said otherwise. `nothing`: it is said
    without any passage. `several`: no passage alone is needed, but the sentence goes without all of them.
    `none_alone`: no passage alone is needed, and a model was not asked, or gave no usable reply, without all of them.
    """
    if state.trials[0].outcome != "said":
        return replace(state, conclusion="unstable")
    alone = {each.left_out[0]: each.outcome for each in state.trials if len(each.left_out) == 1 and each.outcome}
    untested = tuple(sorted(number for number in state.planned[-1] if number not in alone))
    gone = tuple(number for number, outcome in alone.items() if outcome == "gone")
    changed = tuple(number for number, outcome in alone.items() if outcome == "otherwise")
    if gone or changed:
        return replace(
            state, conclusion="stands_on" if gone else "changes", passages=gone or changed, untested=untested
        )
    without_any = next((each.outcome for each in state.trials if each.left_out == state.planned[-1]), None)
    if without_any == "said":
        return replace(state, conclusion="nothing")
    return replace(state, conclusion="several" if without_any else "none_alone", untested=untested)


def _changes(trial: Trial) -> bool:
    return trial.outcome in ("gone", "otherwise")


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()
