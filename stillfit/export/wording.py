"""Numbers, times and money as a person reads them on the page."""

from __future__ import annotations

from datetime import datetime, timedelta

from stillfit.model import Evidence, Money

MINUTE, HOUR, DAY = 60, 3_600, 86_400
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
UNKNOWN = "not known"
_KINDS = ("table ", "index ", "keyspace ", "cluster ", "")


def number(value: float, unit: str = "") -> str:
    """About three digits: 0.031, 12.4, 1,234; bytes in powers of 1024, ratios in percent, dollars with cents."""
    if unit == "bytes":
        return size(value)
    if unit == "ratio":
        return f"{value:.1%}"
    if unit == "USD":
        return dollars(value)
    return f"{plain(value)} {unit}".rstrip()


def plain(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:.2g}"


def size(value: float) -> str:
    for unit in _BYTES:
        if abs(value) < 1024 or unit == _BYTES[-1]:
            return f"{plain(value)} {unit}"
        value /= 1024
    raise AssertionError("the last unit takes all")


def dollars(amount: float) -> str:
    """$0.0042, $12.40, $1,240: cents only where they are worth reading."""
    sign, amount = ("−" if amount < 0 else ""), abs(amount)
    if 0 < amount < 0.01:
        return f"{sign}${amount:.2g}"
    return f"{sign}${amount:,.0f}" if amount >= 1_000 else f"{sign}${amount:,.2f}"


def band(money: Money) -> str:
    """The interval behind a figure; empty where it is one number."""
    if dollars(money.low) == dollars(money.high):
        return ""
    return f"{dollars(money.low)} to {dollars(money.high)}"


def length(seconds: float) -> str:
    """A length of time in one unit: 42 s, 12 min, 3 h, 5 d."""
    for unit, name, least in ((DAY, "d", 2 * DAY), (HOUR, "h", 2 * HOUR), (MINUTE, "min", MINUTE)):
        if seconds >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{max(0.0, seconds):.0f} s"


def since(then: datetime, now: datetime) -> str:
    return length((now - then) / timedelta(seconds=1))


def ago(then: datetime, now: datetime) -> str:
    return "just now" if now - then < timedelta(seconds=5) else f"{since(then, now)} ago"


def moment(at: datetime, now: datetime) -> str:
    """A time of day, with the day where it is not today's."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def value_of(one: Evidence) -> str:
    """The number or text of evidence, with its interval where it has one."""
    if one.mid is None:
        return one.text or UNKNOWN
    mid = number(one.mid, one.unit)
    if one.low is None or one.high is None:
        return mid
    bare = one.unit if one.unit in {"bytes", "ratio", "USD"} else ""
    low, high = number(one.low, bare), number(one.high, bare)
    return mid if low == high else f"{mid} ({low} to {high})"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def of_it(reason: str, name: str) -> str:
    """A reason as all share it that have the same: "orders: how it is paid is not known" is that of any table.

    Only where a name stands in front or in quotation marks: a table may be called `not`.
    """
    if not name or name not in reason:
        return reason
    told = reason.removeprefix(f"{name}: ")
    for kind in _KINDS:
        told = told.replace(f'{kind}"{name}"', "it")
    return told
