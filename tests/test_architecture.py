from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from pipeline import errors
from pipeline.notices import FAULTS, WARNINGS

ROOT = Path(__file__).parents[1]

# A module imports from its own layer and from those below it, never from above. Longest prefix wins.
LAYERS = [
    ("app", "pipeline.ingest.__main__"),
    ("api", "components"),
    ("pipeline.turns", "pipeline.library"),
    ("pipeline",),
    (
        "pipeline.models",
        "pipeline.replies",
        "pipeline.faults",
        "pipeline.litellm_door",
        "pipeline.lm15_door",
        "pipeline.extractive",
        "pipeline.numbered",
        "pipeline.asked",
        "pipeline.citations",
        "pipeline.quoting",
        "pipeline.quoted",
        "pipeline.whole",
        "pipeline.contents",
        "pipeline.overview",
        "pipeline.sentences",
        "pipeline.retrieval",
        "pipeline.ingest",
        "pipeline.metrics",
        "pipeline.notices",
        "pipeline.store",
    ),
    (
        "pipeline.events",
        "pipeline.conversation",
        "pipeline.addresses",
        "pipeline.bugs",
        "pipeline.errors",
        "pipeline.settings",
        "pipeline.names",
        "pipeline.heap",
    ),
]
LAYER_OF = {prefix: depth for depth, layer in enumerate(LAYERS) for prefix in layer}

# What is imported (or read) → the only modules that do so.
ONLY_IN = {
    "api": ("api", "app"),
    "components": ("components", "app"),
    "pipeline.store": ("pipeline.store", "pipeline.history", "pipeline.turns", "app"),
    "gradio": ("components", "app"),
    "fastapi": ("api", "app"),
    "starlette": ("api", "app"),
    "dspy": (
        "pipeline.rewriting",
        "pipeline.programs",
        "pipeline.prompt_size",
        "pipeline.dspy_events",
        "pipeline.replies.prompts",
        "pipeline.models",
        "pipeline.lm15_door",
        "pipeline.extractive",
        "pipeline.retrieval.embedding",
    ),
    "litellm": ("pipeline.litellm_door", "pipeline.retrieval.reranking"),
    "prometheus_client": ("api",),
    "qdrant_edge": ("pipeline.retrieval",),
    "qdrant_client": ("pipeline.retrieval",),
    "mammoth": ("pipeline.ingest",),
    "pptx": ("pipeline.ingest",),
    "pypdfium2": ("pipeline.ingest",),
    "python_calamine": ("pipeline.ingest",),
    "selectolax": ("pipeline.ingest",),
    "sqlalchemy": ("pipeline.store",),
    "alembic": ("pipeline.store",),
    "os.environ": ("pipeline.settings",),
    "os.getenv": ("pipeline.settings",),
}


def within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def depth(module: str) -> int | None:
    prefixes = [prefix for prefix in LAYER_OF if within(module, prefix)]
    return LAYER_OF[max(prefixes, key=len)] if prefixes else None


def imports(source: str) -> Iterator[str]:
    """Every dotted name that `source` imports, wherever it stands, and what it takes from `os`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
            yield f"os.{node.attr}"


def faults(module: str, source: str) -> list[str]:
    found = []
    for name in imports(source):
        mine, its = depth(module), depth(name)
        if name.startswith("."):
            found.append(f"{module} imports {name}: write the whole name")
        if mine is not None and its is not None and its < mine:
            found.append(f"{module} imports {name}, which lies above it")
        for target, allowed in ONLY_IN.items():
            if within(name, target) and not any(within(module, prefix) for prefix in allowed):
                found.append(f"{module} imports {name}: {target} belongs to {', '.join(allowed)}")
    return found


FILES = [
    ROOT / "app.py",
    *(file for folder in ("api", "components", "pipeline") for file in (ROOT / folder).rglob("*.py")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_one_way(file: Path) -> None:
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert faults(module, file.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pipeline.turns", "import dspy"),
        ("pipeline.metrics", "from gradio import Blocks"),
        ("pipeline.metrics", "def f():\n    import components.view"),
        ("pipeline.programs", "from pipeline.turns import Pipeline"),
        ("pipeline.programs", "from pipeline import turns"),
        ("pipeline.programs", "from pipeline.store import Store"),
        ("pipeline.events", "from pipeline.metrics import measure"),
        ("pipeline.store.tables", "from pipeline.programs import Rag"),
        ("pipeline.numbered", "from . import turns"),
        ("pipeline.citations", "import qdrant_edge"),
        ("components.documents", "import pypdfium2"),
        ("api.turns", "from components.view import View"),
        ("api.turns", "from pipeline.store.tables import TurnRow"),
        ("components.page", "from fastapi import Request"),
        ("components.page", "import api.turns"),
        ("components.page", "from sqlalchemy.orm import Session"),
        ("app", "import os\nos.environ['PORT']"),
        ("app", "from os import getenv"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    assert len(faults(module, source)) >= 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("app", "import gradio, api.turns, components.page, pipeline.store"),
        ("pipeline.turns", "from pipeline.store import Store"),
        ("pipeline.extractive", "from pipeline.retrieval.words import terms_of_word"),
        ("pipeline.extractive", "from pipeline.numbered import read_numbered"),
        ("pipeline.conversation", "from pipeline.events import Event"),
        ("pipeline.settings", "import os\nos.environ"),
    ],
)
def test_an_import_of_the_table_is_not(module: str, source: str) -> None:
    assert faults(module, source) == []


# What a turn says of itself stands in `pipeline.notices`, in every language: a text that lacks its German fails here.


def ending_faults() -> dict[str, str]:
    """Every fault that can end a turn: code → its English text, as far as that is a constant."""
    of_models = {code: text for code, (_, text) in errors.MODEL_FAULTS.items()}
    others = (errors.SearchFault(), errors.OwnFault())
    return of_models | {each.code: each.text for each in others}


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", ["de"])
def test_every_fault_that_ends_a_turn_is_said_in_the_language_of_its_question(language: str) -> None:
    english, other = ending_faults(), FAULTS[language]
    assert set(other) == set(english)
    assert [code for code, text in english.items() if values_in(text) != values_in(other[code])] == []


@pytest.mark.parametrize("language", ["de"])
def test_every_warning_is_said_in_the_language_of_its_question(language: str) -> None:
    assert set(WARNINGS[language]) == set(WARNINGS["en"])
    assert not set(WARNINGS[language].values()) & set(WARNINGS["en"].values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_warnings_are_made_from_their_table_alone(file: Path) -> None:
    """`warned("a_code")` finds its text in every language; `Warned(code=…, text=…)` would not."""
    if file.name == "notices.py":
        return
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if ast.unparse(call.func) == "Warned"] == []
    codes = [
        ast.literal_eval(arg)
        for call in calls
        if ast.unparse(call.func) == "warned"
        for arg in call.args[:1]
        if isinstance(arg, ast.Constant)
    ]
    assert [code for code in codes if code not in WARNINGS["en"]] == []
