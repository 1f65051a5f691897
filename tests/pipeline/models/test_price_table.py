from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.models.price_table import Prices, context_tokens_of, prices_of


@pytest.mark.parametrize(
    ("model", "prices"),
    [
        ("openai/gpt-5-mini", Prices(0.25, 2)),  # the table has it without its provider
        ("groq/openai/gpt-oss-20b", Prices(0.075, 0.3)),
        ("openrouter/openai/gpt-4.1-mini", Prices(0.4, 1.6)),  # only the older table has it
        ("hosted_vllm/gpt-5-mini", None),  # another provider's
        ("ollama/llama2", None),  # costs nothing in the table, which is no price
        ("openai/no-such-model", None),
        ("litellm_provider", None),
    ],
)
def test_the_prices_are_those_of_the_table(model: str, prices: Prices | None) -> None:
    assert prices_of(model) == prices


def test_the_window_is_what_a_prompt_may_have() -> None:
    assert context_tokens_of("anthropic/claude-haiku-4-5") == 200_000
    assert context_tokens_of("anthropic/claude-none") is None


def test_reading_the_table_does_not_import_litellm() -> None:
    code = "import sys, pipeline.models.price_table as t; t.prices_of('groq/x'); sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
