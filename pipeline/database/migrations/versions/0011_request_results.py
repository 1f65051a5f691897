"""Results of requests that may be sent again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "request_results",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String),
        sa.Column("request_hash", sa.String, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("request_results_by_time", "request_results", ["stored_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("request_results")
