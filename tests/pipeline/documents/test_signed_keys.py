"""Keys that open one thing: any other spelling opens nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.signed_keys import PASSAGE_S, SignedKeys, Span
from pipeline.keyed_hashes import Secret

KEYS, OTHERS = SignedKeys(Secret(b"k" * 32)), SignedKeys(Secret(b"o" * 32))
NOW_S = 1_800_000_123.4
SPANS = st.builds(
    lambda id, start, length: Span(id, start, start + length),
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.integers(0, 2**31),
    st.integers(1, 2**31 - 2),
)


@given(span=SPANS)
def test_a_key_opens_its_passage_with_the_secret_it_was_made_with(span: Span) -> None:
    key = KEYS.of_passage(span, NOW_S)
    assert key is not None
    opened = KEYS.passage(key, NOW_S)
    assert opened is not None
    assert opened.span == span
    assert NOW_S <= opened.made_before_s <= NOW_S + 3600
    assert KEYS.passage(key, NOW_S + PASSAGE_S) is not None
    assert KEYS.passage(key, NOW_S + PASSAGE_S + 3600) is None
    assert OTHERS.passage(key, NOW_S) is None


@given(span=SPANS, at=st.integers(0, 58), letter=st.sampled_from("abcXYZ019-_é ="))
def test_a_key_with_another_letter_opens_nothing(span: Span, at: int, letter: str) -> None:
    key = KEYS.of_passage(span, NOW_S)
    assert key is not None
    wrong = key[:at] + letter + key[at + 1 :]
    assert wrong == key or KEYS.passage(wrong, NOW_S) is None


@given(wrong=st.text(max_size=80))
def test_nonsense_opens_nothing(wrong: str) -> None:
    assert KEYS.passage(wrong, NOW_S) is None
    assert not KEYS.opens_document(wrong, "d" * 32)


def test_what_is_in_no_index_has_no_key() -> None:
    for span in (Span("tea", 0, 3), Span("a" * 32, 3, 3), Span("a" * 32, -1, 3), Span("a" * 32, 0, 2**32)):
        assert KEYS.of_passage(span, NOW_S) is None
