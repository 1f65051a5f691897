"""A model server that is not quite where it was said to be, over real sockets and through both engines."""

from __future__ import annotations

import dspy
import pytest

from i18n.messages import error_text
from pipeline.errors import ModelFault
from pipeline.models.catalogue import Models
from pipeline.models.lm import RecordedLM
from pipeline.settings import ModelEntry, Settings
from tests.provider import Provider

DOORS = ["openai", "hosted_vllm", "ollama_chat", "lm_studio", "deepseek"]  # lm_studio is LiteLLM's


def lm_of(model: str, address: str) -> RecordedLM:
    return Models(Settings(models=(ModelEntry(label="m", model=model, api_base=address),))).lm("m")


async def answer_of(lm: RecordedLM) -> str:
    await lm.ready()
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
        said = await dspy.Predict("question -> reasoning, answer").acall(question="Why?")
    return str(said.answer)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("written", ["{root}", "{root}/", "{root}/v1", "{root}/v1/chat/completions", "{bare}/v1"])
async def test_an_address_that_is_almost_right_is_made_good(provider: Provider, door: str, written: str) -> None:
    root = provider.base.removesuffix("/v1")
    lm = lm_of(f"{door}/ok", written.format(root=root, bare=root.removeprefix("http://")))
    for _ in range(2):  # what was found to be right is kept to
        before = len(provider.requests)
        assert "hot water" in await answer_of(lm)
        assert len(provider.requests) == before + 1


@pytest.mark.parametrize("door", ["hosted_vllm", "lm_studio"])
async def test_an_address_that_cannot_be_made_good_is_said_to_be_wrong_and_named_only_when_shown(
    provider: Provider, door: str
) -> None:
    lm = lm_of(f"{door}/ok", f"{provider.base}/nowhere")
    with pytest.raises(ModelFault) as raised:
        await answer_of(lm)
    fault = raised.value
    assert fault.code == "wrong_address"
    assert str(provider.port) not in error_text(fault)
    assert f"(127.0.0.1:{provider.port})" in error_text(fault.shown())
    assert "nowhere" not in error_text(fault.shown())


@pytest.mark.parametrize("door", ["hosted_vllm", "lm_studio"])
async def test_a_server_that_does_not_know_the_model_is_asked_once(provider: Provider, door: str) -> None:
    before = len(provider.requests)
    with pytest.raises(ModelFault, match="unsupported_model"):
        await answer_of(lm_of(f"{door}/gpt-9", provider.base.removesuffix("/v1")))
    assert len(provider.requests) == before + 1
