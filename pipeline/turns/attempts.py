"""One attempt to answer a turn: which program, model, inputs and limits it has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ModelFault
from pipeline.events import Emit, Event, Warned
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.lm import RecordedLM, asked_label, asked_with_own_key
from pipeline.models.prompt_limit import PromptLimit, reply_reserve
from pipeline.models.visitor_keys import VisitorModel
from pipeline.options import model_parameters
from pipeline.passages import Passage
from pipeline.programs.call_limits import CallLimits
from pipeline.programs.languages import instructions_in
from pipeline.programs.registry import Programs, ProgramSpec, program_named
from pipeline.replies.adapters import adapter_for
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions, ReplyOutcome, answer
from pipeline.replies.prompt_preview import first_prompt
from pipeline.retrieval import Index, Scope, SearchOptions
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turn import AskOptions, Turn, TurnRequest
from pipeline.turns.recovery import Attempt

MODULES_KEPT = 100


@dataclass(frozen=True, slots=True)
class TurnContext:
    """The inputs that all attempts of a turn share: `continued` is the turn whose answer they go on with.

    `own` is the model asked with the visitor's own key, None where the host pays.
    """

    request: TurnRequest
    scope: Scope
    history: Sequence[Turn] = ()
    continued: Turn | None = None
    own: VisitorModel | None = None


class Attempts:
    """Makes attempts over the models and programs of this process."""

    def __init__(self, settings: Settings, models: Models, index: Index, programs: Programs) -> None:
        self._settings, self._models, self._programs = settings, models, programs
        # Modules hold nothing of a turn, so that one of each program answers all turns.
        self._index, self._modules = index, OrderedDict[tuple[str, int], Any]()

    async def make(
        self, attempt: Attempt, context: TurnContext, found: tuple[Passage, ...] | None, emit: Emit
    ) -> ReplyOutcome:
        """Ask the attempt's model once; `found` are passages of an earlier attempt. Raises GlassboxError."""
        asked_label.set(attempt.model)
        uses_hosted = context.request.model_key is None or self._settings.own_key_search
        with self._models.reaching(attempt.model):
            own = context.own if context.own and context.own.label == attempt.model else None
            asked_with_own_key.set(own is not None)
            lm = own.lm() if own else self._models.lm(attempt.model)
            await lm.ready()
            program = self._program(attempt, context.request.options)
            if attempt.model == BUILTIN_MODEL:
                self._warn_of_builtin(context.request.options, emit)
            if context.history and not attempt.has_history and not attempt.halvings:
                emit(Warned(code="prompt_limit", values={"turns": len(context.history)}))
            return await answer(
                self._module(program),
                program_inputs(program, attempt, context, found, self._settings, uses_hosted=uses_hosted),
                lm,
                reply_limits(
                    attempt,
                    self._settings,
                    self._prompt_limit(attempt, lm, context.request.options, found),
                    loads_slowly=self._models.loads_slowly(attempt.model),
                ),
                emit,
                self._reply_options(program, attempt, context.request.options),
            )

    async def preview(self, attempt: Attempt, context: TurnContext) -> tuple[PromptExchange | None, tuple[Event, ...]]:
        """Return the first request that the attempt would make, and the events before it. Asks no model.

        Raises GlassboxError.
        """
        options = context.request.options
        program = self._program(attempt, options)
        asked_label.set(attempt.model)
        asked_with_own_key.set(context.request.model_key is not None)
        try:
            lm = self._models.lm(attempt.model)
        except ModelFault:  # without its key a model cannot be built, but its prompt is known
            lm = self._models.lm(BUILTIN_MODEL)
        return await first_prompt(
            self._module(program),
            program_inputs(program, attempt, context, None, self._settings, uses_hosted=False),
            lm,
            reply_limits(attempt, self._settings, self._prompt_limit(attempt, lm, options, None)),
            self._reply_options(program, attempt, options),
        )

    def _module(self, program: ProgramSpec) -> Any:
        """Return the module of a program, made at its first use; another version is another one."""
        key = program.name, program.version
        if key not in self._modules:
            self._modules[key] = program.build(self._index, self._index)
            if len(self._modules) > MODULES_KEPT:
                self._modules.popitem(last=False)
        self._modules.move_to_end(key)
        return self._modules[key]

    def _program(self, attempt: Attempt, options: AskOptions) -> ProgramSpec:
        """Return the program that runs: the one asked for, else the default where the built-in model cannot run it."""
        asked = program_named(options.program, self._programs)
        return asked if attempt.model != BUILTIN_MODEL or asked.builtin.runs else program_named(None, self._programs)

    def _prompt_limit(
        self, attempt: Attempt, lm: RecordedLM, options: AskOptions, found: Sequence[Passage] | None
    ) -> PromptLimit:
        """Return the most that the prompts of an attempt may have: what is left of the model's window by the reply."""
        return PromptLimit.of(
            self._settings.prompt_limit_chars,
            self._models.context_tokens(attempt.model),
            self._max_tokens(attempt, options),
            lm.calibration.correction,
            passages=-(-len(found) // 2**attempt.halvings) if found and attempt.halvings else None,
        )

    def _warn_of_builtin(self, options: AskOptions, emit: Emit) -> None:
        """Emit what the built-in model cannot do for the program asked for."""
        asked = program_named(options.program, self._programs)
        if asked.builtin.warning:
            emit(Warned(code=asked.builtin.warning, values={"program": asked.name}))

    def _reply_options(self, program: ProgramSpec, attempt: Attempt, options: AskOptions) -> ReplyOptions:
        return ReplyOptions(
            attempt.is_streamed,
            streams_reasoning=self._settings.enable_rationale_streaming,
            adapter=adapter_for(is_local=self._models.is_local(attempt.model)),
            fields=program.field_names,
            parameters=self._parameters(attempt, options),
        )

    def _parameters(self, attempt: Attempt, options: AskOptions) -> dict[str, Any]:
        """Temperature and token limit of the model; the built-in one has none.

        A limit that leaves a prompt no room is lowered: servers refuse a request whose prompt and limit together exceed
        the window.
        """
        parameters = _parameters(attempt, options)
        window, max_tokens = self._models.context_tokens(attempt.model), self._max_tokens(attempt, options)
        if window and max_tokens and (most := reply_reserve(window, max_tokens)) < max_tokens:
            parameters["max_tokens"] = most
        return parameters

    def _max_tokens(self, attempt: Attempt, options: AskOptions) -> int | None:
        """The token limit of the question, else that of the model's entry."""
        entry = self._models.entry(attempt.model)
        limit = _parameters(attempt, options).get("max_tokens") or (entry.max_tokens if entry else None)
        return limit if isinstance(limit, int) else None


def first_attempt(model: str, options: AskOptions, history: Sequence[Turn]) -> Attempt:
    """The attempt that a turn begins with: all that was asked for is sent."""
    return Attempt(
        model,
        has_own_instructions=options.instructions is not None,
        has_history=bool(history and options.history_turns),
        has_token_limit=options.max_tokens is not None,
    )


def program_inputs(
    program: ProgramSpec,
    attempt: Attempt,
    context: TurnContext,
    found: tuple[Passage, ...] | None,
    settings: Settings,
    *,
    uses_hosted: bool = True,
) -> dict[str, Any]:
    """The arguments of the program's call."""
    options, is_builtin = context.request.options, attempt.model == BUILTIN_MODEL
    return {
        "question": context.request.question,
        "history": context.history if attempt.has_history else (),
        "scope": context.scope,
        "options": SearchOptions.of(options, uses_hosted=uses_hosted),
        "rewrites": options.rewrites and not is_builtin,
        "instructions": None if is_builtin else _instructions(program, options, attempt),
        "found": found,
        "continued": context.continued,
        "prompt_limit_chars": settings.prompt_limit_chars,
        "call_limits": call_limits(settings),
    }


def call_limits(settings: Settings) -> CallLimits:
    """The limits of a program of several calls. They leave half of the turn's time for the answer."""
    times = [each for each in (settings.agent_timeout_s, settings.turn_timeout_s / 2) if each]
    return CallLimits(settings.agent_steps, min(times, default=0.0))


def reply_limits(
    attempt: Attempt, settings: Settings, prompt: PromptLimit | None = None, *, loads_slowly: bool = False
) -> ReplyLimits:
    """The limits of one reply, with time for loading where the server of the model may have to load it first.

    The built-in model has no deadline: it waits for this machine alone.
    """
    is_builtin = attempt.model == BUILTIN_MODEL
    first_token_s = settings.loading_timeout_s if loads_slowly else settings.first_token_timeout_s
    return ReplyLimits(
        first_token_s=0 if is_builtin else first_token_s,
        idle_s=0 if is_builtin else settings.idle_timeout_s,
        answer_chars=settings.answer_limit_chars,
        piece_chars=settings.stream_chunk_size,
        prompt=prompt or PromptLimit(settings.prompt_limit_chars),
    )


def _parameters(attempt: Attempt, options: AskOptions) -> dict[str, Any]:
    """Temperature and token limit as they were asked for; the built-in model has none."""
    parameters = {} if attempt.model == BUILTIN_MODEL else model_parameters(options)
    if not attempt.has_token_limit:
        parameters.pop("max_tokens", None)
    return parameters


def _instructions(program: ProgramSpec, options: AskOptions, attempt: Attempt) -> str | None:
    """Return the instructions for the model, None for the program's own as they are."""
    own = options.instructions if attempt.has_own_instructions else None
    return own if options.language == "auto" else instructions_in(options.language, own or program.instructions)
