"""The secret of an installation, and what is hashed with it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.keyed_hashes import BYTES, Secret

TEXTS = st.lists(st.text(max_size=3), max_size=3)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = Secret.of(tmp_path / "data")
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_bytes()) == BYTES
    assert Secret.of(tmp_path / "data").hash("a", "b") == first.hash("a", "b")
    assert Secret.of(tmp_path / "other").hash("a", "b") != first.hash("a", "b")


def test_all_that_start_at_once_have_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starts:
        made = [each.hash("a") for each in starts.map(Secret.of, [tmp_path] * 8)]
    assert len(set(made)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_a_file_system_without_hard_links_keeps_the_secret_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    first = Secret.of(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert Secret.of(tmp_path).hash("a") == first.hash("a")


@pytest.mark.parametrize("damage", ["no folder", "too short"])
def test_a_secret_that_cannot_be_kept_costs_the_links_of_other_processes_alone(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    if damage == "no folder":
        folder.write_text("a file in its place")
    else:
        folder.mkdir()
        (folder / "secret").write_bytes(b"short")
    one, other = Secret.of(folder), Secret.of(folder)
    assert one.hash("a") == one.hash("a") != other.hash("a")
    assert "the secret cannot be kept in DATA_DIR" in caplog.text
    assert str(tmp_path) not in caplog.text


@given(one=TEXTS, other=TEXTS)
def test_different_texts_have_different_hashes_wherever_they_are_divided(one: list[str], other: list[str]) -> None:
    secret = Secret(b"k" * BYTES)
    assert (secret.hash("p", *one) == secret.hash("p", *other)) is (one == other)
    assert secret.hash("p", *one) != secret.hash("q", *one)
