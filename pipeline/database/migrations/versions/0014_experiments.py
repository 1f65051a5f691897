"""Comparisons, question sets, evaluations, optimisations, what people say beside a thumb, and instructions in use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

TABLES = (
    "feedback",
    "prompts",
    "comparisons",
    "question_sets",
    "evaluations",
    "evaluated_questions",
    "optimisations",
    "trials",
)


def upgrade() -> None:
    """Make the tables, and the columns that join turns to them."""
    op.add_column("conversations", sa.Column("kind", sa.String))
    op.add_column("turns", sa.Column("variant", sa.String))
    op.add_column("turns", sa.Column("prompt", sa.String))
    op.create_table(
        "feedback",
        _of("turns.id", "turn_id", "feedback_of_turn"),
        sa.Column("owner", sa.String),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("corrected", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
    )
    op.create_index("feedback_by_owner", "feedback", ["owner", "changed_at"])
    op.create_table(
        "prompts",
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("hash", sa.String, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("first_used_at", sa.Double, nullable=False),
    )
    op.create_table(
        "comparisons",
        _of("conversations.id", "conversation_id", "comparison_of_conversation"),
        sa.Column("owner", sa.String),
        sa.Column("created_at", sa.Double, nullable=False),
        _content(),
    )
    op.create_index("comparisons_by_owner", "comparisons", ["owner", "created_at"])
    op.create_table(
        "question_sets",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        _content(),
    )
    op.create_index("question_sets_by_owner", "question_sets", ["owner", "created_at"])
    op.create_table(
        "evaluations",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String),
        sa.Column("conversation_id", sa.String),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        _content(),
    )
    op.create_index("evaluations_by_owner", "evaluations", ["owner", "created_at"])
    op.create_table(
        "evaluated_questions",
        _of("evaluations.id", "evaluation_id", "evaluated_in"),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        _content(),
    )
    op.create_table(
        "optimisations",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        _content(),
    )
    op.create_index("optimisations_by_owner", "optimisations", ["owner", "created_at"])
    op.create_table(
        "trials",
        _of("optimisations.id", "optimisation_id", "trials_of_optimisation"),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        _content(),
    )


def downgrade() -> None:
    """Drop them."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("turns", "variant")
    op.drop_column("turns", "prompt")
    op.drop_column("conversations", "kind")


def _of(other: str, name: str, constraint: str) -> sa.Column[str]:
    """Return a key that names a row of another table, and goes with it."""
    return sa.Column(name, sa.String, sa.ForeignKey(other, ondelete="CASCADE", name=constraint), primary_key=True)


def _content() -> sa.Column[bytes]:
    return sa.Column("content", sa.LargeBinary, nullable=False)
