"""EXPERIMENT: who is in which variant, which questions take part, and what a fault of the setting says."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pipeline.experiment_entry import ExperimentEntry
from pipeline.experiments.turn_groups import LEAST_RATED
from pipeline.keyed_hashes import Secret
from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profile
from pipeline.programs.registry import PROGRAMS
from pipeline.settings import Settings, SettingsFault, load
from pipeline.turn import AskOptions, TurnRequest
from pipeline.turns.experiment import Experiment
from server import Parts
from tests.in_process import api_of, tea_parts
from tests.provider import Provider

MAYA = "m" * 32
FROM_ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}
COOL_OR_WARM = {"name": "heat", "variants": {"cool": {"temperature": 0.0}, "warm": {"temperature": 1.5}}}
CAREFUL = Profile(name="careful", title="Careful", options={"temperature": 0.2})


def experiment(entry: dict[str, Any] = COOL_OR_WARM, secret: bytes = b"s" * 32) -> Experiment:
    return Experiment(
        ExperimentEntry.model_validate(entry), Models(Settings(ollama_base_url="off")), PROGRAMS, Secret(secret)
    )


def visitors(count: int) -> list[str]:
    return [f"visitor-{at:012}" for at in range(count)]


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider) -> AsyncIterator[Parts]:
    entry = ExperimentEntry.model_validate({**COOL_OR_WARM, "strategy": "best"})
    more = {"experiment": entry, "metrics_token": SecretStr("token-of-the-host")}
    async with tea_parts(tmp_path, provider, ("ok", "german"), (CAREFUL,), **more) as parts:
        yield parts


async def ask(client: httpx.AsyncClient, visitor: str | None, **keys: Any) -> dict[str, Any]:
    headers = {"X-Visitor": visitor} if visitor else {}
    body = {"question": "How hot?", "stream": False, **keys}
    return dict((await client.post("/api/turns", json=body, headers=headers)).json())


async def variant(parts: Parts, turn: dict[str, Any], visitor: str | None) -> str | None:
    stored = await parts.store.turn(turn["turn_id"], visitor)
    assert stored
    return stored.variant


def test_visitors_are_split_evenly_and_each_stays_where_they_are() -> None:
    split = [experiment().variant_of(each).name for each in visitors(2000)]
    assert split == [experiment().variant_of(each).name for each in visitors(2000)]
    assert 900 < Counter(split)["cool"] < 1100
    renamed = experiment({**COOL_OR_WARM, "name": "again"})
    same = sum(renamed.variant_of(each).name == was for each, was in zip(visitors(2000), split, strict=True))
    assert 900 < same < 1100
    other = experiment(secret=b"t" * 32)
    assert [other.variant_of(each).name for each in visitors(2000)] != split


async def test_a_variant_sets_what_a_question_leaves_out_and_is_stored_with_the_turn(parts: Parts) -> None:
    async with api_of(parts) as client:
        turn = await ask(client, MAYA)
        temperature = {"heat/cool": 0.0, "heat/warm": 1.5}[await variant(parts, turn, MAYA) or ""]
        shown = (await client.get(f"/api/turns/{turn['turn_id']}", headers={"X-Visitor": MAYA})).json()
        assert shown["options"]["temperature"] == temperature
        nobodys = await ask(client, None)
        assert await variant(parts, nobodys, None) is None
        for chosen in ({"temperature": 0.7}, {"profile": "careful"}, {"temperature": None}):
            assert await variant(parts, await ask(client, MAYA, **chosen), MAYA) is None
        assert await variant(parts, await ask(client, MAYA, model="german", passages_wanted=2), MAYA) is not None


def test_a_model_of_a_variant_is_asked_where_only_the_default_one_was_named() -> None:
    entry = {
        "name": "models",
        "variants": {"quotes": {"model": "builtin/extractive"}, "same": {"model": "builtin/extractive"}},
    }
    tried = experiment(entry)
    for request in (TurnRequest("?", visitor=MAYA), TurnRequest("?", visitor=MAYA, model="builtin/extractive")):
        assert tried.applied(request).variant in ("models/quotes", "models/same")
    for request in (
        TurnRequest("?", visitor=MAYA, model="another"),
        TurnRequest("?", visitor=MAYA, model="builtin/extractive", given=frozenset({"model"})),
        TurnRequest("?", visitor=MAYA, model_key=SecretStr("key")),
    ):
        assert tried.applied(request) == request
    assert experiment().applied(TurnRequest("?", AskOptions(temperature=0.3), MAYA)).variant is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{sk-secret", "EXPERIMENT is not JSON"),
        ("[]", "EXPERIMENT"),
        ('{"name": "a", "variants": {"one": {}}}', "EXPERIMENT"),
        ('{"name": "sk secret", "variants": {"a": {}, "b": {}}}', "EXPERIMENT"),
        ('{"name": "a", "strategy": "sk-secret", "variants": {"a": {}, "b": {}}}', "EXPERIMENT"),
    ],
)
def test_a_setting_that_is_no_experiment_is_named_and_not_repeated(
    value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPERIMENT", value)
    with pytest.raises(SettingsFault) as fault:
        load()
    assert told in str(fault.value)
    assert "secret" not in str(fault.value)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"model": "sk-secret"}, "variant bad names a model that is not in the list"),
        ({"sk-secret": 1}, "variant bad holds a key that no variant can set"),
        ({"documents": ["sk-secret"]}, "variant bad holds a key that no variant can set"),
        ({"temperature": "sk-secret"}, "variant bad: `temperature` has a wrong type or is out of its range"),
        ({"temperature": 3}, "variant bad: `temperature` has a wrong type or is out of its range"),
        ({"program": "sk-secret"}, "variant bad names a program that there is not"),
    ],
)
def test_a_variant_that_nobody_could_be_given_is_named_at_the_start(values: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsFault) as fault:
        experiment({"name": "a", "variants": {"usual": {}, "bad": values}})
    assert told in str(fault.value)
    assert "secret" not in str(fault.value)


async def test_the_results_of_each_variant_are_there_for_who_runs_glassbox(parts: Parts) -> None:
    async with api_of(parts) as client:
        for at, visitor in enumerate(visitors(6)):
            turn = await ask(client, visitor)
            rating = {"rating": 1 if at % 2 else -1}
            await client.post(f"/api/turns/{turn['turn_id']}/rating", json=rating, headers={"X-Visitor": visitor})
        told = (await client.get("/api/experiment")).json()
        assert (await client.get("/api/experiment", headers=FROM_ELSEWHERE)).status_code == 404
    assert (told["name"], told["strategy"], told["best"]) == ("heat", "best", None)
    assert [each["options"] for each in told["variants"]] == [{"temperature": 0.0}, {"temperature": 1.5}]
    assert sum(each["turns"] for each in told["variants"]) == 6
    known = next(each for each in told["variants"] if each["turns"])
    assert known["liked"]["n"] == known["units"] == known["likes"] + known["dislikes"]
    assert known["succeeded"]["mean"] == 1
    assert known["first_token_s"]["mean"] > 0


async def test_everybody_gets_the_variant_that_is_liked_more_as_soon_as_that_is_sure(parts: Parts) -> None:
    assert parts.experiment
    tried = parts.experiment.experiment
    async with api_of(parts) as client:
        for visitor in visitors(2 * LEAST_RATED + 30):
            turn = await ask(client, visitor)
            rating = {"rating": 1 if tried.variant_of(visitor).name == "cool" else -1}
            await client.post(f"/api/turns/{turn['turn_id']}/rating", json=rating, headers={"X-Visitor": visitor})
        assert {tried.variant_of(each).name for each in visitors(50)} == {"cool", "warm"}
        await parts.experiment.choose()
        assert {tried.variant_of(each).name for each in visitors(50)} == {"cool"}
        assert (await client.get("/api/experiment")).json()["best"] == "cool"
