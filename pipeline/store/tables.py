"""The tables, in types that SQLite and Postgres share. Every row has an owner; None means that it belongs to nobody.

A change here comes with a migration in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import Double, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    """Base of the tables; its metadata is what the migrations must add up to."""


class ConversationRow(Table):
    """One conversation; `changed_at` is when its latest question was asked, in seconds since the epoch."""

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_by_owner", "owner", "changed_at"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    owner: Mapped[str | None] = mapped_column(String)
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float] = mapped_column(Double)
    changed_at: Mapped[float] = mapped_column(Double)


class TurnRow(Table):
    """One turn; `record` is the JSON of its events, `fields` that of its texts, `asked` that of its options.

    Positions count from 0 without gaps.
    """

    __tablename__ = "turns"
    __table_args__ = (UniqueConstraint("conversation_id", "position", name="turns_in_order"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE", name="turns_of_conversation")
    )
    owner: Mapped[str | None] = mapped_column(String)
    position: Mapped[int]
    question: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    record: Mapped[str] = mapped_column(Text)
    fields: Mapped[str] = mapped_column(Text)
    rating: Mapped[int] = mapped_column(SmallInteger)
    asked_at: Mapped[float] = mapped_column(Double)
    asked: Mapped[str | None] = mapped_column(Text)


class MetricsRow(Table):
    """What was measured of one turn that has ended; `rungs` are the recoveries' names, separated by spaces.

    A turn that is replaced (retry, edit) leaves its row, or failures would vanish from the figures; a conversation that
    is deleted takes its rows along.
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
    chars: Mapped[int]
    chunks: Mapped[int]
    updates: Mapped[int]
