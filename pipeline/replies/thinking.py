"""`ThinkingReader`: separates thinking from content inside one channel of a reply, for any chunk sizes. Pure.

Each model and server marks thinking in its own way: `<think>` and similar tags (DeepSeek, Qwen, MiniMax, Seed),
`[THINK]` (Magistral), `◁think▷` (Kimi), `<|START_THINKING|>` (Command), channels (gpt-oss, Gemma), and what is left of
those where a server drops the tokens around their names. A mark that is quoted as code is text.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Literal

import regex

from pipeline.replies.text import CodeTracker

# retracted: all content so far was thinking; released: the last thinking is content.
Kind = Literal["thinking", "content", "retracted", "released"]
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
_DETAILS = r"</?summary>|(?P<end_of_details></details>)"  # inside thinking that is folded in HTML
_CHANNEL = r"<\|channel\|?>[ \t]*(?P<channel>\w*)[ \t]*"
_RECIPIENT = r"(?P<recipient>to=[\w.]{1,80})[ \t]*"  # of a tool call, after the name of a channel
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
# Plain, escaped with backslashes and as entities; not mixed: `<think\>` is text that `prompt_passages.neutral` escaped.
_BRACKETS = (("<", ">"), (r"\\<", r"\\>"), ("&lt;", "&gt;"))
_SURE_NAMES = ("think", "though", "monologue")  # not likely to be elements of XML that is talked about
_QUOTES = "`\"'“\u2018«\u2039"


@lru_cache(maxsize=64)
def _tags(fields: frozenset[str]) -> regex.Pattern[str]:
    """The pattern of all marks; tags named like one of `fields` are left to the reader of fields."""
    names = "|".join(_NAMES)
    name = rf"(?!(?:{'|'.join(map(regex.escape, sorted(fields))) or '(?!)'})[\s>/])(?:\w{{1,12}}:)?(?:{names})"
    opens = "|".join(rf"{less}\s{{0,3}}(?P<name>{name})(?:\s[^<>\n]{{0,80}})?{more}" for less, more in _BRACKETS)
    closes = "|".join(rf"{less}\s{{0,3}}/\s{{0,3}}{name}\s{{0,3}}{more}" for less, more in _BRACKETS)
    return regex.compile(
        rf"(?P<empty><\s*{name}\s*/\s*>)"
        rf"|(?P<open>{opens}|{_OPENS})|(?P<close>{closes}|{_CLOSES})"
        rf"|{_DETAILS}|{_CHANNEL}|{_RECIPIENT}|{_LEFT_OF_CHANNEL}|{_CONTROL}|{_RESPONSE}",
        regex.IGNORECASE,
    )


class ThinkingReader:
    """Reads one channel of a reply. Call `feed` with each delta, then `finish` once.

    `inside`: the channel is the one for thinking, so that it begins as thinking without a mark.
    """

    def __init__(self, fields: Collection[str] = (), *, inside: bool = False) -> None:
        self._tag = _tags(frozenset(field.casefold() for field in fields))
        self._depth = int(inside)
        self._was_opened = inside
        self._is_phrase = False  # a phrase opened the thinking, so a phrase closes it
        self._closed_by: str | None = None  # a mark that closed thinking which was not open; the text after it decides
        self._released: str | None = None  # thinking since a mark closed, while another is still open
        self._line = ""  # the current line so far
        self._is_details = False  # an HTML element that folds opened the thinking
        self._is_struck = False  # an HTML element that strikes text out is open
        self._in_head = False  # the last mark began a channel
        self._is_foreign = False  # the model continues with the turn of another speaker
        self._source = ""  # all content, with marks that were not of thinking, while it may be retracted
        self._code = CodeTracker()
        self._is_fresh = True  # the content has only blanks and an opening fence so far
        self._buffer, self._at = "\n", 1  # the last character read, then unread text; a channel begins on a new line
        self._pieces: list[Piece] = []

    def feed(self, delta: str) -> list[Piece]:
        """Read more of the channel → its thinking and content, in order."""
        return self._read(delta, ended=False)

    def finish(self) -> list[Piece]:
        """End the channel → the text that waited because it might have become a mark."""
        self._buffer = self._buffer.removesuffix(self._broken_mark())
        pieces = self._read("", ended=True)
        if self._depth and self._released and self._released.strip():
            pieces.append(("released", self._released))
        return pieces

    def _read(self, delta: str, *, ended: bool) -> list[Piece]:
        self._buffer += delta
        while self._at < len(self._buffer):
            is_first = not (self._was_opened or self._source.strip())
            if is_first and self._starts(ended=ended):
                break
            match = self._tag.search(self._buffer, self._at, partial=not ended)
            start = match.start() if match else len(self._buffer)
            self._add_text(self._buffer[self._at : start])
            self._at = start
            if match is None or match.partial or (not ended and self._may_grow(match)):
                break
            self._mark(match)
        self._buffer, self._at = self._buffer[max(self._at - 1, 0) :], min(self._at, 1)
        pieces, self._pieces = self._pieces, []
        return pieces

    def _starts(self, *, ended: bool) -> bool:
        """Check whether the reply begins with thinking without a mark; True when more text is needed to tell."""
        match = _STARTS.match(self._buffer, self._at, partial=not ended)
        if match is None:
            return False
        if match.partial:
            return bool(self._buffer[self._at :].strip())
        self._at = match.end()
        self._depth, self._was_opened, self._is_phrase = 1, True, bool(match["phrase"])
        return False

    def _may_grow(self, match: regex.Match[str]) -> bool:
        """Whether text that has not come yet may belong to the mark."""
        rest = self._buffer[match.end() :]
        return not rest or bool(match["start"] and not match["role"] and any(role.startswith(rest) for role in _ROLES))

    def _mark(self, match: regex.Match[str]) -> None:
        """Read one match: a mark, or text that looks like one."""
        text = match[0]
        self._at = match.end()
        if self._is_word(match):
            self._add_text(text[0])
            self._at = match.start() + 1
            return
        channel = (match["channel"] or match["left"] or "").casefold()
        self._in_head = bool(channel or match["start"])
        if match["empty"] or match["recipient"] or match["sentence"]:
            return
        if self._is_of_another(match):
            self._is_foreign = True
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
            return is_quoted or bool(match["open"] and self._line.strip())  # a sentence names the mark
        if match["sentence"]:
            return is_quoted or not self._bounds_sentence(match)
        is_named = bool((match["open"] or match["close"]) and self._line.strip()) and not self._is_sure(match)
        return is_quoted or is_named or (self._code.inside() and not self._is_fresh)

    def _is_sure(self, match: regex.Match[str]) -> bool:
        """Whether a tag in the middle of a line is a mark of thinking rather than a word about markup."""
        text = (match["name"] or match[0]).casefold()
        is_sure = match[0][0] != "<" or any(name in text for name in _SURE_NAMES)
        return is_sure and match[0][0] not in "\\&"

    def _bounds_sentence(self, match: regex.Match[str]) -> bool:
        """Whether `<s>` and `</s>` are tokens around a reply, not HTML that strikes text out."""
        if match[0] == "<s>":
            self._is_struck = not self._is_fresh
            return self._is_fresh
        was_struck, self._is_struck = self._is_struck, False
        return not was_struck

    def _is_of_another(self, match: regex.Match[str]) -> bool:
        """Whether the mark begins a turn of a person or the system, after some content."""
        role = (match["role"] or match["control"] or "").casefold()
        return not self._depth and not self._is_fresh and role in ("user", "system", "endoftext", "end_of_text")

    def _open(self) -> None:
        self._depth += 1
        self._was_opened = True
        self._line = ""

    def _close(self, mark: str, *, wholly: bool = False) -> None:
        if self._depth:
            self._depth = 0 if wholly else self._depth - 1
            self._released = "" if self._depth else None
        elif not self._was_opened and self._source.strip():
            self._closed_by = mark

    def _add_text(self, text: str) -> None:
        if not text or self._is_foreign:
            return
        self._in_head = self._in_head and not text.strip()
        self._line = text.rpartition("\n")[2] if "\n" in text else self._line + text
        if self._depth:
            if self._released is not None:
                self._released += text
            self._pieces.append(("thinking", text))
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
        self._pieces.append(("content", text))

    def _broken_mark(self) -> str:
        """The incomplete mark at the end of a cut reply, "" without one."""
        size = len(self._buffer)
        for start in range(max(size - LONGEST_MARK_CHARS, self._at), size):
            may_begin = self._buffer[start] == "◁" or (self._buffer[start] in "<[\\&" and start < size - 2)
            match = self._tag.fullmatch(self._buffer, start, partial=True) if may_begin else None
            if match and match.partial:
                return self._buffer[start:]
        return ""
