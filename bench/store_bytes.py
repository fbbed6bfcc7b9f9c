"""Bytes per stored sample, and samples per second in and out: chunks beside one row per sample, both on SQLite.

    python bench/store_bytes.py [--series 400] [--days 2]

Both sides get the same samples in the same run, in batches of twelve minutes as a collector writes them, through
SQLAlchemy; both read everything back, and what they read is compared. Counts: 30 % sparse counters, the rest integers
with a daily wave. The row side is laid out well: WITHOUT ROWID, keyed by series and time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sqlalchemy as sa
import structlog

from stillfit.clock import FakeClock
from stillfit.model import Batch, Engine, Series, Span, Statistic, Subject
from stillfit.store.store import Store

PERIOD_S, TICKS_AT_ONCE = 60, 12
START = int(FakeClock().now().timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    name: str
    written_per_s: float
    read_per_s: float
    bytes_per_sample: float
    total: float


def made(series: int, days: int) -> np.ndarray:
    """Values of [series, tick]; NaN where a sparse counter has published nothing."""
    rng = np.random.default_rng(1)
    ticks = days * 86400 // PERIOD_S
    wave = 300 * (1.2 + np.sin(2 * np.pi * np.arange(ticks) * PERIOD_S / 86400))
    values = rng.poisson(wave * rng.uniform(0.1, 3, (series, 1))).astype(float)
    sparse = slice(0, series * 3 // 10)
    values[sparse][rng.random(values[sparse].shape) < 0.9] = np.nan
    return values


def batches(values: np.ndarray) -> Iterator[Batch]:
    subjects = [Subject(engine=Engine.DYNAMODB, scope=("1", "eu"), table=f"table-{i}") for i in range(len(values))]
    for first in range(0, values.shape[1], TICKS_AT_ONCE):
        part = values[:, first : first + TICKS_AT_ONCE]
        begin = START + first * PERIOD_S
        times = begin + PERIOD_S * np.arange(part.shape[1])
        covered = (Span(begin, begin + PERIOD_S * part.shape[1]),)
        yield Batch(
            source="bench",
            at=FakeClock().now(),
            series=tuple(_series(one, times, row, covered) for one, row in zip(subjects, part, strict=True)),
        )


def _series(subject: Subject, times: np.ndarray, row: np.ndarray, covered: tuple[Span, ...]) -> Series:
    there = ~np.isnan(row)
    return Series(
        subject=subject,
        metric="consumed_read_units",
        statistic=Statistic.SUM,
        period_s=PERIOD_S,
        times=times[there],
        values=row[there],
        covered=covered,
    )


def chunks(folder: Path, values: np.ndarray) -> Result:
    with closing(Store.open(f"sqlite:///{folder}/chunks.db", clock=FakeClock())) as store:
        taken = _timed(lambda: _write_all(store, values))
        store.prune(FakeClock().now())
        whole = Span(START, START + values.shape[1] * PERIOD_S)
        found: list[Series] = []
        read = _timed(lambda: found.extend(store.series(whole)))
    total = float(sum(one.values.sum() for one in found))
    return _result("chunks", values, (taken, read), (folder / "chunks-history.db", total))


def _write_all(store: Store, values: np.ndarray) -> None:
    for batch in batches(values):
        store.write(batch)


def rows(folder: Path, values: np.ndarray) -> Result:
    engine = sa.create_engine(f"sqlite:///{folder}/rows.db")
    table = sa.Table(
        "sample",
        sa.MetaData(),
        sa.Column("series", sa.Integer, primary_key=True),
        sa.Column("time", sa.Integer, primary_key=True),
        sa.Column("value", sa.Float),
        sqlite_with_rowid=False,
    )
    table.create(engine)

    def write() -> None:
        for batch in batches(values):
            points = [
                {"series": i, "time": at, "value": value}
                for i, one in enumerate(batch.series)
                for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
            ]
            with engine.begin() as connection:
                connection.execute(sa.insert(table), points)

    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
    taken = _timed(write)
    found: list[np.ndarray] = []
    with engine.connect() as connection:
        read = _timed(lambda: found.append(np.array(connection.execute(sa.select(table)).all())))
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return _result("rows", values, (taken, read), (folder / "rows.db", float(found[0][:, 2].sum())))


def _result(name: str, values: np.ndarray, seconds: tuple[float, float], kept: tuple[Path, float]) -> Result:
    samples = int((~np.isnan(values)).sum())
    file, total = kept
    return Result(
        name=name,
        written_per_s=samples / seconds[0],
        read_per_s=samples / seconds[1],
        bytes_per_sample=file.stat().st_size / samples,
        total=total,
    )


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--days", type=int, default=2)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    values = made(asked.series, asked.days)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = chunks(Path(folder), values), rows(Path(folder), values)
    if ours.total != theirs.total:
        raise SystemExit(f"the two sides read different samples: {ours.total} and {theirs.total}")
    print(f"{asked.series} series, {asked.days} days, {int((~np.isnan(values)).sum()):,} samples; per CPU second")
    for one in (ours, theirs):
        print(
            f"{one.name:>8}: {one.bytes_per_sample:6.2f} bytes/sample  "
            f"{one.written_per_s:12,.0f} written/s  {one.read_per_s:12,.0f} read/s"
        )
    smaller = theirs.bytes_per_sample / ours.bytes_per_sample
    written, read = ours.written_per_s / theirs.written_per_s, ours.read_per_s / theirs.read_per_s
    print(f"   ratio: {smaller:6.1f}x smaller  {written:18.1f}x written  {read:18.1f}x read")


if __name__ == "__main__":
    main()
