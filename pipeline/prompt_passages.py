"""Writes passages as the numbered text of a prompt and reads that text back; escapes untrusted text.

    [1] Espresso › Crema
    Crema is the hazelnut-brown foam on top of an espresso.

Documents, questions and earlier answers are quoted so that none of them yields a field marker, a passage's heading or a
token of a chat template (which servers interpret in any text). One backslash disables a sign and is invisible where
Markdown is rendered. Signs are compared as models read them: full-width, with combining marks, with zero-width
characters between them, and after every kind of line break. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.display_names import PATH_JOIN, shown_name
from pipeline.field_names import ALIASES, THINKING
from pipeline.passages import Passage

_BRACKETS = dict.fromkeys("【\u3014〖〘〚⟦⟬\u2772⁅", "[") | dict.fromkeys("】\u3015〗〙〛⟧⟭\u2773⁆", "]")
_HASHES = dict.fromkeys("♯⌗⋕", "#")
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_UNSEEN = "\u200b"  # stands for every zero-width character


class _Folded(dict[int, str]):
    """Maps each character to the one that it looks like, one for one. Filled on demand."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


def _folded(sign: str) -> str:
    if sign in _BREAKS:
        return "\n"
    category = unicodedata.category(sign)
    if category in ("Mn", "Me", "Cf", "Cc") and sign != "\t":
        return _UNSEEN
    if category in ("Zs", "Cc"):
        return " "
    alike = unicodedata.normalize("NFKC", sign)
    plain = alike if len(alike) == 1 else sign
    return _HASHES.get(plain) or _BRACKETS.get(plain) or plain


_FOLD = _Folded()
_GAP = f"[ {_UNSEEN}]*+"  # possessive, since two gaps in a row would take quadratic time
_ANY_NAME = rf"\w(?:[\w'’ {_UNSEEN}-]{{0,40}}[\w{_UNSEEN}])?"
_NAME = rf"[^\W\d_](?:[\w'’ {_UNSEEN}-]{{0,40}}[\w{_UNSEEN}])?"
_THOUGHTS = (
    r"think(?:ing)?|(?:chain_?of_?)?thoughts?|(?:inner|internal)_?(?:monologue|thoughts?|reasoning)|reason(?:ing)?|"
    r"reflection|scratch_?pad|analysis|rationale|cot"
)
_FIELDS = "|".join(
    re.escape(name.replace("_", " ")).replace(r"\ ", "[ _]")
    for name in (*THINKING, *ALIASES, *(name for names in ALIASES.values() for name in names))
)
_TAGS = (
    r"s|bos|eos|pad|unk|(?:start|end)_of_(?:turn|image|text)|system|user|assistant|tools?|tool_(?:call|response)s?|"
    rf"channel|message|history|queries|{_FIELDS}"
)
_BRACKET_NAMES = r"INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_(?:CALLS|RESULTS|CONTENT)|THINK(?:ING)?|unused\d+"
# Each match ends where a backslash is inserted, which disables the sign.
_RULES = tuple(
    (re.compile(pattern, re.MULTILINE | re.IGNORECASE), sign)
    for pattern, sign in (
        # `[[ ## name ## ]]`, with brackets and signs too few or too many
        (rf"\[(?:[ {_UNSEEN}\\]{{0,8}}\[){{1,8}}[ \n{_UNSEEN}]*(?:{_ANY_NAME}{_GAP})?(?=#)", "\\"),
        (rf"\[{_GAP}#[#{_UNSEEN} ]*{_ANY_NAME}{_GAP}(?=#)", "\\"),
        # `[[name]]` alone on its line
        (rf"^[^\w\n\[]*\[(?={_UNSEEN}*\\?\[{_GAP}{_NAME}{_GAP}\\?\]{_UNSEEN}*\\?\][^\w\n]*$)", " "),
        # `## name ##`, and JSON with such a key
        (rf"^[ \t>{_UNSEEN}]*(?:\d{{1,3}}[.)]{_GAP})?#{{1,6}}{_GAP}(?:{_FIELDS}){_GAP}(?=#)", "\\"),
        (rf"^[^\S\n]*+(?:\[\s*+)?\{{(?=\s*+[\"'“](?:{_FIELDS})[\"'”]\s*+:)", "\\"),
        # `<|im_start|>`, `<channel|>`, `<think>`, `</s>`, `<<SYS>>`, `[INST]`, `◁think▷`
        (rf"<{_GAP}\|[^\n<>\\]{{1,40}}(?=>)", "\\"),
        (r"<[^\n<>|\\]{1,40}\|(?=>)", "\\"),
        (rf"<{_GAP}/?{_GAP}(?:\w{{1,12}}:)?(?:{_THOUGHTS})(?=[\s/{_UNSEEN}][^<>\n]{{0,200}}>|>)", "\\"),
        (rf"<{_GAP}/?{_GAP}(?:{_TAGS})(?={_GAP}/?{_GAP}>)", "\\"),
        (r"<<[^\n<>\\]{1,20}>(?=>)", "\\"),
        (rf"\[/?(?:{_BRACKET_NAMES})(?=\])", "\\"),
        (r"◁/?[^\n◁▷\\]{1,20}(?=▷)", "\\"),
        # the rest of gpt-oss's channel tokens where a server drops the tokens
        (r"\bassistant(?=final|analysis|commentary)", " "),
    )
)
_MAY_MATCH = re.compile(r"[\[<{]|#[ \t]*$|assistant", re.MULTILINE)
_HEAD = re.compile(r"^\[(\d+)\](?: (.*))?$", re.MULTILINE)
# A line that begins with a number in brackets, whatever precedes it; the match ends before the bracket.
_LIKE_HEAD = re.compile(
    rf"^(?:(?:[^\w\n]|_)*+\d{{1,3}}[.)])?(?:[^\w\n]|_)*(?=\[{_GAP}\^?{_GAP}\d+{_GAP}\])", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class PromptPassage:
    """A passage as a prompt holds it: `heading` is title and section."""

    number: int
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class PassageSpan:
    """Where a passage stands in the text of a prompt; its heading comes before `text_start`."""

    number: int
    heading: str
    start: int
    text_start: int
    end: int


def neutral(text: str) -> str:
    """Escape field markers and chat-template tokens in a text: `[[ ##` becomes `[[ \\##`."""
    if text.isascii() and not _MAY_MATCH.search(text):
        return text
    folded = text.translate(_FOLD)
    return _with_signs(text, {match.end(): sign for rule, sign in _RULES for match in rule.finditer(folded)})


def numbered(passages: Sequence[Passage]) -> str:
    """Write the passages as text, "" for none."""
    return "\n\n".join(f"[{passage.number}] {heading(passage)}\n{_escaped(passage)}" for passage in passages)


def heading(passage: Passage) -> str:
    """Return title and section on one line, each at most as long as a shown name."""
    parts = (shown_name(part) for part in (passage.title, passage.section))
    return neutral(PATH_JOIN.join(part for part in parts if part))


def numbered_spans(text: str) -> tuple[PassageSpan, ...]:
    """Return the places of the passages that `numbered` wrote; () for any other text."""
    heads = list(_HEAD.finditer(text))
    bounds = [*(head.start() for head in heads), len(text)]
    return tuple(
        PassageSpan(int(head[1]), (head[2] or "").strip(), head.start(), head.end(), end)
        for head, end in zip(heads, bounds[1:], strict=True)
    )


def read_numbered(text: str) -> tuple[PromptPassage, ...]:
    """Read the passages that `numbered` wrote; () for any other text."""
    spans = numbered_spans(text)
    return tuple(
        PromptPassage(each.number, each.heading, _unescaped(text[each.text_start : each.end].strip())) for each in spans
    )


def _escaped(passage: Passage) -> str:
    text = neutral(passage.text.strip())
    return _with_signs(text, dict.fromkeys(_likes(text), "\\"))


def _unescaped(text: str) -> str:
    """Remove the backslashes that escaping inserted."""
    parts = [text[start:end] for start, end in pairwise([0, *_likes(text), len(text)])]
    return "".join([*(part.removesuffix("\\") for part in parts[:-1]), parts[-1]])


def _likes(text: str) -> list[int]:
    """Return the positions where a passage's heading would be read."""
    return [match.end() for match in _LIKE_HEAD.finditer(text.translate(_FOLD))]


def _with_signs(text: str, signs: Mapping[int, str]) -> str:
    parts, at = [], 0
    for place in sorted(signs):
        parts += [text[at:place], signs[place]]
        at = place
    return "".join([*parts, text[at:]])
