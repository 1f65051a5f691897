"""Passages ↔ the numbered text that a prompt holds, the exact reverse of each other; and what no foreign text may say.

    [1] Espresso › Crema
    Crema is the hazelnut-brown foam on top of an espresso.

Documents, questions and earlier answers are quoted, whatever they hold: no field marker, no head of a passage and no
token of a chat template (servers read these in any text) comes from them. One backslash takes a sign its meaning; where
Markdown is shown it is not seen. Signs are compared as a reader takes them: full-width, with marks over them, with
characters without width between them, after any line break that there is. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.conversation import Passage
from pipeline.names import PATH_JOIN, shown_name
from pipeline.replies.names import ALIASES, THINKING

_BRACKETS = dict.fromkeys("【\u3014〖〘〚⟦⟬\u2772⁅", "[") | dict.fromkeys("】\u3015〗〙〛⟧⟭\u2773⁆", "]")
_HASHES = dict.fromkeys("♯⌗⋕", "#")
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_UNSEEN = "\u200b"  # what stands for every character without a width of its own


class _Folded(dict[int, str]):
    """Each character as the one that a reader takes it for, one for one. Filled as characters come."""

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
_GAP = f"[ {_UNSEEN}]*+"  # what is in it is never tried again: two in a row would take quadratic time
_ANY_NAME = rf"\w(?:[\w'’ {_UNSEEN}-]{{0,40}}[\w{_UNSEEN}])?"
_NAME = rf"[^\W\d_](?:[\w'’ {_UNSEEN}-]{{0,40}}[\w{_UNSEEN}])?"
_THOUGHTS = (
    r"think(?:ing)?|(?:chain_?of_?)?thoughts?|(?:inner|internal)_?(?:monologue|thoughts?|reasoning)|reason(?:ing)?|"
    r"reflection|scratch_?pad|analysis|rationale|cot"
)
_FIELDS = "|".join(
    re.escape(name).replace(r"\ ", "[ _]")
    for name in (*THINKING, *ALIASES, *(name for names in ALIASES.values() for name in names))
)
_TAGS = (
    r"s|bos|eos|pad|unk|(?:start|end)_of_(?:turn|image|text)|system|user|assistant|tools?|tool_(?:call|response)s?|"
    rf"channel|message|history|queries|{_FIELDS}"
)
_BRACKET_NAMES = r"INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_(?:CALLS|RESULTS|CONTENT)|THINK(?:ING)?|unused\d+"
# Each match ends where a sign is put into the text, so that it no longer says what it says.
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
        # what is left of gpt-oss's channels where a server drops the tokens
        (r"\bassistant(?=final|analysis|commentary)", " "),
    )
)
_MAY_MATCH = re.compile(r"[\[<{]|#[ \t]*$|assistant", re.MULTILINE)
_HEAD = re.compile(r"^\[(\d+)\](?: (.*))?$", re.MULTILINE)
# A line whose first word is a number in brackets, whatever stands before it; the match ends before the bracket.
_LIKE_HEAD = re.compile(
    rf"^(?:(?:[^\w\n]|_)*+\d{{1,3}}[.)])?(?:[^\w\n]|_)*(?=\[{_GAP}\^?{_GAP}\d+{_GAP}\])", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A passage as a prompt tells it: `heading` is title and section."""

    number: int
    heading: str
    text: str


def neutral(text: str) -> str:
    """Text that no reader takes for a field marker or a token of a chat template: `[[ ##` becomes `[[ \\##`."""
    if text.isascii() and not _MAY_MATCH.search(text):
        return text
    folded = text.translate(_FOLD)
    return _with_signs(text, {match.end(): sign for rule, sign in _RULES for match in rule.finditer(folded)})


def numbered(passages: Sequence[Passage]) -> str:
    """The passages as text, "" for none."""
    return "\n\n".join(f"[{passage.number}] {heading(passage)}\n{_escaped(passage)}" for passage in passages)


def heading(passage: Passage) -> str:
    """Title and section on one line, each as long as a person reads."""
    parts = (shown_name(part) for part in (passage.title, passage.section))
    return neutral(PATH_JOIN.join(part for part in parts if part))


def read_numbered(text: str) -> tuple[Numbered, ...]:
    """What `numbered` wrote; () for any other text."""
    heads = list(_HEAD.finditer(text))
    bounds = [*(head.start() for head in heads), len(text)]
    return tuple(
        Numbered(int(head[1]), (head[2] or "").strip(), _unescaped(text[head.end() : end].strip()))
        for head, end in zip(heads, bounds[1:], strict=True)
    )


def _escaped(passage: Passage) -> str:
    text = neutral(passage.text.strip())
    return _with_signs(text, dict.fromkeys(_likes(text), "\\"))


def _unescaped(text: str) -> str:
    """Each of them stands behind the backslash that was put there."""
    parts = [text[start:end] for start, end in pairwise([0, *_likes(text), len(text)])]
    return "".join([*(part.removesuffix("\\") for part in parts[:-1]), parts[-1]])


def _likes(text: str) -> list[int]:
    """Where a head of a passage would be read."""
    return [match.end() for match in _LIKE_HEAD.finditer(text.translate(_FOLD))]


def _with_signs(text: str, signs: Mapping[int, str]) -> str:
    parts, at = [], 0
    for place in sorted(signs):
        parts += [text[at:place], signs[place]]
        at = place
    return "".join([*parts, text[at:]])
