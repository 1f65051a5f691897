"""What the process of an optimiser does: runs one of DSPy's optimisers over a program of ours, or answers examples.

Each full measurement of a candidate on the validation examples is one trial, told to the server as soon as it has
ended: DSPy calls back around `Evaluate`, with which random search, MIPROv2 and GEPA measure their candidates.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dspy
from dspy.utils.callback import BaseCallback

from pipeline.citations.markers import markers
from pipeline.events import PassagesFound
from pipeline.experiments.comparable_texts import contains
from pipeline.optimisation.connection import AsyncRemoteEngine, Connection, RemoteEngine, RemoteSearch
from pipeline.optimisation.examples import Example
from pipeline.optimisation.metric import Scored, scored
from pipeline.optimisation.wire import Answered, Job, Tried
from pipeline.passages import Passage, union
from pipeline.programs.registry import ANSWER, PROGRAMS, program_named
from pipeline.programs.rewriting import Rewrite
from pipeline.programs.saved_programs import saved_spec
from pipeline.prompt_passages import numbered
from pipeline.replies.adapters import adapter_for
from pipeline.retrieval import SHARED
from pipeline.retrieval.query import query_of

DEMOS = 3  # of one predictor: each holds passages, and prompts are short
MOST_CANDIDATES, MOST_INSTRUCTIONS = 12, 5
BOOTSTRAP_SCORE = 0.7  # from which an answer of the program itself is good enough to be shown as an example
REFLECTION_EXAMPLES = 3


def work(job: Job, connection: Connection) -> None:
    """Do a job."""
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    search = RemoteSearch(connection)
    spec = saved_spec("candidate", job.state.encode(), PROGRAMS) if job.state else program_named(job.program, PROGRAMS)
    student = Candidate(spec.build(search, None))
    engines = {"engine": RemoteEngine(connection), "async_engine": AsyncRemoteEngine(connection)}
    lm = dspy.LM("glassbox/remote", cache=False, num_retries=0, temperature=0.0, **engines)
    measure = Measure((*job.training, *job.validation))
    adapter = adapter_for(is_local=job.is_local)(in_chunks=False)
    context = {"lm": lm, "adapter": adapter, "num_threads": job.threads, "disable_history": True}
    with dspy.context(**context):
        if job.optimizer is None:
            _answer_all(job, student, measure, connection)
            return
        examples = _Prepared(job, search)
        with dspy.context(callbacks=[Trials({each.number for each in job.validation}, job.program, connection)]):
            OPTIMISERS[job.optimizer](job, student, examples, measure, lm)


class Candidate(dspy.Module):
    """A program of ours as optimisers run it: synchronous, with a question alone. Its prediction holds the passages.

    What rewrites queries is frozen: no question of an optimisation follows another one.
    """

    def __init__(self, program: dspy.Module) -> None:
        super().__init__()
        self.program = program
        for _, module in program.named_sub_modules(Rewrite):
            module._compiled = True

    def forward(self, question: str) -> dspy.Prediction:
        """Answer a question."""
        return asyncio.run(self._answer(question))

    async def _answer(self, question: str) -> dspy.Prediction:
        seen = _Seen()
        with dspy.context(send_stream=seen):
            prediction = await self.program.acall(question=question)
        return dspy.Prediction(answer=prediction.get(ANSWER.name) or "", passages=seen.passages)

    @property
    def answering(self) -> dspy.Predict:
        """The predictor of the call whose reply is the answer."""
        predictors = [each for _, each in self.named_predictors()]
        return next((each for each in predictors if ANSWER.name in each.signature.fields), predictors[0])

    def state(self, program: str) -> str:
        """Return instructions and demonstrations of every predictor, as `saved_programs` reads them."""
        modules = [module for _, module in self.program.named_sub_modules(Rewrite)]
        for module in modules:
            module._compiled = False
        try:
            state = {name: each.dump_state() | {"lm": None} for name, each in self.program.named_predictors()}
        finally:
            for module in modules:
                module._compiled = True
        return json.dumps({**state, "program": program}, ensure_ascii=False, default=str)


class _Seen:
    """The stream of a program that nobody watches: it keeps the passages."""

    def __init__(self) -> None:
        self.passages: tuple[Passage, ...] = ()

    async def send(self, event: Any) -> None:
        """Keep the passages of a search."""
        if isinstance(event, PassagesFound):
            self.passages = union(self.passages, event.passages)


class Measure:
    """The metrics that DSPy calls: with the examples of a job by their numbers."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = {each.number: each for each in examples}

    def scored(self, example: dspy.Example, prediction: dspy.Prediction) -> Scored:
        """Score a prediction."""
        answer, passages = prediction.get("answer") or "", prediction.get("passages") or ()
        return scored(self._examples[example.number], answer, passages)

    def __call__(self, example: dspy.Example, prediction: dspy.Prediction, trace: Any = None) -> float:
        """Return the score alone."""
        return self.scored(example, prediction).score

    def with_feedback(
        self,
        gold: dspy.Example,
        pred: dspy.Prediction,
        trace: Any = None,
        pred_name: Any = None,
        pred_trace: Any = None,
    ) -> dspy.Prediction:
        """Return the score, and what would have been better: what people said, what is right, what is not supported."""
        found = self.scored(gold, pred)
        return dspy.Prediction(score=found.score, feedback=found.feedback)


class Trials(BaseCallback):
    """Tells the server of each candidate that was measured on all validation examples."""

    def __init__(self, validation: set[int], program: str, connection: Connection) -> None:
        self._validation, self._program, self._connection = validation, program, connection
        self._running: dict[str, Candidate] = {}

    def on_evaluate_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Note what is measured."""
        devset = inputs.get("devset") or instance.devset
        is_whole = {each.number for each in devset} == self._validation
        if is_whole and isinstance(inputs.get("program"), Candidate):
            self._running[call_id] = inputs["program"]

    def on_evaluate_end(self, call_id: str, outputs: Any | None, exception: BaseException | None = None) -> None:
        """Tell its score and state."""
        candidate = self._running.pop(call_id, None)
        if candidate is None or outputs is None:
            return
        predictor = candidate.answering
        self._connection.say(
            Tried(
                score=round(outputs.score / 100, 4),
                state=candidate.state(self._program),
                instructions=predictor.signature.instructions,
                demos=tuple((str(each.get("question", "")), str(each.get("answer", ""))) for each in predictor.demos),
            )
        )


class _Prepared:
    """The examples as DSPy takes them; those for training with passages, so that they can be shown as examples."""

    def __init__(self, job: Job, search: RemoteSearch) -> None:
        self.validation = [_plain(each) for each in job.validation]
        self.training = [_plain(each) for each in job.training]
        self.labelled = [asyncio.run(_labelled(each, search)) for each in job.training if each.answer]


def _plain(example: Example) -> dspy.Example:
    return dspy.Example(question=example.question, number=example.number).with_inputs("question")


async def _labelled(example: Example, search: RemoteSearch) -> dspy.Example:
    """Return an example with its passages and its answer, which cites the first passage that holds it."""
    found = (await search(query_of(example.question, None), SHARED)).passages
    answer = example.answer
    holding = next((each.number for each in found if contains(each.text, answer)), None)
    if holding is not None and not markers(answer):
        answer = f"{answer} [{holding}]"
    given = {"passages": numbered(found), "history": dspy.History(messages=[])}
    return dspy.Example(**given, question=example.question, answer=answer, number=example.number).with_inputs(
        "question"
    )


def _answer_all(job: Job, program: Candidate, measure: Measure, connection: Connection) -> None:
    """Answer every example, and tell each as soon as it is answered."""
    told: set[int] = set()

    def metric(example: dspy.Example, prediction: dspy.Prediction, trace: Any = None) -> float:
        found = measure.scored(example, prediction)
        told.add(example.number)
        answer = prediction.get("answer") or ""
        connection.say(Answered(number=example.number, answer=answer, score=found.score, abstained=found.abstained))
        return found.score

    devset = [_plain(each) for each in job.validation]
    dspy.Evaluate(devset=devset, metric=metric, num_threads=job.threads, max_errors=len(devset) + 1)(program)
    for each in job.validation:
        if each.number not in told:
            connection.say(Answered(number=each.number, answer="", score=0.0))


Optimise = Callable[[Job, Candidate, _Prepared, Measure, dspy.LM], None]


def _labelled_demos(job: Job, student: Candidate, examples: _Prepared, measure: Measure, lm: dspy.LM) -> None:
    """Measure the program as it is, then with examples of the training set, each time others."""
    evaluate = dspy.Evaluate(devset=examples.validation, metric=measure, max_errors=len(examples.validation) + 1)
    evaluate(student)
    chance = random.Random(job.seed)
    tried: set[tuple[int, ...]] = set()
    for _ in range(4 * MOST_CANDIDATES if examples.labelled else 0):
        chosen = chance.sample(examples.labelled, chance.randint(1, min(DEMOS, len(examples.labelled))))
        key = tuple(each.number for each in chosen)
        if key not in tried and len(tried) < MOST_CANDIDATES:
            tried.add(key)
            optimiser = dspy.LabeledFewShot(k=len(chosen))
            evaluate(optimiser.compile(student, trainset=chosen, sample=False))


def _bootstrap(job: Job, student: Candidate, examples: _Prepared, measure: Measure, lm: dspy.LM) -> None:
    """Let the program write examples itself: its own answers that score well, with their reasoning."""
    training = _shuffled(examples, job.seed)
    optimiser = dspy.BootstrapFewShotWithRandomSearch(
        metric=measure,
        metric_threshold=BOOTSTRAP_SCORE,
        max_bootstrapped_demos=DEMOS,
        max_labeled_demos=DEMOS if examples.labelled else 0,
        num_candidate_programs=MOST_CANDIDATES,
        stop_at_score=100.0,
        num_threads=job.threads,
        max_errors=1_000,
    )
    optimiser.compile(student, trainset=training, valset=examples.validation)


def _mipro(job: Job, student: Candidate, examples: _Prepared, measure: Measure, lm: dspy.LM) -> None:
    """Let the model propose instructions from the examples, and choose among them and sets of examples."""
    optimiser = dspy.MIPROv2(
        metric=measure,
        prompt_model=lm,
        task_model=lm,
        auto=None,
        num_candidates=MOST_INSTRUCTIONS,
        max_bootstrapped_demos=DEMOS - 1,
        max_labeled_demos=DEMOS - 1 if examples.labelled else 0,
        num_threads=job.threads,
        max_errors=1_000,
        seed=job.seed,
        metric_threshold=BOOTSTRAP_SCORE,
        track_stats=False,
    )
    optimiser.compile(
        student,
        trainset=_shuffled(examples, job.seed),
        valset=examples.validation,
        num_trials=MOST_CANDIDATES,
        minibatch=False,
        program_aware_proposer=False,  # it would send the program's source
        view_data_batch_size=DEMOS,
    )


def _gepa(job: Job, student: Candidate, examples: _Prepared, measure: Measure, lm: dspy.LM) -> None:
    """Let the model rewrite the instructions from what was wrong with single answers."""
    optimiser = dspy.GEPA(
        metric=measure.with_feedback,
        max_metric_calls=max(job.calls, 1),
        reflection_lm=lm.copy(temperature=1.0),
        reflection_minibatch_size=min(REFLECTION_EXAMPLES, len(examples.training)),
        use_merge=False,
        num_threads=job.threads,
        warn_on_score_mismatch=False,
        seed=job.seed,
    )
    optimiser.compile(student, trainset=examples.training, valset=examples.validation)


def _shuffled(examples: _Prepared, seed: int) -> list[dspy.Example]:
    """Return the training examples in an order by seed: those with a right answer with it, which others lack."""
    known = {each.number: each for each in examples.labelled}
    training = [known.get(each.number, each) for each in examples.training]
    random.Random(seed).shuffle(training)
    return training


OPTIMISERS: Mapping[str, Optimise] = {
    "labelled": _labelled_demos,
    "bootstrap": _bootstrap,
    "mipro": _mipro,
    "gepa": _gepa,
}
