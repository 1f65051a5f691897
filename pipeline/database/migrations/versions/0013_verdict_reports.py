"""Verdicts that people call wrong."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "verdict_reports",
        sa.Column(
            "turn_id",
            sa.String,
            sa.ForeignKey("turns.id", ondelete="CASCADE", name="verdict_reports_of_turn"),
            primary_key=True,
        ),
        sa.Column("field", sa.String, primary_key=True),
        sa.Column("sentence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.String),
        sa.Column("reported_at", sa.Double, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("verdict_reports_by_owner", "verdict_reports", ["owner", "reported_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("verdict_reports")
