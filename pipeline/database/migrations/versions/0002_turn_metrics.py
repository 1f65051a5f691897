"""What was measured of each turn: numbers and names, no text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; turns from before have no row in it."""
    op.create_table(
        "turn_metrics",
        sa.Column("turn_id", sa.String, primary_key=True),
        sa.Column(
            "conversation_id",
            sa.String,
            sa.ForeignKey("conversations.id", ondelete="CASCADE", name="metrics_of_conversation"),
            nullable=False,
        ),
        sa.Column("owner", sa.String),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.Column("model_asked", sa.String, nullable=False),
        sa.Column("model_used", sa.String, nullable=False),
        sa.Column("rungs", sa.String, nullable=False),
        sa.Column("ending", sa.String),
        sa.Column("code", sa.String),
        sa.Column("finish", sa.String),
        sa.Column("retrieval_s", sa.Double),
        sa.Column("first_token_s", sa.Double),
        sa.Column("first_answer_s", sa.Double),
        sa.Column("total_s", sa.Double),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("tokens", sa.Integer),
        sa.Column("tokens_per_s", sa.Double),
        sa.Column("exact", sa.Boolean, nullable=False),
        sa.Column("cost", sa.Double),
        sa.Column("chars", sa.Integer, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("updates", sa.Integer, nullable=False),
    )
    op.create_index("metrics_by_model", "turn_metrics", ["model_used", "asked_at"])
    op.create_index("metrics_by_conversation", "turn_metrics", ["conversation_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("turn_metrics")
