from __future__ import annotations

import pytest

from pipeline.errors import Refused
from pipeline.programs.profiles import Profile, Profiles, set_of
from pipeline.turn import AskOptions, TurnRequest

DESK = Profile(name="desk", title="Desk", model="fast", options={"temperature": 0.7, "max_tokens": 500})
PROFILES = Profiles(lambda: set_of(DESK))
BOT = AskOptions(temperature=0.7, max_tokens=500, history_turns=5)  # without a profile


def test_a_profile_sets_what_the_request_leaves_out() -> None:
    completed = PROFILES.completed(TurnRequest("Why?", AskOptions(profile="desk", max_tokens=9)))
    assert completed.model == "fast"
    assert completed.options == AskOptions(profile="desk", temperature=0.7, max_tokens=9)


def test_what_a_request_gives_wins_also_where_it_is_the_default() -> None:
    request = TurnRequest("Why?", AskOptions(profile="desk"), given=frozenset({"temperature"}), model="slow")
    completed = PROFILES.completed(request)
    assert (completed.options.temperature, completed.options.max_tokens, completed.model) == (None, 500, "slow")


def test_an_unknown_profile_is_refused_and_none_changes_nothing() -> None:
    assert PROFILES.completed(TurnRequest("Why?")) == TurnRequest("Why?")
    with pytest.raises(Refused, match="unknown_profile"):
        PROFILES.completed(TurnRequest("Why?", AskOptions(profile="other")))


def test_a_bots_profile_wins_also_where_it_names_the_value_of_other_programs() -> None:
    plain = Profile(name="plain", title="Plain", options={"history_turns": 4, "temperature": None})
    completed = Profiles(lambda: set_of(plain)).chatbot("plain", TurnRequest("Why?"))
    assert completed.options == AskOptions(profile="plain", max_tokens=500)


def test_a_public_chats_bot_is_a_profile_with_the_usual_parameters() -> None:
    brief = Profile(name="brief", title="Brief", options={"max_tokens": 90})
    own = Profiles(lambda: set_of(brief))
    completed = own.chatbot("brief", TurnRequest("Why?"))
    assert completed.options == AskOptions(profile="brief", max_tokens=90, temperature=0.7, history_turns=5)
    assert own.chatbot(None, TurnRequest("Why?")).options == BOT
    with pytest.raises(Refused, match="unknown_profile"):
        own.chatbot("your-chatbot-id", TurnRequest("Why?"))


def test_any_bot_is_the_default_one_until_the_host_has_written_a_profile() -> None:
    samples = Profiles(lambda: set_of(DESK), are_samples=True)
    for profiles in (Profiles(), samples):
        completed = profiles.chatbot("your-chatbot-id", TurnRequest("Why?"))
        assert completed.options == BOT
    assert samples.chatbot("desk", TurnRequest("Why?")).options.profile == "desk"
