"""The environment is read in one place, and the README says how."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from pipeline.settings import ROOT, Settings


def names() -> set[str]:
    return {name.upper() for name in Settings.model_fields}


def test_every_setting_has_a_row_in_the_readme_and_no_row_is_left_over() -> None:
    table = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == names()


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_models_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS", '[{"label": "local", "model": "hosted_vllm/x", "api_base": "http://localhost:1/v1"}]')
    assert Settings().models[0].label == "local"


@pytest.mark.parametrize("value", ["{", '[{"label": "x"}]', '[{"label": "a", "model": "m", "surprise": 1}]'])
def test_a_bad_model_list_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MODELS", value)
    with pytest.raises((ValidationError, ValueError)):
        Settings()


def test_the_address_follows_host_then_gradio_then_the_space(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().address == ("127.0.0.1", 7860)
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert Settings().address == ("0.0.0.0", 7860)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "127.0.0.2")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7000")
    assert Settings().address == ("127.0.0.2", 7000)
    monkeypatch.setenv("HOST", "127.0.0.3")
    monkeypatch.setenv("PORT", "7001")
    assert Settings().address == ("127.0.0.3", 7001)


def test_the_limit_of_turns_is_off_on_a_laptop_and_on_in_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().turns_at_once is None
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert Settings().turns_at_once == 30
