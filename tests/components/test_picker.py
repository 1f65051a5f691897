from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.handlers.chat_handlers import ChatHandlers
from components.html.html_elements import dollars
from components.sidebar import picker
from pipeline.errors import ModelFault
from pipeline.exchange_costs import Cost
from pipeline.expenses import Expense, day_of
from pipeline.messages import Message
from pipeline.models.catalogue import ModelChoice, Models, short_count
from pipeline.models.price_table import Prices
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turns.model_tests import ModelTest
from server import build

READY = ModelChoice("ollama/qwen3:8b", "ready", Message("found", {"size": "5.2 GB", "window": "41k"}), True)
OTHERS = (
    ModelChoice("rests", "resting", Message("resting", {"rest_s": 20}), True),
    ModelChoice("lost", "unreachable", Message("unreachable"), True),
    ModelChoice("groq/x", "no_key", Message("no_key"), True, is_configured=False),
)


def test_every_state_that_is_not_ready_is_said_in_words() -> None:
    html = "".join(picker((READY, *OTHERS), READY.label))
    for words in ("5.2 GB · 41k", "rests 20 s", "does not answer", "no key"):
        assert words in html
    assert html.count('type="radio"') == 4
    assert html.count(" checked") == 1


def test_hosted_models_without_a_key_are_folded_away_unless_one_of_them_is_chosen() -> None:
    *_, folded = picker((READY, *OTHERS), READY.label)
    assert "groq/x" in folded
    assert "<details" in folded
    assert " open" not in folded.partition(">")[0]
    assert " open" in picker((READY, *OTHERS), "groq/x")[-1].partition(">")[0]
    assert "<details" not in "".join(picker((READY,), READY.label))


def test_below_the_list_stands_what_is_known_of_the_chosen_model_or_the_result_of_its_test() -> None:
    known = replace(READY, context_tokens=40_960, prices=Prices(0.25, 2.0))
    about = picker((known,), READY.label)[1]
    assert "41k tokens of context" in about
    assert "$0.25 in, $2 out" in about
    works = picker((known,), READY.label, ModelTest(None, 0.31, 45.2))[1]
    assert "first text after 0.31 s, then 45 tokens a second" in works
    failed = picker((known,), READY.label, ModelTest(ModelFault("no_memory")))[1]
    assert "too little memory" in failed
    assert "Choose a smaller model" in failed
    assert picker((known,), READY.label, ModelTest(None, 0.3, 45.2))[1] != works  # drawn again, though it says the same


def test_labels_are_escaped() -> None:
    html = "".join(picker((replace(READY, label='<b>"x'),), "y"))
    assert "<b>" not in html
    assert '"x"' not in html


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (Cost(0.0004, exact=True), "$0.0004"),
        (Cost(0.0004, exact=False), "≈ $0.0004"),
        (Cost(0.00000001, exact=True), "< $0.0001"),
        (Cost(12.345, exact=True), "$12.35"),
        (Cost(0.0, exact=True), ""),
        (Cost(None, exact=False), ""),
    ],
)
def test_an_estimated_cost_is_marked(cost: Cost, shown: str) -> None:
    assert dollars(cost) == shown


@pytest.mark.parametrize(("tokens", "short"), [(512, "512"), (4096, "4k"), (131_072, "131k"), (1_048_576, "1.05M")])
def test_a_window_is_written_shortly(tokens: int, short: str) -> None:
    assert short_count(tokens) == short


async def test_a_page_that_opens_shows_what_was_spent_before_the_process_began(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    settings = Settings(data_dir=tmp_path / "data", documents_dir=tmp_path / "docs", budget_usd_day_visitor=1.0)
    made = build(settings, models=Models(settings, pace_s=0.0))
    spent = Expense(visitor="m" * 32, model="m", cost=0.25)
    await made.store.add_expense(day_of(time.time()), spent)
    handlers: Any = ChatHandlers(made.pipeline, made.conversations, made.models, made.library)
    update = await handlers.recall(BUILTIN_MODEL, "m" * 32)
    await made.close()
    assert "$0.75" in update.picker[-1]
