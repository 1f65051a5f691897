"""What each visitor's calls of providers used and cost, by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table; calls of before are not in it."""
    op.create_table(
        "expenses",
        sa.Column("day", sa.String, primary_key=True),
        sa.Column("visitor", sa.String, primary_key=True),
        sa.Column("profile", sa.String, primary_key=True),
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("own_key", sa.Boolean, primary_key=True),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("unpriced_calls", sa.Integer, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
        sa.Column("completion_tokens", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("expenses")
