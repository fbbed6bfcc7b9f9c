"""`stillfit check --aws`: the first minute on an account, with nothing but a profile; its price is told before.

Standard output is the report; what it costs, the question and the progress go to standard error.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice

from analyzers import ANALYZERS
from collector.aws.spending.meter import Spending
from collector.aws.wire.failures import NoCredentialsFoundError
from collector.aws.wire.target import AwsTarget
from stillfit.cli.aws_terms import asked_so_far, at_most, is_blind, permission_lines, price_lines, spent_line
from stillfit.cli.check import tell, verdict
from stillfit.cli.consent import Consent, metrics_progress, say
from stillfit.cli.counted import counted
from stillfit.cli.fleet import Fleet, Wanted, entries_of, places, there_line
from stillfit.cli.fleet_document import fleet_out
from stillfit.cli.fleet_screen import Seen, is_dark, screen
from stillfit.cli.logs import quieten
from stillfit.cli.look import MINUTES, judged, passing_store, refused, take
from stillfit.cli.terminal import safe_lines, show, waiting
from stillfit.clock import Clock, SystemClock
from stillfit.configaws import Aws
from stillfit.errors import SourceError
from stillfit.model import Batch, Subject
from stillfit.money import price_source
from stillfit.prices import PriceShelf
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

    whose: Wanted
    yes: bool = False
    max_dollars: float | None = None
    as_json: bool = False
    everything: bool = False
    """Whether evidence and steps are printed beside the screen."""
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
    quieten(logging.CRITICAL)
    clock = clock or SystemClock()
    entries, told = entries_of(wanted.whose)
    tuned = partial(_tuned, Spending(_said(wanted).limit))
    say(f"looking at {told}")
    with counted(wanted.whose.config, entries, clock) as purses:
        fleet = Fleet(entries, clock, tuned, named=wanted.whose.config is not None, purses=purses)
        return _looked_at(wanted, fleet, clock)


def _looked_at(wanted: AwsLook, fleet: Fleet, clock: Clock) -> int:
    """Look, whatever becomes of it, and close the fleet."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(fleet.sources) + 1, "stillfit-check") as pool:
        try:
            return _looked(wanted, fleet, pool, clock)
        except NoCredentialsFoundError as error:
            say(NO_CREDENTIALS.format(error=error))
            return TARGET
        except KeyboardInterrupt:
            spent = spent_line((one.bill for one in fleet.opened), time.monotonic() - began)
            say(f"interrupted: {spent}; what was under way may be billed too")
            raise
        finally:
            fleet.close()


def print_line(line: str) -> None:
    """At the end of the report."""
    sys.stdout.write(f"{safe_lines(line)}\n")


def _said(wanted: AwsLook) -> Consent:
    return Consent(yes=wanted.yes, max_dollars=wanted.max_dollars, unasked=DOLLARS)


def _tuned(spending: Spending, target: AwsTarget) -> AwsTarget:
    """As one who looks only once reads a region."""
    return replace(
        target,
        first_look=LOOK_BACK,
        first_minutes=MINUTES,
        first_period=timedelta(hours=1),
        first_days_of=DAYS_OF,
        once=True,
        spending=spending,
    )


def _looked(wanted: AwsLook, fleet: Fleet, pool: ThreadPoolExecutor, clock: Clock) -> int:
    began, now = time.monotonic(), clock.now()
    with waiting("signing in and finding the tables, which is free ..."):
        begun = list(pool.map(lambda source: _begin(source, now), fleet.sources))
    errors = _unbegun(begun, fleet)
    for line in fleet.doubles:
        say(line)
    subjects = tuple(subject for one in begun for batch in one.first for subject in batch.subjects_seen)
    _consent(wanted, fleet, subjects)
    shelf = PriceShelf()
    with passing_store(clock) as store:
        entries = list(fleet.priced({subject.scope[1] for subject in subjects}))
        priced = pool.submit(_priced, entries, (shelf, store), clock)
        errors += (error for source, error in _read(begun, fleet.opened, pool, store) if fleet.is_needed(source))
        priced.result()
        with waiting("judging ..."):
            outcome, gaps = judged(store, fleet.sources, clock, shelf.book)
    seen = Seen(
        outcome=outcome,
        gaps=gaps,
        places=places((*(one.source.scope for one in begun if one.source.source), *subjects)),
        failed=_failed(begun, fleet),
        disabled=fleet.disabled,
        bills=tuple(one.bill for one in fleet.opened),
        plan=fleet.plan(),
        seconds=time.monotonic() - began,
    )
    _tell(wanted, seen)
    return verdict(outcome, wanted.fail_on) or (TARGET if errors or is_blind(gaps) or is_dark(seen) else 0)


def _unbegun(begun: Sequence[_Begun], fleet: Fleet) -> list[SourceError]:
    """Why needed looks could not begin. Raises the first of these where none could."""
    errors = [one.error for one in begun if one.error and fleet.is_needed(one.source)]
    read = [one for one in begun if one.error is None and fleet.is_needed(one.source) and not one.source.silent]
    if errors and not read:
        raise errors[0]
    return errors


def _failed(begun: Sequence[_Begun], fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """Accounts and regions where the look could not begin."""
    return tuple(dict.fromkeys(one.source.scope.scope for one in begun if one.error and fleet.is_needed(one.source)))


def _tell(wanted: AwsLook, seen: Seen) -> None:
    """One screen; with `--all` the whole report before it; as JSON the document alone."""
    if wanted.as_json:
        tell(seen.outcome, seen.gaps, as_json=True, fleet=fleet_out(seen))
        for line in permission_lines(seen.gaps):
            say(line)
        say(spent_line(seen.bills, seen.seconds))
        return
    if wanted.everything:
        tell(seen.outcome, seen.gaps, as_json=False)
    show(screen(seen))


def _begin(source: SigningIn, now: datetime) -> _Begun:
    """Sign in and find the tables: the first batch is there before anything is paid for."""
    rest = source.collect(None, now)
    try:
        return _Begun(source=source, rest=rest, at=now, first=tuple(islice(rest, 1)))
    except SourceError as error:
        return _Begun(source=source, rest=iter(()), at=now, error=error)


def _consent(wanted: AwsLook, fleet: Fleet, subjects: Sequence[Subject]) -> None:
    """Tell the price and ask. Raises UsageError where it may not be spent."""
    prices = [one.price for one in fleet.opened]
    say(f"found {there_line(places(subjects))}")
    say(f"so far: {asked_so_far(fleet.calls)}")
    say(f"to read: {' '.join(price_lines(prices))}")
    most = at_most(prices) + sum(one.bill.usd for one in fleet.opened)  # listings have been paid for
    _said(wanted).to_spend("check --aws", most, refused="nothing was spent and nothing was judged")


def _read(
    begun: Sequence[_Begun], opened: Sequence[Opened], pool: ThreadPoolExecutor, store: Store
) -> list[tuple[SigningIn, SourceError]]:
    """Read all regions side by side into the store; what failed of whole regions."""
    tasks = {pool.submit(_kept, one, store): one.source for one in begun}
    with metrics_progress(sum(one.price.metrics for one in opened)) as tell_progress:
        left: set[Future[SourceError | None]] = set(tasks)
        while left:
            left = wait(left, timeout=TICK_S, return_when=FIRST_COMPLETED).not_done
            tell_progress(sum(one.bill.metrics for one in opened))
    return [(source, error) for task, source in tasks.items() if (error := task.result()) is not None]


def _priced(entries: Iterable[Aws], kept: tuple[PriceShelf, Store], clock: Clock) -> None:
    """Read what DynamoDB costs in the regions where there is anything. It is free, and what fails leaves a Gap."""
    shelf, store = kept
    for entry in entries:
        with closing(price_source(entry, clock, shelf)) as source:
            take(source, source.collect(None, clock.now()), store, clock.now())


def _kept(one: _Begun, store: Store) -> SourceError | None:
    if one.error is not None:
        refused(one.source, one.error, store, one.at)
        return None  # counted when it began
    return take(one.source, chain(one.first, one.rest), store, one.at)
