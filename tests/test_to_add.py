"""Each row of "How to add each thing" is performed on a copy of the tree, with its own example, and seen to work."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.settings import ROOT
from tests.additions import Addition, additions, copied
from tests.provider import Provider
from tests.served import Served, served

ADDITIONS = additions()
COMPARED = ("tests/test_architecture.py", "tests/i18n/test_catalogue.py", "tests/test_docs.py", "-k", "not command")
REPEATED = ("a pane", "a program", "a document format", "an event", "a warning", "a fault", "a language", "an option")
SUBTITLES = """1
00:00:01,000 --> 00:00:04,000
The zarf holds the cup.

2
00:00:05,000 --> 00:00:09,000
It is brass.
"""
LONG = f"# Long\n\nA crema is {'very ' * 90}golden.\n\n# More\n\nA crema again."
# Writes the folder of a language: every word of the English texts becomes another one.
TRANSLATE = r"""
import re
from importlib import import_module
from pathlib import Path

english, folder = Path("i18n/en"), Path("i18n/fr")
folder.mkdir()
(folder / "__init__.py").write_text((english / "__init__.py").read_text("utf-8").replace("i18n.en", "i18n.fr"), "utf-8")
for file in english.glob("[a-z]*.py"):
    texts = import_module(f"i18n.en.{file.stem}").TEXTS
    words = re.compile(r"pip install|\{\w+(?::\w+)?\}|[A-Za-z]+")
    made = {key: words.sub(lambda word: "m" if word[0].isalpha() else word[0], texts[key]) for key in texts}
    (folder / file.name).write_text(f"'Texts.'\n\nTEXTS = {made!r}\n", encoding="utf-8")
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with every example."""
    root = copied(tmp_path_factory.mktemp("tree"), [each for each in ADDITIONS if each.title != "a language"])
    run(root, "-c", TRANSLATE)
    for each in ADDITIONS:
        if each.title == "a language":
            each.apply(root)
    run(root, "-m", "ruff", "format", "i18n/fr")
    return root


@pytest.fixture(scope="module")
def documented(tree: Path) -> Path:
    """The copy, once the tables of docs/ were made anew as CONTRIBUTING says."""
    run(tree, "-m", "tests.documentation")
    return tree


@pytest.fixture(scope="module")
def app(tree: Path, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The copy, running, with the settings that the examples name."""
    documents = tmp_path_factory.mktemp("documents")
    (documents / "film.srt").write_text(SUBTITLES, encoding="utf-8")
    (documents / "long.md").write_text(LONG, encoding="utf-8")
    (documents / "short.md").write_text("# Short\n\nCrema.", encoding="utf-8")
    behaviours = {"mine": "ok", "summary": "summary", "lister": "lister"}
    models = [
        {"label": label, "model": f"hosted_vllm/{name}", "api_base": provider.base}
        for label, name in behaviours.items()
    ]
    settings = {
        "DOCUMENTS_DIR": str(documents),
        "MODELS": json.dumps(models),
        "EMBEDDING_MODEL": "letters",
        "RERANK_MODEL": "brevity",
        "PAGE_TITLE": "Beans",
    }
    with served(tmp_path_factory.mktemp("data"), tree, **settings) as app:
        yield app


@pytest.fixture(scope="module")
def page(app: Served, browser: Browser) -> Page:
    """The page of the copy in Chromium."""
    page = browser.new_page()
    page.goto(app.url)
    return page


def searched(app: Served, query: str, **options: Any) -> dict[str, Any]:
    answer = httpx.get(f"{app.url}/api/search", params={"q": query, **options}, timeout=30)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def run(tree: Path, *arguments: str) -> str:
    """What Python prints in the copy."""
    done = subprocess.run([sys.executable, *arguments], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def warnings_of(app: Served, body: dict[str, Any]) -> list[str]:
    """The texts of a turn's warnings, but for what the verdicts say of the provider's answer."""
    warned = (event for event in app.ask(body) if event["kind"] == "warned")
    return [event["text"] for event in warned if event["code"] != "unsupported"]


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda addition: addition.title)
def test_an_example_touches_only_the_files_that_its_row_names(addition: Addition) -> None:
    folders = tuple(name for name in addition.files if name.endswith("/"))
    for change in addition.changes:
        assert change.file in addition.files or (change.is_new and change.file.startswith(folders)), change.file


@pytest.mark.parametrize("title", REPEATED)
def test_an_example_still_applies_after_another_addition_of_its_kind(title: str, tmp_path: Path) -> None:
    example = next(each for each in ADDITIONS if each.title == title)
    another = replace(example, changes=tuple(each for each in example.changes if not each.is_new))
    copied(tmp_path, [another, example])


def test_a_pane_shows_each_turn_on_the_page(page: Page) -> None:
    expect(page.locator("#answer_length h2")).to_have_text("Length")
    page.locator("#question textarea").fill("What is crema?")
    page.keyboard.press("Enter")
    expect(page.locator("#answer_length p")).to_have_text(re.compile(r"[1-9]\d* words"))


def test_a_button_about_documents_has_its_effect(app: Served, page: Page) -> None:
    documents = httpx.get(f"{app.url}/api/documents", timeout=30).json()["documents"]
    page.locator("[data-act=documents]").first.click()
    page.locator("#documents [data-act=count-passages]").click()
    passages = sum(each["passages"] for each in documents)
    expect(page.locator("#documents .refused")).to_have_text(str(passages))


def test_a_program_streams_every_field_of_its_signature(app: Served) -> None:
    events = app.ask({"question": "What is crema?", "model": "summary", "program": "Summary"})
    assert (events[0]["program"], events[-1]["kind"]) == ("Summary", "turn_finished")
    said = "".join(event["text"] for event in events if event["kind"] == "field_delta" and event["field"] == "summary")
    assert events[-1]["fields"]["summary"] == said == "It is hot."
    assert events[-1]["fields"]["answer"]
    listed = httpx.get(f"{app.url}/api/programs", timeout=30).json()["programs"]
    assert [each["fields"] for each in listed if each["name"] == "Summary"] == [
        [
            {"name": "summary", "title": "Summary", "kind": "text"},
            {"name": "answer", "title": "Answer", "kind": "text"},
        ]
    ]


def test_a_profile_sets_what_a_question_leaves_out(app: Served) -> None:
    listed = httpx.get(f"{app.url}/api/profiles", timeout=30).json()["profiles"]
    assert "Barista" in [each["title"] for each in listed]
    events = app.ask({"question": "What is crema?", "profile": "barista", "model": "mine"})
    assert "Asking the colleagues" in [event["status"] for event in events if "status" in event]
    turn = httpx.get(f"{app.url}/api/turns/{events[0]['turn_id']}", timeout=30).json()
    assert (turn["options"]["temperature"], turn["options"]["profile"]) == (0.2, "barista")


def test_a_tool_is_called_by_the_model_and_shown_with_its_result(app: Served) -> None:
    events = app.ask({"question": "What is crema?", "model": "lister", "program": "ReAct"})
    assert [each["tool"] for each in events if each["kind"] == "tool_called"] == ["list_documents"]
    (returned,) = [each for each in events if each["kind"] == "tool_returned"]
    assert "Short" in returned["text"].splitlines()
    assert not returned["failed"]
    listed = httpx.get(f"{app.url}/api/programs", timeout=30).json()["programs"]
    assert any("list_documents" in each["tools"] for each in listed)


def test_a_model_answers_under_its_label(app: Served) -> None:
    *_, ending = app.ask({"question": "What is crema?", "model": "mine"})
    assert (ending["kind"], ending["model"]) == ("turn_finished", "mine")


def test_an_embedding_searches_by_its_vectors(app: Served) -> None:
    deadline = time.monotonic() + 60  # vectors are made after the start, in the background
    while (found := searched(app, "crema", mode="vector"))["mode"] != "vector" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found["mode"] == "vector"
    assert all(each["scores"]["vector"] is not None for each in found["passages"])


def test_a_reranker_orders_what_was_found(app: Served) -> None:
    events = app.ask({"question": "What is crema?", "model": "mine", "reranks": True})
    [found] = [event for event in events if event["kind"] == "passages_found"]
    lengths = [len(each["text"]) for each in found["passages"]]
    assert len(lengths) > 1
    assert lengths == sorted(lengths)


def test_a_retriever_answers_every_search(app: Served) -> None:
    found = searched(app, "crema")["passages"]
    assert [each["document"] for each in found].count("long.md") == 1
    assert [each["number"] for each in found] == list(range(1, len(found) + 1))


def test_a_document_format_is_read_and_found(app: Served) -> None:
    [best, *_] = searched(app, "zarf", mode="keyword")["passages"]
    assert best["document"] == "film.srt"
    assert best["text"] == "The zarf holds the cup.\n\nIt is brass."


def test_an_event_is_streamed(app: Served) -> None:
    events = app.ask({"question": "What is crema?", "model": "mine"})
    assert [event["queries"] for event in events if event["kind"] == "search_started"] == [1]


def test_an_answer_may_be_written_in_something_more(tree: Path) -> None:
    script = """
from components.html.markdown import HtmlBlocks, blocks_of

growing = HtmlBlocks()
growing.add("Press ++Es")
print(blocks_of("Press ++Esc++.")[0], growing.parts()[0], sep="\\n")
"""
    assert run(tree, "-c", script).splitlines() == [
        '<p dir="auto">Press <kbd>Esc</kbd>.</p>',
        '<p dir="auto">Press</p>',
    ]


def test_a_warning_is_said_in_the_language_of_the_question(app: Served) -> None:
    said = [
        warnings_of(app, {"question": question, "model": "mine"}) for question in ("What is crema?", "Wie ist crema?")
    ]
    assert said == [
        ["The passages come from several documents, which may contradict each other."],
        ["Die Passagen stammen aus mehreren Dokumenten, die sich widersprechen können."],
    ]


def test_a_fault_is_told_before_anything_is_asked(app: Served, provider: Provider) -> None:
    asked = len(provider.requests)
    refused = httpx.post(f"{app.url}/api/turns", json={"question": "12 + 3?"}, timeout=30)
    assert (refused.status_code, refused.json()) == (422, {"detail": "The question holds no word. Ask in words."})
    assert len(provider.requests) == asked


def test_a_language_is_that_of_a_turn(app: Served) -> None:
    [text] = warnings_of(app, {"question": "What is crema?", "model": "mine", "language": "fr"})
    assert text == "m m m m m m, m m m m m."


def test_a_dialect_writes_answers_and_errors(app: Served) -> None:
    answer = httpx.post(f"{app.url}/lines/ask", content="What is crema?", timeout=30)
    assert "crema" in answer.text.lower()
    assert "{" not in answer.text
    assert httpx.post(f"{app.url}/lines/ask", content=" ", timeout=30).json() == {"line": "Please ask a question."}
    assert httpx.get(f"{app.url}/lines/nothing", timeout=30).json() == {"line": "Not Found"}


def test_an_option_reaches_the_model_and_is_shown_and_documented(
    app: Served, provider: Provider, documented: Path
) -> None:
    components = httpx.get(f"{app.url}/config", timeout=30).json()["components"]
    assert [each["props"]["label"] for each in components if each["props"].get("elem_id") == "top-p"] == ["Top p"]
    app.ask({"question": "What is crema?", "model": "mine", "top_p": 0.5})
    assert provider.requests[-1]["top_p"] == 0.5
    wrong = httpx.post(f"{app.url}/api/turns", json={"question": "What is crema?", "top_p": 2}, timeout=30)
    assert wrong.status_code == 422
    assert "| `top_p` |" in (documented / "docs" / "api.md").read_text(encoding="utf-8")


def test_a_setting_is_used_and_documented(app: Served, documented: Path) -> None:
    assert httpx.get(f"{app.url}/config", timeout=30).json()["title"] == "Beans"
    table = (documented / "docs" / "settings.md").read_text(encoding="utf-8")
    assert "| `PAGE_TITLE` | `Glassbox` | Title of the browser's tab |" in table


def test_the_examples_are_formatted_and_pass_lint(documented: Path) -> None:
    run(documented, "-m", "ruff", "format", "--check", ".")
    run(documented, "-m", "ruff", "check", ".")


def test_the_examples_have_types(documented: Path) -> None:
    if (ROOT / ".mypy_cache").is_dir():  # it saves half a minute
        shutil.copytree(ROOT / ".mypy_cache", documented / ".mypy_cache", dirs_exist_ok=True)
    run(documented, "-m", "mypy")


def test_the_examples_leave_nothing_out_that_a_test_compares(documented: Path) -> None:
    """Layers, languages and documents, with the tables of docs/ made anew."""
    run(documented, "-m", "pytest", "-q", "-p", "no:cacheprovider", *COMPARED)
