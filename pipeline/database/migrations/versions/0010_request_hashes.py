"""The hash of a turn's request, by which a request that is sent again is told from another one of the same key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column; turns from before have none."""
    op.add_column("turns", sa.Column("request_hash", sa.String))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("turns", "request_hash")
