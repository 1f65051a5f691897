"""The tables, in types that SQLite and Postgres share. Every row has an owner; None means that it belongs to nobody.

A change here comes with a migration in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    """Base of the tables; its metadata is what the migrations must add up to."""


class ConversationRow(Table):
    """One conversation; `changed_at` is when its latest question was asked, in seconds since the epoch.

    `active_leaf` is the id of the last turn on the path that is shown. `kind` is None for a chat, else what asked its
    questions: `comparison` or `evaluation`.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_by_owner", "owner", "changed_at"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    owner: Mapped[str | None] = mapped_column(String)
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float] = mapped_column(Double)
    changed_at: Mapped[float] = mapped_column(Double)
    active_leaf: Mapped[str | None] = mapped_column(String)
    kind: Mapped[str | None] = mapped_column(String)


class TurnRow(Table):
    """One turn; `recording` holds its events, texts and timings (`recordings`), `asked` its options as JSON.

    Positions count from 0 without gaps, in order of asking. `parent_id` is the turn that it follows, None for a first
    turn; turns with the same parent are versions of one another (retry, edit). A turn with a `cache_key` answers the
    same question of its owner again. `request_hash` tells whether a request that is sent again is the same. `variant`
    is that of the experiment which its visitor was in. `prompt` names its instructions (`PromptRow`).
    """

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position", name="turns_in_order"),
        Index("turns_by_cache_key", "cache_key", "owner"),
        Index("turns_by_variant", "variant"),
        Index("turns_by_prompt", "owner", "prompt"),
    )

    id: Mapped[str] = mapped_column(String, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE", name="turns_of_conversation")
    )
    owner: Mapped[str | None] = mapped_column(String)
    position: Mapped[int]
    question: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    rating: Mapped[int] = mapped_column(SmallInteger)
    asked_at: Mapped[float] = mapped_column(Double)
    asked: Mapped[str | None] = mapped_column(Text)
    parent_id: Mapped[str | None] = mapped_column(String)
    recording: Mapped[bytes] = mapped_column(LargeBinary)
    program: Mapped[str | None] = mapped_column(String)
    program_version: Mapped[int | None]
    prompt_chars: Mapped[int | None]
    cache_key: Mapped[str | None] = mapped_column(String)
    request_hash: Mapped[str | None] = mapped_column(String)
    variant: Mapped[str | None] = mapped_column(String)
    prompt: Mapped[str | None] = mapped_column(String)


class MetricsRow(Table):
    """Measurements of one turn that has ended; `rungs` are the recoveries' names, separated by spaces.

    A conversation that is deleted takes its rows along.
    """

    __tablename__ = "turn_metrics"
    __table_args__ = (
        Index("metrics_by_model", "model_used", "asked_at"),
        Index("metrics_by_conversation", "conversation_id"),
    )

    turn_id: Mapped[str] = mapped_column(String, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE", name="metrics_of_conversation")
    )
    owner: Mapped[str | None] = mapped_column(String)
    asked_at: Mapped[float] = mapped_column(Double)
    model_asked: Mapped[str] = mapped_column(String)
    model_used: Mapped[str] = mapped_column(String)
    rungs: Mapped[str] = mapped_column(String)
    ending: Mapped[str | None] = mapped_column(String)
    code: Mapped[str | None] = mapped_column(String)
    finish: Mapped[str | None] = mapped_column(String)
    retrieval_s: Mapped[float | None] = mapped_column(Double)
    first_token_s: Mapped[float | None] = mapped_column(Double)
    first_answer_s: Mapped[float | None] = mapped_column(Double)
    total_s: Mapped[float | None] = mapped_column(Double)
    prompt_tokens: Mapped[int | None]
    tokens: Mapped[int | None]
    tokens_per_s: Mapped[float | None] = mapped_column(Double)
    exact: Mapped[bool]
    cost: Mapped[float | None] = mapped_column(Double)
    cached: Mapped[bool] = mapped_column(server_default=false())
    chars: Mapped[int]
    chunks: Mapped[int]
    updates: Mapped[int]


class ExchangesRow(Table):
    """The exact prompts of one turn (`pipeline.exchanges`) as compressed JSON; a sweep removes old ones."""

    __tablename__ = "exchanges"
    __table_args__ = (Index("exchanges_by_time", "stored_at"),)

    turn_id: Mapped[str] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE", name="exchanges_of_turn"), primary_key=True
    )
    stored_at: Mapped[float] = mapped_column(Double)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class InquiryRow(Table):
    """What an inquiry about a turn has found (`pipeline.inquiries`), as compressed JSON; `name` says which inquiry."""

    __tablename__ = "inquiries"

    turn_id: Mapped[str] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE", name="inquiries_of_turn"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class VerdictReportRow(Table):
    """A verdict that somebody calls wrong (`pipeline.verdict_reports`), as compressed JSON.

    `sentence` is the index of the sentence in its field.
    """

    __tablename__ = "verdict_reports"
    __table_args__ = (Index("verdict_reports_by_owner", "owner", "reported_at"),)

    turn_id: Mapped[str] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE", name="verdict_reports_of_turn"), primary_key=True
    )
    field: Mapped[str] = mapped_column(String, primary_key=True)
    sentence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[str | None] = mapped_column(String)
    reported_at: Mapped[float] = mapped_column(Double)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ExpenseRow(Table):
    """What one visitor's calls of one model used on one day (`pipeline.expenses`); a new call adds to its row."""

    __tablename__ = "expenses"

    day: Mapped[str] = mapped_column(String, primary_key=True)
    visitor: Mapped[str] = mapped_column(String, primary_key=True)
    profile: Mapped[str] = mapped_column(String, primary_key=True)
    model: Mapped[str] = mapped_column(String, primary_key=True)
    own_key: Mapped[bool] = mapped_column(primary_key=True)
    calls: Mapped[int]
    unpriced_calls: Mapped[int]
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[float] = mapped_column(Double)


class RequestResultRow(Table):
    """The result of a request that may be sent again within a day (`pipeline.request_result`)."""

    __tablename__ = "request_results"
    __table_args__ = (Index("request_results_by_time", "stored_at"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    owner: Mapped[str | None] = mapped_column(String)
    request_hash: Mapped[str] = mapped_column(String)
    stored_at: Mapped[float] = mapped_column(Double)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SavedProgramRow(Table):
    """A saved program of a visitor (`pipeline.saved_program`); `state` is compressed JSON."""

    __tablename__ = "saved_programs"
    __table_args__ = (Index("saved_programs_by_owner", "owner", "created_at"),)

    name: Mapped[str] = mapped_column(String, primary_key=True)
    owner: Mapped[str] = mapped_column(String)
    title: Mapped[str] = mapped_column(Text)
    program: Mapped[str] = mapped_column(String)
    state: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[float] = mapped_column(Double)


class FeedbackRow(Table):
    """What somebody said of a turn beside the thumb: why, what would be right, and tags as a JSON list."""

    __tablename__ = "feedback"
    __table_args__ = (Index("feedback_by_owner", "owner", "changed_at"),)

    turn_id: Mapped[str] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE", name="feedback_of_turn"), primary_key=True
    )
    owner: Mapped[str | None] = mapped_column(String)
    comment: Mapped[str] = mapped_column(Text)
    corrected: Mapped[str] = mapped_column(Text)
    tags: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[float] = mapped_column(Double)


class PromptRow(Table):
    """Instructions that an owner's turns were answered by; `hash` is that of the text."""

    __tablename__ = "prompts"

    owner: Mapped[str] = mapped_column(String, primary_key=True)
    hash: Mapped[str] = mapped_column(String, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    first_used_at: Mapped[float] = mapped_column(Double)


class ComparisonRow(Table):
    """A comparison: its columns and its vote as compressed JSON; its turns are those of the conversation."""

    __tablename__ = "comparisons"
    __table_args__ = (Index("comparisons_by_owner", "owner", "created_at"),)

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE", name="comparison_of_conversation"), primary_key=True
    )
    owner: Mapped[str | None] = mapped_column(String)
    created_at: Mapped[float] = mapped_column(Double)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class QuestionSetRow(Table):
    """Questions that somebody brought, as compressed JSON."""

    __tablename__ = "question_sets"
    __table_args__ = (Index("question_sets_by_owner", "owner", "created_at"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    owner: Mapped[str] = mapped_column(String)
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float] = mapped_column(Double)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class EvaluationRow(Table):
    """An evaluation: what is measured, and its result, as compressed JSON. Its turns are those of the conversation."""

    __tablename__ = "evaluations"
    __table_args__ = (Index("evaluations_by_owner", "owner", "created_at"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    owner: Mapped[str | None] = mapped_column(String)
    conversation_id: Mapped[str | None] = mapped_column(String)
    created_at: Mapped[float] = mapped_column(Double)
    state: Mapped[str] = mapped_column(String)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class EvaluatedRow(Table):
    """One question of an evaluation that was answered, as compressed JSON; positions count in order of their ends."""

    __tablename__ = "evaluated_questions"

    evaluation_id: Mapped[str] = mapped_column(
        ForeignKey("evaluations.id", ondelete="CASCADE", name="evaluated_in"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class OptimisationRow(Table):
    """An optimisation: what is optimised, and its result, as compressed JSON."""

    __tablename__ = "optimisations"
    __table_args__ = (Index("optimisations_by_owner", "owner", "created_at"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    owner: Mapped[str | None] = mapped_column(String)
    created_at: Mapped[float] = mapped_column(Double)
    state: Mapped[str] = mapped_column(String)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class TrialRow(Table):
    """One trial of an optimisation, as compressed JSON."""

    __tablename__ = "trials"

    optimisation_id: Mapped[str] = mapped_column(
        ForeignKey("optimisations.id", ondelete="CASCADE", name="trials_of_optimisation"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
