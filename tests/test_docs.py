"""The documents say what the code does: settings, routes, events, files, links and commands."""

from __future__ import annotations

import json
import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest
from fastapi.routing import APIRoute
from PIL import Image

import server
from i18n.event_json import event_json
from pipeline.events import Event
from pipeline.models.hosted import HOSTED
from pipeline.settings import ROOT, Settings
from tests.documentation import PLAIN, documents, made, tree
from tests.recorded import record_from_wire

TEXTS = {path: path.read_text(encoding="utf-8") for path in documents()}
README, API, SETTINGS = (TEXTS[ROOT / name] for name in ("README.md", "docs/api.md", "docs/settings.md"))
ARCHITECTURE = TEXTS[ROOT / "docs/architecture.md"]
DOCUMENTS = pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
REFRESH = "run: python -m tests.documentation"
# Names in capitals that no setting has: they belong to other programs, or to the documents' examples.
OTHER_NAMES = {
    *(each.key_name for each in HOSTED),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "API_BASE"),
    *("OPENAI_API_BASE_URL", "TASK_MODEL_EXTERNAL"),  # of Open WebUI, as the next ones
    *("ENABLE_TITLE_GENERATION", "ENABLE_TAGS_GENERATION", "ENABLE_FOLLOW_UP_GENERATION"),
}
CAPITALS = re.compile(r"[A-Z]+(?:_[A-Z]+)+")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks in one language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", text)


def event_of(line: dict[str, object]) -> Event:
    """The event that a line of the wire holds."""
    (event,) = record_from_wire(json.dumps([line]))
    return event


def without_blocks(text: str) -> str:
    return re.sub(r"(?ms)^```.*?^```", "", text)


def commands() -> list[list[str]]:
    """The words of every command in every `bash` block; what a shell would fill in is left out."""
    lines = [line for text in TEXTS.values() for block in blocks(text, "bash") for line in block.splitlines()]
    parts = [part for line in lines for part in re.sub(r"\$\([^)]*\)", "", line).split(" && ")]
    return [words for part in parts if (words := shlex.split(part, comments=True))]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """(method, path) of every route of the app, each {parameter} as {}; those that only our page uses left out."""
    parts = server.build(Settings(data_dir=tmp_path_factory.mktemp("data")))
    try:
        found = [route for route in server.application(parts).routes if isinstance(route, APIRoute)]
    finally:
        parts.close_stores()
    each = {(method, without_names(route.path)) for route in found for method in (route.methods or set()) - {"HEAD"}}
    return {(method, path) for method, path in each if not path.startswith("/gradio_api/")}


def without_names(path: str) -> str:
    return re.sub(r"\{\w+(?::path)?\}", "{}", path)


# The README


def test_the_readme_is_at_most_250_lines() -> None:
    assert len(README.splitlines()) <= 250


def test_a_picture_of_the_page_is_at_the_top_of_the_readme() -> None:
    front_matter, title = README.split("---\n", 2)[1:]
    assert "title:" in front_matter
    assert re.match(r"\n# Glassbox\n\n!\[[^\]]+\]\(docs/page\.png\)\n", title)
    picture = ROOT / "docs" / "page.png"
    assert picture.stat().st_size <= 250_000
    with Image.open(picture) as image:
        assert image.size == (1440, 900)


def test_the_readme_leads_to_every_document() -> None:
    named = set(re.findall(r"\]\(([\w/]+\.md)\)", README))
    assert named >= {path.relative_to(ROOT).as_posix() for path in TEXTS} - {"README.md"}


# What is made from the code


@DOCUMENTS
def test_what_is_made_from_the_code_is_as_the_code_is(path: Path) -> None:
    assert TEXTS[path] == made(TEXTS[path]), REFRESH


def test_every_setting_has_a_row_with_its_default_and_meaning_and_no_row_is_left_over() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)`[^|]*\| (.+?) \| (.+?) \|$", SETTINGS, re.MULTILINE)
    fields = Settings.model_fields
    assert [name for name, *_ in rows] == [name.upper() for name in fields]
    for name, default, meaning in rows:
        field = fields[name.lower()]
        assert meaning.replace("`", "").replace("\\", "") == (field.description or "").replace("`", "")
        if default != "–":
            assert str(field.default).endswith(default.strip("`"))
        else:
            assert not field.default


def test_every_kind_of_event_is_shown_in_one_line_with_all_its_keys() -> None:
    lines = [json.loads(line) for line in API.splitlines() if line.startswith('{"kind"')]
    assert {type(event_of(line)) for line in lines} == set(get_args(Event))
    for line in lines:
        assert json.loads(event_json(event_of(line))) == line


def test_every_kind_of_event_has_a_row_with_its_own_keys() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ((?:`\w+`(?:, )?)+) \|", API.partition("## Events")[2], re.MULTILINE))
    shown = [json.loads(line) for line in API.splitlines() if line.startswith('{"kind"')]
    assert {line["kind"]: set(line) - {"kind", "seq", "at_s"} for line in shown} == {
        kind: set(re.findall(r"\w+", keys)) for kind, keys in rows.items()
    }


def test_every_route_has_a_row_and_no_row_is_left_over(routes: set[tuple[str, str]]) -> None:
    table = API.partition("## Routes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z]+) ([^`?]+)(?:\?[^`]*)?` \|", table, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert {(method, without_names(path)) for method, path in rows} == routes


def test_every_file_of_the_tree_is_named_once() -> None:
    listed = ARCHITECTURE.partition("## Every file")[2]
    named = re.findall(r"^\| `([^`]+)` \| \S.*\|$", listed, re.MULTILINE)
    assert len(named) == len(set(named))
    unnamed = [name for name in tree() if name not in named and not any(Path(name).match(each) for each in PLAIN)]
    assert unnamed == [], REFRESH
    assert [name for name in named if "*" not in name and not (ROOT / name).is_file()] == [], REFRESH


# What documents point at


@DOCUMENTS
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_blocks(TEXTS[path]))
    for link in links:
        file, _, anchor = link.partition("#")
        if file.startswith(("http://", "https://")):
            continue
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}, link


@DOCUMENTS
def test_every_file_that_is_named_exists(path: Path) -> None:
    folders = "api|bench|components|docs|i18n|pipeline|samples|tests"
    said = TEXTS[path] if path.name != "CHANGELOG.md" else ""  # which names what is gone, too
    named = re.findall(rf"`((?:{folders})/[\w./-]*)`(?! \(new\))", without_blocks(said))
    assert [name for name in named if not (ROOT / name).exists()] == []


@DOCUMENTS
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    quoted = re.findall(r"`([^`\n]+)`", without_blocks(TEXTS[path])) + blocks(TEXTS[path], "bash")
    named = {name for each in quoted if path.name != "CHANGELOG.md" for name in CAPITALS.findall(each)}
    known = {name.upper() for name in Settings.model_fields} | set(re.findall(r"`([A-Z_]+)`", SETTINGS)) | OTHER_NAMES
    assert named <= known


# The commands


@pytest.mark.parametrize("words", commands(), ids=lambda words: " ".join(words)[:60])
def test_a_command_names_what_exists(words: list[str], routes: set[tuple[str, str]]) -> None:
    while words and (setting := re.fullmatch(r"([A-Z_]+)=(.*)", words[0])):
        words = words[1:]
        if setting[2].startswith("["):
            assert Settings(**{setting[1].lower(): json.loads(setting[2])})
    program = Path(words[0]).name if words else ""
    if program in ("python", "python3", "bash"):
        assert find_spec(words[2]) if words[1] == "-m" else (ROOT / words[1]).is_file()
    elif program == "pip":
        assert (ROOT / words[words.index("-r") + 1]).is_file()
    elif program == "curl":
        assert_request_exists(words, routes)
    elif program in ("ruff", "mypy", "pytest"):
        assert " ".join(words) in (ROOT / "tests" / "run").read_text(encoding="utf-8")
    else:
        assert program in ("", "git", "cd")


def assert_request_exists(words: list[str], routes: set[tuple[str, str]]) -> None:
    """A curl command asks a route of ours, with a body that is JSON."""
    [path] = [re.sub(r"https?://[^/]+|\?.*", "", word) for word in words if word.startswith("http://127.0.0.1:7860/")]
    method = "POST" if {"-d", "-F"} & set(words) else "GET"
    assert (method, path) in routes
    if "-d" in words:
        assert json.loads(words[words.index("-d") + 1])["question"]


@DOCUMENTS
def test_python_in_a_document_compiles(path: Path) -> None:
    for block in blocks(TEXTS[path], "python"):
        compile(block, str(path), "exec")
