"""Who may write: lease rows with the server's clock and a fencing epoch.

On PostgreSQL a session lock is not enough: a paused holder keeps it, and after a server restart a rival gets it before
the old holder notices. A lease row expires by the clock of the database, each new holder gets a higher epoch, and a
write that carries an old epoch is refused while the row is held FOR SHARE. On SQLite, where one process runs alone,
the clock is the given one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from stillfit.clock import Clock
from stillfit.errors import LeaseLostError
from stillfit.store.database import Database
from stillfit.store.schema import lease as _table
from stillfit.store.schema import microseconds

_LONG_AGO = datetime.fromtimestamp(0, UTC)

EVALUATION = "evaluation"
"""The lease of the one who judges, advises and sends."""


def collecting(source: str) -> str:
    """The lease of the one who reads a source."""
    return f"collecting {source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Held until `expires_at` by the database's clock; `epoch` goes with every write."""

    name: str
    owner: str
    epoch: int
    expires_at: datetime


class Leases:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def acquire(self, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take a free or expired lease; None while another owner has it. The owner's own lease is taken anew."""
        insert = (sqlite if self._database.is_sqlite else postgresql).insert(_table)
        now = self._now()
        row = {"name": name, "owner": owner, "epoch": 1, "expires_at": self._later(now, ttl)}
        statement = insert.values(row).on_conflict_do_update(
            index_elements=[_table.c.name],
            set_={"owner": owner, "epoch": _table.c.epoch + 1, "expires_at": self._later(now, ttl)},
            where=sa.or_(sa.type_coerce(_table.c.expires_at, sa.BigInteger) <= now, _table.c.owner == owner),
        )
        return self._taken(statement.returning(_table))

    def renew(self, held: Lease, ttl: timedelta) -> Lease:
        """Prolong a lease. Raises LeaseLostError when it has gone to another; renew each third of `ttl`."""
        statement = sa.update(_table).where(_mine(held)).values(expires_at=self._later(self._now(), ttl))
        renewed = self._taken(statement.returning(_table))
        if renewed is None:
            raise lost(held.name, held.epoch)
        return renewed

    def release(self, held: Lease) -> None:
        """Let another take it at once; nothing happens when it is lost already."""
        self._database.run(
            lambda connection: connection.execute(sa.update(_table).where(_mine(held)).values(expires_at=_LONG_AGO))
        )

    def expire_all(self) -> None:
        """For the only process on a SQLite store: whoever held a lease is dead."""
        self._database.run(lambda connection: connection.execute(sa.update(_table).values(expires_at=_LONG_AGO)))

    def _taken(self, statement: Any) -> Lease | None:
        row = self._database.run(lambda connection: connection.execute(statement).mappings().one_or_none())
        return None if row is None else Lease(**row)

    def _now(self) -> sa.ColumnElement[int]:
        """Microseconds by the clock that all replicas share."""
        if self._database.is_sqlite:
            return sa.literal(microseconds(self._clock.now()), sa.BigInteger)
        seconds = sa.extract("epoch", sa.func.clock_timestamp())
        return sa.cast(seconds * 1_000_000, sa.BigInteger)

    def _later(self, now: sa.ColumnElement[int], ttl: timedelta) -> sa.ColumnElement[int]:
        return now + ttl // timedelta(microseconds=1)


def check_epoch(connection: sa.Connection, name: str, epoch: int | None) -> None:
    """Refuse to write under a lease that has gone to another; it cannot go while this transaction lasts."""
    if epoch is None:
        return
    query = sa.select(_table.c.epoch).where(_table.c.name == name).with_for_update(read=True)
    if connection.scalar(query) != epoch:
        raise lost(name, epoch)


def lost(name: str, epoch: int) -> LeaseLostError:
    return LeaseLostError(
        f"store: the lease {name!r} (epoch {epoch}) was taken over by another replica: nothing was written"
    )


def _mine(held: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(_table.c.name == held.name, _table.c.owner == held.owner, _table.c.epoch == held.epoch)
