"""Turns are found by their variant, and by the owner of their instructions."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the indexes."""
    op.create_index("turns_by_variant", "turns", ["variant"])
    op.create_index("turns_by_prompt", "turns", ["owner", "prompt"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("turns_by_prompt", "turns")
    op.drop_index("turns_by_variant", "turns")
