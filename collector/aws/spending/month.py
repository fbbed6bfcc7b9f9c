"""The calendar month that AWS bills, and what of it is spent and left. Pure.

AWS bills by calendar months of UTC (AWS Billing User Guide), so a budget of a month begins anew on the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MONTH_S = 730 * 3_600
"""A typical month, by which what a plan costs is told (as AWS's own price pages count: 730 hours)."""


@dataclass(frozen=True, slots=True)
class Month:
    """`spent_usd` since it began, at most; `left_s` seconds to its end. As it stands: a typical one that begins."""

    name: str = ""
    """2026-11; empty for a typical one."""
    spent_usd: float = 0.0
    left_s: float = MONTH_S

    def expects(self, usd_a_month: float) -> float:
        """Dollars by its end, where the rest of it goes on at so many a typical month."""
        return self.spent_usd + usd_a_month * self.left_s / MONTH_S


TYPICAL = Month()


def month_name(at: datetime) -> str:
    """The month that a moment is billed in."""
    return f"{at.astimezone(UTC):%Y-%m}"


def month_at(at: datetime, spent_usd: float) -> Month:
    """The month of a moment, with what was spent in it before."""
    utc = at.astimezone(UTC)
    ends = datetime(utc.year + utc.month // 12, utc.month % 12 + 1, 1, tzinfo=UTC)
    return Month(month_name(utc), spent_usd, (ends - utc).total_seconds())
