"""Bring a database to the schema of this program, or refuse one that a newer program made.

Alembic is imported only when there is something to migrate: it costs 0.4 s of every start otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from stillfit.errors import StoreError
from stillfit.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEADS = {"state": "0002_state", "history": "0001_history"}
"""The newest revision of each branch; a test compares it with the scripts."""

_VERSION = sa.table("alembic_version", sa.column("version_num"))
_MIGRATION_LOCK = 0x5F17  # PostgreSQL advisory lock: two replicas that start together do not race

log = structlog.get_logger(__name__)


def migrate(database: Database, branches: tuple[str, ...], back_up: Callable[[str], object] | None = None) -> None:
    """Upgrade `branches` in one transaction: afterwards the schema is the old or the new one, never between.

    `back_up` is called with the old revision before a database that has tables is changed. Raises StoreError when the
    schema is newer than this program.
    """
    wanted = {HEADS[branch] for branch in branches}
    present = revisions(database)
    if present == wanted:
        return
    refuse_newer(database, present)
    if present and back_up is not None:
        back_up("-".join(sorted(present)))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        _upgrade(connection, branches)
    log.info("store migrated", store=database.name, before=sorted(present), after=sorted(wanted))


def require_current(database: Database, branches: tuple[str, ...]) -> None:
    """For those who only join in (command line): refuse any schema but this program's."""
    present = revisions(database)
    refuse_newer(database, present)
    if present != {HEADS[branch] for branch in branches}:
        message = f"store {database.name} has an older schema: start the daemon of this version once, it migrates"
        raise StoreError(message, retryable=False)


def revisions(database: Database) -> set[str]:
    """What the database says it is; empty for a new one."""
    with database.read() as connection:
        if not sa.inspect(connection).has_table(_VERSION.name):
            return set()
        return set(connection.scalars(sa.select(_VERSION.c.version_num)))


def refuse_newer(database: Database, present: set[str]) -> None:
    if present <= set(HEADS.values()):
        return
    unknown = present - _known_revisions()
    if unknown:
        message = (
            f"store {database.name} was made by a newer stillfit (schema {', '.join(sorted(unknown))}): "
            "install that version again, or restore the backup that it made before migrating"
        )
        raise StoreError(message, retryable=False)


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415  (0.4 s, see above)

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _upgrade(connection: sa.Connection, branches: tuple[str, ...]) -> None:
    from alembic import command  # noqa: PLC0415  (0.4 s, see above)

    config = _config()
    config.attributes["connection"] = connection
    for branch in branches:
        command.upgrade(config, f"{branch}@head")


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415  (0.4 s, see above)

    config = Config()
    config.set_main_option("script_location", "stillfit.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
