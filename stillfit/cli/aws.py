"""`stillfit check --aws`: the first minute on an account, with nothing but a profile; its price is told before.

Standard output is the report; what it costs, the question and the progress go to standard error.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from analyzers import ANALYZERS
from collector.aws.connection import region_of
from collector.aws.failures import NoCredentialsFoundError
from collector.aws.source import open_source
from collector.aws.target import AwsTarget
from stillfit.cli.aws_terms import (
    asked_so_far,
    at_most,
    found_line,
    is_blind,
    permission_lines,
    price_lines,
    spent_line,
)
from stillfit.cli.check import tell, verdict
from stillfit.cli.consent import Consent, metrics_progress, say
from stillfit.cli.logs import quieten
from stillfit.cli.look import MINUTES, judged, passing_store, refused, take
from stillfit.cli.terminal import safe
from stillfit.clock import Clock, SystemClock
from stillfit.config import Aws
from stillfit.errors import SourceError, UsageError
from stillfit.model import Batch, Level
from stillfit.sources import Opened, SigningIn
from stillfit.store.store import Store

LOOK_BACK = timedelta(days=15)
"""A day more than the longest window that a first look can fill, two weeks, so that its oldest day is whole."""
DOLLARS = 1.00
"""What may be spent where nobody can be asked (ours: some 100,000 metrics, the tables of a large account)."""
TARGET = 4
TICK_S = 0.2
DEMAND = frozenset({"read_throttle_events", "write_throttle_events"})
DAYS_OF = DEMAND.union(*(one.needs | one.wants for one in ANALYZERS if one.hourly or one.history))
"""What is read for two weeks: what a detector judges by the week, and the refusals that belong to demand (costs)."""
NO_CREDENTIALS = """\
{error}
  1. sign in: `aws sso login --profile NAME`, then `stillfit check --aws --profile NAME`
  2. or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN)
  3. or run it on a machine whose role has the policy that `stillfit iam-policy` prints
No account at hand? Try `stillfit demo`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsLook:
    """The options of the command."""

    profile: str | None = None
    regions: tuple[str, ...] = ()
    yes: bool = False
    max_dollars: float | None = None
    as_json: bool = False
    fail_on: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """One region after its tables were listed, before a metric was paid for."""

    source: SigningIn
    rest: Iterator[Batch]
    at: datetime
    first: tuple[Batch, ...] = ()
    error: SourceError | None = None


def run_check_aws(wanted: AwsLook, clock: Clock | None = None) -> int:
    """Look once and judge. Raises UsageError where it may not spend, SourceError where no region answers."""
    quieten()
    clock = clock or SystemClock()
    regions, told = _regions(wanted)
    sources = [_source(wanted.profile, region, clock) for region in regions]
    say(f"looking at {told}")
    with ThreadPoolExecutor(len(sources), "stillfit-check") as pool:
        try:
            return _looked(wanted, sources, pool, clock)
        except NoCredentialsFoundError as error:
            say(NO_CREDENTIALS.format(error=error))
            return TARGET
        finally:
            for source in sources:
                source.close()


def print_line(line: str) -> None:
    """At the end of the report."""
    sys.stdout.write(f"{line}\n")


def _regions(wanted: AwsLook) -> tuple[tuple[str, ...], str]:
    """The regions to look at, and how that was decided."""
    whose = f"profile {safe(wanted.profile)}" if wanted.profile else "the credentials found"
    if wanted.regions:
        return tuple(dict.fromkeys(wanted.regions)), f"{', '.join(map(safe, wanted.regions))} with {whose}"
    try:
        region = region_of(wanted.profile)
    except NoCredentialsFoundError:
        region = "us-east-1"  # the profile is not there: signing in says so, with what to do
    if region is None:
        raise UsageError(
            "check --aws: no region is set: give --region (again for more), set AWS_REGION, or a region in the profile"
        )
    return (region,), f"{safe(region)} (the region of {whose}; --region names others)"


def _source(profile: str | None, region: str, clock: Clock) -> SigningIn:
    target = AwsTarget(
        region=region,
        profile=profile,
        first_look=LOOK_BACK,
        first_minutes=MINUTES,
        first_period=timedelta(hours=1),
        first_days_of=DAYS_OF,
    )
    return SigningIn(Aws(regions=(region,), profile=profile), region, lambda: open_source(target, clock))


def _looked(wanted: AwsLook, sources: Sequence[SigningIn], pool: ThreadPoolExecutor, clock: Clock) -> int:
    began, now = time.monotonic(), clock.now()
    begun = list(pool.map(lambda source: _begin(source, now), sources))
    errors = [one.error for one in begun if one.error]
    if len(errors) == len(begun):
        raise errors[0]
    opened = [one.source.source for one in begun if one.source.source]
    _consent(wanted, begun, opened)
    with passing_store(clock) as store:
        errors += _read(begun, opened, pool, store)
        outcome, gaps = judged(store, sources, clock)
    tell(outcome, gaps, as_json=wanted.as_json)
    for line in permission_lines(gaps):
        (say if wanted.as_json else print_line)(line)
    say(spent_line([one.bill for one in opened], time.monotonic() - began))
    return verdict(outcome, wanted.fail_on) or (TARGET if errors or is_blind(gaps) else 0)


def _begin(source: SigningIn, now: datetime) -> _Begun:
    """Sign in and find the tables: the first batch is there before anything is paid for."""
    rest = source.collect(None, now)
    try:
        return _Begun(source=source, rest=rest, at=now, first=tuple(islice(rest, 1)))
    except SourceError as error:
        return _Begun(source=source, rest=iter(()), at=now, error=error)


def _consent(wanted: AwsLook, begun: Sequence[_Begun], opened: Sequence[Opened]) -> None:
    """Tell the price and ask. Raises UsageError where it may not be spent."""
    seen = [subject for one in begun for batch in one.first for subject in batch.subjects_seen]
    tables = [subject for subject in seen if subject.level is Level.TABLE]
    prices = [one.price for one in opened]
    say(f"found {found_line(len(tables), len(seen) - len(tables), [table.scope[1] for table in tables])}")
    say(f"so far: {asked_so_far(sum((Counter(one.calls) for one in opened), Counter()))}")
    say(f"to read: {' '.join(price_lines(prices))}")
    consent = Consent(yes=wanted.yes, max_dollars=wanted.max_dollars, unasked=DOLLARS)
    consent.to_spend("check --aws", at_most(prices), refused="nothing was spent and nothing was judged")


def _read(
    begun: Sequence[_Begun], opened: Sequence[Opened], pool: ThreadPoolExecutor, store: Store
) -> list[SourceError]:
    """Read all regions side by side into the store; what failed of whole regions."""
    tasks = [pool.submit(_kept, one, store) for one in begun]
    with metrics_progress(sum(one.price.metrics for one in opened)) as tell_progress:
        left: set[Future[SourceError | None]] = set(tasks)
        while left:
            left = wait(left, timeout=TICK_S, return_when=FIRST_COMPLETED).not_done
            tell_progress(sum(one.bill.metrics for one in opened))
    return [error for task in tasks if (error := task.result()) is not None]


def _kept(one: _Begun, store: Store) -> SourceError | None:
    if one.error is not None:
        refused(one.source, one.error, store, one.at)
        return None  # counted when it began
    return take(one.source, chain(one.first, one.rest), store, one.at)
