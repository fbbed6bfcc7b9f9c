"""What looking has cost, by month and source: the memory of a monthly budget."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from stillfit.store.database import Database
from stillfit.store.schema import spending as _table


class Spendings:
    """Implements `collector.aws.spending.purse.Kept`. Sums are added to: several processes may write the same row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, month: str, source: str, usd: float) -> None:
        """Add to what a source has spent in a month; a negative sum takes back. Raises StoreError."""
        insert = (sqlite if self._database.is_sqlite else postgresql).insert(_table)
        statement = insert.values(month=month, source=source, usd=usd).on_conflict_do_update(
            index_elements=[_table.c.month, _table.c.source], set_={"usd": _table.c.usd + usd}
        )
        self._database.run(lambda connection: connection.execute(statement))

    def spent(self, month: str) -> Mapping[str, float]:
        """Dollars by source. Raises StoreError."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(_table.c.source, _table.c.usd).where(_table.c.month == month))
            return {row.source: row.usd for row in rows}
