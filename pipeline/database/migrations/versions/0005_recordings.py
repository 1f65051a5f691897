"""A turn's events and texts are compressed into one column, and its program and the size of its prompt are stored."""

from __future__ import annotations

import zlib

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TURNS = sa.table(
    "turns",
    sa.column("id", sa.String),
    sa.column("record", sa.Text),
    sa.column("fields", sa.Text),
    sa.column("recording", sa.LargeBinary),
)


def upgrade() -> None:
    """Compress what there is. Turns from before have no timings, and no program is known of them."""
    op.add_column("turns", sa.Column("recording", sa.LargeBinary, nullable=False, server_default=""))
    op.add_column("turns", sa.Column("program", sa.String))
    op.add_column("turns", sa.Column("program_version", sa.Integer))
    op.add_column("turns", sa.Column("prompt_chars", sa.Integer))
    connection = op.get_bind()
    for turn_id in connection.scalars(sa.select(TURNS.c.id)).all():
        mine = TURNS.c.id == turn_id
        record, fields = connection.execute(sa.select(TURNS.c.record, TURNS.c.fields).where(mine)).one()
        text = f'{{"events":{record},"fields":{fields}}}'
        connection.execute(sa.update(TURNS).where(mine).values(recording=b"z" + zlib.compress(text.encode())))
    op.drop_column("turns", "record")
    op.drop_column("turns", "fields")


def downgrade() -> None:
    """Raise NotImplementedError: turns stored since would lose their texts. Restore a copy of the database instead."""
    raise NotImplementedError
