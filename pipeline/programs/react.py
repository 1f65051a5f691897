"""ReAct: DSPy's agent. After a first search the model calls tools until it finishes, then it answers from all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dspy

from pipeline.errors import ModelFault
from pipeline.events import Warned
from pipeline.passages import Passage
from pipeline.programs.call_limits import DEFAULT_LIMITS, CallLimits
from pipeline.programs.chain_of_thought import DEFAULT_INSTRUCTIONS, NOTHING_FOUND, overview, turn_text
from pipeline.programs.prompt_size import PROMPT_LIMIT_CHARS, fits, left_out_warning, limit_now
from pipeline.programs.search_step import SearchStep, query_after, withdraw
from pipeline.programs.tool_choices import ARGUMENTS, FINISH, NAME, THOUGHT, ToolChoice, choice_of
from pipeline.programs.tools import TOOLS, ToolCalls, ToolContext, Tools
from pipeline.prompt_passages import neutral, numbered
from pipeline.replies.adapters import fields_of_signature, hiding
from pipeline.replies.dspy_internals import AdapterParseError, Agent, emit, say
from pipeline.replies.reading import read
from pipeline.replies.structured import THOUGHTS
from pipeline.retrieval import DEFAULT_OPTIONS, SHARED, DocumentReader, Scope, Search, SearchOptions
from pipeline.turn import Turn

TOO_LONG = frozenset({"prompt_too_long", "context_window_exceeded"})  # by our estimate, and by the model's server


class AnswerWithTools(dspy.Signature):
    __doc__ = DEFAULT_INSTRUCTIONS

    passages: str = dspy.InputField(desc="numbered passages that were found for the question")
    history: str = dspy.InputField(desc="earlier turns of this conversation")
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="Markdown, each statement with the [n] of its passage")


class ReActWithTools(dspy.Module):
    """DSPy's agent with tools. `agent.react` is asked for the next tool, `agent.extract` for the answer."""

    def __init__(self, search: Search, reader: DocumentReader | None = None, tools: Tools = TOOLS) -> None:
        super().__init__()
        self.search, self.reader, self.tools = search, reader, tools
        self.agent = Agent(AnswerWithTools, tools=[tool.for_dspy for tool in tools.values()])
        self.agent.react.signature = hiding(self.agent.react.signature, NAME, ARGUMENTS)
        self._rules = self.agent.react.signature.instructions.removeprefix(AnswerWithTools.instructions)

    async def aforward(
        self,
        question: str,
        history: Sequence[Turn] = (),
        scope: Scope = SHARED,
        options: SearchOptions = DEFAULT_OPTIONS,
        instructions: str | None = None,
        found: Sequence[Passage] | None = None,
        prompt_limit_chars: int = PROMPT_LIMIT_CHARS,
        call_limits: CallLimits = DEFAULT_LIMITS,
        **inputs: Any,
    ) -> dspy.Prediction:
        """Answer `question`. Raises SearchFault where the first search fails, and ModelFault.

        `found` are the passages of an earlier attempt, which replace the first search. At a limit of steps or of time
        the model answers from what it has, and a warning says so.
        """
        prompts = _Prompts(self.agent, self._rules, question, history, instructions, prompt_limit_chars)
        deadline = call_limits.deadline()
        searches = SearchStep(self.search, scope, options, found, prompts.count_fitting, deadline)
        if found is None and await overview(searches, question, history, self.reader) is None:
            await searches.find(query_after(history, question))
        await prompts.keep(searches.passages)
        calls = ToolCalls(self.tools, ToolContext(searches, self.reader, scope))
        for _ in range(call_limits.steps):
            try:
                async with deadline.limit():
                    choice = await self._choose(prompts)
            except TimeoutError:
                await searches.warn("time_limit")
                break
            if choice is None or choice.tool == FINISH:
                break
            prompts.steps.append(_StepTaken(choice, await calls.call(choice, deadline)))
        else:
            await searches.warn("step_limit", most=call_limits.steps)
        if not prompts.steps:
            prompts.leave_out_trajectory()
        prediction: dspy.Prediction = await prompts.ask(self.agent.extract, prompts.answering)
        if warning := prompts.warning(searches.left_out):
            await emit(warning)
        return prediction

    async def _choose(self, prompts: _Prompts) -> ToolChoice | None:
        """Ask for the next tool; None where the reply names none, or the prompt has no room. Raises ModelFault."""
        try:
            prediction = await prompts.ask(self.agent.react, prompts.choosing)
        except AdapterParseError as error:
            return await self._read_choice(error)
        except ModelFault as fault:
            if fault.code not in TOO_LONG:
                raise
            return None
        return ToolChoice(prediction[NAME], prediction[ARGUMENTS], thought=str(prediction[THOUGHT] or ""))

    async def _read_choice(self, error: AdapterParseError) -> ToolChoice | None:
        """Read a choice that DSPy could not, and show its thought where the reply has no field for it."""
        reply = error.lm_response or ""
        fields = read(reply, fields_of_signature(self.agent.react.signature))
        choice = choice_of(reply, fields, self.tools.keys())
        if not fields.get(THOUGHT) and not fields.get(THOUGHTS):
            thought = choice.thought if choice else fields.get(ARGUMENTS, "")
            if thought and not any(name in thought for name in self.tools):
                await say("reasoning", thought)
        return choice


@dataclass(frozen=True, slots=True)
class _StepTaken:
    """A call of a tool that has returned, and what the model saw of it."""

    choice: ToolChoice
    observation: str


class _Prompts:
    """The two prompts of one run, which grow with its steps. Where they are too long, the oldest parts are left out."""

    def __init__(
        self,
        agent: Agent,
        rules: str,
        question: str,
        history: Sequence[Turn],
        instructions: str | None,
        limit_chars: int,
    ) -> None:
        self._agent, self._limit_chars, self._question = agent, limit_chars, neutral(question)
        self._turns = [turn_text(turn) for turn in history]
        self.choosing = agent.react.signature
        self.answering = agent.extract.predict.signature
        if instructions:
            own = neutral(instructions)
            self.choosing = self.choosing.with_instructions(own + rules)
            self.answering = self.answering.with_instructions(own)
        self.passages: Sequence[Passage] = ()
        self._sent: Sequence[Passage] = ()  # with the last prompt
        self.steps: list[_StepTaken] = []
        self._given_turns, self._left_out, self._forgotten = len(history), 0, 0  # passages, steps

    async def ask(self, module: Any, signature: type[dspy.Signature]) -> Any:
        """Make one call, again without the oldest step where the model's own window is smaller. Raises ModelFault."""
        while True:
            inputs = self._fitting(signature)
            if signature is self.answering:
                self._left_out += await withdraw(self.passages, self._sent)
                self.passages = self._sent
            try:
                return await module.acall(signature=signature, **inputs)
            except ModelFault as fault:
                if fault.code != "context_window_exceeded" or not self.steps:
                    raise
                self._forget_step()

    def leave_out_trajectory(self) -> None:
        """Ask for the answer without the steps, of which there are none: small models wonder about an empty field."""
        self.answering = self.answering.delete("trajectory")

    async def keep(self, passages: Sequence[Passage]) -> None:
        """Send these passages, of an earlier attempt those that fit."""
        self.passages = passages[: self.count_fitting(passages)]
        self._left_out += await withdraw(passages, self.passages)

    def count_fitting(self, passages: Sequence[Passage]) -> int:
        """Return how many of the passages, from the first on, fit into the last prompt without turns and steps."""
        counts = range(limit_now(self._limit_chars).most_passages(len(passages)), 0, -1)
        return next((count for count in counts if self._fits(self.answering, (), (), passages[:count])), 0)

    def _fitting(self, signature: type[dspy.Signature]) -> Mapping[str, str]:
        """Return the inputs, without the oldest turns, then steps, then the last passages that do not fit.

        Passages come back in the other prompt, where they may have room. Raises ModelFault where even the question does
        not fit.
        """
        self._sent = self.passages
        while not self._fits(signature, self._turns, self.steps, self._sent):
            if self._turns:
                self._turns = self._turns[1:]
            elif self.steps:
                self._forget_step()
            elif self._sent:
                self._sent = self._sent[:-1]
            else:
                raise ModelFault("prompt_too_long")
        return self._inputs(signature, self._turns, self.steps, self._sent)

    def _forget_step(self) -> None:
        self.steps, self._forgotten = self.steps[1:], self._forgotten + 1

    def warning(self, passages_left_out: int) -> Warned | None:
        """Return what to tell of what had no room."""
        turns = self._given_turns - len(self._turns)
        return left_out_warning(turns=turns, passages=passages_left_out + self._left_out, steps=self._forgotten)

    def _fits(
        self,
        signature: type[dspy.Signature],
        turns: Sequence[str],
        steps: Sequence[_StepTaken],
        passages: Sequence[Passage],
    ) -> bool:
        return fits(signature, self._inputs(signature, turns, steps, passages), self._limit_chars)

    def _inputs(
        self,
        signature: type[dspy.Signature],
        turns: Sequence[str],
        steps: Sequence[_StepTaken],
        passages: Sequence[Passage],
    ) -> Mapping[str, str]:
        inputs = {
            "passages": numbered(passages) or NOTHING_FOUND,
            "history": "\n\n".join(turns),
            "question": self._question,
            "trajectory": self._agent.trajectory_text(_trajectory(steps)),
        }
        return {name: inputs[name] for name in signature.input_fields}


def _trajectory(steps: Sequence[_StepTaken]) -> dict[str, Any]:
    """Return the steps as DSPy's agent names their parts."""
    parts: dict[str, Any] = {}
    for at, step in enumerate(steps):
        choice = step.choice
        arguments = {**choice.named, **{str(number): each for number, each in enumerate(choice.positional, 1)}}
        parts |= {
            f"thought_{at}": neutral(choice.thought),
            f"tool_name_{at}": neutral(choice.tool),
            f"tool_args_{at}": arguments,
            f"observation_{at}": step.observation,
        }
    return parts
