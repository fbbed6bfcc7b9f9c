"""GetMetricData answers as series, keeping only what the answer vouches for. Pure.

StatusCode (GetMetricData API reference): Complete is all there is in the window; PartialData means that more was to
come; InternalError and Forbidden are failures of one query inside a good answer. A series is made of Complete data
only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.aws.failures import POLICY, GarbledError
from collector.aws.lane import Page
from collector.aws.planner import Request, Stretch
from collector.aws.queries import Ask, Slot
from stillfit.model import GapReason, Series

_Times = NDArray[np.int64]
_Values = NDArray[np.float64]
_Row = tuple[_Times, _Values]

_FAILURES = {
    "PartialData": (GapReason.PARTIAL, "CloudWatch sent only a part of the points", True),
    "InternalError": (GapReason.UNREACHABLE, "CloudWatch failed inside while reading this metric", True),
    "Forbidden": (
        GapReason.DENIED,
        f"CloudWatch refused it: grant cloudwatch:GetMetricData ({POLICY})",
        False,
    ),
    "": (GapReason.PARTIAL, "CloudWatch left this metric out of its answer", True),
}


@dataclass(frozen=True, slots=True)
class Missing:
    """An ask that got no complete answer."""

    ask: Ask
    stretch: Stretch
    reason: GapReason
    what_happened: str
    again: bool
    """Whether asking once more, by itself, may bring it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """What one request brought."""

    series: tuple[Series, ...]
    missing: tuple[Missing, ...]
    datapoints: int
    dropped: int


def decode(request: Request, pages: Sequence[Page]) -> Decoded:
    """All pages of a request as series. Raises GarbledError on answers without the promised shape."""
    results = [result for page in pages for result in page["MetricDataResults"]]
    try:
        rows, datapoints, dropped = _rows(results, request.stretch)
        states = {result["Id"]: result["StatusCode"] for result in results}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise GarbledError(f"a result that cannot be read: {error!r}") from error
    series: list[Series] = []
    missing: list[Missing] = []
    for ask in request.asks:
        state = next((s for slot in ask.slots if (s := states.get(slot.id, "")) != "Complete"), None)
        if state is None:
            series.extend(_series(ask, slot, request.stretch, rows[slot.id]) for slot in ask.slots)
        else:
            missing.append(Missing(ask, request.stretch, *_FAILURES.get(state, _FAILURES[""])))
    return Decoded(series=tuple(series), missing=tuple(missing), datapoints=datapoints, dropped=dropped)


def _series(ask: Ask, slot: Slot, stretch: Stretch, row: _Row) -> Series:
    return Series(
        subject=ask.subject,
        metric=slot.metric,
        statistic=slot.statistic,
        period_s=stretch.period_s,
        times=row[0],
        values=row[1],
        covered=(stretch.window,),
        dimension=ask.part,
    )


def _rows(results: Sequence[dict[str, Any]], stretch: Stretch) -> tuple[dict[str, _Row], int, int]:
    """Each id's times and values; how many points came, and how many were dropped because they cannot be true."""
    lengths = [len(result["Values"]) for result in results]
    if lengths != [len(result["Timestamps"]) for result in results]:
        raise ValueError("as many timestamps as values were expected")
    total = sum(lengths)
    times = _times([result["Timestamps"] for result in results], total)
    values = np.fromiter(chain.from_iterable(result["Values"] for result in results), np.float64, total)
    true = _true(times, values, stretch)
    rows: dict[str, _Row] = {}
    end = 0
    clean = bool(true.all()) and len({result["Id"] for result in results}) == len(results)
    tidy = clean and _ascending(times, lengths)
    for result, length in zip(results, lengths, strict=True):
        start, end = end, end + length
        row = (times[start:end], values[start:end])
        rows[result["Id"]] = row if tidy else _joined(rows.get(result["Id"]), row, true[start:end])
    return rows, total, int(total - true.sum())


def _true(times: _Times, values: _Values, stretch: Stretch) -> NDArray[np.bool_]:
    """Which points can be true: finite, not negative, inside the window and on a tick."""
    inside = (times >= stretch.window.start) & (times < stretch.window.end) & (times % stretch.period_s == 0)
    true: NDArray[np.bool_] = np.isfinite(values) & (values >= 0.0) & inside
    return true


def _ascending(times: _Times, lengths: Sequence[int]) -> bool:
    """Whether the times of each result rise; a step from one result to the next may go anywhere."""
    if len(times) < 2:
        return True
    rises = np.diff(times) > 0
    borders = np.cumsum(lengths)[:-1]
    rises[borders[(borders > 0) & (borders < len(times))] - 1] = True
    return bool(rises.all())


def _joined(before: _Row | None, row: _Row, true: NDArray[np.bool_]) -> _Row:
    """Sorted, each time once; of points that came twice the later one counts."""
    times, values = row[0][true], row[1][true]
    if before is not None:
        times, values = np.concatenate([before[0], times]), np.concatenate([before[1], values])
    unique, first = np.unique(times[::-1], return_index=True)
    return unique, values[::-1][first]


def _times(columns: Sequence[Sequence[Any]], total: int) -> _Times:
    """Seconds since the epoch. JSON and CBOR send numbers, the query protocol ISO texts."""
    first = next((column[0] for column in columns if column), 0)
    every: Iterator[Any] = chain.from_iterable(columns)
    if isinstance(first, (str, datetime)):
        every = (_seconds(one) for one in every)
    instants = np.fromiter(every, np.float64, total)
    if not np.isfinite(instants).all():
        raise ValueError("a timestamp that is no number")
    return instants.astype(np.int64)


def _seconds(instant: Any) -> float:
    when = instant if isinstance(instant, datetime) else datetime.fromisoformat(instant)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
