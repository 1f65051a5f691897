"""No sentence stands in the code: what people read is in `i18n/`, by a key.

A sentence is a string of three or more words that begins with a capital or ends with a full stop, a question mark or an
ellipsis. Documentation, log messages, what a model reads and what a setting's row in the docs says are none of it.
Labels of buttons and names for screen readers may be shorter, and so may the texts of scripts: there a word that begins
with a capital counts, and any two words between tags.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from i18n import CATALOGUE, ENGLISH

ROOT = Path(__file__).parents[2]
FILES = [file for folder in ("api", "components", "pipeline") for file in sorted((ROOT / folder).rglob("*.py"))]
DOCUMENTING = {"description", "help", "metavar", "prog"}  # arguments that document a setting or an option
LOGS = re.compile(r"_?log\.\w+")
OF_ROUTES = {"operation", "query"}  # describe a route in its documentation, which has one language
TAG = re.compile(r"<[^<>]*>|\{[\w:.]*\}")
WORD = re.compile(r"[^\W\d_][\w’'-]*")
SQL = re.compile(r"(?:SELECT|INSERT|DELETE|UPDATE|CREATE|ALTER|PRAGMA|SET LOCAL)\b")
CODE = re.compile(r"[\\{}|]|::|\)\)|: \w+;|\w=\S|[<=] \?")  # patterns, style sheets and scripts
LABELLED = {"button", "action"}  # functions whose second argument is a label
NAMED = re.compile(r"""(?:aria-label|title|alt|placeholder)="[^"{}]*[^\W\d_]""")
PRODUCT = "Glassbox"  # its name is the same in all languages

SCRIPTS = sorted((ROOT / "components/static").glob("*.js"))
# The comments and the strings of a script.
SCRIPT_PART = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL)
FILLED = re.compile(r"\$\{[^{}]*\}")
CAPITAL = re.compile(r"(?<![\w.-])[A-Z][a-z]+(?!\w)")
OF_BROWSERS = {"Enter", "Escape", "Files", PRODUCT}  # names of keys and types, which nobody reads
ASKED = re.compile(r"\btext_of\((.*?)[,)]")
KEY = re.compile(r'"(script\.\w+)"')

# Files whose sentences stay in them, and why.
ALLOWED = {
    "api/agents.py": "a page for agents, which has one language",
    "api/docs_page.py": "the documentation of routes, which has one language",
    "api/mcp_server.py": "descriptions of tools, which models read",
    "api/operations.py": "an example for the documentation of routes",
    "api/openapi.py": "the documentation of routes, which has one language",
    "api/dialects/public_chat.py": "a constant of the protocol, which clients know",
    "api/forms.py": "the beginning of a message of the parser",
    "api/routes/metrics.py": "the help texts of Prometheus' format, which has one language",
    "components/pages/endpoints.py": "examples for the description of the endpoints, which has one language",
    "components/option_controls.py": "an error for developers, at the start",
    "components/panes/chat.py": "titles of documents of the samples",
    "components/preferences.py": "an error for developers, at the start",
    "components/theme.py": "names of fonts",
    "pipeline/optimisation/metric.py": "what an optimiser is told, which a model reads",
    "pipeline/ingest/__main__.py": "a command for whoever runs Glassbox",
    "pipeline/models/builtin/overview_answer.py": "the answers of the built-in model, in the language of the question",
    "pipeline/models/builtin/wording.py": "the answers of the built-in model, in the language of the question",
    "pipeline/models/catalogue.py": "a wrong setting, at the start",
    "pipeline/turns/experiment.py": "a wrong setting, at the start",
    "pipeline/prompt_sections.py": "how DSPy ends a prompt",
    "pipeline/programs/calculation.py": "what a model reads",
    "pipeline/programs/chain_of_thought.py": "what a model reads",
    "pipeline/programs/compliance.py": "what a model reads",
    "pipeline/programs/direct.py": "what a model reads",
    "pipeline/programs/document_analysis.py": "what a model reads",
    "pipeline/programs/greeting.py": "what a model reads",
    "pipeline/programs/react.py": "what a model reads",
    "pipeline/retrieval/embedding.py": "what a model reads",
    "pipeline/programs/tools.py": "what a model reads",
    "pipeline/programs/registry.py": "errors for developers, at the start",
    "pipeline/replies/adapters.py": "what a model reads",
    "pipeline/replies/thinking.py": "a pattern",
    "pipeline/settings.py": "a wrong setting, at the start",
}


def is_sentence(text: str) -> bool:
    """Whether a string is written for people."""
    plain = TAG.sub(" ", text).strip()
    if len(WORD.findall(plain)) < 3 or SQL.match(plain) or CODE.search(plain):
        return False
    return plain[0].isupper() or plain.endswith((".", "?", "!", "…"))


def written(node: ast.AST) -> str | None:
    """The text of a string; of one with values what stands between them."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
    return None


def strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string below a node with its line, but for documentation and log messages."""
    if isinstance(node, ast.Call) and (LOGS.fullmatch(called := ast.unparse(node.func)) or called in OF_ROUTES):
        return
    if (text := written(node)) is not None:
        yield getattr(node, "lineno", 0), text
        return
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        is_documenting = isinstance(child, ast.keyword) and child.arg in DOCUMENTING
        if not is_docstring and not is_documenting:
            yield from strings(child)


def labels(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Labels and names for screen readers that are written where they are used, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in LABELLED and len(node.args) > 1:
            if label := written(node.args[1]):
                yield node.lineno, label
        elif (text := written(node)) and _is_label(text.replace(PRODUCT, "")):
            yield getattr(node, "lineno", 0), text


def _is_label(html: str) -> bool:
    """Whether HTML holds a name for screen readers, or words between its tags."""
    if "</" not in html or "</script>" in html or "(?:" in html:  # a script and a pattern have no words for people
        return bool(NAMED.search(html))
    return bool(NAMED.search(html)) or len(WORD.findall(TAG.sub(" ", html))) > 1


def sentences(source: str) -> list[str]:
    tree = ast.parse(source)
    found = [each for each in strings(tree) if is_sentence(each[1])]
    return [f"line {line}: {text}" for line, text in dict.fromkeys([*found, *labels(tree)])]


def script_texts(source: str) -> list[str]:
    """What a script says in words of its own: its strings with a word that begins with a capital."""
    parts = [part for part in SCRIPT_PART.findall(source) if not part.startswith("/")]
    return [part for part in parts if set(CAPITAL.findall(FILLED.sub("", part))) - OF_BROWSERS]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_sentence_stands_in_the_code(file: Path) -> None:
    found = sentences(file.read_text(encoding="utf-8"))
    if str(file.relative_to(ROOT)) in ALLOWED:
        assert found, "it holds no sentence any more: take it from ALLOWED"
    else:
        assert found == [], "put it into i18n/ and ask for it by its key"


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_no_text_stands_in_a_script(file: Path) -> None:
    found = script_texts(file.read_text(encoding="utf-8"))
    assert found == [], "put it into i18n/ as `script.…` and ask for it by text_of"


def test_scripts_ask_for_the_texts_that_the_page_gives_them() -> None:
    asked = [call for file in SCRIPTS for call in ASKED.findall(file.read_text(encoding="utf-8"))]
    keys = {key for call in asked for key in KEY.findall(call)}
    assert keys == {key for key in CATALOGUE[ENGLISH] if key.startswith("script.")}


@pytest.mark.parametrize("source", ['"Copied."', "`Source ${n} is shown.`", 'x ? "Send" : false', "say('Try again')"])
def test_a_text_of_a_script_is_found(source: str) -> None:
    assert len(script_texts(source)) == 1


@pytest.mark.parametrize("source", ["// Says that.", 'key === "Escape"', "`${name} · Glassbox`", 'find("#a .b-Cd")'])
def test_what_is_no_text_of_a_script_is_left_alone(source: str) -> None:
    assert script_texts(source) == []


@pytest.mark.parametrize(
    "source",
    [
        'button("close", "Close")',
        'action("copy", f"Copy {name}")',
        "x = '<ul aria-label=\"done\">{}</ul>'",
        "x = '<p>{} of these</p>'",
        'raise Fault("Try it again.")',
        'f"The answer of {name} failed"',
        "x = \"<p class='quiet'>Nothing was searched.</p>\"",
        'Option(title="How many passages are wanted?")',
        'words = ["Wähle ein anderes Modell"]',
        'text = "please try again…"',
    ],
)
def test_a_sentence_is_found(source: str) -> None:
    assert len(sentences(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        'def f() -> None:\n    """It does this and that."""',
        'log.warning("The index is old: %s. It is made anew.", name)',
        'Field(description="How many passages are wanted.")',
        'db.execute("SELECT point FROM passages WHERE point = ?")',
        'text("page.no_such_passage")',
        'css = "Main { color: red; margin: 0 }"',
        'title = "Two words"',
        'key = "lower case without an end"',
    ],
)
def test_what_nobody_reads_is_no_sentence(source: str) -> None:
    assert sentences(source) == []
