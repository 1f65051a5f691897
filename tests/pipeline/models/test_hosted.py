from __future__ import annotations

import pytest

from pipeline.models.catalogue import Models
from pipeline.models.hosted import HOSTED
from pipeline.models.price_table import context_tokens_of, prices_of
from pipeline.settings import BUILTIN_MODEL, Settings

# Named in the requirements, and in no table.
UNLISTED = ("openrouter/deepseek/deepseek-coder", "openrouter/moonshotai/kimi-dev-72b")


@pytest.mark.parametrize("model", [model for each in HOSTED for model in each.models if model not in UNLISTED])
def test_the_table_has_every_hosted_model(model: str) -> None:
    assert context_tokens_of(model)
    assert prices_of(model)


def test_a_key_makes_the_models_of_its_provider_ready_and_brings_them_to_the_top(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OR_API_KEY", "k")
    monkeypatch.setenv("GROQ_API_KEY", "k")
    choices = Models(Settings()).choices
    ready = [each.label for each in choices if each.is_configured]
    assert ready[0] == BUILTIN_MODEL
    assert {label.partition("/")[0] for label in ready[1:]} == {"openrouter", "groq"}
    assert [each.state for each in choices] == ["ready"] * len(ready) + ["no_key"] * (len(choices) - len(ready))
    assert len(choices) == 1 + sum(len(each.models) for each in HOSTED)


def test_a_hosted_model_without_a_key_is_not_what_a_new_visitor_starts_with(monkeypatch: pytest.MonkeyPatch) -> None:
    label = HOSTED[0].models[1]
    assert Models(Settings(default_model=label)).default == BUILTIN_MODEL
    monkeypatch.setenv(HOSTED[0].key_name, "k")
    assert Models(Settings(default_model=label)).default == label
