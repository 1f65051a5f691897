"""The list of programs. To add one: write its class in a file of this folder and add its entry to PROGRAMS.

The engine runs a program with these inputs, of which it takes what it needs (and the rest as `**inputs`): `question`,
`history` (earlier turns, oldest first), `scope` and `options` (for the search), `instructions` (None for the program's
own), `found` (passages of an earlier attempt, None before the first search), `continued` (a turn whose answer was cut),
`rewrites`, `prompt_limit_chars`, and `call_limits` of programs that ask a model several times. Every call of a model is
streamed by itself with the fields of its signature, and made with the temperature and token limit of the turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import dspy

from pipeline.errors import Refused
from pipeline.programs import compliance, direct, document_analysis
from pipeline.programs.chain_of_thought import DEFAULT_INSTRUCTIONS, Rag
from pipeline.programs.compliance import Compliance
from pipeline.programs.direct import Direct
from pipeline.programs.document_analysis import DocumentAnalysis
from pipeline.programs.multi_hop import MOST_HOPS, MultiHop
from pipeline.programs.react import ReActWithTools
from pipeline.programs.tools import TOOLS
from pipeline.retrieval import DocumentReader, Search

Build = Callable[[Search, DocumentReader | None], dspy.Module]


FieldKind = Literal["text", "findings", "table"]


@dataclass(frozen=True, slots=True)
class OutputField:
    """A field that a program says.

    `title` is what people see it under, "" for the catalogue's `field.<name>.title`. `kind` is how it is shown:
    Markdown text, findings (`pipeline.programs.findings` reads them) or a Markdown table.
    """

    name: str
    title: str = ""
    kind: FieldKind = "text"


REASONING, ANSWER = OutputField("reasoning"), OutputField("answer")


@dataclass(frozen=True, slots=True)
class BuiltinUse:
    """What the built-in model, which only quotes, does where it is asked to answer by a program.

    `runs`: it is asked by the program itself, and fills those of its fields that it can; else the default program
    quotes in its place. `warning` is the code of what it cannot do; None where nothing is missing.
    """

    runs: bool = False
    warning: str | None = "builtin_quotes"


QUOTES_INSTEAD, RUNS_WHOLLY = BuiltinUse(), BuiltinUse(runs=True, warning=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSpec:
    """A program: what it is called, what it says, and how its module is built.

    `name` is what a request names it by. `title` and `description` are "" for the catalogue's
    `program.<name>.title` and `.description`. `fields` are shown under their titles, in the order in which they
    come; what a call says under another name is shown as reasoning. `tools` are the names of what the model may
    call. One that `needs_passages` may be replaced by quotes of the built-in model where no other model answers;
    `builtin` says what that model does for it. One that `needs_document` answers from one document: people choose
    it. One that `can_continue` uses the input `continued`; the others answer anew. `most_steps` counts the searches
    of one that works in several steps, and its answer; None for the others. Calls of tools come besides, see
    `limited`. `version` is stored with each turn: raise it when the same question would get other prompts. The
    module built once answers many turns at once and must keep nothing of any of them.
    """

    name: str
    build: Build
    title: str = ""
    description: str = ""
    fields: tuple[OutputField, ...] = (REASONING, ANSWER)
    tools: tuple[str, ...] = ()
    instructions: str = DEFAULT_INSTRUCTIONS
    needs_passages: bool = True
    needs_document: bool = False
    builtin: BuiltinUse = QUOTES_INSTEAD
    can_continue: bool = False
    most_steps: int | None = None
    version: int = 1

    def __post_init__(self) -> None:
        if ANSWER.name not in self.field_names:
            raise ValueError(f"The program {self.name} has no field named {ANSWER.name}: one of its fields must be.")

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of its fields, in their order."""
        return tuple(each.name for each in self.fields)


Programs = Mapping[str, ProgramSpec]


def programs_of(specs: Iterable[ProgramSpec]) -> Programs:
    """Programs by name; the first is the default. Raises ValueError for a name that occurs twice."""
    listed = tuple(specs)
    by_name = MappingProxyType({spec.name: spec for spec in listed})
    if len(by_name) != len(listed):
        raise ValueError("Two programs have the same name: give each its own.")
    return by_name


def limited(programs: Programs, agent_steps: int) -> Programs:
    """Return the programs with the most calls of tools counted among their steps."""
    return programs_of(
        replace(spec, most_steps=spec.most_steps + agent_steps) if spec.tools and spec.most_steps else spec
        for spec in programs.values()
    )


def program_named(name: str | None, programs: Programs) -> ProgramSpec:
    """The program of that name, the default for None. Raises Refused for a name that no program has."""
    if name is None:
        return next(iter(programs.values()))
    try:
        return programs[name]
    except KeyError:
        raise Refused("unknown_program") from None


PROGRAMS: Programs = programs_of(
    (
        ProgramSpec(name="ChainOfThought", build=Rag, builtin=RUNS_WHOLLY, can_continue=True),
        ProgramSpec(
            name="Direct",
            build=Direct,
            fields=(ANSWER,),
            instructions=direct.INSTRUCTIONS,
            builtin=RUNS_WHOLLY,
            can_continue=True,
        ),
        ProgramSpec(name="MultiHop", build=MultiHop, most_steps=MOST_HOPS + 1),
        ProgramSpec(name="ReAct", build=ReActWithTools, tools=tuple(TOOLS), most_steps=2, version=2),
        ProgramSpec(
            name="Compliance",
            build=Compliance,
            fields=(OutputField("analysis"), OutputField("findings", kind="findings"), ANSWER),
            instructions=compliance.INSTRUCTIONS,
            builtin=BuiltinUse(runs=True, warning="builtin_compliance"),
        ),
        ProgramSpec(
            name="DocumentAnalysis",
            build=DocumentAnalysis,
            fields=(
                OutputField("summary"),
                OutputField("key_figures", kind="table"),
                OutputField("open_questions"),
                ANSWER,
            ),
            instructions=document_analysis.INSTRUCTIONS,
            builtin=BuiltinUse(runs=True, warning="builtin_document"),
            needs_document=True,
        ),
    )
)
