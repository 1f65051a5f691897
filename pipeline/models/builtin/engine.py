"""The built-in model: a DSPy engine that answers with quoted sentences of the passages in its prompt.

The answer consists of quotes, each with its [n], after at most one constant sentence. The reasoning says which words
were compared and with what result, and claims nothing else. It needs no key, no network and about 5 ms. It knows no
search and no turn: it reads ChatAdapter's prompt only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any

from dspy.lm15 import (
    Message,
    Request,
    Response,
    StreamDeltaEvent,
    StreamEndEvent,
    StreamStartEvent,
    TextDelta,
    TextPart,
    Usage,
)

from pipeline.field_names import COMPLETED
from pipeline.models.builtin.key_figures import key_figures
from pipeline.models.builtin.overview_answer import overview_of
from pipeline.models.builtin.overview_question import OverviewQuestion, overview_question_of
from pipeline.models.builtin.quote_markdown import row, sentence, uncited
from pipeline.models.builtin.quotes import ANSWER_CONFIDENCE, NEAR_CONFIDENCE, PREMISE_LEAST, Choice, choose
from pipeline.passages import Query
from pipeline.prompt_passages import PromptPassage, neutral, read_numbered
from pipeline.retrieval.languages import Language
from pipeline.retrieval.query import query_of
from pipeline.retrieval.terms import language_of

PACE_S = 0.012  # pause between two words, so that a person sees the text being written

_FIELD = re.compile(r"^\[\[ ## (\w+) ## \]\][ \t]*$", re.MULTILINE)
_OUTPUT = re.compile(r"\[\[ ## (\w+) ## \]\]")
DEFAULT_OUTPUTS = ("reasoning", "answer")
SECTIONS_MOST = 12  # that a summary quotes
_ASKS_FOR_OUTPUT = "\n\nRespond with the corresponding output fields"
# A field's marker is one piece, since nobody sees it being written.
_PIECE = re.compile(r"\s*\[\[ ## \w+ ## \]\]\n?|\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts of a prompt.

    `previous` is the question and answer of the previous turn; `outputs` are the names of the fields asked for.
    """

    question: str
    passages: tuple[PromptPassage, ...]
    previous: tuple[str, str] | None
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS


@dataclass(frozen=True, slots=True)
class Wording:
    """All sentences that are not quotes, in one language."""

    near: str
    missing: str
    rest: str
    unsaid: str
    negation: str
    opposite: str
    none: str
    marks: str
    point: str  # of a decimal number
    method: str
    words: str
    leans: str
    has: str
    no_passage: str
    absent: str
    decided: MappingProxyType[str, str]


_ENGLISH = Wording(
    near="These passages come closest; they may not answer this.",
    missing="The passages do not mention {words}.",
    rest="On {words}, “{title}” comes closest.",
    unsaid="The sentences that come closest do not mention {words}; they may not answer this.",
    negation="The sentences that come closest do not say “{word}”; they may answer the opposite.",
    opposite="The question says “{asked}”, the sentence that comes closest “{said}”; it may answer the opposite.",
    none="The passages do not answer this.",
    marks="“{}”",
    point=".",
    method="This compares words, in any ending, and quotes sentences; no language model is at work.",
    words="Words of the question: {}.",
    leans="It leans on the turn before, whose words count less.",
    has="has {}",
    no_passage="No passage was found that shares enough words with the question.",
    absent="In no passage: {}.",
    decided=MappingProxyType(
        {
            "answer": "The best sentence has {score} of 15.5 points. The words make it {confidence} % likely that the "
            "passages are about this; from {answer} % on it counts as an answer.",
            "near": "The best sentence has {score} of 15.5 points. The words make it {confidence} % likely that the "
            "passages are about this; an answer takes {answer} %.",
            "missed": "The best sentence has {score} of 15.5 points, but does not answer without {missed}.",
            "unmeasured": "The best sentence has {score} of 15.5 points, but holds no quantity of the kind asked for.",
            "doubtful": "The best sentence has {score} of 15.5 points, but it is only {premise} % likely that it says "
            "what the question presumes; an answer takes {premise_least} %.",
            "foreign": "None of the question’s own words is there, so nothing is quoted.",
            "none": "The best sentence has {score} of 15.5 points. The words make it {confidence} % likely that the "
            "passages are about this; below {near} % nothing is quoted.",
        }
    ),
)
_GERMAN = Wording(
    near="Diese Passagen kommen der Frage am nächsten; vielleicht beantworten sie sie nicht.",
    missing="In den Passagen fehlt {words}.",
    rest="Zu {words} kommt „{title}“ am nächsten.",
    unsaid="In den nächstliegenden Sätzen fehlt {words}; vielleicht beantworten sie die Frage nicht.",
    negation="In den nächstliegenden Sätzen fehlt „{word}“; vielleicht beantworten sie das Gegenteil.",
    opposite="In der Frage steht „{asked}“, im nächstliegenden Satz „{said}“; vielleicht beantwortet er das Gegenteil.",
    none="Die Passagen beantworten das nicht.",
    marks="„{}“",
    point=",",
    method="Hier werden Wörter in jeder Form verglichen und Sätze zitiert; es arbeitet kein Sprachmodell.",
    words="Wörter der Frage: {}.",
    leans="Sie knüpft an die Frage davor an, deren Wörter weniger zählen.",
    has="enthält {}",
    no_passage="Keine gefundene Passage teilt genug Wörter mit der Frage.",
    absent="In keiner Passage: {}.",
    decided=MappingProxyType(
        {
            "answer": "Der beste Satz hat {score} von 15,5 Punkten. Nach den Wörtern handeln die Passagen zu "
            "{confidence} % davon; ab {answer} % gilt er als Antwort.",
            "near": "Der beste Satz hat {score} von 15,5 Punkten. Nach den Wörtern handeln die Passagen zu "
            "{confidence} % davon; eine Antwort braucht {answer} %.",
            "missed": "Der beste Satz hat {score} von 15,5 Punkten, antwortet aber nicht ohne {missed}.",
            "unmeasured": "Der beste Satz hat {score} von 15,5 Punkten, nennt aber kein Maß der gefragten Art.",
            "doubtful": "Der beste Satz hat {score} von 15,5 Punkten, sagt aber nur zu {premise} % das, was die Frage "
            "voraussetzt; eine Antwort braucht {premise_least} %.",
            "foreign": "Kein Wort der Frage selbst kommt darin vor, also wird nichts zitiert.",
            "none": "Der beste Satz hat {score} von 15,5 Punkten. Nach den Wörtern handeln die Passagen zu "
            "{confidence} % davon; unter {near} % wird nichts zitiert.",
        }
    ),
)
_WORDINGS: MappingProxyType[Language, Wording] = MappingProxyType({"en": _ENGLISH, "de": _GERMAN})


class ExtractiveEngine:
    """The synchronous engine, without pauses."""

    def complete(self, request: Request) -> Response:
        """Return the complete reply."""
        text = reply(request)
        parts = Message.assistant([TextPart(text)])
        return Response(id=None, model=request.model, message=parts, finish_reason="stop", usage=_usage(request, text))

    def stream(self, request: Request) -> Iterator[Any]:
        """Stream the reply word by word."""
        text = reply(request)
        yield StreamStartEvent(model=request.model)
        for piece in _PIECE.findall(text):
            yield StreamDeltaEvent(TextDelta(text=piece))
        yield StreamEndEvent(finish_reason="stop", usage=_usage(request, text))

    def close(self) -> None:
        """Nothing is open."""

    def dump_state(self) -> dict[str, Any]:
        """Return the state that DSPy stores of this engine in a saved program."""
        return {}

    @classmethod
    def load_state(cls, state: dict[str, Any]) -> ExtractiveEngine:
        """The reverse of `dump_state`."""
        return cls(**state)


class AsyncExtractiveEngine:
    """The asynchronous engine: pauses `pace_s` after every word, where a stream can be cancelled."""

    def __init__(self, pace_s: float = PACE_S) -> None:
        self._pace_s = pace_s

    async def complete(self, request: Request) -> Response:
        """Return the complete reply at once."""
        return ExtractiveEngine().complete(request)

    async def stream(self, request: Request) -> AsyncIterator[Any]:
        """Stream the reply word by word with pauses."""
        for event in ExtractiveEngine().stream(request):
            yield event
            await asyncio.sleep(self._pace_s if isinstance(event, StreamDeltaEvent) else 0)

    async def aclose(self) -> None:
        """Nothing is open."""

    def dump_state(self) -> dict[str, Any]:
        """Return the state that DSPy stores of this engine in a saved program."""
        return {"pace_s": self._pace_s}

    @classmethod
    def load_state(cls, state: dict[str, Any]) -> AsyncExtractiveEngine:
        """The reverse of `dump_state`."""
        return cls(**state)


def reply(request: Request) -> str:
    """Return the model's reply to a request, in ChatAdapter's format."""
    prompt = read_prompt([(message.role, message.text or "") for message in request.messages])
    reasoning, answer = _whole_answer(prompt) or _quoted_answer(prompt)
    made = {"reasoning": reasoning, "analysis": reasoning, "answer": answer}
    if "summary" in prompt.outputs:
        made |= _document_fields(prompt)
    fields = {name: made[name] for name in prompt.outputs if made.get(name)}
    written = "\n\n".join(f"[[ ## {name} ## ]]\n{neutral(text)}" for name, text in fields.items())
    return f"{written}\n\n[[ ## completed ## ]]\n"


def _document_fields(prompt: Prompt) -> dict[str, str]:
    """Return the beginnings of a document and of its sections, and the quantities that stand in it."""
    language = language_of(prompt.question)
    summary = overview_of(OverviewQuestion("summary"), _beginnings(prompt.passages), language)
    return {"summary": summary[1] if summary else "", "key_figures": key_figures(prompt.passages, language)}


def _beginnings(passages: Sequence[PromptPassage]) -> Sequence[PromptPassage]:
    """Return the first passage of each section, at most SECTIONS_MOST."""
    firsts: dict[str, PromptPassage] = {}
    for each in passages:
        firsts.setdefault(" › ".join(each.heading.split(" › ")[:2]), each)
    return tuple(firsts.values())[:SECTIONS_MOST]


def _whole_answer(prompt: Prompt) -> tuple[str, str] | None:
    """Return reasoning and answer to a question about documents as a whole; None for any other."""
    whole = overview_question_of(prompt.question, prompt.previous[0] if prompt.previous else None)
    return overview_of(whole, prompt.passages, language_of(prompt.question)) if whole else None


def _quoted_answer(prompt: Prompt) -> tuple[str, str]:
    """Return reasoning and answer made of quoted sentences."""
    query = query_of(prompt.question, prompt.previous)
    choice = choose(query, prompt.passages)
    wording = _WORDINGS.get(language_of(prompt.question, *(passage.text for passage in prompt.passages)), _ENGLISH)
    return reasoning_of(query, prompt.passages, choice, wording), answer_of(prompt.passages, choice, wording)


def read_prompt(messages: Sequence[tuple[str, str]]) -> Prompt:
    """Read the question, its passages and the previous turn from ChatAdapter's messages as (role, text)."""
    last = messages[-1][1] if messages else ""
    fields, outputs = _fields(last), _OUTPUT.findall(last.rpartition(_ASKS_FOR_OUTPUT)[2])
    passages = read_numbered(fields.get("passages", ""))
    asked = tuple(name for name in outputs if name != COMPLETED) if _ASKS_FOR_OUTPUT in last else ()
    return Prompt(fields.get("question", ""), passages, _previous(messages[:-1]), asked or DEFAULT_OUTPUTS)


def _previous(messages: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """Return the previous question and answer. An optimiser's demonstrations differ from them by their passages."""
    if [role for role, _ in messages[-2:]] != ["user", "assistant"]:
        return None
    asked, answered = (_fields(text) for _, text in messages[-2:])
    return None if "passages" in asked else (asked.get("question", ""), answered.get("answer", ""))


def _fields(message: str) -> dict[str, str]:
    """Read the fields of a message. The first of equal names counts, since passages come before the person's text."""
    body = message.rpartition(_ASKS_FOR_OUTPUT)[0] or message
    parts = _FIELD.split(body)
    fields: dict[str, str] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        fields.setdefault(name, text.strip())
    return fields


def answer_of(passages: Sequence[PromptPassage], choice: Choice, wording: Wording) -> str:
    """Write the quotes, best first, after a sentence that says what is missing unless they are an answer."""
    if choice.state == "none":
        return wording.none
    blocks = [_reservation(passages, choice, wording)] if choice.state == "near" else []
    for (head, number), quotes in groupby(
        choice.quotes, key=lambda quote: (quote.head, quote.number if quote.head else 0)
    ):
        if head:
            blocks.append("\n".join([head, *(row(quote.text, number) for quote in quotes)]))
        else:
            blocks.append(" ".join(sentence(quote.text, quote.number) for quote in quotes))
    return "\n\n".join(blocks)


def _reservation(passages: Sequence[PromptPassage], choice: Choice, wording: Wording) -> str:
    """Say what the quotes lack of the question, as far as that is known."""
    doubts, closest = choice.doubts, choice.quotes[0].number - 1
    if choice.missed:
        title, words = " ".join(passages[closest].heading.split()), choice.mentions[closest]
        missing = wording.missing.format(words=_listed(choice.missed, wording))
        rest = wording.rest.format(words=_listed(words, wording), title=uncited(title)) if words and title else ""
        return _joined([missing, rest or wording.near])
    if doubts.unsaid:
        return wording.unsaid.format(words=_listed(doubts.unsaid, wording))
    if doubts.negation:
        return wording.negation.format(word=doubts.negation)
    if doubts.opposite:
        asked, said = doubts.opposite
        return wording.opposite.format(asked=asked, said=said)
    return wording.near


def _listed(words: Sequence[str], wording: Wording) -> str:
    return ", ".join(wording.marks.format(word) for word in words)


def reasoning_of(query: Query, passages: Sequence[PromptPassage], choice: Choice, wording: Wording) -> str:
    """Write what was compared, which passage has which words, and why it is quoted or not."""
    words = tuple(dict.fromkeys(word for mentioned in (*choice.mentions, choice.absent) for word in mentioned))
    compared = [
        wording.method,
        wording.words.format(_listed(words, wording)) if words else "",
        wording.leans if query.past else "",
    ]
    found = [
        f"- [{passage.number}] {uncited(passage.heading)}: {wording.has.format(_listed(mentioned, wording))}"
        for passage, mentioned in zip(passages, choice.mentions, strict=True)
        if mentioned
    ]
    decided = wording.decided[_case(choice)].format(
        score=f"{choice.score:.1f}".replace(".", wording.point),
        confidence=_percent(choice.confidence),
        premise=_percent(choice.premise),
        answer=_percent(ANSWER_CONFIDENCE),
        near=_percent(NEAR_CONFIDENCE),
        premise_least=_percent(PREMISE_LEAST),
        missed=_listed(choice.missed, wording),
    )
    absent = wording.absent.format(_listed(choice.absent, wording)) if choice.absent else ""
    outcome = [absent, decided] if passages else [wording.no_passage]
    parts = (_joined(compared), "\n".join(found), _joined(outcome))
    return "\n\n".join(part for part in parts if part)


def _case(choice: Choice) -> str:
    """Return which rule decided."""
    if choice.absent and not any(choice.mentions):
        return "foreign"
    if choice.state != "near" or choice.confidence < ANSWER_CONFIDENCE:
        return choice.state
    return "missed" if choice.missed else "unmeasured" if choice.is_unmeasured else "doubtful"


def _percent(share: float) -> int:
    return round(100 * share)


def _joined(texts: Sequence[str]) -> str:
    return " ".join(text for text in texts if text)


def _usage(request: Request, text: str) -> Usage:
    """Count words as tokens, since the model has no tokens."""
    asked = sum(len((message.text or "").split()) for message in request.messages)
    return Usage(input_tokens=asked, output_tokens=len(text.split()))
