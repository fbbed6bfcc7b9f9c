"""What every source that reads the metrics of an account and region has in common: its bill, its pace, its end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from collector.aws.looks.farewell import Farewell
from collector.aws.looks.history import ENDS_AT, Backlog, backlog, datapoints, slice_of
from collector.aws.looks.progress import Progress
from collector.aws.looks.reading import Planned, Reading, shown
from collector.aws.looks.restart import Reach
from collector.aws.metrics.cloudwatch import MetricReader
from collector.aws.metrics.queries import Ask
from collector.aws.spending.budget import Budget
from collector.aws.spending.meter import Bill, Meter, Price
from collector.aws.spending.plan import SETTLE_S, Load, Plan
from collector.aws.wire.access import Access
from collector.aws.wire.limiter import StoppedError
from collector.aws.wire.pool import Pool
from stillfit.model import Batch, Gap, GapReason, Subject

log = structlog.get_logger(__name__)


class MeteredSource(ABC):
    """Implements `collector.source.Source`. One cycle at a time; `bill` and `pace` may be read by any thread."""

    settle_s = SETTLE_S

    def __init__(self, access: Access, scope: Subject, source_id: str, budget: Budget | None) -> None:
        """`budget` is shared by all sources that it pays for; None: one without a limit."""
        target = access.target
        self.id = source_id
        self.scope = scope
        self._access = access
        self._connection = access.connection
        self._meter = Meter(target.spending)
        self._progress = Progress(target.first_look, target.first_minutes, target.first_period, target.first_days_of)
        self._farewell = Farewell(self._progress)
        self._price = Price(metrics=0, more=0)
        self._budget = budget or Budget()
        self._began = float("-inf")
        self._backlog = Backlog(0, 0)
        access.open()

    @property
    def bill(self) -> Bill:
        """What looking has cost since the source was opened."""
        return self._meter.bill

    @property
    def price(self) -> Price:
        """What the cycle under way is about to cost; told with its first batch."""
        return self._price

    @property
    def plan(self) -> Plan:
        """What this source reads how often, and what that costs a month, by the cadences of the common budget."""
        return replace(self._budget.plan, load=self._to_read())

    @property
    def budget(self) -> Budget:
        return self._budget

    @property
    def backlog(self) -> Backlog:
        """What was owed of the past when the last look was over."""
        return self._backlog

    @property
    def lag_s(self) -> int:
        """As long as the rarest tripwires may be behind."""
        return self._budget.plan.lag_s

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls of everything but metric data since the account was signed in to, by action. Listings alone cost."""
        return self._connection.calls

    @property
    def pace(self) -> float:
        """Share of the full call rate in use: 1.0, less after CloudWatch complained."""
        return self._access.limiter.pace

    def resume(self, reach: Reach) -> None:
        """Go on where the store knows each series to, instead of some hours before the newest of all."""
        self._progress.reach = reach

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        """See Source. Raises SourceError when what there is cannot be listed; everything less is a Gap."""
        self._connection.begin_cycle()
        self._backlog = Backlog(0, 0)
        self._began = self._access.clock.monotonic()
        try:
            for batch in self._cycle(since, until):
                yield shown(batch, int(until.timestamp()))
        except StoppedError:
            return  # by close(): neither a failure nor a whole cycle

    def stop(self) -> None:
        """A cycle that is under way ends: its calls stop waiting for their turn, and no further one begins."""
        self._access.stop()
        self._stop()

    def close(self) -> None:
        """Ends a cycle that is under way as well."""
        self.stop()
        self._access.close()

    def _reads(self, pool: Pool, origin: Callable[[Ask], Ask], leads: Callable[[Ask], bool]) -> Reading:
        """How this source reads metrics; `origin` and `leads` are those of Reading."""
        reader = MetricReader(self._connection, self._access.limiter, self._meter, pool, self.id)
        return Reading(self.id, reader, self._progress, origin=origin, leads=leads)

    def _pasts(self, subjects: Container[Subject]) -> Iterator[list[Planned]]:
        """What of the past this look has time for, of what is there, in pieces; all of it where nobody looks again.

        Each is to be read before the next is asked for.
        """
        gone = set(self._farewell.subjects)
        self._progress.forget(lambda subject: subject not in subjects and subject not in gone)
        owed = self._backlog = backlog(self._progress)
        if self._budget.plan.wires_alone:  # it stays owed
            return
        most = float("inf") if self._access.target.once else datapoints(self.pace)
        left = len(self._progress.owed)
        while planned := slice_of(self._progress, most):
            yield planned
            before, left = left, len(self._progress.owed)
            if left >= before or not self._has_time():  # where nothing came, nothing will
                break
        self._backlog = backlog(self._progress, owed.seconds, self._access.clock.now(), self._budget.tick_s)
        if left and not self._access.target.once:
            log.info("reading the past, the next looks go on", source=self.id, metrics=left)

    def _has_time(self) -> bool:
        """Whether this look may ask more of what may wait, and still ends in time for the next."""
        if self._access.target.once:
            return True
        return self._access.clock.monotonic() - self._began < self._budget.tick_s * ENDS_AT

    def _gap(self, subject: Subject, missing: str, reason: GapReason, detail: str) -> Gap:
        return Gap(subject=subject, missing=missing, reason=reason, detail=detail, source=self.id)

    @abstractmethod
    def _cycle(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        """One look, batch by batch."""

    @abstractmethod
    def _to_read(self) -> Load:
        """What there was to read in the last look."""

    @abstractmethod
    def _stop(self) -> None:
        """End the threads of one's own."""
