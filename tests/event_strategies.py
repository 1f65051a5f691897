"""Any event, for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle

from hypothesis import strategies as st

from pipeline.events import (
    ArtifactFound,
    Ending,
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    LookedIn,
    Parts,
    PassagesFound,
    Recovered,
    SentenceChecked,
    StepChanged,
    ToolCalled,
    ToolReturned,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    Warned,
)
from pipeline.messages import Message
from pipeline.passages import Passage
from pipeline.recording import fields_of
from pipeline.turn import Turn, TurnState
from pipeline.verdicts import Difference

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LANGUAGE = st.sampled_from(["en", "de", "fi"])
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=4)  # of batches
CODE = TEXT | st.sampled_from(["length", "connection", "refused", "internal", "not_chosen"])
VALUES = st.dictionaries(st.sampled_from(["server", "text", "most"]), TEXT, max_size=2)
NOT_CHOSEN = Message("not_chosen", {"place": 5, "wanted": 4, "share": 80, "last": 4, "words": ("tea", "cup")})
FIELD = st.sampled_from(["reasoning", "answer", "thinking"])
FIELDS = st.dictionaries(FIELD, TEXT, max_size=3)
SCALAR = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | TEXT
ARGUMENTS = st.dictionaries(TEXT, SCALAR | st.lists(SCALAR, max_size=3).map(tuple), max_size=3)
PASSAGES = st.lists(
    st.builds(
        Passage,
        number=st.integers(1, 9),
        document=TEXT,
        title=TEXT,
        section=TEXT,
        text=TEXT,
        score=st.floats(0, 99),
        matched=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3).map(tuple),
        reason=st.none() | st.builds(Message, code=CODE, values=VALUES) | st.just(NOT_CHOSEN),
    ),
    max_size=2,
).map(tuple)
SAID = {"seq": st.integers(0, 9_999), "at_s": st.floats(0, 999)}
DELTAS = st.one_of(
    st.builds(FieldDelta, field=FIELD, text=TEXT.filter(bool), **SAID), st.builds(FieldReset, field=FIELD, **SAID)
)
MIDDLE = st.one_of(
    DELTAS,
    st.builds(
        StepChanged,
        step=st.sampled_from(["wait", "answer", "search:2", "tool:calculate"]),
        state=st.just("ended"),
        text=TEXT,
        place=st.none() | st.integers(1, 9),
        took_s=st.floats(0, 9),
        **SAID,
    ),
    st.builds(
        PassagesFound,
        query=TEXT,
        passages=PASSAGES,
        coverage=st.none() | st.floats(0, 1),
        found_words=st.lists(TEXT, max_size=2).map(tuple),
        missing_words=st.lists(TEXT, max_size=2).map(tuple),
        **SAID,
    ),
    st.builds(ToolCalled, call=TEXT, tool=TEXT, arguments=ARGUMENTS, **SAID),
    st.builds(ToolReturned, call=TEXT, text=TEXT, took_s=st.floats(0, 9), failed=st.booleans(), **SAID),
    st.builds(Warned, code=CODE, values=VALUES, **SAID),
    st.builds(
        Recovered, what=st.just("retry"), from_model=TEXT, to_model=TEXT, code=TEXT, waits_s=st.floats(0, 9), **SAID
    ),
    st.builds(
        Estimated,
        tokens=st.integers(0),
        expected_tokens=st.none() | st.integers(0),
        tokens_per_s=st.none() | st.floats(0, 99),
        eta_s=st.none() | st.floats(0, 99),
        confidence=st.floats(0, 1),
        **SAID,
    ),
    st.builds(
        ArtifactFound,
        index=st.integers(0),
        type=st.sampled_from(["code", "table", "document", "formula"]),
        language=TEXT,
        title=TEXT,
        field=FIELD,
        start=st.integers(0),
        end=st.integers(0),
        **SAID,
    ),
    st.builds(
        SentenceChecked,
        index=st.integers(0, 9),
        field=FIELD,
        start=st.integers(0, 99),
        end=st.integers(0, 99),
        citations=st.lists(st.integers(1, 9), max_size=2).map(tuple),
        verdict=st.sampled_from(["verbatim", "weak", "not_found", "no_claim"]),
        passage=st.none() | st.integers(1, 9),
        quote=st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
        score=st.floats(0, 1),
        suggested=st.none() | st.integers(1, 9),
        reason=st.builds(Message, code=st.just("verbatim"), values=st.just({"passage": 1})),
        differences=st.lists(
            st.builds(Difference, kind=st.just("number"), answer=st.just((0, 1)), source=st.none() | st.just((1, 2))),
            max_size=1,
        ).map(tuple),
        **SAID,
    ),
)
USAGE = st.builds(Usage, prompt_tokens=st.integers(0), completion_tokens=st.integers(0), exact=st.booleans())
EVENT: st.SearchStrategy[Event] = st.one_of(
    MIDDLE,
    st.builds(
        TurnStarted,
        turn_id=TEXT,
        conversation_id=TEXT,
        question=TEXT,
        model=TEXT,
        program=TEXT,
        language=TEXT,
        **SAID,
    ),
    st.builds(
        TurnFinished,
        fields=FIELDS,
        passages=PASSAGES,
        usage=USAGE,
        cost=st.none() | st.floats(0, 9),
        finish=st.just("stop"),
        model=TEXT,
        program=TEXT,
        cached=st.booleans(),
        saved=st.booleans(),
        missing=st.none() | TEXT,
        confidence=st.none() | st.floats(0, 1),
        parts=st.none() | st.builds(Parts, asked=st.just(2), answered=st.just(1)),
        looked_in=st.none() | st.builds(LookedIn, documents=st.integers(0, 9), passages=st.integers(0, 9)),
        **SAID,
    ),
    st.builds(
        TurnFailed, code=CODE, values=VALUES, retryable=st.booleans(), partial=FIELDS, saved=st.booleans(), **SAID
    ),
    st.builds(TurnStopped, partial=FIELDS, saved=st.booleans(), **SAID),
)


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    """A turn that has ended, whose record are all of its events."""
    started = TurnStarted(
        turn_id="turn", conversation_id="talk", question="q", model="m", program="p", language=draw(LANGUAGE)
    )
    said: list[Event] = [started, *draw(st.lists(MIDDLE | DELTAS, max_size=15))]
    fields, saved = fields_of(said), draw(st.booleans())
    endings: dict[TurnState, Ending] = {
        "finished": TurnFinished(
            fields={"reasoning": "", "answer": "", **fields},
            passages=draw(PASSAGES),
            usage=draw(USAGE),
            cost=None,
            finish="stop",
            model="m",
            cached=False,
            saved=saved,
        ),
        "failed": TurnFailed(code=draw(CODE), retryable=True, partial=fields, saved=saved),
        "stopped": TurnStopped(partial=fields, saved=saved),
    }
    state = draw(st.sampled_from(list(endings)))
    events = [*said, replace(endings[state], at_s=draw(st.floats(0, 99)))]
    record = tuple(replace(event, seq=seq) for seq, event in enumerate(events))
    return Turn("turn", "talk", "q", "m", state, record, fields, asked_at=1_800_000_000.5)


def in_batches(turn: Turn, sizes: Sequence[int]) -> list[tuple[Event, ...]]:
    """The events of a turn in groups of those sizes, in turn, as a reader may get them."""
    left = list(turn.record)
    groups: list[tuple[Event, ...]] = []
    for size in cycle(sizes):
        if not left:
            return groups
        groups.append(tuple(left[:size]))
        del left[:size]
    return groups
