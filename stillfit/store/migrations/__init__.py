"""Alembic environment of the store: two branches, `state` and `history` (on SQLite each runs on a file of its own)."""
