"""The second check: what a model is asked of weak sentences, and what its reply says of them. Pure.

The model names its evidence before its verdict. Evidence that does not exist is dropped, and a sentence that is said to
be supported by none has no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.citations.restating import plain_text
from pipeline.citations.sentences import sentences
from pipeline.events import SentenceChecked, passages_of
from pipeline.inquiries.results import Evidence, Judgement, SecondVerdict
from pipeline.passages import Passage
from pipeline.prompt_passages import heading, neutral
from pipeline.turn import Turn
from pipeline.turns.sentence_checks import checks_of

PROBLEM_WORDS = 12
REPLY_TOKENS_PER_SENTENCE = 25  # expected

_LINE = re.compile(r"^\W*(?:\w+\s)?(\d+)\W*?\|([^|]*)\|\W*([a-z][a-z _-]*?)\W*(?:\|(.*))?$", re.IGNORECASE)
_VERDICTS: dict[str, SecondVerdict] = {
    "supported": "supported",
    "fully supported": "supported",
    "partly": "partly",
    "partly supported": "partly",
    "partial": "partly",
    "partially supported": "partly",
    "not supported": "not_supported",
    "unsupported": "not_supported",
    "contradicted": "contradicted",
    "contradiction": "contradicted",
}


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A sentence to be judged, with the numbers of the passages that it cites."""

    field: str
    index: int
    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """The sentences of one answer to be judged, and the sentences of the passages that they cite.

    Both are numbered from 1, in this order.
    """

    question: str
    doubtful: tuple[Doubtful, ...]
    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]

    def drafts(self) -> Sequence[tuple[str, str]]:
        """Return evidence and sentences as a prompt has them: all, then without the last sentence, and so on."""
        return [self._draft(count) for count in range(len(self.doubtful), 0, -1)]

    def _draft(self, count: int) -> tuple[str, str]:
        asked = self.doubtful[:count]
        cited = {number for each in asked for number in each.citations}
        lines = (f"({at}) {neutral(each.text)}" for at, each in enumerate(asked, 1))
        return "\n\n".join(self._evidence(each) for each in self.passages if each.number in cited), "\n".join(lines)

    def _evidence(self, passage: Passage) -> str:
        lines = [
            f"({at}) {neutral(' '.join(passage.text[slice(*each.place)].split()))}"
            for at, each in enumerate(self.evidence, 1)
            if each.passage == passage.number
        ]
        return "\n".join([f"From “{heading(passage)}”:", *lines])


def queue_of(turn: Turn) -> Queue:
    """Return the weak sentences of a turn that has ended, and what they are to be compared with."""
    weak = [each for each in checks_of(turn.record) if each.verdict == "weak"]
    doubtful = tuple(Doubtful(each.field, each.index, _text(turn, each), each.citations) for each in weak)
    return queue_for(turn.question, doubtful, passages_of(turn.record))


def queue_for(question: str, doubtful: Sequence[Doubtful], passages: Iterable[Passage]) -> Queue:
    """Return sentences to be judged with those of the passages that they cite."""
    cited = {number for each in doubtful for number in each.citations}
    kept = tuple(each for each in passages if each.number in cited)
    evidence = (Evidence(passage=each.number, place=place) for each in kept for place in sentences(each.text))
    return Queue(question, tuple(doubtful), kept, tuple(evidence))


def judgements_of(reply: str, queue: Queue) -> tuple[Judgement, ...]:
    """Return what a reply says of each sentence; of one that it leaves out, or says twice, nothing or the first."""
    found: dict[int, Judgement] = {}
    for line in reply.splitlines():
        if match := _LINE.match(line.strip()):
            number = int(match[1])
            if 1 <= number <= len(queue.doubtful) and number not in found:
                found[number] = _judgement(queue.doubtful[number - 1], match, queue)
    return tuple(
        found.get(number, Judgement(field=each.field, index=each.index, verdict=None))
        for number, each in enumerate(queue.doubtful, 1)
    )


def _judgement(doubtful: Doubtful, match: re.Match[str], queue: Queue) -> Judgement:
    named = dict.fromkeys(int(digits) for digits in re.findall(r"\d{1,4}", match[2]))
    evidence = tuple(queue.evidence[number - 1] for number in named if 1 <= number <= len(queue.evidence))
    verdict = _VERDICTS.get(re.sub(r"[\W_]+", " ", match[3]).strip().lower())
    problem = " ".join((match[4] or "").strip(" |.").split()[:PROBLEM_WORDS])
    if verdict == "supported" and not evidence:
        verdict = None
    return Judgement(
        field=doubtful.field,
        index=doubtful.index,
        verdict=verdict,
        evidence=evidence,
        problem="" if verdict in (None, "supported") else problem,
    )


def _text(turn: Turn, check: SentenceChecked) -> str:
    return plain_text(turn.fields.get(check.field, "")[check.start : check.end])
