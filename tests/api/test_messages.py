"""Messages of a chat become a question and the turns before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.messages import Message, Role, said_in
from pipeline.turn import Said

ROLES: tuple[Role, ...] = ("user", "assistant")


@pytest.mark.parametrize(
    ("spoken", "question", "history"),
    [
        ("", "", ()),
        ("u1", "1", ()),
        ("u1 a2 u3", "3", (Said("1", "2"),)),
        ("a0 u1", "1", ()),
        ("u1 u2", "1\n\n2", ()),
        ("u1 a2 a3 u4", "4", (Said("1", "2\n\n3"),)),
        ("u1 a2", "1", ()),
    ],
)
def test_the_last_message_of_the_user_is_the_question(spoken: str, question: str, history: tuple[Said, ...]) -> None:
    messages = [Message("user" if each[0] == "u" else "assistant", each[1:]) for each in spoken.split()]
    assert said_in(messages) == (question, history)


@given(st.lists(st.builds(Message, st.sampled_from(ROLES), st.text(min_size=1, max_size=3))))
def test_no_message_of_the_user_is_lost(messages: list[Message]) -> None:
    question, history = said_in(messages)
    asked = "\n\n".join([*(each.question for each in history), *([question] if question else [])])
    assert asked == "\n\n".join(each.text for each in messages if each.role == "user")
