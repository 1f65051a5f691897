"""Saved programs: the state of a program (`program.save("x.json")` of DSPy) under a name of its own.

A state holds the demonstrations and the instructions of each predictor. Only those are taken over: never a pickle, and
never a language model, which would pin a model and the address of its server. The host's states are the files
`DATA_DIR/programs/NAME.json`; a visitor's are rows, which nobody else can name.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import dspy

from pipeline.display_names import shown_file
from pipeline.passages import Query
from pipeline.programs.changing_files import ChangingFiles, UnusableFile, content_of
from pipeline.programs.registry import ANSWER, Programs, ProgramSpec
from pipeline.prompt_passages import neutral
from pipeline.replies.text import whole_text
from pipeline.retrieval import DEFAULT_OPTIONS, DocumentReader, Scope, Search, SearchOptions, SearchResult
from pipeline.saved_program import SavedProgram

STATE_BYTES = 1_000_000
MOST_DEMOS = 64  # of one predictor
MOST_DEPTH = 20  # of a value in a demonstration
INSTRUCTIONS_CHARS = 20_000
MOST_FILES = 200
MOST_KEPT = 1_000  # states of visitors in memory
NAME = re.compile(r"[a-z0-9-]{1,64}")

StateFault = Literal["name", "large", "no_json", "unknown_program", "predictors", "state"]

log = logging.getLogger(__name__)

_AUGMENTED = "augmented"  # marks a demonstration that a model has written
_MARKS = ("metadata", "program")  # keys beside those of predictors


class UnusableState(ValueError):
    """A state that cannot be taken over; its text is the code alone."""

    def __init__(self, code: StateFault) -> None:
        super().__init__(code)
        self.code = code


def saved_spec(name: str, content: bytes, programs: Programs, title: str = "") -> ProgramSpec:
    """Return the program that a state makes of one of the programs. Raises UnusableState."""
    if not NAME.fullmatch(name):
        raise UnusableState("name")
    if len(content) > STATE_BYTES:
        raise UnusableState("large")
    try:
        state = json.loads(content)
    except (ValueError, RecursionError):
        raise UnusableState("no_json") from None
    if not isinstance(state, dict):
        raise UnusableState("state")
    base = _base(state, programs)
    predictors = {key: value for key, value in state.items() if key not in _MARKS}
    module = _loaded(base, predictors, _no_search, None)
    instructions = [
        each.signature.instructions for _, each in module.named_predictors() if ANSWER.name in each.signature.fields
    ]
    return replace(
        base,
        name=name,
        title=title or name,
        build=partial(_loaded, base, predictors),
        instructions=instructions[0] if instructions else base.instructions,
        version=int(hashlib.sha256(content).hexdigest()[:7], 16),
    )


class SavedPrograms(Mapping[str, ProgramSpec]):
    """The programs of the registry, the host's saved ones behind them, and those of visitors that were asked for.

    Visitors' are found by their names, which nobody can guess, and listed nowhere. A file of the folder is read when it
    is new or has changed, at the next use.
    """

    def __init__(self, programs: Programs, folder: Path | None = None) -> None:
        self._programs = programs
        self._files = ChangingFiles(folder, self._read, _is_visible, MOST_FILES) if folder else None
        self._kept: OrderedDict[str, ProgramSpec] = OrderedDict()

    def __getitem__(self, name: str) -> ProgramSpec:
        if name in self._programs:
            return self._programs[name]
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        return self._of_host()[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._programs
        yield from self._of_host()

    def __len__(self) -> int:
        return len(self._programs) + len(self._of_host())

    def is_listed(self, name: str) -> bool:
        """Whether everybody may name it."""
        return name in self._programs or name in self._of_host()

    def spec_of(self, saved: SavedProgram) -> ProgramSpec | None:
        """Return a visitor's saved program, None where its state cannot be used (any longer), and keep it."""
        try:
            spec = saved_spec(saved.name, saved.state, self._programs, saved.title)
        except UnusableState as fault:
            log.warning("a visitor's saved program cannot be used (%s)", fault.code)
            return None
        self._kept[saved.name] = spec
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return spec

    def _of_host(self) -> dict[str, ProgramSpec]:
        """Return the saved programs of the folder as they are now."""
        if self._files is None:
            return {}
        try:
            self._files.update()
        except OSError:  # there need not be one
            return {}
        return {spec.name: spec for spec in self._files.latest.values() if spec}

    def _read(self, path: Path, _before: ProgramSpec | None) -> ProgramSpec | None:
        """Read a file; None for one that cannot be used."""
        try:
            if path.suffix != ".json":
                raise UnusableState("no_json")  # as a pickle, which would run code
            return saved_spec(path.stem, content_of(path, STATE_BYTES + 1), self._programs)
        except (UnusableState, UnusableFile) as fault:
            log.warning("the saved program %s cannot be used (%s)", shown_file(path.name), fault.code)
            return None


def _is_visible(name: str) -> bool:
    return not name.startswith(".")


def _base(state: Mapping[str, Any], programs: Programs) -> ProgramSpec:
    """Return the program whose state this is: the one that it names, else the one with the same predictors."""
    named = state.get("program")
    if named is not None:
        if not isinstance(named, str) or named not in programs:
            raise UnusableState("unknown_program")
        return programs[named]
    wanted = {key: _fields_in(value) for key, value in state.items() if key not in _MARKS}
    for spec in programs.values():
        predictors = spec.build(_no_search, None).named_predictors()
        if {name: len(each.signature.fields) for name, each in predictors} == wanted:
            return spec
    raise UnusableState("predictors")


def _loaded(base: ProgramSpec, state: Mapping[str, Any], search: Search, reader: DocumentReader | None) -> dspy.Module:
    """Return a module of the program with the demonstrations and instructions of a state. Raises UnusableState."""
    module = base.build(search, reader)
    predictors = dict(module.named_predictors())
    if set(predictors) != set(state):
        raise UnusableState("predictors")
    for name, predictor in predictors.items():
        cleaned = _cleaned(state[name], predictor.signature)
        try:
            predictor.load_state(cleaned, allow_unsafe_lm_state=False)
        except Exception:  # noqa: BLE001  a state is foreign, and DSPy does not say what it raises
            raise UnusableState("state") from None
    return module


def _cleaned(state: Any, signature: type[dspy.Signature]) -> dict[str, Any]:
    """Return what is taken over of a predictor's state: no language model, no traces. Raises UnusableState."""
    if not isinstance(state, dict) or _fields_in(state) != len(signature.fields):
        raise UnusableState("state")
    said, demos = state["signature"], state.get("demos", [])
    if not isinstance(said.get("instructions"), str) or len(said["instructions"]) > INSTRUCTIONS_CHARS:
        raise UnusableState("state")
    if not isinstance(demos, list) or len(demos) > MOST_DEMOS or not all(isinstance(each, dict) for each in demos):
        raise UnusableState("state")
    fields = [{key: _text(each.get(key)) for key in ("prefix", "description")} for each in said["fields"]]
    return {
        "signature": {"instructions": _text(said["instructions"]), "fields": fields},
        "demos": [_demo(each, signature) for each in demos],
        "traces": [],
        "train": [],
        "lm": None,
    }


def _demo(demo: Mapping[str, Any], signature: type[dspy.Signature]) -> dict[str, Any]:
    """Return a demonstration with the fields of the signature alone."""
    taken: dict[str, Any] = {name: _value(value) for name, value in demo.items() if name in signature.fields}
    if "history" in taken:
        messages = taken["history"].get("messages") if isinstance(taken["history"], dict) else None
        is_history = isinstance(messages, list) and all(isinstance(each, dict) for each in messages)
        taken["history"] = dspy.History(messages=messages if is_history else [])
    return taken | ({_AUGMENTED: True} if demo.get(_AUGMENTED) else {})


def _value(value: Any, depth: int = 0) -> Any:
    """Return a value of a demonstration with its texts as a prompt takes them. Raises UnusableState for a deep one."""
    if depth > MOST_DEPTH:
        raise UnusableState("state")
    match value:
        case str():
            return _text(value)
        case list():
            return [_value(each, depth + 1) for each in value]
        case dict():
            return {_text(key): _value(each, depth + 1) for key, each in value.items()}
        case _:
            return value


def _text(value: Any) -> str:
    """Return a text without marks of the prompt's format and without what cannot be sent; "" for anything else."""
    return neutral(whole_text(value.replace("\0", ""))) if isinstance(value, str) else ""


def _fields_in(state: Any) -> int:
    """Return how many fields a predictor's state describes; -1 where it is none."""
    said = state.get("signature") if isinstance(state, dict) else None
    fields = said.get("fields") if isinstance(said, dict) else None
    is_list = isinstance(fields, list) and all(isinstance(each, dict) for each in fields)
    return len(fields) if is_list and fields is not None else -1


async def _no_search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
    raise NotImplementedError  # of a module that is looked at and never run
