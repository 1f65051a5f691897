"""The hosted models that the picker offers: a provider's are ready when its key is set. MODELS adds any others.

`tests/pipeline/models/test_hosted.py` says which of them LiteLLM's table no longer knows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostedModels:
    """The models of one provider, by the variable of its documentation that holds the key; the usual one first."""

    key_name: str
    models: tuple[str, ...]
    other_key_name: str = ""  # the libraries accept it as well

    @property
    def provider(self) -> str:
        """LiteLLM's name of the provider."""
        return self.models[0].partition("/")[0]

    @property
    def key_names(self) -> tuple[str, ...]:
        """The variables that may hold the key."""
        return (self.key_name, self.other_key_name) if self.other_key_name else (self.key_name,)


HOSTED = (
    HostedModels(
        "OPENAI_API_KEY",
        ("openai/gpt-5-mini", "openai/gpt-5.4-mini", "openai/gpt-5.5", "openai/gpt-6-sol"),
    ),
    HostedModels(
        "ANTHROPIC_API_KEY",
        ("anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-5-5", "anthropic/claude-opus-5-5"),
    ),
    HostedModels(
        "GEMINI_API_KEY",
        ("gemini/gemini-2.5-flash", "gemini/gemini-3.8-flash", "gemini/gemini-2.5-pro"),
        "GOOGLE_API_KEY",
    ),
    HostedModels(
        "OPENROUTER_API_KEY",
        (
            "openrouter/openai/gpt-oss-120b",
            "openrouter/deepseek/deepseek-chat",
            "openrouter/deepseek/deepseek-coder",
            "openrouter/moonshotai/kimi-dev-72b",
            "openrouter/moonshotai/kimi-k3",
            "openrouter/qwen/qwen3.8-max",
        ),
        "OR_API_KEY",
    ),
    HostedModels("GROQ_API_KEY", ("groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-120b", "groq/qwen/qwen3.8-27b")),
    HostedModels(
        "DEEPSEEK_API_KEY",
        ("deepseek/deepseek-chat", "deepseek/deepseek-v4-flash", "deepseek/deepseek-v4-pro"),
    ),
    HostedModels(
        "MISTRAL_API_KEY",
        ("mistral/mistral-small-latest", "mistral/mistral-medium-latest", "mistral/mistral-large-latest"),
    ),
)
# Models of Hugging Face's router, for visitors who sign in with their account there.
OF_HUGGING_FACE = (
    "openai/gpt-oss-120b",
    "openai/gpt-oss-20b",
    "Qwen/Qwen3-235B-A22B-Instruct-2507",
    "deepseek-ai/DeepSeek-V3.1",
    "meta-llama/Llama-3.3-70B-Instruct",
)
BY_PROVIDER = {each.provider: each for each in HOSTED}
