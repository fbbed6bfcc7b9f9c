"""From stored points to one statistic per period, as CloudWatch computes it.

Periods are counted from the rounded StartTime, not from multiples of the period (boto3 issue 3457, an answer by the
service team); a point belongs to the period its time falls in; a period without points is no datapoint.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillfit.standins.aws.calls import invalid, not_modelled
from stillfit.standins.aws.points import Floats, Points, Times

BASIC = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_TRIMMED = re.compile(r"IQM|(tm|wm|tc|ts)\d{1,2}(\.\d{1,10})?|(TM|WM|TC|TS|PR)\([^()]*:[^()]*\)", re.IGNORECASE)

MINUTE, HOUR, DAY = 60, 3_600, 86_400
# How long points can be read at which period (GetMetricData API reference): the coarser the period, the longer.
RETENTION_S = ((HOUR, 455 * DAY), (300, 63 * DAY), (MINUTE, 15 * DAY), (1, 3 * HOUR))


def check_statistic(statistic: str, where: str) -> None:
    if statistic in BASIC or _PERCENTILE.fullmatch(statistic):
        return
    if _TRIMMED.fullmatch(statistic):
        raise not_modelled(f"The statistic {statistic} of {where}")
    raise invalid(f"The value {statistic} for parameter {where} is not a valid statistic.")


def retained(points: Points, period: int, now: float) -> Points:
    """Without the points that CloudWatch no longer keeps at this period."""
    longest = next(seconds for step, seconds in RETENTION_S if period % step == 0)
    return points.between(now - longest, np.inf)


def rounded_start(start: float, now: float) -> int:
    """StartTime rounded down to the minute, to 5 minutes from 15 days on, to the hour from 63 days on."""
    age = now - start
    step = MINUTE if age < 15 * DAY else 300 if age <= 63 * DAY else HOUR
    return int(start // step * step)


def together(origins: list[Points]) -> Points:
    """One row from several units or origins of a metric: samples of the same time are added up, not overwritten."""
    if len(origins) == 1:
        return origins[0]
    filled = [points for points in origins if points.times.size]
    if len(filled) < 2:
        return filled[0] if filled else Points.none()
    times = np.concatenate([points.times for points in filled])
    order = np.argsort(times, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(times[order]) > 0))
    return Points(
        times=times[order][first],
        sum=np.add.reduceat(np.concatenate([points.sum for points in filled])[order], first),
        count=np.add.reduceat(np.concatenate([points.counts() for points in filled])[order], first),
        minimum=np.minimum.reduceat(np.concatenate([points.minima() for points in filled])[order], first),
        maximum=np.maximum.reduceat(np.concatenate([points.maxima() for points in filled])[order], first),
        period=filled[0].period,
    )


@dataclass(frozen=True, slots=True)
class Periods:
    """Points together with the period each falls in: `first` has the row where each period begins."""

    points: Points
    times: Times
    first: npt.NDArray[np.intp]

    @classmethod
    def of(cls, points: Points, start: int, period: int) -> "Periods":
        bins = (points.times - start) // period
        new = np.empty(bins.size, dtype=np.bool_)
        new[:1] = True
        np.not_equal(bins[1:], bins[:-1], out=new[1:])
        first = new.nonzero()[0]
        return cls(points, start + bins[first] * period, first)

    def statistic(self, name: str) -> tuple[Times, Floats]:
        if not self.times.size:
            return self.times, np.empty(0)
        if name in BASIC:
            return self.times, self._basic(name)
        return self._percentile(float(name[1:]))

    def _basic(self, name: str) -> Floats:
        match name:
            case "Sum":
                return np.add.reduceat(self.points.sum, self.first)
            case "SampleCount":
                return np.add.reduceat(self.points.counts(), self.first)
            case "Minimum":
                return np.minimum.reduceat(self.points.minima(), self.first)
            case "Maximum":
                return np.maximum.reduceat(self.points.maxima(), self.first)
        average: Floats = self._basic("Sum") / self._basic("SampleCount")
        return average

    def _percentile(self, share: float) -> tuple[Times, Floats]:
        """Over several points the mean weighted by samples: the distribution itself is not stored."""
        values = percentile_of_points(self.points, share)
        known = ~np.isnan(values)
        weights = np.add.reduceat(np.where(known, self.points.counts(), 0.0), self.first)
        totals = np.add.reduceat(np.where(known, values * self.points.counts(), 0.0), self.first)
        some = weights > 0
        return self.times[some], totals[some] / weights[some]


def percentile_of_points(points: Points, share: float) -> Floats:
    """Between the known percentiles linearly; NaN where nothing is known.

    Without percentiles CloudWatch can still answer when one sample was taken or Minimum equals Maximum
    (CloudWatch User Guide, "Percentiles"); so does this.
    """
    if share in points.percentiles:
        return points.percentiles[share]
    low, high = points.minima(), points.maxima()
    if not points.percentiles:
        return np.where(low == high, low, np.nan)
    known = {0.0: low, 100.0: high, **points.percentiles}
    below = max(q for q in known if q <= share)
    above = min(q for q in known if q >= share)
    weight = 0.0 if above == below else (share - below) / (above - below)
    return known[below] * (1 - weight) + known[above] * weight
