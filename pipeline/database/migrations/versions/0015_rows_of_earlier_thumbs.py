"""A row of feedback for each turn that was rated before there were such rows."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the rows, as if each thumb had been given with the question."""
    op.execute(
        "INSERT INTO feedback (turn_id, owner, comment, corrected, tags, changed_at) "
        "SELECT id, owner, '', '', '[]', asked_at FROM turns "
        "WHERE rating <> 0 AND id NOT IN (SELECT turn_id FROM feedback)"
    )


def downgrade() -> None:
    """Leave them: a thumb with such a row is no other thumb."""
