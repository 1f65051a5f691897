"""Choosing a profile on the page: the controls show what it sets, and what the visitor chooses afterwards wins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio.context import LocalContext

from components import sidebar
from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import Tab
from pipeline.messages import Message
from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profile, ProfileFault, Profiles, ProfileSet
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions
from server import Parts, build

MAYA = "m" * 32
DESK = Profile(
    name="desk",
    title="The desk <b>",
    model="fast",
    options={"temperature": 0.3, "max_tokens": 20_000, "instructions": "Be kind.", "program": "ReAct"},
    example_questions=("Is it <b>bold?",),
)
FAULT = ProfileFault("bad.yaml", 7, Message("empty"))


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    (tmp_path / "docs").mkdir()
    fast = ModelEntry(label="fast", model="hosted_vllm/fast", api_base="http://127.0.0.1:1/v1")
    settings = Settings(data_dir=tmp_path / "data", documents_dir=tmp_path / "docs", models=(fast,))
    profiles = Profiles(lambda: ProfileSet({"desk": DESK}, (FAULT,)))
    made = build(settings, models=Models(settings, pace_s=0.0), profiles=profiles)
    yield made
    await made.close()


@pytest.fixture
def handlers(parts: Parts) -> Any:
    """Any: what an update leaves as it is, is None, and what a test looks at is not."""
    return ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library)


async def test_a_chosen_profile_is_shown_in_controls_model_picker_and_empty_page(handlers: Any) -> None:
    tab, stored = Tab(), {"profile": "desk", "passages_wanted": 7, "own_key": "sk-secret"}
    update = await handlers.choose_profile(tab, MAYA, BUILTIN_MODEL, stored)
    shown = update.preferences
    assert (shown["temperature"], shown["instructions"], shown["program"]) == (0.3, "Be kind.", "ReAct")
    assert (shown["max_tokens"], shown["passages_wanted"]) == (8192, 7)  # where the slider ends; what the visitor chose
    assert (update.model, update.is_language_model) == ("fast", True)
    assert update.stored == {"profile": "desk", "passages_wanted": 7}
    (picker, *_) = update.profiles
    assert 'value="desk" data-model="fast"' in picker
    assert ' checked><span dir="auto">The desk &lt;b&gt;</span>' in picker
    page = "".join(update.thread)
    assert "The desk &lt;b&gt;</span></p>" in page
    assert 'data-question="Is it &lt;b&gt;bold?"' in page


async def test_a_question_takes_the_profile_where_nothing_was_chosen_afterwards(handlers: Any, parts: Parts) -> None:
    asked = []
    for stored in ({"profile": "desk"}, {"profile": "desk", "temperature": None, "instructions": ""}, {}):
        tab = Tab()
        await handlers.ask("How?", tab, MAYA, BUILTIN_MODEL, stored)
        asked.append(parts.pipeline.options_of(tab.turn_id or ""))
        assert (await parts.pipeline.turn(tab.turn_id or "", MAYA)).model == BUILTIN_MODEL  # as the picker shows it
    untouched, changed, without = asked
    assert untouched
    assert changed
    assert (untouched.max_tokens, untouched.temperature, untouched.instructions) == (20_000, 0.3, "Be kind.")
    assert (changed.max_tokens, changed.temperature, changed.instructions) == (20_000, None, None)
    assert without == AskOptions()


async def test_without_a_profile_the_page_is_the_usual_one(handlers: Any) -> None:
    for stored in ({}, {"profile": ""}, {"profile": "gone"}, {"profile": ["desk"]}):
        update = await handlers.choose_profile(Tab(), MAYA, BUILTIN_MODEL, stored)
        assert update.model == BUILTIN_MODEL
        assert '<input type="radio" name="profile" value="" data-model="" data-sets="{}" checked>' in update.profiles[0]
        assert '<p class="wordmark">Glassbox</p>' in "".join(update.thread)


async def test_a_page_that_is_loaded_again_shows_its_profile(handlers: Any) -> None:
    update = await handlers.load(Tab(), MAYA, "fast", "", 0, {"profile": "desk"})
    assert "The desk" in "".join(update.thread)
    assert (await handlers.restore({"profile": "desk"})).preferences["temperature"] == 0.3


async def test_faults_are_shown_at_this_machine_alone(handlers: Any) -> None:
    assert "bad.yaml, line 7" in "".join((await handlers.restore({})).profiles)
    assert "bad.yaml" not in "".join(handlers.initial().profiles)
    there = SimpleNamespace(
        url=SimpleNamespace(hostname="example.org"), client=SimpleNamespace(host="203.0.113.7"), headers={}
    )
    token = LocalContext.request.set(there)
    try:
        assert "bad.yaml" not in "".join((await handlers.restore({})).profiles)
    finally:
        LocalContext.request.reset(token)


def test_there_is_no_picker_without_profiles() -> None:
    assert sidebar.profile_picker((), None) == []
