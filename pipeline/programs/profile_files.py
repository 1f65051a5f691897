"""Reads a profile out of a YAML file, and names each fault by its line.

A value is read as what its key takes, out of the text as it is written: `title: no` is the word no, `max_tokens: 0500`
is 500. So YAML 1.1 turns nothing into a truth value, an octal number, a time or a date. The file is composed by
PyYAML's safe loader; anchors, aliases and tags are refused before that, and no object is constructed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from pipeline.display_names import shown_name
from pipeline.messages import Message, Value
from pipeline.options import Option, options_of
from pipeline.programs.profiles import Profile, ProfileFault
from pipeline.programs.registry import ANSWER, Programs
from pipeline.retrieval.folders import is_upload
from pipeline.turn import AskOptions

MOST_BYTES = 65_536
SEARCHED_BYTES = 4 * MOST_BYTES  # of a file that is too large, for names of private collections
MOST_DEPTH = 8
TITLE_CHARS = 80
NAME_CHARS = 200
QUESTION_CHARS = 500
STATUS_CHARS = 200
MOST_ITEMS = 50

FaultCode = Literal[
    "unreadable",
    "not_a_file",
    "outside",
    "name",
    "taken",
    "many",
    "large",
    "encoding",
    "character",
    "syntax",
    "tab",
    "alias",
    "tag",
    "documents",
    "deep",
    "empty",
    "mapping",
    "unknown_key",
    "repeated_key",
    "number",
    "whole",
    "flag",
    "choice",
    "text",
    "list",
    "items",
    "uploads",
    "unknown_program",
    "unknown_model",
    "unknown_field",
    "unknown_step",
]

# Keys beside the options of a turn → what they hold, for docs/profiles.md.
KEYS = MappingProxyType(
    {
        "title": f"a text of at most {TITLE_CHARS} characters: the name in the sidebar; default: the name of the file",
        "model": "a label of the model list: who answers; default: the model that the visitor has chosen",
        "collections": "a list of names: the only collections that are searched, `{name: …, private: true}` for one"
        " that is found through profiles alone; default: no limit",
        "example_questions": f"a list of texts of at most {QUESTION_CHARS} characters: shown on the empty page",
        "fields": "a list of names, or names with titles: the output fields of the program that are shown;"
        " `answer` always is; default: all",
        "status_texts": f"steps with texts of at most {STATUS_CHARS} characters: shown in place of the step's name",
    }
)
OPTIONS: Mapping[str, Option] = MappingProxyType(
    {each.name: each for each in options_of(AskOptions) if each.name not in ("profile", "documents", "collections")}
)
STEPS = ("wait", "rewrite", "retrieve", "search", "rerank", "reason", "tool", "answer")
_STEP = re.compile(r"search:[1-9][0-9]?|tool:[A-Za-z_][A-Za-z0-9_]{0,60}")

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][-+]?[0-9]{1,3})?")
_FLAGS = MappingProxyType(
    {**dict.fromkeys(("true", "yes", "on"), True), **dict.fromkeys(("false", "no", "off"), False)}
)
_NULLS = ("", "~", "null", "Null", "NULL")
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What of a line can be a name of a collection: list items, flow items, values, and whatever stands in quotes.
_WORDS = re.compile(r"[^\[\]{},:\"']+")
_QUOTED = re.compile(r""" "([^"]*)" | '([^']*)' """, re.VERBOSE)


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """What was read of one file. Without a `profile` it has faults.

    `model_line` is where the model is named, which is known only to the list of models. `hidden` are the names that
    stay private while the file has a fault.
    """

    profile: Profile | None
    faults: tuple[ProfileFault, ...] = ()
    model_line: int = 1
    hidden: frozenset[str] = frozenset()

    @property
    def private(self) -> frozenset[str]:
        """The collections that are found through profiles alone."""
        return self.hidden | (self.profile.private if self.profile else frozenset())


def read_profile(file: str, name: str, content: bytes, programs: Programs) -> ProfileFile:
    """Read the content of a file, of which at most `SEARCHED_BYTES` need to be given."""
    reader = _Reader(file, programs)
    text = _decoded(content)
    try:
        if len(content) > MOST_BYTES:
            raise _Stop("large", 1)
        if text is None:
            raise _Stop("encoding", 1)
        root = _composed(text)
        if not isinstance(root, yaml.MappingNode):
            raise _Stop("mapping", _line(root))
    except _Stop as stop:
        reader.add(stop.code, stop.line)
        readable = text if text is not None else content.decode("latin-1")
        return ProfileFile(None, tuple(reader.faults), hidden=possibly_private(readable))
    nodes = reader.entries(root, name, (*KEYS, *OPTIONS))
    profile = reader.profile(name, nodes)
    if reader.faults:
        return ProfileFile(None, tuple(reader.faults), hidden=profile.private | possibly_private(text))
    return ProfileFile(profile, model_line=_line(nodes["model"]) if "model" in nodes else 1)


def possibly_private(text: str) -> frozenset[str]:
    """Return every word of a file that cannot be read and mentions private collections: one may be such a name."""
    text = text.replace("\0", "")  # of an encoding that was not recognised
    if "privat" not in text.casefold():  # also misspelt
        return frozenset()
    words = (word.split(" #")[0].strip().lstrip("-").strip() for line in text.splitlines() for word in _words(line))
    return frozenset(word for word in words if 0 < len(word) <= NAME_CHARS and not is_upload(word))


def _words(line: str) -> Iterator[str]:
    yield from _WORDS.findall(line)
    yield line.partition(":")[2]
    for quoted in _QUOTED.finditer(line):
        yield quoted[0][1:-1]


class _Stop(Exception):
    """A fault behind which nothing can be read."""

    def __init__(self, code: FaultCode, line: int) -> None:
        super().__init__(code)
        self.code, self.line = code, line


@dataclass(slots=True)
class _Reader:
    """Reads the nodes of one file and collects its faults; a value with a fault is left out."""

    file: str
    programs: Programs
    faults: list[ProfileFault] = field(default_factory=list)

    def add(self, code: FaultCode, line: int, **values: Value) -> None:
        """Add a fault; a value that is empty is not named."""
        self.faults.append(ProfileFault(self.file, line, Message(code, {k: v for k, v in values.items() if v != ()})))

    def profile(self, name: str, nodes: Mapping[str, yaml.Node]) -> Profile:
        """Return the profile that these values describe."""
        options = self._options(nodes)
        program = options.get("program") or next(iter(self.programs))
        collections = self._collections(nodes)
        texts = {key: self._text(nodes, key, most) for key, most in (("title", TITLE_CHARS), ("model", NAME_CHARS))}
        return Profile(
            name=name,
            title=shown_name(texts["title"] or name, TITLE_CHARS),
            model=texts["model"],
            options=MappingProxyType(options),
            collections=tuple(collections) if "collections" in nodes else None,
            private=frozenset(each for each, is_private in collections.items() if is_private),
            example_questions=self._questions(nodes),
            fields=self._fields(nodes, program) if program in self.programs else None,
            status_texts=MappingProxyType(self._status_texts(nodes)),
        )

    def entries(
        self, root: yaml.Node, key: str, known: Collection[str] = (), code: FaultCode = "unknown_key"
    ) -> dict[str, yaml.Node]:
        """Return the values of a mapping by their keys; without `known` ones any names are keys."""
        if not isinstance(root, yaml.MappingNode):
            self.add("mapping", _line(root), key=key)
            return {}
        found: dict[str, yaml.Node] = {}
        for name, node in root.value:
            if not isinstance(name, yaml.ScalarNode) or (known and name.value not in known):
                close = _near(str(name.value), known)
                self.add(code, _line(name), near=tuple(known) if code == "unknown_field" else close)
            elif name.value in found:
                self.add("repeated_key", _line(name))
            else:
                found[name.value] = node
        return found

    def _options(self, nodes: Mapping[str, yaml.Node]) -> dict[str, Any]:
        """Return the values of options of the turn."""
        found = {key: self._option(OPTIONS[key], node) for key, node in nodes.items() if key in OPTIONS}
        wanted = found.get("program")
        if wanted is not None and wanted not in self.programs:
            self.add("unknown_program", _line(nodes["program"]), near=_near(wanted, self.programs))
        return {key: value for key, value in found.items() if value is not None}

    def _option(self, option: Option, node: yaml.Node) -> Any:
        """Return the value of an option, None for an empty one."""
        if _is_null(node):
            return None
        for value in _readings(node):
            try:
                return option.checked(value)
            except ValidationError:
                continue
        code, values = _taken(option)
        self.add(code, _line(node), key=option.name, **values)
        return None

    def _text(self, nodes: Mapping[str, yaml.Node], key: str, most: int) -> str | None:
        """Return the text of a key, None where there is none."""
        node = nodes.get(key)
        return None if node is None or _is_null(node) else self._written(node, key, most)

    def _written(self, node: yaml.Node, key: str, most: int) -> str | None:
        """Return the text of a node that must hold one."""
        text = node.value.strip() if isinstance(node, yaml.ScalarNode) and not _is_null(node) else ""
        if text and len(text) <= most:
            return text
        self.add("text", _line(node), key=key, most=most)
        return None

    def _items(self, nodes: Mapping[str, yaml.Node], key: str) -> list[yaml.Node]:
        """Return the items of a list, [] without the key."""
        node = nodes.get(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.add("list", _line(node), key=key)
            return []
        if len(node.value) > MOST_ITEMS:
            self.add("items", _line(node), key=key, most=MOST_ITEMS)
        return list(node.value[:MOST_ITEMS])

    def _collections(self, nodes: Mapping[str, yaml.Node]) -> dict[str, bool]:
        """Return the names of collections, and whether each is private."""
        found: dict[str, bool] = {}
        for node in self._items(nodes, "collections"):
            inside, is_private = {"name": node}, False
            if isinstance(node, yaml.MappingNode):
                inside = self.entries(node, "collections", ("name", "private"))
                is_private = len(inside) < len(node.value)  # `private` may be misspelt
            # The name of a file that breaks the rule is hidden all the same, so it is read before the rest is judged.
            name = self._written(inside.get("name", node), "collections", NAME_CHARS)
            is_private = self._flag(inside["private"], "private") if "private" in inside else is_private
            if name is not None and is_upload(name) and is_private:
                self.add("uploads", _line(node))
            elif name is not None:
                found[name] = found.get(name, False) or is_private
        return found

    def _flag(self, node: yaml.Node, key: str) -> bool:
        """Return a truth value; true where it is none, so that a slip hides rather than shows."""
        flags = [each for each in _readings(node) if isinstance(each, bool)]
        if not flags:
            self.add("flag", _line(node), key=key)
        return flags[0] if flags else True

    def _questions(self, nodes: Mapping[str, yaml.Node]) -> tuple[str, ...]:
        key = "example_questions"
        texts = (self._written(node, key, QUESTION_CHARS) for node in self._items(nodes, key))
        return tuple(text for text in texts if text)

    def _fields(self, nodes: Mapping[str, yaml.Node], program: str) -> Mapping[str, str] | None:
        """Return the fields that are shown, with the title of each, in the order of the program."""
        node = nodes.get("fields")
        if node is None:
            return None
        wanted: dict[str, str] = {}
        known = {each.name: each.title for each in self.programs[program].fields}
        if isinstance(node, yaml.MappingNode):
            for name, title in self.entries(node, "fields", tuple(known), "unknown_field").items():
                wanted[name] = known[name] if _is_null(title) else self._written(title, "fields", TITLE_CHARS) or ""
        else:
            for item in self._items(nodes, "fields"):
                name = self._written(item, "fields", NAME_CHARS) or ""
                if name in known:
                    wanted[name] = known[name]
                elif name:
                    self.add("unknown_field", _line(item), near=tuple(known))
        return MappingProxyType(
            {name: wanted.get(name, known[name]) for name in known if name in {*wanted, ANSWER.name}}
        )

    def _status_texts(self, nodes: Mapping[str, yaml.Node]) -> dict[str, str]:
        if "status_texts" not in nodes:
            return {}
        found: dict[str, str] = {}
        for step, node in self.entries(nodes["status_texts"], "status_texts").items():
            if step not in STEPS and not _STEP.fullmatch(step):
                self.add("unknown_step", _line(node), near=STEPS)
            elif text := self._written(node, "status_texts", STATUS_CHARS):
                found[step] = shown_name(text, STATUS_CHARS)
        return found


def _decoded(content: bytes) -> str | None:
    """Return the text of a file, None where it is in no known encoding."""
    encoding = next((name for bom, name in _ENCODINGS if content.startswith(bom)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _composed(text: str) -> yaml.Node:
    """Return the root of the one document of a text. Raises _Stop."""
    try:
        _check_events(text)
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        is_tab = r"\t" in (error.problem or "")
        raise _Stop("tab" if is_tab else "syntax", mark.line + 1 if mark else 1) from None
    except yaml.reader.ReaderError as error:
        raise _Stop("character", text.count("\n", 0, error.position) + 1) from None
    if root is None or _is_null(root):
        raise _Stop("empty", 1)
    return root


def _check_events(text: str) -> None:
    """Check what may not be in a profile, before anything is built of it. Raises _Stop and yaml.YAMLError."""
    depth = documents = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Stop("alias", line)
        if getattr(event, "tag", None):
            raise _Stop("tag", line)
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if documents > 1:
            raise _Stop("documents", line)
        if depth > MOST_DEPTH:
            raise _Stop("deep", line)


def _readings(node: yaml.Node) -> Iterator[bool | int | float | str]:
    """Yield what a scalar may stand for, the narrowest first; a quoted one is a text alone."""
    if not isinstance(node, yaml.ScalarNode):
        return
    text = node.value
    if node.style is None:
        if (folded := text.casefold()) in _FLAGS:
            yield _FLAGS[folded]
        if _WHOLE.fullmatch(text):
            yield int(text)
        if _NUMBER.fullmatch(text):
            yield float(text)
    yield text


def _taken(option: Option) -> tuple[FaultCode, dict[str, Value]]:
    """Return the code and values of a fault that says what an option takes."""
    if option.values:
        return "choice", {"names": option.values}
    if option.least is not None and option.most is not None:
        code: FaultCode = "whole" if _takes(option, int(option.most)) and not _takes(option, 0.5) else "number"
        return code, {"least": f"{option.least:g}", "most": f"{option.most:,.10g}"}
    return ("flag", {}) if _takes(option, True) else ("text", {"most": option.most_items or NAME_CHARS})


def _takes(option: Option, value: object) -> bool:
    try:
        option.checked(value)
    except ValidationError:
        return False
    return True


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULLS


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _near(name: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the name that may have been meant; what was written is never repeated."""
    return tuple(get_close_matches(name, names, 1))
