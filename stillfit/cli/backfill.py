"""`stillfit backfill`: history of DynamoDB into the configured store; its price is told before, and it may be killed.

Standard output is the report; what it costs, the question and the progress go to standard error. The store is all that
a second run goes by: what is known there is not asked, and not paid, again.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from collector.aws.backfill.run import Backfill, Wish
from collector.aws.metrics.decode import Missing
from collector.aws.spending.meter import Spending
from collector.aws.spending.purse import Purse
from collector.aws.wire.access import Access, Places
from collector.aws.wire.failures import NoCredentialsFoundError
from collector.aws.wire.regions import ALL, NothingHereError, Regions
from collector.aws.wire.target import AwsTarget
from stillfit.cli.aws import NO_CREDENTIALS, TARGET, print_line
from stillfit.cli.aws_terms import found_line, permission_lines, spent_line
from stillfit.cli.backfill_terms import bound_lines, could_not_lines, price_lines, read_lines, unread_lines
from stillfit.cli.consent import Consent, metrics_progress, say
from stillfit.cli.counted import settle
from stillfit.cli.logs import quieten
from stillfit.clock import Clock, SystemClock
from stillfit.config import Config, Retention
from stillfit.configaws import Aws
from stillfit.configfile import load
from stillfit.errors import SourceError, StoreError, UsageError
from stillfit.purses import paying, purses_of
from stillfit.sources import Claims, regions_of, source_id, target
from stillfit.store.opening import is_sqlite
from stillfit.store.sqlite_files import InUseError
from stillfit.store.store import Store

DOLLARS = 1.00
"""What may be spent where nobody can be asked (ours: two weeks of some 5,000 tables)."""
TICK_S = 0.2
MOST_AT_ONCE = 16
"""Regions read side by side (ours: more than most accounts use)."""
BESIDE = """\
{error}
On SQLite one process writes at a time. Stop the daemon, backfill, start it again: it goes on where it stopped, and
reads what it missed. With a PostgreSQL store both run side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOptions:
    """The options of the command."""

    config: Path
    days: int
    minutes: bool = False
    table: str = "*"
    yes: bool = False
    max_dollars: float | None = None


def run_backfill(options: BackfillOptions, clock: Clock | None = None) -> int:
    """Read what the store lacks. Raises UsageError where it may not spend, StoreError where the store is held."""
    quieten()
    clock = clock or SystemClock()
    config = load(options.config)
    accounts = [one for one in config.aws if "dynamodb" in one.services]
    if not accounts:
        raise UsageError(f"backfill: {options.config} names no DynamoDB under `aws`: there is no history to read")
    for line in unread_lines(config.aws):
        say(line)
    with closing(_store(config, clock)) as store:
        claims, places, spending = Claims(), Places(), Spending(_said(options).limit)
        purses = purses_of(accounts, clock, store.spending)
        wish = _wish(options, config.retention)
        begun = [
            region
            for one, purse in zip(accounts, purses, strict=True)
            for region in _regions(one, claims, wish, store, partial(_access, spending, purse, places, clock))
        ]
        with ThreadPoolExecutor(min(len(begun), MOST_AT_ONCE), "stillfit-backfill") as pool:
            try:
                return _backfilled(options, begun, pool)
            finally:
                for region in begun:
                    region.close()
                settle(accounts, purses)


class _Region:
    """One account and region: a backfill, or why there is none."""

    def __init__(self, opened: Callable[[], Backfill], store: Store) -> None:
        self.error: SourceError | None = None
        self.backfill: Backfill | None = None
        self._open = opened
        self._store = store

    def look(self) -> None:
        """Sign in and find the tables; nothing is paid for."""
        try:
            self.backfill = self._open()
            self.backfill.look()
        except NothingHereError:
            pass  # a region that is not enabled, or that another entry reads
        except SourceError as error:
            self.error = error

    def read(self) -> None:
        """Store all that is missing, piece by piece."""
        if self.backfill is not None and self.error is None:
            for batch in self.backfill.batches():
                self._store.write(batch)

    def close(self) -> None:
        if self.backfill is not None:
            self.backfill.close()


def _wish(options: BackfillOptions, kept: Retention) -> Wish:
    """What is to be read, as far as the store will keep it; tells what is not."""
    for line in bound_lines(options.days, kept):
        say(line)
    return Wish(
        days=options.days,
        tables=options.table,
        minutes=options.minutes,
        minutes_kept_s=int(kept.minutes.total_seconds()),
        hours_kept_s=int(kept.hours.total_seconds()),
    )


def _said(options: BackfillOptions) -> Consent:
    return Consent(yes=options.yes, max_dollars=options.max_dollars, unasked=DOLLARS)


def _access(spending: Spending, purse: Purse, places: Places, clock: Clock, where: AwsTarget) -> Access:
    return Access(paying(replace(where, spending=spending), purse), clock, places=places)


def _regions(
    settings: Aws, claims: Claims, wish: Wish, store: Store, opened: Callable[[AwsTarget], Access]
) -> Iterator[_Region]:
    accesses = [opened(target(settings, region)) for region in regions_of(settings)]
    listed = Regions(accesses[0]) if settings.regions == (ALL,) else None
    for access in accesses:
        backfill = partial(Backfill, access, source_id(settings, access.target.region), store, wish)
        yield _Region(partial(_opened, settings, access, claims, listed, backfill), store)


def _opened(
    settings: Aws, access: Access, claims: Claims, listed: Regions | None, backfill: Callable[[], Backfill]
) -> Backfill:
    """Raises NothingHereError and SourceError."""
    if listed is not None:
        listed.admit(access)
    claims.claim(access.account(), access.target.region, "dynamodb", settings)
    return backfill()


def _store(config: Config, clock: Clock) -> Store:
    """The only one on SQLite, beside the daemon on PostgreSQL."""
    try:
        return Store.open(config.store, clock=clock, exclusive=is_sqlite(config.store))
    except InUseError as error:
        raise StoreError(BESIDE.format(error=error), retryable=False) from error


def _backfilled(options: BackfillOptions, begun: Sequence[_Region], pool: ThreadPoolExecutor) -> int:
    began = time.monotonic()
    list(pool.map(_Region.look, begun))
    errors = [one.error for one in begun if one.error is not None]
    looked = [one.backfill for one in begun if one.backfill is not None and one.error is None]
    if not looked and errors:
        return _unseen(errors)
    if options.table != "*" and not errors and not any(one.members for one in looked):
        raise UsageError(f"backfill: --table {options.table}: no table that the configuration watches has such a name")
    metrics = _consent(options, looked)
    _read(begun, looked, metrics, pool)
    _tell(looked, errors)
    say(spent_line([one.bill for one in looked], time.monotonic() - began))
    return TARGET if errors or any(one.missing or one.gaps for one in looked) else 0


def _unseen(errors: Sequence[SourceError]) -> int:
    missing = next((error for error in errors if isinstance(error, NoCredentialsFoundError)), None)
    if missing is None:
        raise errors[0]
    say(NO_CREDENTIALS.format(error=missing))
    return TARGET


def _consent(options: BackfillOptions, looked: Sequence[Backfill]) -> int:
    """Tell the price and ask; how many metrics it is at most. Raises UsageError where it may not be spent."""
    subjects = [subject for one in looked for member in one.members for subject in member.subjects]
    tables = [subject for subject in subjects if not subject.index]
    say(f"found {found_line(len(tables), len(subjects) - len(tables), [table.scope[1] for table in tables])}")
    estimates = [one.estimate() for one in looked]
    for line in price_lines(estimates):
        say(line)
    most = sum(one.usd_at_most for one in estimates) + sum(one.bill.usd for one in looked)  # listings: paid for
    _said(options).to_spend("backfill", most, refused="nothing was spent or read")
    return sum(one.fives.metrics + one.minutes.metrics for one in estimates)


def _read(begun: Sequence[_Region], looked: Sequence[Backfill], metrics: int, pool: ThreadPoolExecutor) -> None:
    """Read all regions side by side. A KeyboardInterrupt ends them; what was stored stays."""
    tasks = [pool.submit(one.read) for one in begun]
    try:
        with metrics_progress(metrics) as tell_progress:
            left: set[Future[None]] = set(tasks)
            while left:
                left = wait(left, timeout=TICK_S, return_when=FIRST_COMPLETED).not_done
                tell_progress(sum(one.bill.metrics for one in looked))
    except KeyboardInterrupt:
        say("stopping: what was read is stored, the same command goes on from there")
        for one in looked:
            one.stop()
        raise
    for task in tasks:
        task.result()


def _tell(looked: Sequence[Backfill], errors: Sequence[SourceError]) -> None:
    for line in (*read_lines(looked), *map(str, errors), *_could_not(looked)):
        print_line(line)


def _could_not(looked: Sequence[Backfill]) -> Iterator[str]:
    missing: Counter[str] = Counter()
    where: defaultdict[str, set[str]] = defaultdict(set)
    for one in (one for each in looked for one in each.missing):
        missing[_why(one)] += 1
        where[_why(one)].add(one.ask.subject.name)
    yield from could_not_lines(missing, where)
    gaps = [gap for one in looked for gap in one.gaps]
    yield from permission_lines(gaps)
    yield from sorted({gap.detail for gap in gaps} - set(missing))


def _why(one: Missing) -> str:
    return one.what_happened
