"""How many sessions of MCP one address has open, by a clock of the test."""

from __future__ import annotations

import pytest

from api.mcp_sessions import McpSessions

HERE, THERE = "203.0.113.7", "203.0.113.8"


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> McpSessions:
    return McpSessions(most=2, idle_s=600.0, clock=clock)


def opened(sessions: McpSessions, id: str, address: str = HERE) -> None:
    with sessions.opening(address) as named:
        named(id)


def test_an_address_waits_for_the_first_of_its_sessions_to_end_and_no_other_address_does(
    sessions: McpSessions, clock: Clock
) -> None:
    opened(sessions, "a")
    clock.now = 100.0
    opened(sessions, "b")
    assert (sessions.wait_s(HERE), sessions.wait_s(THERE)) == (500.0, 0.0)
    with sessions.using("a"):
        clock.now = 150.0
    assert sessions.wait_s(HERE) == 550.0
    clock.now = 700.0
    assert sessions.wait_s(HERE) == 0.0


def test_a_session_does_not_end_while_a_request_of_it_is_answered(sessions: McpSessions, clock: Clock) -> None:
    opened(sessions, "a")
    opened(sessions, "b")
    with sessions.using("a"), sessions.using("b"):
        clock.now = 10_000.0
        assert sessions.wait_s(HERE) == 600.0


def test_a_session_that_its_client_ends_or_that_never_opened_takes_no_place(sessions: McpSessions) -> None:
    opened(sessions, "a")
    with sessions.opening(HERE):
        assert sessions.wait_s(HERE) > 0
    assert sessions.wait_s(HERE) == 0
    opened(sessions, "b")
    sessions.end("a")
    assert sessions.wait_s(HERE) == 0
    with sessions.using("a"):
        pass
    sessions.end("a")
    assert sessions.wait_s(HERE) == 0


def test_two_sessions_that_are_opened_at_once_take_two_places(sessions: McpSessions) -> None:
    with sessions.opening(HERE) as first, sessions.opening(HERE) as second:
        assert sessions.wait_s(HERE) > 0
        first("a")
        second("b")
    assert sessions.wait_s(HERE) > 0
