"""Run by Alembic on the connection that stillfit/store/migrate.py hands in; the caller owns the transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
