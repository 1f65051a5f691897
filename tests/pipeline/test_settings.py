"""The environment is read in one place, and the docs say how."""

from __future__ import annotations

import pytest

from pipeline.settings import Settings, SettingsFault, load


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_models_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS", '[{"label": "local", "model": "hosted_vllm/x", "api_base": "http://localhost:1/v1"}]')
    assert Settings().models[0].label == "local"


GOOD = '{"label": "a", "model": "openai/m"}'


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("MODELS", '{"sk-secret', "MODELS is not JSON"),
        ("MODELS", GOOD, "MODELS is not a list"),
        ("MODELS", '["sk-secret"]', "MODELS, entry 1 is not an object"),
        ("MODELS", '[{"label": "sk-secret"}]', "MODELS, entry 1: `model` is missing"),
        ("MODELS", f'[{GOOD}, {{"label": "b", "model": "sk-secret"}}]', "MODELS, entry 2: `model` is not a name like"),
        ("MODELS", '[{"label": "a", "model": "a/b", "sk-secret": 1}]', "MODELS, entry 1 holds an unknown key"),
        (
            "MODELS",
            '[{"label": "a", "model": "a/b", "topp": 1}]',
            "entry 1 holds an unknown key `topp`; perhaps `top_p`",
        ),
        (
            "MODELS",
            '[{"label": "a", "model": "a/b", "api_key": "sk-secret"}]',
            "entry 1 holds `api_key`; keys come from",
        ),
        ("MODELS", '[{"label": "a", "model": "a/b", "success_callback": ["x"]}]', "holds `success_callback`, which is"),
        ("MODELS", '[{"label": "a", "model": "a/b", "logger_fn": "sk-secret"}]', "entry 1 holds `logger_fn`, which is"),
        ("MODELS", '[{"label": "a", "model": "a/b", "aws_secret_access_key": "sk-secret"}]', "`aws_secret_access_key`"),
        (
            "MODELS",
            '[{"label": "a", "model": "a/b", "extra_headers": {"X-Api-Key": "sk-secret"}}]',
            "in `extra_headers`",
        ),
        (
            "MODELS",
            '[{"label": "a", "model": "a/b", "extra_headers": {"apikey": "sk-secret"}}]',
            "in `extra_headers`",
        ),
        (
            "MODELS",
            '[{"label": "a", "model": "a/b", "thinking": {"a": [{"accessToken": "sk-secret"}]}}]',
            "in `thinking`",
        ),
        ("MODELS", '[{"label": "a", "model": "a/b", "timeout": Infinity}]', "`timeout` should be a finite number"),
        ("MODELS", '[{"label": "a", "model": "a/b", "input_cost_per_token": NaN}]', "should be a finite number"),
        (
            "MODELS",
            '[{"label": "a", "model": "a/b", "seed": "sk-secret"}]',
            "entry 1: `seed` should be a valid integer",
        ),
        ("MODELS", '[{"label": "a", "model": "a/b", "temperature": 9}]', "entry 1: `temperature` should be less than"),
        ("MODELS", f"[{GOOD}, {GOOD}]", "MODELS holds a label twice, the second time in entry 2"),
        ("RATE_LIMIT", "sk-secret", "RATE_LIMIT is not like 6/minute"),
        ("DATABASE_URL", "sk-secret", "DATABASE_URL is no address"),
        ("INDEX_URL", "sk-secret", "INDEX_URL is no address"),
        ("STORE_URL", "sk-secret", "STORE_URL is no address"),
        ("CHUNK_OVERLAP_CHARS", "1000", "CHUNK_OVERLAP_CHARS is to be less than CHUNK_CHARS"),
        ("PORT", "99999", "PORT should be less than or equal to 65535"),
        ("LOG_LEVEL", "sk-secret", "LOG_LEVEL should be 'DEBUG', 'INFO'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_is_wrong_and_never_with_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsFault) as fault:
        load()
    assert told in str(fault.value)
    assert "sk-secret" not in str(fault.value)


@pytest.mark.parametrize("prefix", ["INDEX", "STORE"])
def test_the_index_is_configured_by_its_own_names_and_by_those_of_before(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    for name, value in {"URL": "http://qdrant:6333", "API_KEY": "k", "SHARDS": "2", "REPLICAS": "3"}.items():
        monkeypatch.setenv(f"{prefix}_{name}", value)
    settings = Settings()
    assert (settings.index_url, settings.index_shards, settings.index_replicas) == ("http://qdrant:6333", 2, 3)
    assert settings.index_api_key
    assert settings.index_api_key.get_secret_value() == "k"
    assert "k" in settings.secrets


def test_the_new_name_of_a_setting_wins_over_its_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_URL", "http://old:6333")
    monkeypatch.setenv("INDEX_URL", "http://new:6333")
    assert Settings().index_url == "http://new:6333"


def test_an_empty_setting_is_none_and_a_level_may_be_small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert Settings() == Settings.model_construct()
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert Settings().log_level == "DEBUG"


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
    for host in ("::1", "[::1]"):
        monkeypatch.setenv("HOST", host)
        assert Settings().address == ("::1", 7001)


def test_the_limit_of_turns_is_off_on_a_laptop_and_on_in_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().turns_at_once is None
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert Settings().turns_at_once == 30
