"""The addresses of model servers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.base_urls import bases, cleaned, shown_address


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        (" http://127.0.0.1:8000/v1/ ", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/v1/chat/completions/", "http://127.0.0.1:8000/v1"),
        ("https://gateway.example/openai/v1/models", "https://gateway.example/openai/v1"),
        ("localhost:1234/v1", "http://localhost:1234/v1"),
        ("192.168.1.20:8000", "http://192.168.1.20:8000"),
        ("ollama:11434", "http://ollama:11434"),
        ("[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://u:p@gateway.example/v1?api-version=1", "https://u:p@gateway.example/v1?api-version=1"),
    ],
)
def test_an_address_is_made_good_where_it_can_only_mean_one_thing(written: str, meant: str) -> None:
    assert cleaned(written) == meant
    assert cleaned(meant) == meant


@pytest.mark.parametrize(
    "written", ["", "api.example.com/v1", "ftp://127.0.0.1/v1", "http://", "http:///v1", "http://h:99999/v1", "a b"]
)
def test_what_is_no_address_is_said_to_be_none(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        cleaned(written)


@pytest.mark.parametrize(
    ("provider", "written", "tried"),
    [
        ("openai", "http://h:8000", ("http://h:8000/v1", "http://h:8000")),
        ("hosted_vllm", "http://h:8000/", ("http://h:8000/v1", "http://h:8000")),
        ("lm_studio", "http://h:1234/v1", ("http://h:1234/v1",)),
        ("deepseek", "https://api.example", ("https://api.example", "https://api.example/v1")),
        ("openai", "https://h/openai/deployments", ("https://h/openai/deployments",)),
        ("ollama_chat", "http://localhost:11434", ("http://localhost:11434/v1",)),
        ("ollama", "http://localhost:11434/api/chat", ("http://localhost:11434/v1",)),
        ("ollama_chat", "http://localhost:11434/v1/chat/completions", ("http://localhost:11434/v1",)),
        ("ollama_chat", "https://h/proxy/ollama/api", ("https://h/proxy/ollama/v1",)),
    ],
)
def test_where_two_addresses_are_possible_both_are_tried_and_the_likelier_first(
    provider: str, written: str, tried: tuple[str, ...]
) -> None:
    assert bases(provider, written) == tried


@pytest.mark.parametrize("written", ["http://h:11434", "http://h:11434/v1", "http://h:11434/api/generate"])
def test_the_other_door_to_ollama_wants_no_path(written: str) -> None:
    assert bases("ollama_chat", written, speaks_openai=False) == ("http://h:11434",)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://user:secret@10.0.0.7:8000/v1?key=secret", "10.0.0.7:8000"),
        ("https://gateway.example/v1", "gateway.example"),
        ("http://[::1]:8000/v1", "[::1]:8000"),
    ],
)
def test_of_an_address_host_and_port_alone_are_shown(address: str, shown: str) -> None:
    assert shown_address(address) == shown


@given(st.text(max_size=40))
def test_whatever_is_written_becomes_an_address_or_a_value_error(written: str) -> None:
    try:
        address = cleaned(written)
    except ValueError:
        return
    assert address.startswith(("http://", "https://", "HTTP", "Http")) or "://" in address
    assert bases("openai", address)
