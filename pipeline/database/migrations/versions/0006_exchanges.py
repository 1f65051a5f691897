"""The exact prompts of each turn, in a table of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; turns from before have no row in it."""
    op.create_table(
        "exchanges",
        sa.Column(
            "turn_id",
            sa.String,
            sa.ForeignKey("turns.id", ondelete="CASCADE", name="exchanges_of_turn"),
            primary_key=True,
        ),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("exchanges_by_time", "exchanges", ["stored_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("exchanges")
