"""Which tables and indexes there are, and how they are set: ListTables, DescribeTable and three smaller calls.

ListTables is the inventory, never ListMetrics, which forgets what was silent for two weeks. It and DescribeTable are
asked in every cycle (they cost nothing); time to live, recovery and Contributor Insights once an hour. A table's
settings are given whole or not at all, because the store takes a setting that is missing for one that was removed: what
cannot be read now keeps its last known value, and what a permission withholds is left out and told as a Gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.aws import table_settings as shapes
from collector.aws.connection import Connection
from collector.aws.failures import GarbledError, failure
from collector.aws.instants import instant
from collector.aws.pool import Pool
from collector.aws.table_settings import Description, Settings
from collector.aws.target import AwsTarget
from stillfit.errors import SourceError
from stillfit.model import Gap, GapReason, Subject

DETAILS_EVERY_S = 3_600
"""How often the settings that hardly ever change are read (ours: three calls a table)."""
DENIED_AGAIN_S = 900
"""How soon a refused one is tried again: a grant takes effect within this time (ours)."""

_DETAILS: tuple[tuple[str, str, str, Callable[[Description], Settings]], ...] = (
    ("ttl_attribute", "DescribeTimeToLive", "TimeToLiveDescription", shapes.time_to_live),
    (
        "point_in_time_recovery",
        "DescribeContinuousBackups",
        "ContinuousBackupsDescription",
        shapes.point_in_time_recovery,
    ),
    ("contributor_insights", "DescribeContributorInsights", "ContributorInsightsStatus", shapes.contributor_insights),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A table with its indexes as last described. `settings` and `sizes` are by subject, the table first."""

    table: Subject
    description: Description
    settings: Mapping[Subject, Settings]
    sizes: tuple[tuple[Subject, str, float], ...]
    complete: bool = True
    """False while a setting is neither known nor known to be withheld: then nothing is said of the settings."""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return tuple(self.settings)

    @property
    def created(self) -> datetime | None:
        told = self.description.get("CreationDateTime")
        return None if told is None else instant(told)

    @property
    def provisioned(self) -> bool:
        return shapes.billing_mode(self.description) != shapes.ON_DEMAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One look at the inventory."""

    members: tuple[Member, ...]
    gaps: tuple[Gap, ...]
    whole: bool
    """Whether it names all there is: what is not in it no longer exists."""


@dataclass(slots=True)
class _Details:
    """What the smaller calls said of one table, and until when (monotonic seconds) that is good."""

    good_until: float = float("-inf")
    settings: Settings = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    complete: bool = True


class Inventory:
    """Reads the tables of one source; remembers what it read last. One cycle at a time."""

    def __init__(self, connection: Connection, target: AwsTarget, scope: Subject, pool: Pool) -> None:
        self._connection = connection
        self._target = target
        self._scope = scope
        self._source = f"aws/{'/'.join(scope.scope)}"
        self._pool = pool
        self._known: dict[str, Member] = {}
        self._details: dict[str, _Details] = {}

    def look(self, now: float) -> Found:
        """List and describe. `now` is monotonic seconds. Raises SourceError when the tables cannot be listed."""
        names = self._names()
        watched = [name for name in names if self._target.watches(name)]
        tasks = [self._pool.submit(self._described, name, now=now) for name in watched]
        looks = [task.result() for task in tasks]
        members = tuple(member for member, _ in looks if member is not None)
        self._known = {member.table.table: member for member in members}
        self._details = {name: details for name, details in self._details.items() if name in self._known}
        gaps = (*(gap for _, found in looks for gap in found), *self._left_out(names))
        return Found(members=members, gaps=gaps, whole=len(members) == len(watched))

    def _names(self) -> list[str]:
        pages = self._connection.pages(
            "dynamodb",
            "ListTables",
            self._source,
            expect="TableNames",
            tokens=("LastEvaluatedTableName", "ExclusiveStartTableName"),
        )
        return [name for page in pages for name in page]

    def _described(self, name: str, *, now: float) -> tuple[Member | None, tuple[Gap, ...]]:
        """One table as it is now, or as it was when it cannot be read now; None when it was never read."""
        subject = replace(self._scope, table=name)
        try:
            description = self._description(name)
            details = self._detailed(subject, now)
            return _member(subject, description, details), details.gaps
        except SourceError as error:
            return self._known.get(name), (self._gap(subject, "*", error),)

    def _description(self, name: str) -> Description:
        answer = self._connection.call("dynamodb", "DescribeTable", _named(name), expect="Table", TableName=name)
        description: Description = answer["Table"]
        return description

    def _detailed(self, table: Subject, now: float) -> _Details:
        details = self._details.setdefault(table.table, _Details())
        if now < details.good_until:
            return details
        settings, gaps, denied_only = dict(details.settings), list[Gap](), True
        for attribute, operation, expect, read in _DETAILS:
            try:
                settings |= read(self._detail(table.table, operation, expect))
            except SourceError as error:
                gaps.append(self._gap(table, attribute, error))
                denied_only = denied_only and error.reason is GapReason.DENIED
        complete = denied_only or all(attribute in settings for attribute, *_ in _DETAILS)
        wait = DETAILS_EVERY_S if not gaps else DENIED_AGAIN_S if denied_only else 0
        self._details[table.table] = _Details(now + wait, settings, tuple(gaps), complete)
        return self._details[table.table]

    def _detail(self, name: str, operation: str, expect: str) -> Description:
        return self._connection.call("dynamodb", operation, _named(name), expect=expect, TableName=name)

    def _left_out(self, names: Iterable[str]) -> Iterator[Gap]:
        for name in names:
            if not self._target.watches(name):
                yield Gap(
                    subject=replace(self._scope, table=name),
                    missing="*",
                    reason=GapReason.NOT_ASKED,
                    detail=f"{_named(name)} is left out by `include` and `exclude` of the configuration",
                    source=self._source,
                )

    def _gap(self, subject: Subject, missing: str, error: SourceError) -> Gap:
        return Gap(subject=subject, missing=missing, reason=error.reason, detail=str(error), source=self._source)


def _member(subject: Subject, table: Description, details: _Details) -> Member:
    """Raises SourceError where the description lacks what the service promises."""
    try:
        settings = {subject: shapes.table_settings(table, subject.scope[1]) | details.settings}
        counted = [(subject, *one) for one in shapes.sizes(table, "TableSizeBytes")]
        for index, described in shapes.indexes(subject, table):
            settings[index] = shapes.index_settings(table, described)
            counted += [(index, *one) for one in shapes.sizes(described, "IndexSizeBytes")]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        garbled = GarbledError(f"a description that cannot be read: {error!r}")
        raise failure(garbled, action="dynamodb:DescribeTable", about=_named(subject.table)) from error
    return Member(table=subject, description=table, settings=settings, sizes=tuple(counted), complete=details.complete)


def _named(table: str) -> str:
    return f'table "{table}"'
