"""The key by which a turn answers the same question again, and which turns were answered so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add both columns; turns from before are not replayed, and none of them was."""
    op.add_column("turns", sa.Column("cache_key", sa.String))
    op.create_index("turns_by_cache_key", "turns", ["cache_key", "owner"])
    op.add_column("turn_metrics", sa.Column("cached", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop both."""
    op.drop_column("turn_metrics", "cached")
    op.drop_index("turns_by_cache_key", "turns")
    op.drop_column("turns", "cache_key")
