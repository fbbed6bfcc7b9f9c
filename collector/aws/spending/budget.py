"""One monthly budget over all sources that it pays for: each tells what it has to read and gets the common plan."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import structlog

from collector.aws.spending.month import TYPICAL, Month
from collector.aws.spending.plan import USUAL, Load, Plan, Rhythm, plan, slowest
from collector.aws.spending.printed import budget_lines, lines

log = structlog.get_logger(__name__)


class Budget:
    """Thread-safe: the regions of an account are read side by side."""

    def __init__(
        self, usd_a_month: float | None = None, rhythm: Rhythm = USUAL, month: Callable[[], Month] = lambda: TYPICAL
    ) -> None:
        """`usd_a_month` None: the freshest plan, whatever it costs. `month` tells what is spent of it already."""
        self.usd_a_month = usd_a_month
        self.rhythm = rhythm
        self._month = month
        self._loads: dict[str, Load] = {}
        self._plan = plan(Load(), usd_a_month, rhythm)
        self._lock = threading.Lock()

    @property
    def tick_s(self) -> int:
        return self.rhythm.tick_s

    @property
    def plan(self) -> Plan:
        """For all sources together, as last told."""
        with self._lock:
            return self._plan

    def share(self, source: str, load: Load) -> Plan:
        """What `source` has to read now; returns the plan by which all of them read.

        Raises StoreError where it cannot be known what is spent of the month.
        """
        month = self._month()
        with self._lock:
            self._loads[source] = load
            before, self._plan = self._plan, self._next(month)
            after = self._plan
        if after.rung != before.rung or after.is_within_budget != before.is_within_budget:
            _tell(before, after)
        return after

    def _next(self, month: Month) -> Plan:
        """Where nobody keeps what is spent of a month, no budget is used up: all is read, as slowly as can be."""
        load = sum(self._loads.values(), Load())
        after = plan(load, self.usd_a_month, self.rhythm, month=month, before=self._plan)
        if month.name or not after.wires_alone:
            return after
        return replace(after, cadences=slowest(load, self.rhythm).cadences, rung=after.rung - 1)


def _tell(before: Plan, after: Plan) -> None:
    """The cadence changed: nobody shall have to find that out."""
    what = {
        "usd_a_month": round(after.usd_a_month, 2),
        "budget_usd": after.budget_usd,
        "spent_usd": round(after.month.spent_usd, 2),
        "expected_usd": round(after.expected_usd, 2),
        "plan": [*lines(after), *budget_lines(after)],
    }
    if after.is_used_up:
        log.error("the budget of the month is used up, only tripwires of CloudWatch are read: raise it", **what)
    elif after.wires_alone:
        log.error("not enough is left of the budget if all hot tables refuse requests, only tripwires are read", **what)
    elif after.is_doubted:
        log.warning(
            "reading CloudWatch is as slow as can be until it is known which hot tables refuse requests", **what
        )
    elif not after.is_within_budget:
        log.error("even the slowest reading of CloudWatch is above the budget: raise it, or watch fewer tables", **what)
    elif after.late:
        log.error("reading CloudWatch is stretched beyond the freshness promise to keep to the budget", **what)
    elif after.rung > before.rung:
        log.warning("reading CloudWatch is stretched to keep to the budget", **what)
    else:
        log.info("reading CloudWatch is faster again", **what)
