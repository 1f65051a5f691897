from __future__ import annotations

import asyncio

from pipeline.models import POOL_CONNECTIONS, Models, RecordedLM
from pipeline.settings import ModelEntry, Settings
from tests.provider import Provider


async def test_more_calls_of_one_model_than_a_pool_has_connections_wait_for_nothing() -> None:
    wanted = 2 * POOL_CONNECTIONS
    with Provider() as provider:
        entry = ModelEntry(label="m", model="hosted_vllm/hang", api_base=provider.base)
        lm: RecordedLM | None = Models(Settings(models=(entry,))).lm("m")
        assert lm
        calls = [asyncio.create_task(lm.acall("?")) for _ in range(wanted)]
        async with asyncio.timeout(60):
            while len(provider.requests) < wanted:  # noqa: ASYNC110  a list of another thread
                await asyncio.sleep(0.05)
        assert provider.active == wanted
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        while lm is not None:
            assert lm._calls == 0
            await lm.aclose()
            lm = lm._twin
