"""Room for what people bring: counted from the first byte, for all, for each visitor and for each address."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.documents.quota import Quota
from pipeline.errors import IngestFault

HERE, THERE = "203.0.113.7", "198.51.100.2"


def written(path: Path, size_bytes: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    return path


def quota_of(folder: Path, limit: int | None = 100, visitor: int | None = None) -> Quota:
    return Quota(folder / "uploads", folder / "waiting", limit, visitor)


async def fits(quota: Quota, owner: Path, size: int, address: str = HERE, *, is_counted: bool = False) -> bool:
    try:
        async with quota.taking(size, owner, address, is_counted=is_counted):
            return True
    except IngestFault:
        return False


async def test_without_limits_everything_fits(tmp_path: Path) -> None:
    quota = quota_of(tmp_path, None)
    assert await fits(quota, tmp_path / "uploads" / "maya", 10**12)
    await quota.check(HERE)


async def test_what_is_kept_waiting_and_on_its_way_counts_once(tmp_path: Path) -> None:
    quota, maya = quota_of(tmp_path), tmp_path / "uploads" / "maya"
    written(maya / "1" / "a.txt", 40)
    written(tmp_path / "waiting" / "x" / "file", 30)
    assert await fits(quota, maya, 30)
    assert not await fits(quota, maya, 31)
    assert await fits(quota, maya, 30, is_counted=True)  # it is the one that waits
    with quota.coming(HERE) as coming:
        coming.add(30)
        await quota.check(HERE)
        assert not await fits(quota, maya, 1)
        coming.add(1)
        with pytest.raises(IngestFault):
            await quota.check(THERE)
    assert await fits(quota, maya, 30)


async def test_two_at_once_do_not_both_take_the_last_room(tmp_path: Path) -> None:
    quota, maya, noah = quota_of(tmp_path), tmp_path / "uploads" / "maya", tmp_path / "uploads" / "noah"
    async with quota.taking(60, maya, HERE, is_counted=False):
        assert not await fits(quota, noah, 60, THERE)
    assert await fits(quota, noah, 60, THERE)


async def test_one_visitor_leaves_room_for_the_others(tmp_path: Path) -> None:
    quota, maya, noah = quota_of(tmp_path, 100, 40), tmp_path / "uploads" / "maya", tmp_path / "uploads" / "noah"
    written(maya / "1" / "a.txt", 30)
    assert not await fits(quota, maya, 11)
    assert await fits(quota, maya, 10)
    assert await fits(quota, noah, 40, THERE)


async def test_who_makes_new_tokens_is_still_one_address(tmp_path: Path) -> None:
    quota = quota_of(tmp_path, None, 40)
    kept = written(tmp_path / "uploads" / "maya" / "1" / "a.txt", 30)
    quota.brought(HERE, kept.parent, 30)
    assert not await fits(quota, tmp_path / "uploads" / "another", 11)
    assert await fits(quota, tmp_path / "uploads" / "another", 11, THERE)
    kept.unlink()
    kept.parent.rmdir()
    assert await fits(quota, tmp_path / "uploads" / "another", 11)


async def test_files_that_wait_are_counted_until_they_are_taken(tmp_path: Path) -> None:
    quota = quota_of(tmp_path)
    waits = written(tmp_path / "waiting" / "x" / "file", 1)
    quota.brought(HERE, waits, 1)
    assert (quota.waiting(HERE), quota.waiting(THERE)) == (1, 0)
    waits.unlink()
    assert quota.waiting(HERE) == 0


async def test_who_brings_nothing_any_more_is_not_remembered(tmp_path: Path) -> None:
    quota = quota_of(tmp_path)
    with quota.coming(HERE) as coming:
        coming.add(10)
    assert await fits(quota, tmp_path / "uploads" / "maya", 10)
    assert not quota._coming
    assert not quota._taking
