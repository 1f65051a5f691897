"""The size of prompts: an estimate of their tokens, and the limit that a model sets to them. Pure.

Tokenizers differ and are not at hand, so the estimate is made from the script of each character, and rather too large:
Latin letters by three to a token, digits and signs as in code, characters of other scripts by one to three tokens each.
What a provider counts corrects it upwards (`Calibration`), and never downwards, since some leave out what their cache
held.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TOKENS_PER_MESSAGE = 8  # of a model's chat template
REPLY_TOKENS = 1_024  # kept free for a reply whose length nobody limits
REPLY_SHARE = 0.25  # of a window that is small: at most so much of it is kept free for such a reply
REPLY_LIMIT_SHARE = 0.5  # of a window, for a reply whose length is limited
LEAST_TOKENS = 64  # of a prompt, however small the window is said to be
MOST_CORRECTION = 3.0

# Characters of one kind → tokens that each of them is estimated to be. The rest is one of ASCII's letters and blanks.
_KINDS = (
    (re.compile(r"[0-9]"), 0.6),
    (re.compile(r"[!-/:-@\[-`{-~\x00-\x08\x0e-\x1f\x7f]"), 0.7),
    (re.compile(r"[\x80-\u024f\u2010-\u203f]"), 1.0),  # accented Latin letters, dashes and quotation marks
    (re.compile(r"[\u0250-\u1dff]"), 0.8),  # Greek, Cyrillic, Arabic, Hebrew, scripts of India
    (re.compile(r"[\u1e00-\u1fff\u2040-\uffff]"), 1.6),  # Chinese, Japanese, Korean, symbols
    (re.compile("[\U00010000-\U0010ffff]"), 3.0),
)
_LATIN = 1 / 3


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text; 0 for an empty one."""
    tokens, rest = 0.0, len(text)
    for pattern, each in _KINDS[:2] if text.isascii() else _KINDS:
        count = sum(1 for _ in pattern.finditer(text))
        tokens += count * each
        rest -= count
    return int(tokens + rest * _LATIN + 0.999)


def prompt_tokens(texts: Iterable[str]) -> int:
    """Estimate the tokens of a prompt: the texts of its messages, with what a chat template puts around them."""
    return TOKENS_PER_MESSAGE + sum(text_tokens(text) + TOKENS_PER_MESSAGE for text in texts)


def reply_reserve(window: int, max_tokens: int | None) -> int:
    """Return the tokens of a window that are kept free for the reply, whose length `max_tokens` may limit."""
    if max_tokens is None:
        return min(REPLY_TOKENS, int(window * REPLY_SHARE))
    return min(max_tokens, int(window * REPLY_LIMIT_SHARE))


def needed_tokens(texts: Sequence[str], max_tokens: int | None = None) -> int:
    """Return the window that a prompt and its reply need."""
    return prompt_tokens(texts) + (REPLY_TOKENS if max_tokens is None else max_tokens)


@dataclass(frozen=True, slots=True)
class PromptLimit:
    """The most that a prompt may have; None is no limit. `passages` limits the passages that are sent.

    `window` is the model's, from which `tokens` follow, for what a person is told.
    """

    chars: int | None = None
    tokens: int | None = None
    passages: int | None = None
    window: int | None = None

    @classmethod
    def of(
        cls,
        chars: int | None,
        window: int | None,
        max_tokens: int | None = None,
        correction: float = 1.0,
        passages: int | None = None,
    ) -> PromptLimit:
        """Return the limit of a model; `correction` is that of its `Calibration`."""
        if window is None:
            return cls(chars, None, passages)
        tokens = int((window - reply_reserve(window, max_tokens)) / correction)
        return cls(chars, max(tokens, LEAST_TOKENS), passages, window)

    def most_passages(self, count: int) -> int:
        """Return how many of so many passages may be sent at most."""
        return count if self.passages is None else min(self.passages, count)

    def admits(self, chars: int, tokens: int) -> bool:
        """Whether a prompt of so many characters and estimated tokens is within the limit."""
        return (self.chars is None or chars <= self.chars) and (self.tokens is None or tokens <= self.tokens)

    def admits_texts(self, texts: Sequence[str]) -> bool:
        """Whether a prompt of these messages is within the limit."""
        chars = sum(map(len, texts))
        return self.admits(chars, prompt_tokens(texts) if self.tokens is not None else 0)


class Calibration:
    """How many times the estimate the tokens of a model's prompts were; at least 1."""

    def __init__(self) -> None:
        self.correction = 1.0

    def learn(self, texts: Sequence[str], counted: int) -> None:
        """Take in what the provider counted for a prompt."""
        estimated = prompt_tokens(texts)
        if counted > estimated * self.correction:
            self.correction = min(counted / estimated, MOST_CORRECTION)
