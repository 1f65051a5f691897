"""What alembic runs to migrate: on the connection it is handed, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from pipeline.database.tables import Table

# Batch mode, since SQLite cannot alter a table in place.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
