"""Thinking inside the content → what is thought and what is said, live and for any chunk sizes.

Models and servers mark it each in their own way: `<think>` and its kin (DeepSeek, Qwen, MiniMax, Seed), `[THINK]`
(Magistral), `◁think▷` (Kimi), `<|START_THINKING|>` (Command), channels (gpt-oss, Gemma) and what is left of those when
a server drops the tokens around their names. A mark that is quoted in code is a word. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Literal

import regex

from pipeline.replies.text import CodeTracker

# thought, said; retracted: all that was said so far was thought; freed: the last thoughts were said after all.
Kind = Literal["thought", "said", "retracted", "freed"]
Piece = tuple[Kind, str]

_NAMES = (
    "think(?:ing)?",
    "ant_?thinking",
    "(?:chain_?of_?)?thoughts?",
    "(?:inner|internal)_?(?:monologue|thoughts?|reasoning)",
    "reason(?:ing)?",
    "reflection",
    "scratch_?pad",
    "analysis",
    "rationale",
    "cot",
)
_OPENS = (
    r"\[(?:THINK(?:ING)?|(?-i:REASONING))\]|◁think▷|<\|(?:START_THINKING|begin_of_think(?:ing)?|begin_of_thought)\|>"
    r"|<\|think(?:ing)?\|>|\[unused16\]|<details[ \t]+type=[\"']?reasoning[^<>\n]{0,80}>"
)
_CLOSES = (
    r"\[/(?:THINK(?:ING)?|(?-i:REASONING))\]|◁/think▷|<\|(?:END_THINKING|end_of_think(?:ing)?|end_of_thought)\|>"
    r"|<\|/think(?:ing)?\|>|\[unused17\]"
)
_DETAILS = r"</?summary>|(?P<end_of_details></details>)"  # within thinking that a page has folded
_CHANNEL = r"<\|channel\|?>[ \t]*(?P<channel>\w*)[ \t]*"
_RECIPIENT = r"(?P<recipient>to=[\w.]{1,80})[ \t]*"  # of a call, behind the name of a channel
_LEFT_OF_CHANNEL = r"(?-i:assistant(?P<left>final|analysis|commentary))(?:<\|message\|>)?"
_CONTROL = (
    r"(?P<start><\|(?:im_)?start(?:_header_id)?\|>|<start_of_turn>)"
    r"(?P<role>assistant|model|system|user|developer)?[ \t]*"
    r"|(?P<sentence></?s>)|<\|constrain\|>[ \t]*\w*|<\|(?!channel)(?P<control>\w{2,30})\|>"
    r"|<channel\|>|<end_of_turn>|<eos>"
    r"|<\uff5c[^<>\uff5c\n]{1,40}\uff5c>"
)
_STARTS = regex.compile(
    r"\s*(?:(?P<channel>analysis)(?=[^\sa-z,.:;]|[ \t]*\n)|(?P<phrase>Here(?:'s|’s| is) my thought process:))"
)
_RESPONSE = r"(?<![^\n])(?P<response>Here(?:'s|’s| is) my response:)"
_ROLES = ("assistant", "model", "system", "user", "developer")
_ENDS = frozenset({"end", "return", "call"})
_THOUGHT = frozenset({"analysis", "commentary", "thought", "thoughts", "thinking", "think"})
LONGEST_MARK_CHARS = 60
# As they are, behind backslashes and as entities; never half so: `<think\>` is how `numbered.neutral` writes a text.
_BRACKETS = (("<", ">"), (r"\\<", r"\\>"), ("&lt;", "&gt;"))
_SURE_NAMES = ("think", "though", "monologue")  # no element of somebody's XML
_QUOTES = "`\"'“\u2018«\u2039"


@lru_cache(maxsize=64)
def _tags(said: frozenset[str]) -> regex.Pattern[str]:
    """Every mark; `said` are names of fields, whose tags are not ours to read."""
    names = "|".join(_NAMES)
    name = rf"(?!(?:{'|'.join(map(regex.escape, sorted(said))) or '(?!)'})[\s>/])(?:\w{{1,12}}:)?(?:{names})"
    opens = "|".join(rf"{less}\s{{0,3}}(?P<name>{name})(?:\s[^<>\n]{{0,80}})?{more}" for less, more in _BRACKETS)
    closes = "|".join(rf"{less}\s{{0,3}}/\s{{0,3}}{name}\s{{0,3}}{more}" for less, more in _BRACKETS)
    return regex.compile(
        rf"(?P<empty><\s*{name}\s*/\s*>)"
        rf"|(?P<open>{opens}|{_OPENS})|(?P<close>{closes}|{_CLOSES})"
        rf"|{_DETAILS}|{_CHANNEL}|{_RECIPIENT}|{_LEFT_OF_CHANNEL}|{_CONTROL}|{_RESPONSE}",
        regex.IGNORECASE,
    )


class ThinkingReader:
    """Reads one channel of a reply. `feed` each delta, then `finish` once.

    `inside`: the channel is one of thinking, so it begins there without a mark.
    """

    def __init__(self, fields: Collection[str] = (), *, inside: bool = False) -> None:
        self._tag = _tags(frozenset(field.casefold() for field in fields))
        self._depth = int(inside)
        self._was_opened = inside
        self._is_phrase = False  # the thinking was opened by a phrase, so a phrase closes it
        self._closed_by: str | None = None  # a mark that closed what was not open: what follows decides about it
        self._freed: str | None = None  # thoughts since a mark closed, while another is still open
        self._line = ""  # so far, of what is thought or said
        self._is_details = False  # the thinking was opened by an element that a page folds
        self._is_struck = False  # HTML that strikes words out is open
        self._in_head = False  # a mark of a channel came last
        self._is_over = False  # the model goes on with a turn of somebody else
        self._source = ""  # all that was said, marks that were no thinking included, while it may be retracted
        self._code = CodeTracker()
        self._is_fresh = True  # nothing but blanks and an opening fence has been said
        self._buffer, self._at = "\n", 1  # what was read last, then what waits; the text begins a line
        self._pieces: list[Piece] = []

    def feed(self, delta: str) -> list[Piece]:
        """More of the channel → what was thought and said, in order."""
        return self._read(delta, ended=False)

    def finish(self) -> list[Piece]:
        """The channel has ended: what was held back because it might have become a mark."""
        self._buffer = self._buffer.removesuffix(self._broken_mark())
        pieces = self._read("", ended=True)
        if self._depth and self._freed and self._freed.strip():
            pieces.append(("freed", self._freed))
        return pieces

    def _read(self, delta: str, *, ended: bool) -> list[Piece]:
        self._buffer += delta
        while self._at < len(self._buffer):
            is_first = not (self._was_opened or self._source.strip())
            if is_first and self._starts(ended=ended):
                break
            match = self._tag.search(self._buffer, self._at, partial=not ended)
            start = match.start() if match else len(self._buffer)
            self._say(self._buffer[self._at : start])
            self._at = start
            if match is None or match.partial or (not ended and self._may_grow(match)):
                break
            self._mark(match)
        self._buffer, self._at = self._buffer[max(self._at - 1, 0) :], min(self._at, 1)
        pieces, self._pieces = self._pieces, []
        return pieces

    def _starts(self, *, ended: bool) -> bool:
        """Look whether the reply begins to think without a mark; True while that cannot be told."""
        match = _STARTS.match(self._buffer, self._at, partial=not ended)
        if match is None:
            return False
        if match.partial:
            return bool(self._buffer[self._at :].strip())
        self._at = match.end()
        self._depth, self._was_opened, self._is_phrase = 1, True, bool(match["phrase"])
        return False

    def _may_grow(self, match: regex.Match[str]) -> bool:
        """Whether what is still to come may belong to the mark."""
        rest = self._buffer[match.end() :]
        return not rest or bool(match["start"] and not match["role"] and any(role.startswith(rest) for role in _ROLES))

    def _mark(self, match: regex.Match[str]) -> None:
        """One mark, or what looks like one."""
        text = match[0]
        self._at = match.end()
        if self._is_word(match):
            self._say(text[0])
            self._at = match.start() + 1
            return
        channel = (match["channel"] or match["left"] or "").casefold()
        self._in_head = bool(channel or match["start"])
        if match["empty"] or match["recipient"] or match["sentence"]:
            return
        if self._is_of_another(match):
            self._is_over = True
            return
        if match["open"]:
            self._is_details = text.startswith("<details")
            self._open()
        elif match["close"] or match["response"] or match["end_of_details"]:
            self._close(text)
        elif channel in _THOUGHT:
            self._depth, self._was_opened = 1, True
        elif channel:
            self._close(text, wholly=True)
        elif text.casefold() == "<channel|>" or (match["control"] or "").casefold() in _ENDS:
            self._depth = 0
        if not self._depth:
            self._code = CodeTracker()

    def _is_word(self, match: regex.Match[str]) -> bool:
        if match["response"]:
            return not (self._is_phrase and self._depth)
        if match["recipient"]:
            return not self._in_head
        if match[0].startswith(("</details", "<summary", "</summary")):
            return not (self._is_details and self._depth)
        before, after = self._buffer[match.start() - 1], self._buffer[match.end() : match.end() + 1]
        is_quoted = before in _QUOTES and bool(after) and after in _QUOTES + "”’»›"
        if self._depth:
            return is_quoted or bool(match["open"] and self._line.strip())  # named within a sentence, and not opened
        if match["sentence"]:
            return is_quoted or not self._bounds_sentence(match)
        is_named = bool((match["open"] or match["close"]) and self._line.strip()) and not self._is_sure(match)
        return is_quoted or is_named or (self._code.inside() and not self._is_fresh)

    def _is_sure(self, match: regex.Match[str]) -> bool:
        """Whether such a tag in the middle of a line is one of thinking, and no word about some markup."""
        text = (match["name"] or match[0]).casefold()
        is_sure = match[0][0] != "<" or any(name in text for name in _SURE_NAMES)
        return is_sure and match[0][0] not in "\\&"

    def _bounds_sentence(self, match: regex.Match[str]) -> bool:
        """Whether `<s>` and `</s>` are tokens around a reply, and not HTML that strikes words out."""
        if match[0] == "<s>":
            self._is_struck = not self._is_fresh
            return self._is_fresh
        was_struck, self._is_struck = self._is_struck, False
        return not was_struck

    def _is_of_another(self, match: regex.Match[str]) -> bool:
        """Whether there begins what a person or the system says, after something was said."""
        role = (match["role"] or match["control"] or "").casefold()
        return not self._depth and not self._is_fresh and role in ("user", "system", "endoftext", "end_of_text")

    def _open(self) -> None:
        self._depth += 1
        self._was_opened = True
        self._line = ""

    def _close(self, mark: str, *, wholly: bool = False) -> None:
        if self._depth:
            self._depth = 0 if wholly else self._depth - 1
            self._freed = "" if self._depth else None
        elif not self._was_opened and self._source.strip():
            self._closed_by = mark

    def _say(self, text: str) -> None:
        if not text or self._is_over:
            return
        self._in_head = self._in_head and not text.strip()
        self._line = text.rpartition("\n")[2] if "\n" in text else self._line + text
        if self._depth:
            if self._freed is not None:
                self._freed += text
            self._pieces.append(("thought", text))
            return
        if self._closed_by and not (text := text.lstrip()):
            return
        if self._closed_by:
            self._pieces.append(("retracted", self._source))
            self._was_opened, self._closed_by, self._source = True, None, ""
            self._is_fresh, self._code = True, CodeTracker()
        if not self._was_opened:
            self._source += text
        self._code.feed(text)
        self._is_fresh = self._is_fresh and not text.strip().strip("`~")
        self._pieces.append(("said", text))

    def _broken_mark(self) -> str:
        """The end of a reply that was cut inside a mark; less than three characters may be anything."""
        size = len(self._buffer)
        for start in range(max(size - LONGEST_MARK_CHARS, self._at), size):
            may_begin = self._buffer[start] == "◁" or (self._buffer[start] in "<[\\&" and start < size - 2)
            match = self._tag.fullmatch(self._buffer, start, partial=True) if may_begin else None
            if match and match.partial:
                return self._buffer[start:]
        return ""
