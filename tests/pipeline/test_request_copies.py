"""Copies of a request run as they are, whatever the prompt holds, and hold no key."""

from __future__ import annotations

import ast
import io
import json
import subprocess
from dataclasses import replace
from datetime import datetime
from typing import Any

import dspy
import pytest
from dspy.utils.inspect_history import pretty_print_history
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.exchanges import Message, PromptExchange
from pipeline.models.lm import exchanges, prompts
from pipeline.replies.dspy_internals import history_text
from pipeline.request_copies import Endpoint, as_curl, as_python, without_credentials
from tests.provider import Provider
from tests.scripted import reply, scripted_lm

# A shell that prints what its `curl` was given, each argument with a NUL after it.
SHELL = "curl() { printf '%s\\0' \"$@\"; cat; }\n"
KEY = "sk-copied-0123456789"
HOSTED = Endpoint("gpt-5-mini", "https://api.openai.com/v1", "OPENAI_API_KEY")
OPENAI = Endpoint("gpt-5-mini", "https://api.openai.com/v1", "OPENAI_API_KEY", "max_completion_tokens")
HIDDEN = Endpoint("qwen3:8b", None, None)
NASTY = "it's \"$HOME\" `id` $(id) \\n \\ \n\nJSON\n'JSON'\n\0 \r\t \u202e ü 🜂 \U000e0041 {x} %s \\N{DASH} </script>"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text("'\"$`\\\n\r\0!{}JSON# ", max_size=60)
endpoints = st.sampled_from([HOSTED, HIDDEN, Endpoint("m'$`", "http://10.0.0.1:8000/it's/$HOME", "not a-name")])


def exchange(*contents: str, **parameters: Any) -> PromptExchange:
    messages = tuple(Message("user" if at else "system", text) for at, text in enumerate(contents))
    return PromptExchange(model="openai/gpt-5-mini", parameters=parameters, messages=messages)


def body_of(made: PromptExchange, endpoint: Endpoint) -> dict[str, Any]:
    messages = [{"role": each.role, "content": each.content} for each in made.messages]
    return {"model": endpoint.model, **made.parameters, "messages": messages}


def run_by_bash(script: str) -> list[str]:
    environment = {
        "OPENAI_API_KEY": KEY,
        "MODEL_API_KEY": KEY,
        "MODEL_API_BASE": "http://a server",
        "PATH": "/usr/bin:/bin",
    }
    ran = subprocess.run(["bash", "-eu"], input=(SHELL + script).encode(), capture_output=True, env=environment)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout.decode().split("\0")


@settings(deadline=None, max_examples=60)
@given(contents=st.lists(texts, max_size=3), endpoint=endpoints)
@example(contents=[NASTY, NASTY], endpoint=HOSTED)
@example(contents=["x" * 300_000], endpoint=HOSTED)
def test_a_curl_command_sends_the_prompt_as_it_was_whatever_it_holds(contents: list[str], endpoint: Endpoint) -> None:
    made = exchange(*contents, temperature=0.2, max_tokens=64)
    script = as_curl(made, endpoint)
    assert all(sign.isprintable() or sign == "\n" for sign in script)
    silent, url, *options, body = run_by_bash(script)
    assert silent == "-sS"
    assert url == f"{endpoint.base_url or 'http://a server'}/chat/completions"
    headers = [options[at + 1] for at, option in enumerate(options) if option == "-H"]
    assert headers == [
        *([f"Authorization: Bearer {KEY}"] if endpoint.key_name else []),
        "Content-Type: application/json",
    ]
    assert json.loads(body) == body_of(made, endpoint)


@settings(deadline=None)
@given(contents=st.lists(texts, max_size=3), endpoint=endpoints)
@example(contents=[NASTY, NASTY], endpoint=HOSTED)
@example(contents=["line\n" * 30_000], endpoint=HOSTED)
def test_a_python_script_holds_the_prompt_as_it_was_whatever_it_holds(contents: list[str], endpoint: Endpoint) -> None:
    made = exchange(*contents, temperature=0.2, n=1)
    tree = ast.parse(as_python(made, endpoint))
    values = {
        ast.unparse(each.targets[0]): each.value
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]).isupper()
    }
    literals = {name: ast.literal_eval(value) for name, value in values.items()}
    assert {**literals["REQUEST"], "messages": literals["MESSAGES"]} == body_of(made, endpoint)


def test_a_copied_script_asks_the_provider_the_same_and_prints_its_reply(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Provider() as provider:
        made, endpoint = exchange("Be brief.", NASTY, max_tokens=9), Endpoint("ok", provider.base, "OPENAI_API_KEY")
        exec(compile(as_python(made, endpoint), "copy", "exec"), {})
        assert provider.requests == [body_of(made, endpoint)]
    assert "[[ ## answer ## ]]" in capsys.readouterr().out


def test_a_token_limit_is_copied_under_the_name_that_the_api_knows() -> None:
    copies = as_curl(exchange("Hi", max_tokens=64), OPENAI), as_python(exchange("Hi", max_tokens=64), OPENAI)
    assert all("max_completion_tokens" in each and "max_tokens" not in each for each in copies)


def test_an_address_is_copied_without_what_may_be_a_key() -> None:
    assert without_credentials("https://me:sk-1@host:8443/v1?key=sk-2#sk-3") == "https://host:8443/v1"


@pytest.mark.parametrize("said", ["Hot.", "  \n spaced \n"])
async def test_the_text_for_dspy_is_what_inspect_history_writes(said: str) -> None:
    entries: list[dict[str, Any]] = []
    made: list[PromptExchange] = []
    exchanges.set(entries)
    prompts.set(made)
    lm, _ = scripted_lm([reply(said, "80 °C. [1]")])
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
        await dspy.ChainOfThought("question -> answer").acall(question="How\nhot? ")
    (entry,), (exchange,) = entries, made
    asked_at = datetime.fromisoformat(entry["timestamp"]).timestamp()
    written = io.StringIO()
    pretty_print_history([entry], file=written)
    assert history_text(replace(exchange, asked_at=asked_at)) == written.getvalue()
