"""What an ending says of its answer: refused or not, what is missing, and how likely the passages answer."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipeline.events import Parts, TurnFinished, Usage
from pipeline.passages import Passage
from pipeline.settings import BUILTIN_MODEL
from pipeline.turns.abstention import judged, warning_of
from pipeline.verdicts import Label

CREMA = Passage(1, "a.md", "Espresso", "Crema", "Crema is the foam on top of an espresso. It is brown.", 2.0)
QUESTION = "What is crema, and who sells it in Bern?"


def ending(answer: str, model: str = "m", passages: tuple[Passage, ...] = (CREMA,)) -> TurnFinished:
    return TurnFinished(
        fields={"answer": answer},
        passages=passages,
        usage=Usage(1, 1, exact=True),
        cost=None,
        finish="stop",
        model=model,
        cached=False,
        saved=True,
    )


def told(answer: str, model: str = "m", checks: Mapping[Label, int] | None = None) -> TurnFinished:
    return judged(ending(answer, model), QUESTION, None, checks or {})


def test_a_refusal_names_what_is_missing_in_the_models_words() -> None:
    finished = told("Crema is foam [1]. The passages do not say who sells it.")
    assert (finished.abstained, finished.missing, finished.parts) == (False, "who sells it", Parts(2, 1))


def test_one_that_names_nothing_gets_the_part_that_the_passages_do_not_answer() -> None:
    finished = told("Crema is foam [1]. The rest is not mentioned.")
    assert (finished.abstained, finished.missing) == (False, "who sells it in Bern")


@pytest.mark.parametrize("answer", ["I don't know.", "Die Passagen beantworten das nicht."])
def test_a_whole_refusal_is_never_without_what_is_missing(answer: str) -> None:
    finished = judged(ending(answer), "What is crema?", None, {})
    assert (finished.abstained, finished.missing, finished.parts) == (True, "What is crema?", None)


def test_an_answer_without_a_refusal_misses_nothing() -> None:
    finished = told("Crema is foam [1].")
    assert (finished.abstained, finished.missing, finished.parts) == (False, None, None)


def test_the_built_in_model_misses_what_it_did_not_find() -> None:
    finished = told("Crema is the foam on top of an espresso. [1]", BUILTIN_MODEL)
    assert (finished.abstained, finished.missing, finished.parts) == (False, "who sells it in Bern", Parts(2, 1))


def test_the_confidence_follows_what_a_language_model_made_of_the_passages() -> None:
    def confidence(answer: str, checks: Mapping[Label, int]) -> float:
        finished = judged(ending(answer), "What is crema?", None, checks)
        assert finished.confidence is not None
        return finished.confidence

    supported = confidence("Crema is foam [1].", {"verbatim": 1})
    plain = confidence("Crema is foam [1].", {"no_claim": 1})
    doubtful = confidence("Crema is tea [1].", {"not_found": 1})
    refused = confidence("I don't know.", {})
    assert 1 > supported > plain > max(doubtful, refused) > min(doubtful, refused) > 0


def test_without_passages_nothing_is_answered() -> None:
    assert judged(ending("Hello!", passages=()), "Hi", None, {}).confidence == 0


@pytest.mark.parametrize(
    ("checks", "values"),
    [
        ({"not_found": 3, "supported": 1}, {"doubtful": 3, "claims": 4}),
        ({"not_found": 1, "weak": 1, "uncited": 1}, {"doubtful": 2, "claims": 3}),
        ({"not_found": 1}, {"doubtful": 1, "claims": 1}),
        ({"weak": 2}, {"doubtful": 2, "claims": 2}),
    ],
)
def test_an_answer_is_warned_of_when_most_of_its_claims_are_not_found(
    checks: Mapping[Label, int], values: Mapping[str, int]
) -> None:
    warning = warning_of(checks)
    assert warning is not None
    assert (warning.code, warning.values) == ("unsupported", values)


@pytest.mark.parametrize(
    "checks",
    [{}, {"no_claim": 4}, {"weak": 1}, {"not_found": 2, "verbatim": 2}, {"uncited": 3}, {"wrong_source": 2}],
)
def test_any_other_answer_is_not(checks: Mapping[Label, int]) -> None:
    assert warning_of(checks) is None
