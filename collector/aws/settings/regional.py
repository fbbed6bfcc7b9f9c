"""What one call tells of all tables of a region: Contributor Insights, backups and exports.

What cannot be read is told once, of the region, and stands for each of its tables; what was read before stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from typing import TypeVar

from collector.aws.settings.details import Backup, backups, contributor_insights
from collector.aws.settings.exports import Exports
from collector.aws.settings.tables import Description, Settings
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import amiss
from collector.aws.wire.listing import Listing, Question, Record
from collector.aws.wire.pool import Pool, Task
from stillfit.errors import SourceError
from stillfit.model import Subject

INSIGHTS = ("contributor_insights", "contributor_insights_status")
BACKUPS = ("backups", "newest_backup", "backups_bytes")

_INSIGHTS = Question(
    service="dynamodb",
    operation="ListContributorInsights",
    expect="ContributorInsightsSummaries",
    parameters={"MaxResults": 100},
)
_BACKUPS = Question(
    service="dynamodb",
    operation="ListBackups",
    expect="BackupSummaries",
    tokens=("LastEvaluatedBackupArn", "ExclusiveStartBackupArn"),
    parameters={"BackupType": "ALL"},  # by default only the user's own
    pages_a_look=50,  # at five a second: ten seconds
)
_Key = TypeVar("_Key", bound=Hashable)
_Row = TypeVar("_Row")


class Regional:
    """The lists of one account and region. One look at a time."""

    def __init__(self, connection: Connection, about: str, pool: Pool) -> None:
        self._insights = Listing(connection, _INSIGHTS, about)
        self._backups = Listing(connection, _BACKUPS, about)
        self._exports = Exports(connection, about)
        self._pool = pool
        self._by_subject: Mapping[tuple[str, str], list[Settings]] | None = None
        self._by_table: Mapping[str, list[Backup]] | None = None
        self._asked: tuple[Task[None], ...] = ()

    def begin(self, tables: Collection[str], now: float) -> None:
        """Read what it is time for. `now` is monotonic seconds."""
        self._asked = (
            self._pool.submit(self._look_at_insights, now),
            self._pool.submit(self._look_at_backups, now),
            self._pool.submit(self._exports.look, tables, now),
        )

    def finish(self) -> None:
        """Wait for the answers."""
        for task in self._asked:
            task.result()
        self._asked = ()

    def of_table(self, table: Subject, description: Description) -> Settings:
        """A table's own; a table that had the same name has left its backups and exports under another id."""
        table_id = description.get("TableId")
        backed_up = backups(self._by_table.get(table.table, ()), table_id) if self._by_table is not None else {}
        return self.of_subject(table) | backed_up | self._exports.settings(table.table, table_id)

    def of_subject(self, subject: Subject) -> Settings:
        """What is told of tables and indexes alike."""
        if self._by_subject is None:
            return {}
        told = self._by_subject.get((subject.table, subject.index))
        return told[-1] if told else contributor_insights({})

    def missing(self) -> Iterator[tuple[str, SourceError]]:
        """Each attribute that is not known of some tables, or not as new as it should be, and why."""
        for listing, attributes in ((self._insights, INSIGHTS), (self._backups, BACKUPS)):
            if listing.error:
                yield from ((name, listing.error) for name in attributes)
        yield from self._exports.missing()

    def _look_at_insights(self, now: float) -> None:
        if self._insights.look(now):
            found = _grouped(self._insights, _subject_named, contributor_insights)
            self._by_subject = self._by_subject if found is None else found

    def _look_at_backups(self, now: float) -> None:
        if self._backups.look(now):
            found = _grouped(self._backups, lambda one: str(one["TableName"]), Backup.of)
            self._by_table = self._by_table if found is None else found


def _grouped(
    listing: Listing, key: Callable[[Record], _Key], read: Callable[[Record], _Row]
) -> Mapping[_Key, list[_Row]] | None:
    """The rows by what they are about; None, and an error of the listing, where one cannot be read."""
    groups: defaultdict[_Key, list[_Row]] = defaultdict(list)
    try:
        for row in listing.rows or ():
            groups[key(row)].append(read(row))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        listing.error = listing.unreadable(f"a record that cannot be read: {amiss(error)}")
        return None
    return groups


def _subject_named(summary: Record) -> tuple[str, str]:
    return str(summary["TableName"]), str(summary.get("IndexName") or "")
