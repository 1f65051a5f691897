"""The search step that programs share: it searches, numbers the passages over the turn, and emits what it does.

A program makes one `SearchStep` per run. Numbers go on over several searches, and a passage that is found again keeps
its number, so that [n] means one passage in the whole turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from pipeline.errors import GlassboxError, SearchFault
from pipeline.events import (
    PassagesFound,
    Step,
    StepChanged,
    Warned,
)
from pipeline.messages import Message, Value
from pipeline.own_faults import own_fault
from pipeline.passages import Passage, Query, union
from pipeline.programs.call_limits import NO_DEADLINE, Deadline
from pipeline.programs.shared_searches import searched
from pipeline.replies.dspy_internals import emit
from pipeline.retrieval import DEFAULT_OPTIONS, SHARED, Scope, Search, SearchOptions
from pipeline.retrieval.fusion import fuse
from pipeline.retrieval.quality import words_found
from pipeline.retrieval.query import query_of
from pipeline.turn import Turn

# Warnings about a search that found too few of the question's words. The passages go to the model all the same, since
# words prove little: half of the German questions share hardly a word with the English passage that answers them.
CONTEXT_WARNINGS = MappingProxyType({"weak": "weak_context", "none": "no_context"})

CountFitting = Callable[[Sequence[Passage]], int]  # how many of the passages, from the first on, fit into the prompt


def query_after(history: Sequence[Turn], question: str) -> Query:
    """Make the query of a question without a rewriting model; a follow-up leans on the last turn of the history."""
    return query_of(question, (history[-1].question, history[-1].fields.get("answer", "")) if history else None)


class SearchStep:
    """The searches of one run of a program. `passages` are all that were found, in the order of their numbers.

    `scope` and `options` are those of every search. `left_out` counts the passages that the prompt had no room for; the
    program warns of them.
    """

    def __init__(
        self,
        search: Search,
        scope: Scope = SHARED,
        options: SearchOptions = DEFAULT_OPTIONS,
        found: Sequence[Passage] | None = None,
        count_fitting: CountFitting = len,
        deadline: Deadline = NO_DEADLINE,
    ) -> None:
        """`found` are the passages of an earlier attempt of the same turn, which keep their numbers.

        No further search should begin after `deadline`.
        """
        self._search, self.scope, self.options = search, scope, options
        self.count_fitting, self.deadline = count_fitting, deadline
        self.passages = tuple(found or ())
        self.left_out = 0
        self._warnings: set[str] = set()  # codes of those emitted

    async def find(self, *queries: Query, step: Step | None = "retrieve") -> tuple[Passage, ...]:
        """Search for one question in one or several ways, and return the passages. Raises SearchFault.

        `step` is the one that is emitted; None where the search is a part of another step.
        """
        if step:
            text = "" if step == "retrieve" else queries[0].text
            await emit(StepChanged(step=step, state="began", text=text))
        began = time.monotonic()
        with searching():
            searches = [await searched(self._search, query, self.scope, self.options) for query in queries]
            found = fuse(searches, self.options.passages_wanted)
        words = words_found(Query(" ".join(each.question for each in queries)), found.passages)
        event = PassagesFound(
            query=found.query.text,
            passages=found.passages,
            rejected=found.rejected,
            quality=found.quality,
            coverage=words.coverage,
            found_words=words.found,
            missing_words=words.missing,
            mode=found.mode,
        )
        if found.left_out:
            await self.warn("own_key_search")
        return await self.report(event, began, step)

    async def add(self, query: str, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """Add passages that were read without a search, as found for `query`; return them with their numbers.

        One that a search has found stays as it is, with its score and its matched words.
        """
        known = {_place(passage): passage for passage in self.passages}
        from_one = (replace(passage, number=number) for number, passage in enumerate(passages, 1))
        added = tuple(known.get(_place(passage), passage) for passage in from_one)
        return await self.report(PassagesFound(query=query, passages=added), time.monotonic(), None)

    async def report(self, event: PassagesFound, began: float, step: Step | None = "retrieve") -> tuple[Passage, ...]:
        """Number and emit what a search found that `began` (monotonic seconds), and end the step.

        Returns the passages that fit into the prompt. Only the first search warns of a weak result: later ones add to
        what there is.
        """
        wanted = len(event.passages)
        event = self._fitted(self._numbered(event))
        self.passages = union(self.passages, event.passages)
        await emit(event)
        if step:
            await emit(StepChanged(step=step, state="ended", took_s=time.monotonic() - began))
        if step == "retrieve" and (code := CONTEXT_WARNINGS.get(event.quality or "")):
            await self.warn(code)
        self.left_out += wanted - len(event.passages)
        return event.passages

    async def warn(self, code: str, **values: Value) -> None:
        """Emit a warning, each only once."""
        if code not in self._warnings:
            self._warnings.add(code)
            await emit(Warned(code=code, values=values))

    def _numbered(self, event: PassagesFound) -> PassagesFound:
        if not self.passages:
            return event
        numbers = {_place(passage): passage.number for passage in self.passages}
        last = max(numbers.values())
        renumbered = []
        for passage in event.passages:
            if _place(passage) not in numbers:
                last += 1
            renumbered.append(replace(passage, number=numbers.setdefault(_place(passage), last)))
        rejected = tuple(replace(each, number=last + at) for at, each in enumerate(event.rejected, 1))
        return replace(event, passages=tuple(renumbered), rejected=rejected)

    def _fitted(self, event: PassagesFound) -> PassagesFound:
        """Leave out the passages that the prompt has no room for; they keep their numbers and say why."""
        count = self.count_fitting(event.passages)
        if count >= len(event.passages):
            return event
        left_out = tuple(replace(passage, reason=Message("no_room")) for passage in event.passages[count:])
        return replace(event, passages=event.passages[:count], rejected=(*left_out, *event.rejected))


async def withdraw(found: Sequence[Passage], kept: Sequence[Passage]) -> int:
    """Emit which passages of an earlier attempt are not sent any more; return their number."""
    numbers = {each.number for each in kept}
    left_out = tuple(replace(each, reason=Message("no_room")) for each in found if each.number not in numbers)
    if left_out:
        await emit(PassagesFound(query="", passages=(), rejected=left_out))
    return len(left_out)


@contextmanager
def searching() -> Iterator[None]:
    """An index raises SearchFault for everything that can go wrong with it: any other exception is a bug of ours."""
    try:
        yield
    except GlassboxError:
        raise
    except Exception as error:
        own_fault(error, "search")
        raise SearchFault(is_ours=True) from error


def _place(passage: Passage) -> tuple[str, int | None, str]:
    return passage.document_id or passage.document, passage.start, passage.text
