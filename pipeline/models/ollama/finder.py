"""Finds the models of an Ollama server by a short probe now and then. No server, no models; nothing is logged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from pipeline.models.ollama.api import ListedModel, ModelDetails, details_of, listed_models

PROBE_S = 0.3  # the most that a probe takes, and that anybody waits for one
SHOW_S = 2.0  # for what the server says of one model; nobody waits for it
SHOWS_AT_ONCE = 4
EVERY_S = 3.0
MOST_MODELS = 200


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that the server has and that can write text."""

    listed: ListedModel
    details: ModelDetails


class OllamaFinder:
    """The models of one Ollama server as of the last probe; `address` is its root, "" for no server.

    `is_reached` is False while a server that had models does not answer in time. Once nothing listens there, the models
    are gone.
    """

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.address = address
        self.found: tuple[FoundModel, ...] = ()
        self.is_reached = True
        self._clock = clock
        self._probed_at = -EVERY_S
        self._probe: asyncio.Task[None] | None = None
        self._details: dict[ListedModel, ModelDetails] = {}

    async def refresh(self) -> bool:
        """Probe the server unless that was done just now; return after `PROBE_S` at the latest, whether it answered."""
        if self._probe is None or self._probe.done():
            if not self.address or self._clock() - self._probed_at < EVERY_S:
                return False
            self._probed_at = self._clock()
            self._probe = asyncio.create_task(self._look())
        await asyncio.wait({self._probe}, timeout=PROBE_S)
        return self._probe.done() and self.is_reached

    async def _look(self) -> None:
        is_tls = self.address.startswith("https")
        try:
            async with httpx.AsyncClient(base_url=self.address, timeout=SHOW_S, verify=is_tls) as client:
                async with asyncio.timeout(PROBE_S):
                    answer = await client.get("/api/tags")
                listed = listed_models(answer.json())[:MOST_MODELS] if answer.is_success else ()
                await self._ask_details(client, listed)
        except (TimeoutError, httpx.TimeoutException):
            self.is_reached = False
            return
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            self.found, self.is_reached = (), True
            return
        models = (FoundModel(each, self._details[each]) for each in listed if each in self._details)
        self.found, self.is_reached = tuple(each for each in models if each.details.can_complete), True

    async def _ask_details(self, client: httpx.AsyncClient, listed: tuple[ListedModel, ...]) -> None:
        """Ask what the server says of each model that it was not asked about."""
        places = asyncio.Semaphore(SHOWS_AT_ONCE)

        async def ask(model: ListedModel) -> None:
            async with places:
                try:
                    answer = await client.post("/api/show", json={"model": model.name})
                    if answer.is_success:
                        self._details[model] = details_of(answer.json())
                except (httpx.HTTPError, ValueError):
                    return  # the next probe asks again

        await asyncio.gather(*(ask(each) for each in listed if each not in self._details))
