"""Conversations and turns in a relational database: tables, migrations, the store and its one writer."""
