"""Which tables and indexes there are, and how they are set.

ListTables is the inventory, never ListMetrics, which forgets what was silent for two weeks. It and DescribeTable are
asked in every look (they cost nothing); what hardly ever changes is read once an hour, for a whole region where one
call tells all (`regional`, `tags`), else table by table (`rounds`). What cannot be read now keeps its last known value
and is told as a Gap; only what a Gap names may be missing, since the store takes any other setting that is missing for
one that was removed. A table is gone when two looks in a row neither list nor find it; one that is listed is there,
whether it may be described or not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.aws.settings import details
from collector.aws.settings import tables as shapes
from collector.aws.settings.keys import Keys
from collector.aws.settings.regional import Regional
from collector.aws.settings.rounds import Detail, Rounds
from collector.aws.settings.tables import Description, Settings
from collector.aws.settings.tags import ATTRIBUTE as TAGS
from collector.aws.settings.tags import Tags
from collector.aws.spending.meter import Meter
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import GarbledError, GoneError, amiss, failure
from collector.aws.wire.instants import instant
from collector.aws.wire.pool import Pool, Task
from collector.aws.wire.target import AwsTarget
from stillfit.errors import SourceError
from stillfit.model import Gap, GapReason, Subject

_Read = Callable[[Description], Settings]
_CALLS: tuple[tuple[str, str, tuple[str, ...], _Read], ...] = (
    ("DescribeTimeToLive", "TimeToLiveDescription", ("ttl_attribute", "ttl_status"), details.time_to_live),
    (
        "DescribeContinuousBackups",
        "ContinuousBackupsDescription",
        ("point_in_time_recovery", "recovery_period_days"),
        details.point_in_time_recovery,
    ),
    (
        "DescribeKinesisStreamingDestination",
        "KinesisDataStreamDestinations",
        ("kinesis_destinations",),
        details.kinesis,
    ),
)

SLOW_WORKERS = 4
"""Threads for calls that may be made ten times a second (ours: two would do, were each answered at once)."""
NEVER = float("-inf")
TAG_LISTING = "tag_listing"
"""What a Gap calls the one call that tells of all tags: without it each table is asked, and nothing else is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A table with its indexes as last described. `settings` and `sizes` are by subject, the table first."""

    table: Subject
    description: Description
    settings: Mapping[Subject, Settings]
    sizes: tuple[tuple[Subject, str, float], ...]

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
    """Whether it names all there is: what is neither in it nor undescribed no longer exists."""
    undescribed: tuple[Subject, ...] = ()
    """Tables that are there, and of which this look and those before could not tell more."""


@dataclass(slots=True)
class _Look:
    """What one look has found so far: the tables listed, their descriptions, and why one is missing or not new."""

    names: dict[str, None]
    """In the order of the list."""
    now: float
    admitted: list[str] = field(default_factory=list)
    tagged: Task[None] | None = None
    described: dict[str, Description] = field(default_factory=dict)
    errors: dict[str, SourceError] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    undescribed: list[Subject] = field(default_factory=list)


class Inventory:
    """Reads the tables of one source; remembers what it read last. One look at a time."""

    def __init__(self, connection: Connection, target: AwsTarget, scope: Subject, pool: Pool, *, meter: Meter) -> None:
        """`meter` counts what is billed: the calls to KMS."""
        self._connection = connection
        self._target = target
        self._scope = scope
        self._source = f"aws/{'/'.join(scope.scope)}"
        self._pool = pool
        self._known: dict[str, Member] = {}
        self._described_at: dict[str, float] = {}
        self._missed: set[str] = set()
        self._was_empty = False
        self._tags = Tags(connection, self._source, pool)
        self._regional = Regional(connection, self._source, pool)
        self._slowly = Pool(SLOW_WORKERS, f"{self._source} details")  # whoever waits there holds up no metrics
        keys = Keys(connection, scope.scope[0], meter)
        self._rounds = Rounds((*_details(connection), keys.detail), self._slowly)
        self._look = _Look({}, 0.0)

    @property
    def known(self) -> tuple[Member, ...]:
        """The tables as they were found last."""
        return tuple(self._known.values())

    def look(self, now: float) -> Found:
        """List and describe. `now` is monotonic seconds. Raises SourceError when the tables cannot be listed."""
        self.listed(now)
        self.begin()
        return self.found()

    def listed(self, now: float) -> tuple[Subject, ...]:
        """Which tables there are. Returns those that are new and watched, as far as their names and tags tell.

        `now` is monotonic seconds. Raises SourceError when the tables cannot be listed.
        """
        look = self._look = _Look(self._names(), now)
        look.admitted = [name for name in look.names if self._target.watches(name)]
        if not look.admitted and not self._known:
            return ()
        self._regional.begin(frozenset(look.admitted), now)
        look.tagged = self._pool.submit(self._tags.look, look.names, now)
        if self._target.tags:
            look.tagged.result()
        fresh = (name for name in look.admitted if name not in self._known and self._chooses(name))
        return tuple(replace(self._scope, table=name) for name in fresh)

    def begin(self) -> tuple[Member, ...]:
        """Describe what was listed; what is slower is under way then. Returns the tables that are new."""
        look = self._look
        if look.tagged is None:
            return ()
        self._describe(look, look.admitted)
        if self._target.tags:
            self._tag_singly(look)
        self._rounds.begin({name: one for name, one in look.described.items() if self._chooses(name)}, look.now)
        fresh = {name: look.described[name] for name in look.described.keys() - self._known.keys()}
        passing = replace(look, gaps=[], undescribed=[])  # what is told of them is told when all is known
        return tuple(self._members(passing, {name: one for name, one in sorted(fresh.items()) if self._chooses(name)}))

    def found(self) -> Found:
        """All of the look that was begun, with its settings."""
        look = self._look
        if look.tagged is None:
            self._chosen(look)
            return Found(members=(), gaps=tuple(look.gaps), whole=self._believed(look.names))
        look.tagged.result()
        if not self._target.tags:
            self._tag_singly(look)
        watched = self._chosen(look)
        if not self._target.once:
            self._rounds.finish()
        self._regional.finish()
        members = tuple(self._members(look, watched))
        self._known = {member.table.table: member for member in members}
        look.gaps += self._region_gaps()
        return Found(
            members=members,
            gaps=tuple(look.gaps),
            whole=self._believed(look.names),
            undescribed=tuple(look.undescribed),
        )

    def details(self) -> Found:
        """What each table was asked for of its own, where that was left for last; the tables as they were looked at."""
        self._rounds.finish()
        gaps: list[Gap] = []
        for name, member in self._known.items():
            settings = {
                **member.settings,
                member.table: {**member.settings[member.table], **self._rounds.settings(name)},
            }
            self._known[name] = replace(member, settings=settings)
            gaps += (self._gap(member.table, missing, error) for missing, error in self._rounds.missing(name))
        return Found(members=tuple(self._known.values()), gaps=tuple(gaps), whole=False)

    def stop(self) -> None:
        """No further call of a look begins."""
        self._slowly.stop()

    def _names(self) -> dict[str, None]:
        pages = self._connection.pages(
            "dynamodb",
            "ListTables",
            self._source,
            expect="TableNames",
            tokens=("LastEvaluatedTableName", "ExclusiveStartTableName"),
        )
        return dict.fromkeys(name for page in pages for name in page)

    def _believed(self, names: Collection[str]) -> bool:
        """An account without any table is believed when it is seen for the second time."""
        believed = bool(names) or self._was_empty
        self._was_empty = not names
        return believed

    def _describe(self, look: _Look, admitted: Iterable[str]) -> None:
        """Describe what may be watched, and what was there but is not listed any more.

        Those that waited longest come first: where the service is too slow for all, each has its turn.
        """
        absent = self._known.keys() - look.names.keys()
        wanted = [name for name in admitted if self._chooses(name) is not False]
        self._described_at = {name: self._described_at.get(name, NEVER) for name in (*wanted, *sorted(absent))}
        by_age = sorted(self._described_at, key=self._described_at.__getitem__)
        for name, task in [(name, self._pool.submit(self._description, name)) for name in by_age]:
            try:
                look.described[name] = task.result()
                self._described_at[name] = look.now
            except SourceError as error:
                self._undescribed(look, name, error)
        look.described = {name: look.described[name] for name in self._described_at if name in look.described}
        self._missed = {name for name in absent if isinstance(look.errors.get(name), GoneError)}

    def _tag_singly(self, look: _Look) -> None:
        """Ask each table for its tags, where one call for all was refused."""
        self._tags.begin(look.described, look.now)
        self._tags.finish()

    def _undescribed(self, look: _Look, name: str, error: SourceError) -> None:
        """A table that cannot be described: as it was, or gone, or not known."""
        listed = name in look.names
        if not listed and isinstance(error, GoneError):
            if name in self._missed:
                return  # confirmed
            error = _unlisted(name)
        look.errors[name] = error
        if name in self._known:
            look.described[name] = self._known[name].description
        else:
            subject = replace(self._scope, table=name)
            look.undescribed.append(subject)
            look.gaps.append(self._gap(subject, "*", error))

    def _description(self, name: str) -> Description:
        answer = self._connection.call("dynamodb", "DescribeTable", _named(name), expect="Table", TableName=name)
        description: Description = answer["Table"]
        return description

    def _chooses(self, name: str) -> bool | None:
        """Whether tags choose a table; None where they are not known."""
        return self._tags.chosen(name, self._target.tags) if self._target.tags else True

    def _chosen(self, look: _Look) -> dict[str, Description]:
        """The described tables that are watched; each other one is told."""
        watched = {name: table for name, table in look.described.items() if self._chooses(name)}
        kept = set(look.admitted)
        for name in look.names:
            if name not in kept:
                look.gaps.append(self._left_out(name, "`include` and `exclude`"))
            elif self._chooses(name) is False:
                look.gaps.append(self._left_out(name, "`tags`"))
            elif self._chooses(name) is None:
                look.undescribed.append(replace(self._scope, table=name))
                look.gaps.append(self._undecided(name))
        return watched

    def _members(self, look: _Look, watched: Mapping[str, Description]) -> Iterator[Member]:
        """Each table as it is now, or as it was when it cannot be read now."""
        for name, description in watched.items():
            subject = replace(self._scope, table=name)
            try:
                if name in look.errors:
                    raise look.errors[name]
                member = self._member(subject, description)
            except SourceError as error:
                look.gaps.append(self._gap(subject, "*", error))
                if name in self._known:
                    yield self._known[name]
                else:
                    look.undescribed.append(subject)
                continue
            look.gaps += (self._gap(subject, missing, error) for missing, error in self._missing(name))
            yield member

    def _missing(self, name: str) -> Iterator[tuple[str, SourceError]]:
        """What is not known of one table, or not as new as it should be."""
        if not self._target.once:
            yield from self._rounds.missing(name)
        untagged = self._tags.missing(name) if self._tags.singly else None
        if untagged:
            yield TAGS, untagged

    def _member(self, subject: Subject, table: Description) -> Member:
        """Raises SourceError where the description lacks what the service promises."""
        name, tags = subject.table, self._tags.settings(subject.table)
        try:
            own = shapes.table_settings(table, subject.scope[1]) | self._rounds.settings(name) | tags
            settings = {subject: own | self._regional.of_table(subject, table)}
            counted = [(subject, *one) for one in shapes.sizes(table, "TableSizeBytes")]
            for index, described in shapes.indexes(subject, table):
                settings[index] = shapes.index_settings(table, described) | self._regional.of_subject(index)
                counted += [(index, *one) for one in shapes.sizes(described, "IndexSizeBytes")]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            garbled = GarbledError(f"a description that cannot be read: {amiss(error)}")
            raise failure(garbled, action="dynamodb:DescribeTable", about=_named(name)) from error
        return Member(table=subject, description=table, settings=settings, sizes=tuple(counted))

    def _region_gaps(self) -> Iterator[Gap]:
        """What is not known of any table, or not as new as it should be, once for all."""
        for missing, error in self._regional.missing():
            yield self._gap(self._scope, missing, error)
        if self._tags.listing_error:
            yield self._gap(self._scope, TAG_LISTING if self._tags.singly else TAGS, self._tags.listing_error)

    def _left_out(self, name: str, by: str) -> Gap:
        return Gap(
            subject=replace(self._scope, table=name),
            missing="*",
            reason=GapReason.NOT_ASKED,
            detail=f"{_named(name)} is left out by {by} of the configuration",
            source=self._source,
        )

    def _undecided(self, name: str) -> Gap:
        """A table of which it is not known whether it is to be watched."""
        error = self._tags.missing(name)
        why = error or "the list of them is still being read"
        return Gap(
            subject=replace(self._scope, table=name),
            missing="*",
            reason=error.reason if error else GapReason.PARTIAL,
            detail=f"{_named(name)} is not watched: `tags` of the configuration choose, its own are not known: {why}",
            source=self._source,
        )

    def _gap(self, subject: Subject, missing: str, error: SourceError) -> Gap:
        return Gap(subject=subject, missing=missing, reason=error.reason, detail=str(error), source=self._source)


def _details(connection: Connection) -> Iterator[Detail]:
    """The calls that each table needs of its own."""
    for operation, expect, attributes, read in _CALLS:
        yield Detail(
            attributes=attributes, action=f"dynamodb:{operation}", ask=_asking(connection, operation, expect, read)
        )


def _asking(connection: Connection, operation: str, expect: str, read: _Read) -> _Read:
    def ask(table: Description) -> Settings:
        name = table["TableName"]
        return read(connection.call("dynamodb", operation, _named(name), expect=expect, TableName=name))

    return ask


def _unlisted(name: str) -> SourceError:
    said = f"{_named(name)} is neither listed nor found any more: gone, when the next look says so too"
    return GoneError(said, reason=GapReason.NO_DATA, retryable=True)


def _named(table: str) -> str:
    return f'table "{table}"'
