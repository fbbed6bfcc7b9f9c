"""What holds for an account and region as a whole: limits, their use, and errors that belong to no table.

DescribeLimits tells the limits for nothing, once an hour; the metrics of the account are read rarely, because nothing
in them changes fast: the history of limits once a day, their use once an hour. What is provisioned is asked only where
anything is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from collector.aws.looks.agenda import Agenda
from collector.aws.looks.reading import Planned
from collector.aws.metrics.operations import EVERY_S as LISTED_EVERY_S
from collector.aws.metrics.planner import DAY, HOUR
from collector.aws.metrics.specs import ACCOUNT_LIMITS, ACCOUNT_PROVISIONED, TABLE_COUNT, Spec
from collector.aws.settings.inventory import Member
from collector.aws.spending.meter import billed
from collector.aws.spending.plan import Plan
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import GarbledError, amiss, failure
from collector.aws.wire.listing import DENIED_AGAIN_S, EVERY_S
from collector.aws.wire.quotas import Quotas
from stillfit.errors import SourceError
from stillfit.model import Attributes, Gap, Series, Span, Subject

LIMITS: Mapping[str, str] = {
    "account_max_read_units": "AccountMaxReadCapacityUnits",
    "account_max_write_units": "AccountMaxWriteCapacityUnits",
    "table_max_read_units": "TableMaxReadCapacityUnits",
    "table_max_write_units": "TableMaxWriteCapacityUnits",
}
CALLS = "cloudwatch_calls_per_second"


class Account:
    """Of one source. Used by one thread."""

    def __init__(self, connection: Connection, quotas: Quotas, scope: Subject, source: str) -> None:
        self._connection = connection
        self._quotas = quotas
        self._scope = scope
        self._source = source
        self._due = float("-inf")
        self._limits: dict[str, float] = {}
        self._error: SourceError | None = None

    def look(self, now: float) -> None:
        """Read limits and quotas where it is time. `now` is monotonic seconds."""
        self._quotas.look(now, self._source)
        if now < self._due:
            return
        try:
            self._limits, self._error = self._read(), None
            self._due = now + EVERY_S
        except SourceError as error:
            self._error, self._due = error, now + DENIED_AGAIN_S

    def attributes(self, at: datetime) -> Attributes:
        """What is known; a Gap tells what is not, or not as new as it should be."""
        calls = self._quotas.calls_per_s
        return Attributes.of(self._scope, at, {**self._limits, **({CALLS: calls} if calls else {})})

    def gaps(self) -> Iterator[Gap]:
        errors = {**dict.fromkeys(LIMITS, self._error), CALLS: self._quotas.error}
        for name, error in errors.items():
            if error is not None:
                yield Gap(
                    subject=self._scope, missing=name, reason=error.reason, detail=str(error), source=self._source
                )

    def due(self, agenda: Agenda, members: Iterable[Member], plan: Plan) -> Iterator[Planned]:
        """What of the account's metrics is to be read now; nothing where the plan is tripwires alone."""
        if plan.wires_alone:
            return
        for spec, every_s in _asked(members):
            yield from agenda.due_of(self._scope, spec, every_s)
        yield from agenda.due_named(self._scope, LISTED_EVERY_S)

    def quiet(self, agenda: Agenda, window: Span) -> Iterator[Series]:
        """What the account is known to have had none of."""
        return agenda.known.quiet(self._scope, window) if agenda.known else iter(())

    def _read(self) -> dict[str, float]:
        answer = self._connection.call(
            "dynamodb", "DescribeLimits", self._source, expect=LIMITS["table_max_read_units"]
        )
        try:
            return {name: float(answer[key]) for name, key in LIMITS.items()}
        except (KeyError, TypeError, ValueError) as error:
            garbled = GarbledError(f"limits that cannot be read: {amiss(error)}")
            raise failure(garbled, action="dynamodb:DescribeLimits", about=self._source) from error


def metrics_an_hour(members: Iterable[Member]) -> float:
    """Billed metrics that the account and region takes, whatever happens there."""
    return sum(billed(len(spec.brings)) * HOUR / every_s for spec, every_s in _asked(members))


def _asked(members: Iterable[Member]) -> Iterator[tuple[Spec, int]]:
    members = tuple(members)
    if not members:
        return
    yield from ((spec, DAY) for spec in ACCOUNT_LIMITS)
    yield TABLE_COUNT, HOUR
    if any(member.provisioned for member in members):
        yield from ((spec, HOUR) for spec in ACCOUNT_PROVISIONED)
