"""Imports run one way, and every text has its translations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Every folder, and every module beside the folders of `pipeline`. Each imports only itself and those that stand behind
# it; the longest prefix of a module's name counts, so "pipeline" alone is `pipeline/__init__.py`.
ORDER = (
    *("bench", "app", "pipeline.experiments.evaluate", "server"),
    *("api.routes", "api", "api.dialects", "api.access"),
    *("components.pages", "components.handlers", "components.dialogs", "components.panes", "components.sidebar"),
    *("components.html", "components"),
    *("pipeline.ingest.__main__", "i18n"),
    "pipeline.optimisation",
    *("pipeline.experiments", "pipeline.inquiries", "pipeline.turns"),
    *("pipeline.programs", "pipeline.replies"),
    *(
        "pipeline.accounts",
        "pipeline.documents",
        "pipeline.conversations",
        "pipeline.models",
        "pipeline.artifacts",
        "pipeline.markdown",
    ),
    "pipeline.citations",
    *("pipeline.retrieval", "pipeline.ingest"),
    *("pipeline.transports", "pipeline.database"),
    *("pipeline.logs", "pipeline.clients", "pipeline.exchange_costs", "pipeline.prompt_sections", "pipeline.metrics"),
    "pipeline.prompt_passages",
    *(
        "pipeline.comparison",
        "pipeline.turn_sample",
        "pipeline.turn",
        "pipeline.recording",
        "pipeline.request_copies",
        "pipeline.exchanges",
        "pipeline.saved_program",
        "pipeline.request_result",
        "pipeline.expenses",
        "pipeline.verdict_reports",
        "pipeline.feedback",
        "pipeline.options",
        "pipeline.events",
        "pipeline.verdicts",
        "pipeline.passages",
    ),
    *("pipeline.settings", "pipeline.own_faults", "pipeline.errors", "pipeline.messages"),
    *("pipeline.model_entries", "pipeline.experiment_entry"),
    *(
        "pipeline.base_urls",
        "pipeline.display_names",
        "pipeline.keyed_hashes",
        "pipeline.field_names",
        "pipeline.garbage_collection",
    ),
    "pipeline",
)

# What is imported (or read) → the only modules that do so.
ONLY_IN = {
    "api": ("api", "server", "app", "bench"),
    "i18n": (
        "i18n",
        "components",
        "api",
        "app",
        "server",
        "pipeline.ingest.__main__",
        "pipeline.experiments.evaluate",
        "bench",
    ),
    "components": ("components", "server", "app"),
    "pipeline.database": (
        "pipeline.database",
        "pipeline.conversations",
        "pipeline.turns.engine",
        "pipeline.turns.verdict_reporting",
        "pipeline.inquiries.service",
        "pipeline.experiments",
        "pipeline.optimisation.service",
        "server",
        "app",
        "bench",
    ),
    "gradio": ("components", "server", "bench"),
    "fastapi": ("api", "server", "bench"),
    "starlette": ("api", "server", "bench"),
    "dspy": (
        "pipeline.programs",
        "pipeline.replies",
        "pipeline.models.lm",
        "pipeline.models.builtin.engine",
        "pipeline.models.ollama.engine",
        "pipeline.transports.lm15_transport",
        "pipeline.retrieval.embedding",
        "pipeline.optimisation.connection",
        "pipeline.optimisation.optimisers",
        "bench",
    ),
    # What DSPy does not document, or changes with 3.5: each behind one file.
    "dspy.clients": ("pipeline.models.lm",),
    "dspy.lm15": (
        "pipeline.models.builtin.engine",
        "pipeline.models.ollama.engine",
        "pipeline.transports.lm15_transport",
        "pipeline.optimisation.connection",
    ),
    "dspy.lm15.OpenAIChatLM": ("pipeline.transports.lm15_transport",),
    "dspy.streaming": ("pipeline.replies.dspy_internals",),
    "dspy.streamify": ("pipeline.replies.dspy_internals", "bench"),
    "dspy.utils": ("pipeline.replies.dspy_internals", "pipeline.optimisation.optimisers"),
    "mlflow": ("pipeline.turns.tracing",),
    "litellm": ("pipeline.transports.litellm_transport",),
    "prometheus_client": ("api",),
    "qdrant_edge": ("pipeline.retrieval",),
    "qdrant_client": ("pipeline.retrieval",),
    "mammoth": ("pipeline.ingest",),
    "pptx": ("pipeline.ingest",),
    "pypdfium2": ("pipeline.ingest",),
    "python_calamine": ("pipeline.ingest",),
    "selectolax": ("pipeline.ingest",),
    "sqlalchemy": ("pipeline.database",),
    "alembic": ("pipeline.database",),
    "os.environ": ("pipeline.settings", "bench"),
    "os.getenv": ("pipeline.settings", "bench"),
}


def within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def place(module: str) -> int | None:
    """Where a module stands in ORDER; None for what is not ours."""
    names = [name for name in ORDER if within(module, name)]
    return ORDER.index(max(names, key=len)) if names else None


def imports(source: str) -> Iterator[str]:
    """Every dotted name that `source` imports, wherever it stands, and what it takes from `os` and `dspy`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("os", "dspy"):
            yield ast.unparse(node)


def faults(module: str, source: str) -> list[str]:
    found = []
    for name in imports(source):
        mine, its = place(module), place(name)
        if name.startswith("."):
            found.append(f"{module} imports {name}: write the whole name")
        if mine is not None and its is not None and its < mine:
            found.append(f"{module} imports {name}, but {ORDER[its]} stands before {ORDER[mine]} in ORDER")
        for target, allowed in ONLY_IN.items():
            if within(name, target) and not any(within(module, prefix) for prefix in allowed):
                found.append(f"{module} imports {name}: {target} belongs to {', '.join(allowed)}")
    return found


FILES = [
    ROOT / "app.py",
    ROOT / "server.py",
    *(file for folder in ("api", "bench", "components", "i18n", "pipeline") for file in (ROOT / folder).rglob("*.py")),
]


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_one_way(file: Path) -> None:
    assert faults(module_of(file), file.read_text()) == []


def test_every_folder_and_every_module_beside_them_has_its_place_in_the_order() -> None:
    """What is new has to be named in ORDER, in front of all that it imports."""
    divided = (ROOT / "api", ROOT / "components", ROOT / "pipeline")
    folders = {module_of(file.parent) for file in FILES if file.parents[1] in divided}
    modules = {module_of(file) for file in FILES if file.parent in (ROOT, ROOT / "pipeline")}
    assert (folders | modules) - set(ORDER) == set()
    assert [name for name in ORDER if not any(within(module_of(file), name) for file in FILES)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pipeline.turns.engine", "import dspy"),
        ("pipeline.replies.dspy_stream", "import dspy\ndspy.streamify"),
        ("pipeline.replies.adapters", "from dspy.utils.exceptions import AdapterParseError"),
        ("pipeline.models.catalogue", "from dspy.clients.backend_selection import select_backend"),
        ("pipeline.models.builtin.engine", "from dspy.lm15 import OpenAIChatLM"),
        ("pipeline.metrics", "from gradio import Blocks"),
        ("pipeline.metrics", "def f():\n    import components.view"),
        ("pipeline.programs.chain_of_thought", "from pipeline.turns.engine import Pipeline"),
        ("pipeline.programs.chain_of_thought", "from pipeline import turns"),
        ("pipeline.programs.chain_of_thought", "from pipeline.database.store import Store"),
        ("pipeline.events", "from pipeline.metrics import measure"),
        ("pipeline.database.tables", "from pipeline.programs.chain_of_thought import Rag"),
        ("pipeline.prompt_passages", "from . import turns"),
        ("pipeline.errors", "import i18n"),
        ("pipeline.turns.engine", "from i18n import text"),
        ("i18n.messages", "from components.view import View"),
        ("pipeline.citations", "import qdrant_edge"),
        ("pipeline.retrieval.reranking", "import litellm"),
        ("components.dialogs.documents", "import pypdfium2"),
        ("api.routes.turns", "from components.view import View"),
        ("api.routes.turns", "from pipeline.database.tables import TurnRow"),
        ("components.pages.chat_page", "from fastapi import Request"),
        ("components.pages.chat_page", "import api.routes.turns"),
        ("components.pages.chat_page", "from sqlalchemy.orm import Session"),
        ("app", "import os\nos.environ['PORT']"),
        ("app", "from os import getenv"),
        ("app", "import gradio"),
        ("app", "import bench.crowd"),
        ("components.pages.chat_page", "import server"),
        ("components.html.citations", "from components.panes import chat"),
        ("pipeline.citations.matching", "from pipeline.models.lm import RecordedLM"),
        ("pipeline.database.store", "from pipeline.conversations.service import Conversations"),
        ("pipeline.conversations.service", "from pipeline.turns.engine import Pipeline"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    assert len(faults(module, source)) >= 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("server", "import gradio, api.routes.turns, components.pages.chat_page, pipeline.database.store"),
        ("pipeline.turns.engine", "from pipeline.database.store import Store"),
        ("pipeline.models.builtin.engine", "from pipeline.retrieval.terms import terms_of_word"),
        ("pipeline.models.builtin.engine", "from pipeline.prompt_passages import read_numbered"),
        ("pipeline.turn", "from pipeline.events import Event"),
        ("pipeline.settings", "import os\nos.environ"),
        ("pipeline.ingest.__main__", "from i18n import text"),
    ],
)
def test_an_import_of_the_table_is_not(module: str, source: str) -> None:
    assert faults(module, source) == []
