"""What tests and the bench of optimisations have in common: questions that a scripted model learns to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.experiments.questions import Question
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import ModelEntry, Settings
from server import Parts, build
from tests.provider import Provider

PER_TOKEN = 0.00001
LABELS = ("learns", "grounded", "status-401", "hang")
QUESTIONS = tuple(
    Question(f"With how much pressure is an espresso made {where}?", "about 9 bar")
    for where in (
        *("at home", "in a bar", "in Italy", "in Vienna", "at work", "on a train", "in a hotel", "in a lab"),
        *("for a friend", "for guests", "in summer", "in winter", "on a ship", "at night", "in the morning", "at noon"),
    )
)


def settings_of(data_dir: Path, provider: Provider, **more: Any) -> Settings:
    models = tuple(
        ModelEntry(
            label=label,
            model=f"hosted_vllm/{label}",
            api_base=provider.base,
            input_cost_per_token=PER_TOKEN,
            output_cost_per_token=0.0,
        )
        for label in LABELS
    )
    return Settings(models=models, data_dir=data_dir, cache_answers=False, **more)


def made_of(settings: Settings, search: EdgeIndex) -> Parts:
    return build(settings, index=search, models=Models(settings, pace_s=0.0))
