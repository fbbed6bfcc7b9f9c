"""GetMetricData answers as series, keeping only what the answer vouches for. Pure.

StatusCode (GetMetricData API reference): Complete is all there is in the window; PartialData means that more was to
come; InternalError and Forbidden are failures of one query inside a good answer. A series is made of Complete data
only, and of none that has a point that cannot be true: without it, its minute would read as one in which nothing
happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.aws.metrics.planner import Request, Stretch
from collector.aws.metrics.queries import Ask
from collector.aws.wire.failures import POLICY, GarbledError, amiss
from collector.aws.wire.lane import Page
from stillfit.model import GapReason
from stillfit.sheets import Roster, Sheet, Sheets, Signal

_Times = NDArray[np.int64]
_Values = NDArray[np.float64]
_Row = tuple[_Times, _Values]

_PARTS = itemgetter("Id", "StatusCode", "Timestamps", "Values")
_NUMBERS = {int, float}
_FAILURES = {
    "PartialData": (GapReason.PARTIAL, "CloudWatch sent only a part of the points", True),
    "InternalError": (GapReason.UNREACHABLE, "CloudWatch failed inside while reading this metric", True),
    "Forbidden": (
        GapReason.DENIED,
        f"CloudWatch refused it: grant cloudwatch:GetMetricData ({POLICY})",
        False,
    ),
    "untrue": (GapReason.GARBLED, "CloudWatch sent values or times that cannot be true", True),
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
    whole: bool = False
    """Whether the request failed as a whole, as a rule unbilled; else this ask failed in an answer that was billed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """What one request brought."""

    series: Sheets
    missing: tuple[Missing, ...]
    datapoints: int
    dropped: int


@dataclass(frozen=True, slots=True, eq=False)
class _Flat:
    """The points of all results, one after the other as they came."""

    ids: list[str]
    states: list[str]
    lengths: list[int]
    times: _Times
    values: _Values
    true: NDArray[np.bool_]
    """Which points can be true."""


def roster_of(asks: tuple[Ask, ...], period_s: int) -> Roster:
    """The series that these asks bring at a period, in the order of their slots."""
    signals: dict[Signal, Signal] = {}
    each = (Signal(slot.metric, slot.statistic, ask.part) for ask in asks for slot in ask.slots)
    return Roster(
        period_s,
        tuple(ask.subject for ask in asks for _ in ask.slots),
        tuple(signals.setdefault(signal, signal) for signal in each),
    )


def decode(request: Request, pages: Sequence[Page], roster: Roster | None = None) -> Decoded:
    """All pages of a request as series. `roster` is that of the request, where it is known already.

    Raises GarbledError on answers without the promised shape.
    """
    roster = roster or roster_of(request.asks, request.stretch.period_s)
    try:
        results = [result for page in pages for result in page["MetricDataResults"]]
        sheet = _as_asked(request, roster, results)
        if sheet is not None:
            return Decoded(series=Sheets([sheet]), missing=(), datapoints=len(sheet.times), dropped=0)
        flat = _flat(results, request.stretch)
        is_foreign = not {*flat.ids} <= {*request.ids}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise GarbledError(f"a result that cannot be read: {amiss(error)}") from error
    if is_foreign:
        raise GarbledError("a result that cannot be read: it was not asked for, this answers another request")
    sheet, missing = _one_by_one(request, roster, flat)
    dropped = len(flat.true) - int(np.count_nonzero(flat.true))
    return Decoded(series=Sheets([sheet]), missing=missing, datapoints=len(flat.times), dropped=dropped)


def _as_asked(request: Request, roster: Roster, results: Sequence[dict[str, Any]]) -> Sheet | None:
    """The answer as a sheet where it is as nearly all are: whole, in the order of the request, without a doubt."""
    if not results:
        return None
    ids, states, columns, rows = zip(*map(_PARTS, results), strict=True)
    if [*ids] != request.ids or states.count("Complete") < len(states):
        return None
    lengths = list(map(len, rows))
    if lengths != list(map(len, columns)):
        return None
    times = _ticks(columns, lengths, request.stretch)
    values = _numbers(rows)
    if times is None or not (values.min(initial=0.0) >= 0.0 and values.max(initial=0.0) < np.inf):
        return None
    return _sheet(request, roster, lengths, times, values)


def _ticks(columns: Sequence[Sequence[Any]], lengths: Sequence[int], stretch: Stretch) -> _Times | None:
    """The times of all columns where each is every tick of the window, or some of them in their order; else None."""
    every = range(stretch.window.start, stretch.window.end, stretch.period_s)
    ticks = [float(tick) for tick in every]  # doubles, as the service writes them: two types compare slowly
    whole = [column == ticks for column in columns]
    others = [column for column, is_whole in zip(columns, whole, strict=True) if not is_whole and column]
    if not others:
        return np.tile(np.array(every, np.int64), sum(whole))
    if not all(type(column[0]) in _NUMBERS for column in others):
        return None  # the query protocol writes texts
    some = np.fromiter(chain.from_iterable(others), np.float64, sum(map(len, others)))
    if not (_inside(some, stretch).all() and _ascending(some, [len(column) for column in others])):
        return None
    times = np.empty(sum(lengths), np.int64)
    of_whole = np.repeat(whole, lengths)
    times[of_whole] = np.tile(np.array(every, np.int64), sum(whole))
    times[~of_whole] = some
    return times


def _one_by_one(request: Request, roster: Roster, flat: _Flat) -> tuple[Sheet, tuple[Missing, ...]]:
    """Any other answer: results in any order, twice, in pieces, left out, not complete."""
    rows = _rows(flat)
    states = dict(zip(flat.ids, flat.states, strict=True)) | dict.fromkeys(_untrue(flat), "untrue")
    ids = request.ids
    kept: list[int] = []
    missing: list[Missing] = []
    end = 0
    for ask in request.asks:
        start, end = end, end + len(ask.slots)
        state = next((s for id_ in ids[start:end] if (s := states.get(id_, "")) != "Complete"), None)
        if state is None:
            kept += range(start, end)
        else:
            missing.append(Missing(ask, request.stretch, *_FAILURES.get(state, _FAILURES[""])))
    found = [rows[ids[row]] for row in kept]
    times = np.concatenate([np.empty(0, np.int64), *(row[0] for row in found)])
    values = np.concatenate([np.empty(0), *(row[1] for row in found)])
    return _sheet(request, _some(roster, kept), [len(row[0]) for row in found], times, values), tuple(missing)


def _some(roster: Roster, kept: Sequence[int]) -> Roster:
    if len(kept) == len(roster):
        return roster
    subjects = tuple(roster.subjects[row] for row in kept)
    return Roster(roster.period_s, subjects, tuple(roster.signals[row] for row in kept))


def _sheet(request: Request, roster: Roster, lengths: Sequence[int], times: _Times, values: _Values) -> Sheet:
    borders = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=borders[1:])
    return Sheet(roster, (request.stretch.window,), borders, times, values)


def _flat(results: Sequence[dict[str, Any]], stretch: Stretch) -> _Flat:
    lengths = [len(result["Values"]) for result in results]
    if lengths != [len(result["Timestamps"]) for result in results]:
        raise ValueError("as many timestamps as values were expected")
    total = sum(lengths)
    times = _times([result["Timestamps"] for result in results], total)
    values = _numbers([result["Values"] for result in results])
    ids, states = [result["Id"] for result in results], [result["StatusCode"] for result in results]
    if not {*map(type, ids), *map(type, states)} <= {str}:
        raise TypeError("Id and StatusCode were expected to be texts")
    return _Flat(ids, states, lengths, times, values, _true(times, values, stretch))


def _numbers(rows: Iterable[Sequence[Any]]) -> _Values:
    """All values one after the other; what is no number, a text or true, is not finite."""
    every = list(chain.from_iterable(rows))
    if not {*map(type, every)} <= _NUMBERS:
        every = [one if type(one) in _NUMBERS else np.nan for one in every]
    return np.array(every, np.float64)


def _untrue(flat: _Flat) -> Iterator[str]:
    """The ids of results with a point that cannot be true."""
    end = 0
    for id_, state, length in zip(flat.ids, flat.states, flat.lengths, strict=True):
        start, end = end, end + length
        if state == "Complete" and not flat.true[start:end].all():
            yield id_


def _rows(flat: _Flat) -> dict[str, _Row]:
    """Each id's times and values, of all its results together."""
    rows: dict[str, _Row] = {}
    end = 0
    for id_, length in zip(flat.ids, flat.lengths, strict=True):
        start, end = end, end + length
        row = (flat.times[start:end], flat.values[start:end])
        rows[id_] = _joined(rows.get(id_), row, flat.true[start:end])
    return rows


def _true(times: _Times, values: _Values, stretch: Stretch) -> NDArray[np.bool_]:
    """Which points can be true: finite, not negative, inside the window and on a tick."""
    return np.isfinite(values) & (values >= 0.0) & _inside(times, stretch)


def _inside(times: _Times | _Values, stretch: Stretch) -> NDArray[np.bool_]:
    on_tick: NDArray[np.bool_] = times % stretch.period_s == 0
    return (times >= stretch.window.start) & (times < stretch.window.end) & on_tick


def _ascending(times: _Times | _Values, lengths: Sequence[int]) -> bool:
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
    if columns and columns.count(columns[0]) == len(columns) > 1:  # dense metrics: each has the same ticks
        return np.tile(_times(columns[:1], len(columns[0])), len(columns))
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
