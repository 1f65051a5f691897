"""Saved programs of visitors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "saved_programs",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("program", sa.String, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("saved_programs_by_owner", "saved_programs", ["owner", "created_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("saved_programs")
