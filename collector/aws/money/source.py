"""What one account is charged as a source: unit prices of its regions, what was billed, what commitments covered.

    source = BillingSource(access, BillingTarget(regions=("eu-west-1",), prices=reader))
    for batch in source.collect(since, until): ...

It is read every few minutes and mostly has nothing to ask: lists are read once a week, Cost Explorer once a day, files
when they have changed. What is missing is said again each time, because it still is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from collector.aws.money import bill_files
from collector.aws.money.bill_files import Bills, Stamp
from collector.aws.money.charges import Watch
from collector.aws.money.explorer import Explorer, Told, is_new_day
from collector.aws.money.fees import Fees
from collector.aws.money.prices import PriceReader, Shelf, Trouble
from collector.aws.wire.access import Access
from collector.aws.wire.limiter import StoppedError
from stillfit.costs.skus import SERVICES
from stillfit.model import Attributes, Batch, Engine, Gap, GapReason, Level, Series, Subject, Value

SETTLE_S = 0
"""Days have settled when they are told as final."""
HOMES = {"cn-": "cn-northwest-1", "us-gov-": "us-gov-west-1"}
"""Where prices and costs of a partition are asked; us-east-1 for all others (AWS General Reference, endpoints)."""
TRY_AGAIN = timedelta(hours=6)
"""When Cost Explorer is asked again after nothing at all could be read (ours: at most four tries a day)."""
SERIES_A_BATCH = 5_000
UNIT_PRICES = "unit_prices"
"""What a Gap on prices is on: no metric and no setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingTarget:
    """What to read of one account's money."""

    regions: tuple[str, ...]
    only_used: bool = False
    """Of these regions only those that have something: where all regions of an account are watched, most are empty."""
    engines: frozenset[Engine] = frozenset({Engine.DYNAMODB})
    lists: tuple[str, ...] = SERVICES
    """Services whose price lists are read, by service code."""
    existing: Callable[[], Iterable[Subject]] | None = None
    """Tells which tables there are; a bill speaks of deleted ones for two months."""
    cost_explorer: bool = False
    cost_tables: str = ""
    """How Cost Explorer tells tables apart: "", "resource" or "tag:NAME"."""
    cost_files: Path | None = None


class BillingSource:
    """Implements `collector.source.Source`."""

    settle_s = SETTLE_S
    lag_s = 0

    def __init__(self, access: Access, target: BillingTarget, reader: PriceReader, shelf: Shelf) -> None:
        self._access = access
        self._target = target
        self._reader = reader
        self._shelf = shelf
        self._account = access.target.account or ""
        self._regions: tuple[str, ...] = ()
        self._explorer: Explorer | None = None
        self._told: Told | None = None
        self._asked_at: datetime | None = None
        self._bills: Bills | None = None
        self._stamp: Stamp | None = None
        who = access.target.account or access.target.role_arn or access.target.profile or "default"
        self.id = f"aws/{who}/billing"
        access.open()

    @property
    def scope(self) -> Subject:
        """No place of tables: what fails here leaves them readable."""
        return Subject(engine=Engine.DYNAMODB, scope=(self._account, "billing"))

    @property
    def bill(self) -> Fees:
        """What asking has cost so far."""
        return Fees(self._explorer.requests, self._explorer.lost) if self._explorer else Fees()

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        """See Source. Raises SourceError when nobody can sign in."""
        self._access.connection.begin_cycle()
        try:
            self._account = self._access.account()
            self._regions = tuple(self._used())
            yield self._prices(until)
            yield from self._costs(since, until)
        except StoppedError:
            return

    def stop(self) -> None:
        self._reader.stop()
        self._access.stop()

    def close(self) -> None:
        self._access.close()

    def _used(self) -> Iterator[str]:
        """The regions of this cycle."""
        existing = tuple(self._target.existing()) if self._target.existing and self._target.only_used else ()
        used = {one.scope[1] for one in existing if one.scope[0] == self._account and one.level is not Level.SCOPE}
        return (one for one in self._target.regions if one in used or not self._target.only_used)

    def _prices(self, at: datetime) -> Batch:
        gaps = [
            self._gap(self._region(region), UNIT_PRICES, trouble.reason, trouble.sentence)
            for region in self._regions
            for trouble in _joined(self._reader.look(region, at, self._target.lists))
        ]
        settings = tuple(self._versions(at))
        return Batch(source=self.id, at=at, attributes=settings, gaps=tuple(gaps))

    def _versions(self, at: datetime) -> Iterator[Attributes]:
        """Which lists the prices of each region are from: a change is kept as history, like that of any setting."""
        for region in self._regions:
            versions, read_at = self._shelf.versions(region), self._shelf.fetched_at(region)
            told = tuple(f"{service} {version}" for service, version in sorted(versions.items()) if version)
            if told and read_at:
                values: dict[str, Value] = {"price_lists": told, "price_date": read_at.date().isoformat()}
                yield Attributes.of(self._region(region), at, values)

    def _costs(self, since: datetime | None, at: datetime) -> Iterator[Batch]:
        if not self._regions:
            return
        if self._target.cost_files is not None:
            yield from self._from_files(self._target.cost_files, at)
        if not self._target.cost_explorer:
            return
        fresh: Iterable[Series] = ()
        if self._is_time(since, at):
            self._asked_at = at
            explorer = self._explorer or Explorer(self._access.connection, self._account, self._target.cost_tables)
            self._explorer = explorer
            self._told = explorer.read(at, self._watch(), with_costs=self._target.cost_files is None)
            fresh = self._told.series
        yield from self._in_batches(fresh, at, tuple(self._cost_gaps()))

    def _cost_gaps(self) -> Iterator[Gap]:
        """One for each metric: two questions may have failed for the same."""
        by_metric: dict[str, list[Trouble]] = {}
        for missing, trouble in self._told.troubles if self._told else ():
            by_metric.setdefault(missing, []).append(trouble)
        for region in self._regions:
            for missing, troubles in by_metric.items():
                (joined,) = _joined(troubles)
                yield self._gap(self._region(region), missing, joined.reason, joined.sentence)

    def _watch(self) -> Watch:
        target = self._target
        existing = frozenset(target.existing()) if target.existing else None
        return Watch(account=self._account, regions=self._regions, engines=target.engines, existing=existing)

    def _is_time(self, since: datetime | None, at: datetime) -> bool:
        """Once a day; a process that was started anew sees by what it has stored whether that was done."""
        if self._asked_at is None:
            return is_new_day(since, at)
        failed = self._told is None or len(self._told.series) <= 1  # its own count of requests is always there
        return is_new_day(self._asked_at, at) or (failed and at - self._asked_at >= TRY_AGAIN)

    def _from_files(self, path: Path, at: datetime) -> Iterator[Batch]:
        stamp = bill_files.stamp(path)
        fresh: tuple[Series, ...] = ()
        if stamp != self._stamp:
            self._bills, self._stamp = bill_files.read(path, self._watch(), at), stamp
            fresh = self._bills.series
        sentences = list(_wrong_with(self._bills, path, is_empty=not stamp))
        gaps = (
            self._gap(self._region(region), "billed_usd", reason, "; ".join(sentences))
            for region in self._regions
            for reason in ([GapReason.PARTIAL if stamp else GapReason.NO_DATA] if sentences else [])
        )
        yield from self._in_batches(fresh, at, tuple(gaps))

    def _in_batches(self, series: Iterable[Series], at: datetime, gaps: tuple[Gap, ...]) -> Iterator[Batch]:
        every = tuple(series)
        for first in range(0, len(every), SERIES_A_BATCH):
            yield Batch(source=self.id, at=at, series=every[first : first + SERIES_A_BATCH])
        yield Batch(source=self.id, at=at, gaps=gaps)

    def _region(self, region: str) -> Subject:
        return Subject(engine=Engine.DYNAMODB, scope=(self._account, region))

    def _gap(self, subject: Subject, missing: str, reason: GapReason, detail: str) -> Gap:
        return Gap(subject=subject, missing=missing, reason=reason, detail=detail, source=self.id)


def home_of(region: str) -> str:
    """The region in which prices and costs of `region` are asked."""
    return next((home for prefix, home in HOMES.items() if region.startswith(prefix)), "us-east-1")


def _joined(troubles: Sequence[Trouble]) -> tuple[Trouble, ...]:
    """One for all: a Gap is known by what is missing."""
    if not troubles:
        return ()
    return (Trouble(troubles[0].reason, "; ".join(one.sentence for one in troubles)),)


def _wrong_with(bills: Bills | None, path: Path, *, is_empty: bool) -> Iterator[str]:
    if is_empty or bills is None:
        yield f"there is no csv or csv.gz at {path}: put an export of CUR or FOCUS there, or correct `cost_files`"
        return
    yield from (one.sentence for one in bills.reports if one.sentence)
    if bills.lost:
        yield f"{bills.lost} lines were beyond what is held of one bill"
