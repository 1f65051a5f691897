"""Measures how well a model keeps to the format, for each prompt; prints one table.

    python -m bench.replies http://127.0.0.1:9155/v1 --model hosted_vllm/smollm2

Every question takes the same path as in a turn: search, program, stream, reader. "Format kept" counts replies whose
answer has a header of its own, "lost" replies with text of which no answer was read, "marks left" replies with a marker
or a tag in the answer or the reasoning, "gold" answers with the expected words.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dspy

from bench.extractive import SAMPLES, Asked, bundled
from pipeline.errors import GlassboxError
from pipeline.events import Event, Warned
from pipeline.ingest.markdown import read_folder
from pipeline.models.lm import RecordedLM
from pipeline.programs.chain_of_thought import Rag
from pipeline.recording import fields_of
from pipeline.replies.adapters import DspyAdapter, ShownAdapter, fields_of_signature
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions, answer
from pipeline.retrieval import SearchOptions
from pipeline.retrieval.edge import EdgeIndex

LIMITS = ReplyLimits(first_token_s=300, idle_s=120, answer_chars=32_000)
MOST_REASONING_CHARS = 300  # under a schema; small models would never reach the answer otherwise
MARK = re.compile(r"\[\[\s*#|#\s*\]\]|</?think|<\|\w|\*\*\[\[", re.IGNORECASE)


class SchemaAdapter(ShownAdapter):
    """Asks for a JSON object, which the server is asked to enforce."""

    def format_assistant_message_content(
        self, signature: type[dspy.Signature], outputs: dict[str, Any], missing_field_message: str | None = None
    ) -> str:
        """The example of a reply."""
        return json.dumps({name: outputs.get(name, missing_field_message) for name in signature.output_fields})

    async def acall(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Make one call with the schema."""
        called: list[dict[str, Any]] = await super().acall(
            lm, {**lm_kwargs, "response_format": _schema(signature)}, signature, demos, inputs
        )
        return called


def _schema(signature: type[dspy.Signature]) -> dict[str, Any]:
    fields = fields_of_signature(signature)
    properties = {
        name: {"type": "string"} | ({"maxLength": MOST_REASONING_CHARS} if name == fields.aside else {})
        for name in fields.outputs
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}


PROMPTS: dict[str, type[DspyAdapter]] = {"dspy": DspyAdapter, "shown": ShownAdapter, "schema": SchemaAdapter}


@dataclass(frozen=True, slots=True)
class Replied:
    """The reply to one question; `fault` is "" where a turn would have finished."""

    asked: Asked
    fields: dict[str, str]
    warnings: tuple[str, ...]
    fault: str
    prompt_tokens: int
    took_s: float

    @property
    def keeps_format(self) -> bool:
        """Whether the answer has a header of its own."""
        return not self.fault and "format" not in self.warnings

    @property
    def is_lost(self) -> bool:
        """Whether there is text, but no answer."""
        return bool(self.fields) and not self.fields.get("answer")

    @property
    def has_marks(self) -> bool:
        """Whether a marker or a tag is left."""
        return any(MARK.search(self.fields.get(name, "")) for name in ("answer", "reasoning"))

    @property
    def is_right(self) -> bool:
        """Whether the answer has the expected words."""
        return any(gold.casefold() in self.fields.get("answer", "").casefold() for gold in self.asked.gold)


async def ask(
    program: Rag, lm: RecordedLM, asked: Asked, adapter: type[DspyAdapter], options: SearchOptions
) -> Replied:
    """Ask one question and stream its reply."""
    events: list[Event] = []
    fault, tokens, began_s = "", 0, time.perf_counter()
    try:
        inputs = {"question": asked.question, "options": options}
        outcome = await answer(program, inputs, lm, LIMITS, events.append, ReplyOptions(adapter=adapter))
        tokens = outcome.usage.prompt_tokens
    except GlassboxError as error:
        fault = error.code
    warnings = tuple(event.code for event in events if isinstance(event, Warned))
    return Replied(asked, fields_of(events), warnings, fault, tokens, time.perf_counter() - began_s)


def row(prompt: str, replied: list[Replied]) -> str:
    """Format one line of the table."""

    def count(hits: Iterable[bool]) -> str:
        return f"{sum(hits)} of {len(replied)}"

    tokens = [each.prompt_tokens for each in replied if each.prompt_tokens]
    cells = (
        count(each.keeps_format for each in replied),
        count(each.is_lost for each in replied),
        count(each.has_marks for each in replied),
        count("[" in each.fields.get("answer", "") for each in replied),
        count(each.is_right for each in replied),
        f"{statistics.median(tokens):.0f}" if tokens else "–",
        f"{statistics.median(each.took_s for each in replied):.1f} s",
    )
    return f"| {prompt} | {' | '.join(cells)} |"


async def main() -> None:
    """Print the table; with --show also each reply."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("api_base")
    reader.add_argument("--model", default="hosted_vllm/smollm2")
    reader.add_argument("--questions", type=int, default=30)
    reader.add_argument("--passages", type=int, default=4)
    reader.add_argument("--max-tokens", type=int, default=250)
    reader.add_argument("--prompts", nargs="+", choices=list(PROMPTS), default=list(PROMPTS))
    reader.add_argument("--show", action="store_true")
    wanted = reader.parse_args()
    search = EdgeIndex.build(read_folder(SAMPLES))
    program = Rag(search)
    lm = RecordedLM(
        wanted.model,
        api_base=wanted.api_base,
        api_key="none",
        cache=False,
        num_retries=0,
        timeout=300,
        temperature=0.0,
        max_tokens=wanted.max_tokens,
    )
    await lm.ready()
    print("| prompt | format kept | lost | marks left | cites | gold | prompt tokens | took |")
    print("|---|---|---|---|---|---|---|---|")
    for prompt in wanted.prompts:
        replied = []
        for asked in bundled()["stand-alone"][:: 82 // wanted.questions][: wanted.questions]:
            replied.append(await ask(program, lm, asked, PROMPTS[prompt], SearchOptions(wanted.passages)))
            if wanted.show:
                print(replied[-1])
        print(row(prompt, replied), flush=True)
    search.close()


if __name__ == "__main__":
    asyncio.run(main())
