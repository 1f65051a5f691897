"""A model provider that misbehaves on demand: OpenAI-compatible streams over real sockets.

The model's name is the wish: a key of BEHAVIOURS or REFUSALS, `status-<code>` or `status-<code>-html`, then any of
`-tokens-N` (content deltas), `-gap-MS` (between two of them), `-rate-N` (deltas per second, for steps below a timer's
millisecond), `-after-N` (deltas before the fault), `-retry-S` (a Retry-After header), `-kb-N` (size of a huge line).
So `ok-tokens-2000` is as fast as it goes, and `cut-after-20-gap-10` breaks after 20 deltas, 10 ms apart. Anything else
is a 404. A request without `"stream": true` gets the reply in one piece, and a whole one where the stream would break.

    with Provider() as provider: ...            in a thread of its own; `provider.base` is the api_base
    python tests/provider.py --port 0           as a process; prints its port
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import re
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, cycle, islice
from typing import Any

LEAVING_SEEN_S = 0.05
HEADER_TOKENS = 15
SENTENCE = "hot water takes more out of the ground coffee than cold water does, and so the cup tastes stronger and"
WORDS = SENTENCE.split(" ")
THOUGHT = "The passages say it: hot water takes out more."
# An answer in everything that models write; a search for coffee finds sources for [1] to [3].
RICH = r"""## What heat does

A kettle of mass \(m\) takes up \(Q = m c \, \Delta T\) [1]. In summer `fill()` costs $1.20, in winter $2, and
$r_1*r_2$ stays $\frac{a}{b}$.

$$
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \cdot v_{[1]} = A[1]
$$

\[ \eta = \frac{m_{\text{out}} \cdot c}{m_{\text{in}}} + \sum_{i=1}^{12} \frac{x_i^2}{y_i}
+ \int_0^1 \sqrt{t^3 + t^2 + t + 1}\,dt + \alpha + \beta + \gamma + \delta + \varepsilon + \zeta + \eta + \theta \]

### Which sources

Grind late [1, 2]. Keep it dark [1-3]. 低温保存【1】。Air harms[^1], light too (Source 2). Nobody says so [9].
First `order[1]`, then arr[1] = 5 and f(arr[2]).

**注意。**请密封保存。**これは太字です。**次の文。

| Step | Time |
|:-----|-----:|
| Grind | 20 s<br>or less [1] |
| Brew | `a\|b` [2] |

- [ ] rinse the filter
- [x] heat the water

1. Weigh
   - the beans

     ```python
     beans = weights[1]  # 12 g
     print(f"{beans} g")
     ```
2. Pour

```json
{"roast": "light", "sources": [1, 2]}
```

Done.
"""


FIELDS = {"gap": "gap_ms", "retry": "retry_s"}  # options whose field also names the unit


class Cut(Exception):
    """The connection ends here, in the middle of whatever is being said; with a reset when it is said rudely."""

    def __init__(self, *, rudely: bool = False) -> None:
        super().__init__()
        self.rudely = rudely


class Raw(bytes):
    """Sent as it is: no head before it, no HTTP chunk around it."""


Script = Iterator[bytes | float]  # bytes are sent as one HTTP chunk, the first ones after the head; a number waits (s)


@dataclass(frozen=True)
class Wish:
    """What a model's name asks for; None is the behaviour's own habit."""

    behaviour: str
    tokens: int = 60
    gap_ms: int | None = None
    rate: int | None = None
    after: int = 8
    retry_s: int | None = None
    kb: int = 100

    @classmethod
    def read(cls, model: str) -> Wish:
        """`stall-after-3-gap-10` → Wish("stall", after=3, gap_ms=10)."""
        options = re.findall(r"-(tokens|gap|rate|after|retry|kb)-(\d+)", model)
        behaviour = model.removesuffix("".join(f"-{name}-{value}" for name, value in options))
        return cls(behaviour, **{FIELDS.get(name, name): int(value) for name, value in options})


# What is said ------------------------------------------------------------------------------------------------------


def reply(tokens: int) -> str:
    """A reasoning and an answer of that many tokens, at least 24, in the form of DSPy's ChatAdapter."""
    words = max(tokens, 24) - HEADER_TOKENS
    said = list(islice(cycle(WORDS), words - 1))
    reasoning, answer = said[: words // 4], [*said[words // 4 :], "[1]."]
    return (
        f"[[ ## reasoning ## ]]\n{' '.join(reasoning)}\n\n"
        f"[[ ## answer ## ]]\n{' '.join(answer)}\n\n[[ ## completed ## ]]"
    )


def pieces_of(text: str) -> list[str]:
    """Text → tokens: words, each with the space before it."""
    return re.findall(r"\s*\S+", text)


def event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def delta(finish: str | None = None, **said: Any) -> bytes:
    choice = {"index": 0, "delta": said, "finish_reason": finish}
    return event({"id": "reply", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]})


def ended(tokens: int, finish: str = "stop") -> Iterator[bytes]:
    yield delta(finish)
    usage = {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens}
    yield event({"id": "reply", "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def completion(text: str, finish: str = "stop", **said: Any) -> bytes:
    """The reply in one piece; `said` are more keys of its message, or others."""
    message = {"role": "assistant", "content": text, **said}
    tokens = len(pieces_of(text))
    body = {
        "id": "reply",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens},
    }
    return json.dumps(body, ensure_ascii=False).encode()


def response(body: bytes, content_type: str = "application/json", status: str = "200 OK", *headers: str) -> Raw:
    """A whole HTTP response."""
    lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(body)}", *headers]
    return Raw("\r\n".join([*lines, "", ""]).encode() + body)


def whole(pieces: list[str], finish: str = "stop") -> Iterator[bytes]:
    yield delta(role="assistant", content="")
    yield from (delta(content=piece) for piece in pieces)
    yield from ended(len(pieces), finish)


def begun(wish: Wish) -> Iterator[bytes]:
    """The deltas before a fault."""
    yield from (delta(content=piece) for piece in pieces_of(reply(wish.tokens))[: wish.after])


def rest(wish: Wish) -> Iterator[bytes]:
    """What follows `begun`, to a regular end."""
    yield from (delta(content=piece) for piece in pieces_of(reply(wish.tokens))[wish.after :])
    yield from ended(wish.tokens)


# How it is said ----------------------------------------------------------------------------------------------------


def ok(wish: Wish) -> Script:
    yield from whole(pieces_of(reply(wish.tokens)))


def essay(wish: Wish) -> Script:
    """In paragraphs of 60 tokens."""
    pieces = pieces_of(reply(wish.tokens))
    for at in range(60, len(pieces), 60):
        if (word := pieces[at].strip()) in WORDS:
            pieces[at] = f"\n\n{word}"
    yield from whole(pieces)


CHECKED = (
    "An espresso machine presses water through the coffee with a pressure of about 9 bar [2]. "
    "The Institute asks for 7 grams of ground coffee and 25 millilitres in the cup [2]. "
    "Baristas often heat the cup before they press water through the coffee [1]. "
    "The extraction of an espresso takes about 55 to 60 seconds [2]. "
    "The word espresso describes a method, not a bean or a roast [2]. "
    "Cats dislike the smell of a fresh cup [1]. "
    "Many cafés today brew a double espresso from 16 to 20 grams of coffee instead. "
    "I hope that helps!"
)


def checked(wish: Wish) -> Script:
    """An answer about espresso with sentences of every verdict."""
    text = f"[[ ## reasoning ## ]]\nAs asked.\n\n[[ ## answer ## ]]\n{CHECKED}\n\n[[ ## completed ## ]]"
    yield from whole([text[at : at + 9] for at in range(0, len(text), 9)])


def checked_essay(wish: Wish) -> Script:
    """The same sentences in paragraphs, of so many tokens."""
    sentences = pieces_of(CHECKED)
    said = list(islice(cycle([f"\n\n{sentences[0]}", *sentences[1:]]), wish.tokens))
    yield from whole(["[[ ## answer ## ]]\n", *said, "\n\n[[ ## completed ## ]]"])


def rich(wish: Wish) -> Script:
    """An answer in Markdown, cut where no word ends."""
    text = f"[[ ## reasoning ## ]]\nAs asked.\n\n[[ ## answer ## ]]\n{RICH}\n\n[[ ## completed ## ]]"
    yield from whole([text[at : at + 7] for at in range(0, len(text), 7)])


def code(wish: Wish) -> Script:
    """An answer that is code, a line a token."""
    lines = "".join(f"x{number} = {number}\n" for number in range(wish.tokens))
    text = f"[[ ## reasoning ## ]]\nAs asked.\n\n[[ ## answer ## ]]\n```python\n{lines}```\n\n[[ ## completed ## ]]"
    yield from whole(text.splitlines(keepends=True))


def chars(wish: Wish) -> Script:
    yield from whole(list(reply(wish.tokens)))


def onechunk(wish: Wish) -> Script:
    yield from whole([reply(wish.tokens)])


def stall(wish: Wish) -> Script:
    yield from begun(wish)
    yield math.inf


def hang(wish: Wish) -> Script:
    yield math.inf


def head_no_token(wish: Wish) -> Script:
    yield delta(role="assistant", content="")
    yield math.inf


def cut(wish: Wish) -> Script:
    yield from begun(wish)
    yield delta(content=" half")[:-20]
    raise Cut


def reset(wish: Wish) -> Script:
    yield from begun(wish)
    yield 0.3  # a reset overtakes what was sent right before it
    raise Cut(rudely=True)


def short(wish: Wish) -> Script:
    """Fewer bytes than the head promised."""
    yield response(b"".join(whole(pieces_of(reply(wish.tokens)))), "text/event-stream")[: wish.after * 170]
    raise Cut


def bad_chunk(wish: Wish) -> Script:
    yield from begun(wish)
    yield 0.1  # what came before is read first
    yield Raw(b"xyz\r\n" + delta(content=" lost") + b"\r\n")
    yield math.inf


def eof(wish: Wish) -> Script:
    yield from begun(wish)


def no_done(wish: Wish) -> Script:
    yield from list(whole(pieces_of(reply(wish.tokens))))[:-1]


def no_finish(wish: Wish) -> Script:
    yield from (delta(content=piece) for piece in pieces_of(reply(wish.tokens)))
    yield b"data: [DONE]\n\n"


def html(wish: Wish) -> Script:
    yield response(b"<!doctype html><title>Sign in</title><p>Please sign in to go on.", "text/html")


def no_body(wish: Wish) -> Script:
    yield response(b"", "text/event-stream")


def unstreamed(wish: Wish) -> Script:
    yield response(completion(reply(wish.tokens)))


def redirect(wish: Wish) -> Script:
    yield response(b"", "text/plain", "307 Temporary Redirect", f"location: {ELSEWHERE}")


def error_in_stream(wish: Wish) -> Script:
    yield from begun(wish)
    yield event({"error": {"message": "the engine died", "type": "server_error", "code": 500}})


def badjson(wish: Wish) -> Script:
    yield from begun(wish)
    yield b'data: {"choices": [{"delta": {"content": "hal\n\n'
    yield from rest(wish)


def crlf(wish: Wish) -> Script:
    """Other line ends, and comments between the events."""
    yield b": welcome\r\n\r\n"
    for sent in whole(pieces_of(reply(wish.tokens))):
        yield sent.replace(b"\n", b"\r\n") + b": ping\r\n\r\n"


def huge(wish: Wish) -> Script:
    """One line of that many kB, which says one word."""
    yield from begun(wish)
    yield delta(content=" huge", padding="x" * 1000 * wish.kb)
    yield from rest(wish)


def badutf8(wish: Wish) -> Script:
    yield from begun(wish)
    yield delta(content=" ?").replace(b"?", b"\xff\xfe")
    yield from rest(wish)


def splitutf8(wish: Wish) -> Script:
    """Each character of several bytes comes in two chunks, one of which ends in its middle."""
    for sent in whole(pieces_of(reply(wish.tokens).replace("water", "Wässer 水 💧"))):
        inside = next((at for at, byte in enumerate(sent) if byte & 0xC0 == 0x80), None)
        if inside is None:
            yield sent
        else:
            yield from (sent[:inside], 0.002, sent[inside:])


def empty(wish: Wish) -> Script:
    yield from whole([])


# In words of its own, on "Why does water temperature change the taste of coffee?" and the bundled documents.
CITING = """[[ ## reasoning ## ]]
Passage [1] says why.

[[ ## answer ## ]]
Hotter water dissolves more of the grounds, and does it faster [1]. With water that is too cool, the sweetness stays
behind and the cup is thin [1].

Dark roasts turn harsh in boiling water [1].

[[ ## completed ## ]]"""
CITING_BACKWARDS = """[[ ## reasoning ## ]]
Passage 3 says what to do, passage 1 why.

[[ ## answer ## ]]
Grind it finer [3]. Change one thing at a time [2], and mind the heat [1][2].

[[ ## completed ## ]]"""
DECLINING = """[[ ## reasoning ## ]]
Nothing of it.

[[ ## answer ## ]]
The documents say nothing about that.

[[ ## completed ## ]]"""


def cites(wish: Wish) -> Script:
    yield from whole(pieces_of(CITING))


def cites_backwards(wish: Wish) -> Script:
    yield from whole(pieces_of(CITING_BACKWARDS))


def declines(wish: Wish) -> Script:
    yield from whole(pieces_of(DECLINING))


def thoughts() -> Iterator[bytes]:
    yield from (delta(reasoning_content=piece) for piece in pieces_of(THOUGHT))


def thinking(wish: Wish) -> Script:
    yield from chain(thoughts(), no_reasoning(wish))


def thinking_elsewhere(wish: Wish) -> Script:
    """Under the name that OpenRouter, Ollama and newer vLLM give it."""
    yield from chain((delta(reasoning=piece) for piece in pieces_of(THOUGHT)), no_reasoning(wish))


def answer_in_thinking(wish: Wish) -> Script:
    """A server's parser takes the whole reply for thinking."""
    yield from (delta(reasoning_content=piece) for piece in pieces_of(reply(wish.tokens)))
    yield from ended(wish.tokens)


def parts(wish: Wish) -> Script:
    """Content as a list of parts, as Mistral's reasoning models send it; the last ones as a string."""
    yield from (delta(content=[thought_part(piece)]) for piece in pieces_of(THOUGHT))
    pieces = pieces_of(reply(wish.tokens))
    yield from (delta(content=[{"type": "text", "text": piece}]) for piece in pieces[:-8])
    yield from (delta(content=piece) for piece in pieces[-8:])
    yield from ended(wish.tokens)


def thought_part(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def thinking_only(wish: Wish) -> Script:
    yield from chain(thoughts(), ended(9))


def late_markers(wish: Wish) -> Script:
    """Talks freely for so long that it is shown, and keeps to the format after all."""
    yield from whole(pieces_of(" ".join(islice(cycle(WORDS), 80)) + "\n\n" + reply(wish.tokens)))


def no_markers(wish: Wish) -> Script:
    yield from whole(pieces_of(" ".join(islice(cycle(WORDS), max(wish.tokens - 1, 1))) + " [1]."))


def no_reasoning(wish: Wish) -> Script:
    yield from whole(pieces_of(reply(wish.tokens).partition("\n\n")[2]))


def no_completed(wish: Wish) -> Script:
    yield from whole(pieces_of(reply(wish.tokens).rpartition("\n\n")[0]))


def length_before(wish: Wish) -> Script:
    yield from whole(pieces_of(reply(wish.tokens).partition("\n\n")[0]), "length")


def silent_length(wish: Wish) -> Script:
    yield from whole([], "length")


def length(wish: Wish) -> Script:
    yield from whole(pieces_of(reply(wish.tokens))[: wish.tokens * 3 // 4], "length")


def content_filter(wish: Wish) -> Script:
    yield from whole(pieces_of(reply(wish.tokens))[: wish.tokens * 3 // 4], "content_filter")


def endless(wish: Wish) -> Script:
    yield from (delta(content=piece) for piece in pieces_of(reply(24))[:-6])
    yield from (delta(content=f" {word}") for word in cycle(WORDS))


def same(wish: Wish) -> Script:
    yield from (delta(content=piece) for piece in pieces_of(reply(24))[:-6])
    yield from (delta(content=" na") for _ in cycle(" "))


def swap_markers(wish: Wish) -> Script:
    first, second, end = reply(wish.tokens).split("\n\n")
    yield from whole(pieces_of("\n\n".join([second, first, end])))


def odd_markers(wish: Wish) -> Script:
    text = reply(wish.tokens).replace("[[ ## answer", "[[ ## mood ## ]]\ncalm\n\n[[ ## answer")
    yield from whole(pieces_of(text))


def summary(wish: Wish) -> Script:
    """A field that only some programs ask for."""
    text = reply(wish.tokens).replace("[[ ## answer", "[[ ## summary ## ]]\nIt is hot.\n\n[[ ## answer")
    yield from whole(pieces_of(text))


def dup_markers(wish: Wish) -> Script:
    text = reply(wish.tokens).replace(
        "\n\n[[ ## completed", "\n\n[[ ## answer ## ]]\nOnce more [1].\n\n[[ ## completed"
    )
    yield from whole(pieces_of(text))


PRESSURE = "An espresso machine presses water through the coffee with a pressure of about 9 bar [2]."
WRONG_PRESSURE = "An espresso machine presses water through the coffee with a pressure of about 6 bar [1]."
# Sentences that are judged: by evidence that is there, by none, against it, by a word of the model's own, not at all.
JUDGED = """Here are my judgements:
(1) | 1, 99 | supported | fits
2 | none | supported |
| 3 | 2 | contradicted | the passage says 25 to 30 seconds and nothing at all about what the answer claims here |
4 | 1 | perhaps |"""


def says_pressure(wish: Wish) -> Script:
    yield from whole(pieces_of(marked(reasoning="As asked.", answer=PRESSURE)))


def says_wrong_pressure(wish: Wish) -> Script:
    yield from whole(pieces_of(marked(reasoning="As asked.", answer=WRONG_PRESSURE)))


NUMBERS = "Answer with the number that the passages name."


def proposes(wish: Wish) -> Script:
    """An instruction, in either of the forms in which optimisers ask for one."""
    yield from whole([json.dumps({"new_instruction": NUMBERS, "proposed_instruction": NUMBERS})])


def judges(wish: Wish) -> Script:
    yield from whole(pieces_of(marked(judgements=JUDGED)))


TOOL_CALLS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("The beans matter too.", "search_documents", {"query": "storing coffee beans"}),
    ("What stands around it?", "open_passage", {"number": 1, "around": 1}),
    ("Two cups need twice as much.", "calculate", {"expression": "2 * 18"}),
    ("And half of it.", "calculate", {"expression": "1 / 0"}),
    ("Whom to ask?", "telephone", {"number": "1"}),
    ("That is enough.", "finish", {}),
)
LISTING: tuple[str, str, Mapping[str, Any]] = ("What is there?", "list_documents", {})  # a tool that CONTRIBUTING adds
HOP_QUERY = "storing coffee beans"
HOPS = (("The passages do not say how to store beans.", HOP_QUERY), ("Nothing is missing.", "none"))


def calls_tool(thought: str, tool: str, arguments: Mapping[str, Any]) -> Callable[[Wish], Script]:
    """The reply of an agent that chooses its next tool."""
    fields = {"next_thought": thought, "next_tool_name": tool, "next_tool_args": json.dumps(arguments)}
    return lambda wish: whole(pieces_of(marked(**fields)))


def hops_on(at: int) -> Callable[[Wish], Script]:
    """The reply that says what is missing."""
    missing, query = HOPS[at]
    return lambda wish: whole(pieces_of(marked(missing=missing, query=query)))


def marked(**fields: str) -> str:
    """Fields in the form of DSPy's ChatAdapter."""
    return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in {**fields, "completed": ""}.items())


BEHAVIOURS: dict[str, Callable[[Wish], Script]] = {
    "ok": ok,
    "summary": summary,
    "essay": essay,
    "rich": rich,
    "checked": checked,
    "checked-essay": checked_essay,
    "code": code,
    "chars": chars,
    "onechunk": onechunk,
    "stall": stall,
    "hang": hang,
    "head-no-token": head_no_token,
    "cut": cut,
    "reset": reset,
    "short": short,
    "bad-chunk": bad_chunk,
    "eof": eof,
    "no-done": no_done,
    "no-finish": no_finish,
    "html": html,
    "no-body": no_body,
    "unstreamed": unstreamed,
    "redirect": redirect,
    "error-in-stream": error_in_stream,
    "badjson": badjson,
    "badutf8": badutf8,
    "splitutf8": splitutf8,
    "crlf": crlf,
    "huge": huge,
    "empty": empty,
    "cites": cites,
    "cites-backwards": cites_backwards,
    "declines": declines,
    "says-pressure": says_pressure,
    "says-wrong-pressure": says_wrong_pressure,
    "judges": judges,
    "proposes": proposes,
    "thinking": thinking,
    "thinking-elsewhere": thinking_elsewhere,
    "answer-in-thinking": answer_in_thinking,
    "parts": parts,
    "thinking-only": thinking_only,
    "no-markers": no_markers,
    "late-markers": late_markers,
    "no-reasoning": no_reasoning,
    "no-completed": no_completed,
    "length": length,
    "length-before": length_before,
    "silent-length": silent_length,
    "content-filter": content_filter,
    "endless": endless,
    "same": same,
    "drip": chars,
    "dup-markers": dup_markers,
    "swap-markers": swap_markers,
    "odd-markers": odd_markers,
    **{f"agent-{name}": calls_tool(*call) for name, call in zip("abcdefg", (*TOOL_CALLS, LISTING), strict=True)},
    **{f"hop-{name}": hops_on(at) for at, name in enumerate("ab")},
}
HABITUAL_GAP_MS = {"drip": 300, "endless": 5, "same": 5}
ELSEWHERE = "/elsewhere/chat/completions"
STATUS_CODES = {401: "invalid_api_key", 402: "insufficient_quota", 404: "model_not_found", 429: "rate_limit_exceeded"}


# What depends on the request ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refusal:
    """A status and the provider's own word for it; `when` says which requests are refused, the others are answered."""

    status: int
    code: str
    when: Callable[[Mapping[str, Any]], bool] = lambda _body: True
    text: str = "refused as asked"


def tokens_in(body: Mapping[str, Any]) -> int:
    """How many tokens a small model's tokenizer makes of a prompt in English, and of the reply that it may write."""
    return int(sum(len(each["content"]) for each in body["messages"]) / 3.3) + int(body.get("max_tokens") or 0)


REFUSALS = {
    # A model with a window of 2,048 tokens, and one whose window is smaller than said.
    "window-2048": Refusal(400, "context_length_exceeded", lambda body: tokens_in(body) > 2_048),
    "window-1000": Refusal(400, "context_length_exceeded", lambda body: tokens_in(body) > 1_000),
    "too-long": Refusal(400, "context_length_exceeded"),
    # Without history there are the instructions, one exchange that shows the form, and the question.
    "too-long-history": Refusal(400, "context_length_exceeded", lambda body: len(body["messages"]) > 4),
    "never-cold": Refusal(400, "unsupported_value", lambda body: body.get("temperature") == 0),
    "filtered": Refusal(400, "content_filter"),
    "no-credit": Refusal(429, "insufficient_quota"),
    "no-streams": Refusal(400, "unsupported_value", lambda body: bool(body.get("stream")), "This model cannot stream."),
}


def pirate(body: Mapping[str, Any]) -> str:
    """Ignores the format for as long as it is told to be a pirate."""
    return "no-markers" if "pirate" in json.dumps(body["messages"]) else "ok"


def spendthrift(body: Mapping[str, Any]) -> str:
    """Thinks all of its tokens away where they are limited."""
    return "silent-length" if {"max_tokens", "max_completion_tokens"} & set(body) else "ok"


def dazed(body: Mapping[str, Any]) -> str:
    """Thinks and says nothing for as long as it is told to be in a daze."""
    return "thinking-only" if "daze" in json.dumps(body["messages"]) else "ok"


def priced(body: Mapping[str, Any]) -> str:
    """Answers under a name that price tables have."""
    return "ok"


def agent(body: Mapping[str, Any]) -> str:
    """Calls one tool after another, some wrongly, then finishes and answers."""
    asked = json.dumps(body["messages"])
    done = asked.count("[[ ## observation_")
    return f"agent-{'abcdef'[min(done, len(TOOL_CALLS) - 1)]}" if "next_tool_name" in asked else "cites"


def lister(body: Mapping[str, Any]) -> str:
    """Lists the documents, then finishes and answers."""
    asked = json.dumps(body["messages"])
    if "next_tool_name" not in asked:
        return "cites"
    return "agent-f" if "[[ ## observation_" in asked else "agent-g"


def hops(body: Mapping[str, Any]) -> str:
    """Finds something missing once, then nothing, then answers."""
    asked = json.dumps(body["messages"])
    if "`missing`" not in asked:
        return "cites"
    return "hop-b" if HOP_QUERY in asked else "hop-a"


def grounded(body: Mapping[str, Any]) -> str:
    """Says the pressure of an espresso where a passage does, else that nothing says it."""
    return "says-pressure" if "9 bar" in body["messages"][-1]["content"] else "declines"


def fickle(body: Mapping[str, Any]) -> str:
    """Says something else at temperature 0."""
    return "declines" if body.get("temperature") == 0 else "says-pressure"


def silent_later(body: Mapping[str, Any]) -> str:
    """Says nothing at temperature 0, and does not end."""
    return "hang" if body.get("temperature") == 0 else "says-pressure"


def locked_later(body: Mapping[str, Any]) -> str:
    """Takes no key at temperature 0."""
    return "status-401" if body.get("temperature") == 0 else "says-pressure"


def judge(body: Mapping[str, Any]) -> str:
    """Answers with a wrong number, and judges sentences where it is asked to."""
    return "judges" if "judgements" in json.dumps(body["messages"]) else "says-wrong-pressure"


def learns(body: Mapping[str, Any]) -> str:
    """Says the pressure once it has an example that says it, or an instruction to; proposes that instruction."""
    asked = json.dumps(body["messages"])
    if "new_instruction" in asked or "proposed_instruction" in asked:
        return "proposes"
    before = json.dumps(body["messages"][:-1])
    return "says-pressure" if "9 bar [" in before or NUMBERS in before else "declines"


# Model → the behaviour that a request brings about.
MOODS = {
    "learns": learns,
    "pirate": pirate,
    "spendthrift": spendthrift,
    "dazed": dazed,
    "gpt-4o-mini": priced,
    "agent": agent,
    "lister": lister,
    "hops": hops,
    "grounded": grounded,
    "fickle": fickle,
    "silent-later": silent_later,
    "locked-later": locked_later,
    "judge": judge,
}


# The server --------------------------------------------------------------------------------------------------------


class Provider:
    """Serves in a thread of its own while the context is open.

    `requests` holds the bodies of all chat requests, `authorized` the key of each.
    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.authorized: list[str] = []
        self.redirected: list[dict[str, Any]] = []  # bodies that were sent on to where a 307 pointed
        self.talking: Counter[str] = (
            Counter()
        )  # model → its requests whose reply has not ended, and whose client is there
        self._socket = socket.create_server(("127.0.0.1", port))
        # asyncio sets this only for sockets made with an explicit protocol; without it each reply is 40 ms late.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self._tls = tls
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/v1"
        self._talks: set[asyncio.Task[None]] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="provider")

    @property
    def active(self) -> int:
        """How many are talking."""
        return self.talking.total()

    def __enter__(self) -> Provider:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._accept, sock=self._socket, ssl=self._tls)
        self._started.set()
        await self._over.wait()
        server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        talk.add_done_callback(lambda _: writer.close())  # also of one that was cancelled before it began

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    path, headers, body = await read_request(reader)
                    if path == "/v1/chat/completions":
                        await self._answer(json.loads(body), headers, reader, writer)
                    else:
                        if path == ELSEWHERE:
                            self.redirected.append(json.loads(body))
                        await refuse(writer, 404, "no such path", code="not_found")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(
        self,
        body: dict[str, Any],
        headers: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Say what the model's name asks for, for as long as the client is there."""
        self.requests.append(body)
        self.authorized.append(headers.get("authorization", "").removeprefix("Bearer "))
        self.talking[body["model"]] += 1
        said = asyncio.create_task(say(writer, body, headers.get("authorization", "")))
        try:
            while not said.done() and not (reader.at_eof() or reader.exception() or writer.is_closing()):
                await asyncio.wait({said}, timeout=LEAVING_SEEN_S)
            if not said.done():
                writer.transport.abort()
        finally:
            said.cancel()
            await asyncio.gather(said, return_exceptions=True)
            self.talking[body["model"]] -= 1


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """The next request of a connection → path, headers with small names, body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return head[0].split(" ")[1], headers, body


async def say(writer: asyncio.StreamWriter, body: Mapping[str, Any], authorization: str) -> None:
    """One reply, from its status line on."""
    wish = Wish.read(body["model"])
    behaviour = wish.behaviour
    if refusal := REFUSALS.get(behaviour):
        if refusal.when(body):
            await refuse(writer, refusal.status, refusal.text, code=refusal.code)
            return
        behaviour = "ok"
    if mood := MOODS.get(behaviour):
        behaviour = mood(body)
    if behaviour in BEHAVIOURS:
        script = BEHAVIOURS[behaviour](wish)
        await stream(writer, script if body.get("stream") else in_one_piece(script, wish), gap_s_of(wish))
    elif status := re.fullmatch(r"status-(\d{3})(-html)?", behaviour):
        text = f"Incorrect API key provided: {authorization}" if status[1] == "401" else f"status {status[1]} as asked"
        await refuse(writer, int(status[1]), text, wish.retry_s, as_html=bool(status[2]))
    else:
        await refuse(writer, 404, f"The model {behaviour!r} does not exist")


def in_one_piece(script: Script, wish: Wish) -> Script:
    """The same reply unstreamed; a good one where the fault is one of streams alone."""
    first = next(script, b"")
    if isinstance(first, Raw | float):
        yield from chain([first], script)
        return
    heard: dict[str, Any] = {}
    finish = None
    with contextlib.suppress(Cut):
        for item in islice(chain([first], script), 3 * wish.tokens + 30):
            try:
                choices = json.loads(item.partition(b"data: ")[2])["choices"] if isinstance(item, bytes) else []
            except (ValueError, KeyError):
                continue  # not an event: [DONE], an error, what cannot be read
            for choice in choices:
                finish = choice["finish_reason"] or finish
                for key, said in choice["delta"].items():
                    heard[key] = joined(heard.get(key), said)
    heard = heard if finish else {"content": reply(wish.tokens)}
    text = heard.get("content", "")
    yield response(completion(text if isinstance(text, str) else "", finish or "stop", **heard))


def joined(before: Any, said: Any) -> Any:
    """Two deltas as one: texts, or lists of parts."""
    if before is None or (isinstance(before, str) and isinstance(said, str)):
        return (before or "") + said if isinstance(said, str) else said
    before, said = ([{"type": "text", "text": each}] if isinstance(each, str) else each for each in (before, said))
    return before + said


def gap_s_of(wish: Wish) -> float:
    if wish.rate:
        return 1 / wish.rate
    return (HABITUAL_GAP_MS.get(wish.behaviour, 0) if wish.gap_ms is None else wish.gap_ms) / 1000


async def stream(writer: asyncio.StreamWriter, script: Script, gap_s: float) -> None:
    """Send the script: its head with the first bytes, then one HTTP chunk after the other."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    is_raw = False
    try:
        for number, item in enumerate(script):
            if isinstance(item, float):
                await asyncio.sleep(item)
                continue
            if isinstance(item, Raw):
                writer.write(item)
                is_raw = not number
            else:
                writer.write(b"%s%x\r\n%s\r\n" % (head, len(item), item))
            head = b""
            await writer.drain()
            if gap_s or not number % 20:  # even the fastest script lets the others have a turn
                await pause(gap_s)
        if not is_raw:
            writer.write(head + b"0\r\n\r\n")
            await writer.drain()
    except Cut as cut:
        if cut.rudely:
            linger = struct.pack("ii", 1, 0)  # closing sends a reset instead of an end
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()


async def pause(gap_s: float) -> None:
    """Sleep; below a millisecond, which is as fine as the loop's timers are, by waiting busily."""
    until = time.perf_counter() + gap_s
    await asyncio.sleep(gap_s if gap_s >= 0.001 else 0)
    while gap_s < 0.001 and time.perf_counter() < until:  # noqa: ASYNC110  nothing happens here but time
        await asyncio.sleep(0)


async def refuse(
    writer: asyncio.StreamWriter,
    status: int,
    text: str,
    retry_s: int | None = None,
    code: str | None = None,
    *,
    as_html: bool = False,
) -> None:
    code = code or STATUS_CODES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    body = json.dumps({"error": {"message": text, "type": code, "param": None, "code": code}})
    if as_html:
        body = f"<html><head><title>{status}</title></head><body><h1>{text}</h1></body></html>"
    retry = [] if retry_s is None else [f"retry-after: {retry_s}"]
    kind = "text/html" if as_html else "application/json"
    writer.write(response(body.encode(), kind, f"{status} As asked", *retry))
    await writer.drain()


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--port", type=int, default=0, help="0: a free one")
    with Provider(reader.parse_args().port) as provider, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{provider.port}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
