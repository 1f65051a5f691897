"""What inquiries find, as frozen values: a state of an inquiry holds all that is known so far. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from pipeline.citations.restating import Outcome
from pipeline.exchange_costs import NO_COST, Cost
from pipeline.messages import StoredMessage
from pipeline.passages import Span

Conclusion = Literal["stands_on", "changes", "several", "none_alone", "nothing", "unstable"]
SecondVerdict = Literal["supported", "partly", "not_supported", "contradicted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an inquiry would ask: at most so many calls of a model, the tokens of each, and the cost of all in USD.

    `cost` is None where a price is unknown.
    """

    model: str
    calls: int
    prompt_tokens: int
    reply_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One call: which passages were left out, and whether the reply says the sentence.

    `said` is what comes closest to it in the reply, "" where nothing does. A reply that could not be used has no
    outcome but the code of its fault.
    """

    left_out: tuple[int, ...]
    outcome: Outcome | None
    said: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """Which passage a sentence stands on, as far as the model was asked; see `counterfactual.concluded`.

    `planned` are the passages that each call is to leave out: none in the first one, all in the last one. `passages`
    are those that the conclusion names, `untested` those that no usable call left out alone. There is no conclusion
    while the inquiry runs, and where a `fault` ended it.
    """

    field: str
    index: int
    sentence: str
    model: str
    planned: tuple[tuple[int, ...], ...]
    trials: tuple[Trial, ...] = ()
    conclusion: Conclusion | None = None
    passages: tuple[int, ...] = ()
    untested: tuple[int, ...] = ()
    calls: int = 0
    cost: Cost = NO_COST
    took_s: float = 0.0
    samples: bool = False
    fault: StoredMessage = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be asked."""
        return self.conclusion is not None or self.fault is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sentence of a passage that a model names: its place in that passage's text."""

    passage: int
    place: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A model's verdict on a sentence of an answer; None where it gave none that could be used."""

    field: str
    index: int
    verdict: SecondVerdict | None
    evidence: tuple[Evidence, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondCheck:
    """What a model says of the sentences that words alone leave doubtful. The first verdicts stay as they are.

    `asked` are the sentences, each by its field and index.
    """

    model: str
    asked: tuple[tuple[str, int], ...]
    judgements: tuple[Judgement, ...] = ()
    calls: int = 0
    cost: Cost = NO_COST
    took_s: float = 0.0
    fault: StoredMessage = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be asked."""
        return bool(self.judgements) or self.fault is not None


COUNTERFACTUAL: TypeAdapter[Counterfactual] = TypeAdapter(Counterfactual)
SECOND_CHECK: TypeAdapter[SecondCheck] = TypeAdapter(SecondCheck)
