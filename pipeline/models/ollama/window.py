"""The context window of a request: Ollama's default is small, and it cuts a longer prompt without saying so. Pure.

Ollama loads a model anew when `num_ctx` changes, which takes seconds. The window is therefore a power of two, and never
gets smaller while the process runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.models.prompt_limit import needed_tokens

REPLY_TOKENS = 2048  # without a limit of the request
LEAST_TOKENS = 4096
MOST_TOKENS_UNKNOWN = 32_768  # of a model whose own window is unknown
SHORT_SHARE = 0.5  # of the tokens that a prompt has at least, below which it was cut
LONGEST_TOKEN_CHARS = 5  # a token of common text holds no more on average
SURE_TOKENS = 200  # prompts below it differ too much from the estimate


def window_for(texts: Sequence[str], reply_tokens: int | None, most: int | None, before: int = 0) -> int:
    """Return the window for a prompt and its reply: at most the model's own, and at least the one used `before`."""
    needed = max(needed_tokens(texts, reply_tokens or REPLY_TOKENS), LEAST_TOKENS, before)
    window = 1 << (needed - 1).bit_length()
    return min(window, most or max(MOST_TOKENS_UNKNOWN, before))


def is_cut(texts: Sequence[str], previous: Sequence[str], counted: int | None, window: int) -> bool:
    """Whether the model saw less of a prompt than was sent, judging by the tokens that Ollama counted.

    Older versions leave out the tokens that they have in their cache: those that the prompt shares with the `previous`
    one from its start.
    """
    if not counted:
        return False  # older versions count nothing where the whole prompt is in the cache
    if counted >= window:
        return True
    sent = sum(map(len, texts)) - _shared_chars(texts, previous)
    return sent >= SURE_TOKENS * LONGEST_TOKEN_CHARS and counted < SHORT_SHARE * sent / LONGEST_TOKEN_CHARS


def _shared_chars(texts: Sequence[str], previous: Sequence[str]) -> int:
    shared = 0
    for text, before in zip(texts, previous, strict=False):
        if text != before:
            return shared + next((at for at, (a, b) in enumerate(zip(text, before, strict=False)) if a != b), 0)
        shared += len(text)
    return shared
