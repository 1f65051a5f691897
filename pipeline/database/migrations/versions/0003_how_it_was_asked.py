"""The options that each turn was asked with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; turns from before have none."""
    op.add_column("turns", sa.Column("asked", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("turns", "asked")
