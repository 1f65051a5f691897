"""Each turn names the turn it follows, and each conversation the last turn of the path that is shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add both columns; turns from before follow one another in the order of their positions."""
    op.add_column("turns", sa.Column("parent_id", sa.String))
    op.add_column("conversations", sa.Column("active_leaf", sa.String))
    op.execute(
        "UPDATE turns SET parent_id = (SELECT before.id FROM turns AS before "
        "WHERE before.conversation_id = turns.conversation_id AND before.position = turns.position - 1)"
    )
    op.execute(
        "UPDATE conversations SET active_leaf = (SELECT turns.id FROM turns "
        "WHERE turns.conversation_id = conversations.id ORDER BY turns.position DESC LIMIT 1)"
    )


def downgrade() -> None:
    """Drop both; turns beside the path that is shown stay, in the order of asking."""
    op.drop_column("conversations", "active_leaf")
    op.drop_column("turns", "parent_id")
