"""Who may ask, how often and how much: the limits for themselves, then in front of a real pipeline."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pydantic import ValidationError

from i18n.messages import error_text
from pipeline.clients import Client, ClientLocks, Rates, address_of, is_local
from pipeline.errors import Busy
from pipeline.settings import Settings
from pipeline.turn import Turn, TurnRequest
from pipeline.turns.admission import Admission
from pipeline.turns.earlier_turns import shortened

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
HERE, THERE, FAR = "127.0.0.1", "203.0.113.7", "198.51.100.2"
SPACE: dict[str, Any] = {"space_id": "someone/space"}


def asked(visitor: str | None = MAYA, address: str | None = THERE, waits: bool = False) -> TurnRequest:
    return TurnRequest("Why?", visitor=visitor, address=address, waits=waits)


async def admitted(admission: Admission, request: TurnRequest, running: int = 0) -> bool:
    others = [asked(f"other-{number}-0123456789") for number in range(running)]
    try:
        await admission.admit(request, others)
    except Busy:
        return False
    return True


async def test_a_laptop_limits_nothing_until_it_is_told_to() -> None:
    admission = Admission(Settings())
    assert all([await admitted(admission, asked(), running=1_000) for _ in range(100)])


@pytest.mark.parametrize("same", [{"visitor": MAYA}, {"address": THERE}, {"visitor": None, "address": THERE}])
async def test_the_rate_counts_for_the_visitor_and_for_the_address(same: dict[str, Any]) -> None:
    admission = Admission(Settings(rate_limit="3/minute"))
    others = [asked(**{"visitor": f"visitor-{n}-0123456789", "address": f"10.0.0.{n}", **same}) for n in range(4)]
    assert [await admitted(admission, other) for other in others] == [True, True, True, False]
    assert await admitted(admission, asked(NOAH, FAR))


async def test_the_narrowest_of_several_rates_holds_and_says_how_long_to_wait() -> None:
    admission = Admission(Settings(rate_limit="5/second; 2/hour"))
    assert await admitted(admission, asked())
    assert await admitted(admission, asked())
    with pytest.raises(Busy) as refused:
        await admission.admit(asked(), [])
    assert 3_500 < refused.value.retry_after_s <= 3_600
    assert "60 minutes" in error_text(refused.value)


async def test_after_the_window_one_is_welcome_again_and_refusals_made_it_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s)
    admission = Admission(Settings(rate_limit="2/second"))
    assert [await admitted(admission, asked()) for _ in range(5)] == [True, True, False, False, False]
    now_s += 1.05
    assert await admitted(admission, asked())


async def test_a_refusal_by_another_limit_counts_for_no_rate() -> None:
    admission = Admission(Settings(rate_limit="1/hour", max_turns=1))
    assert not await admitted(admission, asked(), running=1)
    assert not await admitted(admission, asked(NOAH), running=1)
    assert await admitted(admission, asked())
    assert not await admitted(admission, asked(NOAH))  # the address has had its one
    assert await admitted(admission, asked(NOAH, FAR))  # and that refusal left the visitor's alone


async def test_turns_at_once_count_for_the_visitor_or_else_for_the_address() -> None:
    admission = Admission(Settings(max_turns_per_visitor=2))
    mine, nameless = [asked(MAYA, HERE), asked(MAYA, FAR)], [asked(None, THERE)] * 2
    with pytest.raises(Busy):
        await admission.admit(asked(MAYA), mine)
    with pytest.raises(Busy):
        await admission.admit(asked(None, THERE), nameless)
    await admission.admit(asked(MAYA, THERE), [*mine[:1], *nameless])
    await admission.admit(asked(None, FAR), [*mine, *nameless])


async def test_over_the_total_programs_are_refused_and_the_page_waits_in_a_line_of_limited_length() -> None:
    admission = Admission(Settings(max_turns=3, max_waiting=2))
    assert [await admitted(admission, asked(), running=count) for count in (2, 3)] == [True, False]
    assert [await admitted(admission, asked(waits=True), running=count) for count in (3, 4, 5)] == [True, True, False]


async def test_on_a_space_strangers_are_limited_by_default_and_the_machine_itself_is_not() -> None:
    admission = Admission(Settings(**SPACE))
    assert [await admitted(admission, asked(), running=count) for count in (0, 29, 30)] == [True, True, False]
    with pytest.raises(Busy):
        await admission.admit(asked(), [asked()] * 3)
    assert [await admitted(admission, asked(NOAH, FAR)) for _ in range(7)] == [True] * 6 + [False]
    assert all([await admitted(admission, asked(None, HERE), running=29) for _ in range(50)])
    off = Admission(Settings(**SPACE, rate_limit="off", max_turns_per_visitor=0))
    for _ in range(50):
        await off.admit(asked(), [asked()] * 20)


def test_a_rate_that_cannot_be_read_is_refused_at_the_start() -> None:
    for rate in ("often", "6/fortnight", "-1/minute"):
        with pytest.raises(ValidationError):
            Settings(rate_limit=rate)
    assert Settings(rate_limit=" ").rate_limit is None


@pytest.mark.parametrize(
    ("forwarded_for", "proxies", "address"),
    [
        ("6.6.6.6", 0, HERE),
        ("", 1, HERE),
        ("6.6.6.6", 1, "6.6.6.6"),
        ("6.6.6.6, 203.0.113.7", 1, THERE),
        ("6.6.6.6, 203.0.113.7, 10.0.0.1", 2, THERE),
        ("203.0.113.7", 2, HERE),
        ("unknown", 1, HERE),
        ("203.0.113.7:4711", 1, THERE),
        ("::ffff:203.0.113.7", 1, THERE),
        ("2001:db8:1:2:aaaa::1", 1, "2001:db8:1:2::"),
        ("[2001:db8:1:2:bbbb::9]:443", 1, "2001:db8:1:2::"),
    ],
)
def test_the_address_is_what_our_own_proxies_say(forwarded_for: str, proxies: int, address: str) -> None:
    assert address_of(forwarded_for, HERE, proxies) == address


def test_the_newest_turns_are_sent_as_far_as_they_fit() -> None:
    turns = [Turn(str(n), "c", "why?", "m", fields={"answer": "a" * 96, "reasoning": "r"}) for n in range(3)]
    assert shortened(turns, 300) == turns
    assert [len(turn.fields["answer"]) for turn in shortened(turns, 150)] == [46, 96]
    assert shortened(turns, 150)[-1] == turns[-1]
    assert [len(turn.fields["answer"]) for turn in shortened(turns, 50)] == [46]
    assert shortened(turns, 0) == []


@pytest.mark.parametrize(
    ("hostname", "peer", "headers", "expected"),
    [
        ("127.0.0.1", "127.0.0.1", (), True),
        ("localhost", "::1", (), True),
        ("::1", "127.0.0.1", (), True),
        ("glassbox.example", "127.0.0.1", (), False),
        ("127.0.0.1", "10.0.0.7", (), False),
        ("127.0.0.1", "127.0.0.1", ("x-forwarded-for",), False),
        ("127.0.0.1", "127.0.0.1", ("forwarded",), False),
        ("127.0.0.1", "127.0.0.1", ("x-real-ip",), False),
        (None, None, (), False),
    ],
)
def test_only_who_sits_at_this_machine_and_asks_it_directly_is_local(
    hostname: str | None, peer: str | None, headers: tuple[str, ...], expected: bool
) -> None:
    assert is_local(hostname, peer, headers) == expected


async def test_each_kind_of_work_meets_the_rate_by_itself() -> None:
    settings = Settings(rate_limit="2/hour")
    searches, files = Rates(settings), Rates(settings, times=3)
    for _ in range(2):
        await searches.count(Client(MAYA, THERE))
    with pytest.raises(Busy):
        await searches.count(Client(NOAH, THERE))
    for _ in range(6):
        await files.count(Client(address=THERE))
    with pytest.raises(Busy) as refused:
        await files.count(Client(address=THERE))
    assert refused.value.retry_after_s > 3_500


async def test_on_a_space_strangers_meet_a_rate_and_the_machine_itself_does_not() -> None:
    rates = Rates(Settings(**SPACE))
    for _ in range(6):
        await rates.count(Client(address=THERE))
    with pytest.raises(Busy):
        await rates.count(Client(address=THERE))
    for _ in range(20):
        await rates.count(Client(address=HERE))


async def test_a_client_waits_behind_its_own_work_and_nobody_elses() -> None:
    places, held, go_on = ClientLocks(waiting=2), asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def work(name: str, client: Client) -> None:
        async with places.held(client):
            order.append(name)
            held.set()
            if name == "first":
                await go_on.wait()

    first = asyncio.create_task(work("first", Client(MAYA, THERE)))
    await held.wait()
    behind = [asyncio.create_task(work(f"behind-{at}", Client(MAYA, THERE))) for at in range(2)]
    await asyncio.sleep(0)  # both stand in line now
    with pytest.raises(Busy):
        await work("one too many", Client(f"{NOAH}-other", THERE))
    await work("somebody else", Client(NOAH, FAR))
    assert order == ["first", "somebody else"]
    go_on.set()
    await asyncio.gather(first, *behind)
    assert order == ["first", "somebody else", "behind-0", "behind-1"]
