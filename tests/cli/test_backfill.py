"""`stillfit backfill` against the stand-in: what it reads, what it costs, what it does not pay twice.

Time stands still, at ten in the morning and some minutes: what is read is cut at whole hours, so that it follows from
the minute of the hour which ones they are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillfit.model import Series, SeriesKey, Span, Statistic
from stillfit.standins.aws import DEFAULT_ACCOUNT, Fault, FaultKind, Metric, Points, World
from stillfit.store.store import Store
from tests.cli.cloud import DAY, REGION, put_table
from tests.cli.conftest import Outcome, Stillfit
from tests.fakes import StandingClock

HOUR = 3_600
TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)
CLOCK = StandingClock(TEN.replace(minute=38))
PROVISIONED: dict[str, Any] = {
    "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
    "BillingModeSummary": {},
}


class Year:
    """A point in every minute of the last days, by the hour of the day; older ones are there in longer points."""

    def __init__(self, world: World, metrics: dict[Metric, float]) -> None:
        self._world, self._metrics = world, metrics

    def metrics(self, start: float, end: float) -> Iterator[Metric]:
        yield from self._metrics if end > start else ()

    def points(self, metric: Metric, start: float, end: float) -> Points | None:
        if metric not in self._metrics or end <= start:
            return None
        age = self._world.now() - start
        period = 60 if age <= 15 * DAY else 300 if age <= 63 * DAY else HOUR
        times = np.arange(-(-int(start) // period) * period, int(end), period, dtype=np.int64)
        values = (self._metrics[metric] * period * (1.0 + times // HOUR % 24)).astype(np.float64)
        return Points(times=times, sum=values, count=np.full(len(times), period / 60), period=period)


def read(world: World, **metrics: float) -> None:
    """Units a second of a table, by name of the metric, as orders_ConsumedReadCapacityUnits."""
    named = {name.partition("_")[::2]: value / 24 for name, value in metrics.items()}
    world.provide(
        DEFAULT_ACCOUNT,
        REGION,
        Year(world, {Metric.dynamodb(name, TableName=table): value for (table, name), value in named.items()}),
    )


@pytest.fixture
def present(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> StandingClock:
    """The time of the command and of the simulated account; a parameter where a test is about the minute."""
    clock: StandingClock = getattr(request, "param", CLOCK)
    monkeypatch.setattr("stillfit.cli.backfill.SystemClock", lambda: clock)
    return clock


@pytest.fixture
def configured(config: Path) -> Path:
    config.write_text(f"{config.read_text()}aws:\n  - regions: [{REGION}]\n    services: [dynamodb]\n")
    return config


def filled(stillfit: Stillfit, config: Path, *more: object) -> Outcome:
    return stillfit("backfill", "--config", config, *more)


def stored(config: Path) -> dict[SeriesKey, Series]:
    url = f"sqlite:///{config.parent}/stillfit.db"
    with closing(Store.open(url, clock=CLOCK, exclusive=False, ballast_bytes=0)) as store:
        return {one.key: one for one in store.series(last_days())}


def last_days() -> Span:
    now = int(TEN.timestamp())
    return Span(now - 460 * DAY, now + HOUR)


def hours(start: int, end: int) -> Span:
    """Whole hours, counted from ten o'clock."""
    return Span(int(TEN.timestamp()) + start * HOUR, int(TEN.timestamp()) + end * HOUR)


def consumed(config: Path, table: str = "orders") -> dict[int, Series]:
    """By period."""
    found = stored(config)
    return {
        key.period_s: one
        for key, one in found.items()
        if (key.subject.name, key.metric, key.statistic) == (table, "consumed_read_units", Statistic.SUM)
    }


def test_history_is_read_as_finely_as_it_is_kept(stillfit: Stillfit, world: World, configured: Path) -> None:
    put_table(world, "carts")
    read(world, carts_ConsumedReadCapacityUnits=3)
    told = filled(stillfit, configured, "--days", 100, "--yes")
    series = consumed(configured, "carts")

    assert told.code == 0, told.err
    assert {period: one.covered for period, one in series.items()} == {
        300: (hours(-63 * 24 + 2, 0),),  # kept for 63 days: an hour less, that none is gone when it is asked for
        3_600: (hours(-100 * 24, -63 * 24 + 2),),
    }
    assert (series[300].values[:12].sum(), series[3_600].values[-24]) == pytest.approx(
        (series[300].values[288 * 7 : 288 * 7 + 12].sum(), series[300].values[:288].reshape(24, 12).sum(axis=1)[0])
    )


def test_minutes_are_read_of_tables_that_refused_requests(stillfit: Stillfit, world: World, configured: Path) -> None:
    put_table(world, "carts")
    read(world, orders_ConsumedReadCapacityUnits=3, carts_ConsumedReadCapacityUnits=3)
    told = filled(stillfit, configured, "--days", 20, "--yes")

    assert "by the minute: orders\n" in told.out  # its writes are refused
    assert sorted(consumed(configured)) == [60, 300]
    assert sorted(consumed(configured, "carts")) == [300]


@pytest.mark.parametrize(("rate", "periods"), [(7.9, [300]), (8.1, [60, 300])])
def test_minutes_are_read_of_tables_that_came_near_their_capacity(
    stillfit: Stillfit, world: World, configured: Path, rate: float, periods: list[int]
) -> None:
    put_table(world, "carts", **PROVISIONED)
    read(world, carts_ConsumedReadCapacityUnits=rate)
    flat = Metric.dynamodb("ProvisionedReadCapacityUnits", TableName="carts")
    now = int(world.now()) // 300 * 300
    world.put(DEFAULT_ACCOUNT, REGION, flat, Points.regular(start=now - 10 * DAY, period=300, sum=np.full(2_880, 10.0)))
    filled(stillfit, configured, "--days", 3, "--yes", "--table", "carts")

    assert sorted(consumed(configured, "carts")) == periods


@pytest.mark.parametrize(
    ("services", "said"),
    [("dynamodb", ""), ("dynamodb, dax", "DAX: not read here"), ("dynamodb, dax, keyspaces", "Keyspaces and DAX: not")],
)
@pytest.mark.usefixtures("world")
def test_what_has_no_backfill_is_told(stillfit: Stillfit, config: Path, services: str, said: str) -> None:
    config.write_text(f"{config.read_text()}aws:\n  - regions: [{REGION}]\n    services: [{services}]\n")
    told = filled(stillfit, config, "--days", 1, "--yes").err

    assert "to read, in points of five minutes" in told
    assert (said in told, "not read here" in told) == (True, bool(said))


def test_what_was_damaged_in_the_store_is_read_again(
    stillfit: Stillfit, world: World, configured: Path, present: StandingClock
) -> None:
    put_table(world, "carts")
    read(world, carts_ConsumedReadCapacityUnits=3)
    filled(stillfit, configured, "--days", 3, "--yes", "--table", "carts")
    before, paid = consumed(configured, "carts")[300], world.bill.metrics
    with closing(sqlite3.connect(configured.parent / "stillfit-history.db")) as samples, samples:
        samples.execute(
            "UPDATE chunk SET data = x'00' WHERE facet = 0 AND bucket = ?", (hours(-30, 0).start // DAY * DAY,)
        )
    assert consumed(configured, "carts")[300] != before
    told = filled(stillfit, configured, "--days", 3, "--yes", "--table", "carts")

    assert (told.code, consumed(configured, "carts")[300]) == (0, before)
    assert 0 < world.bill.metrics - paid <= paid


HOURS_KEPT = "the store keeps hours for 4 days (retention.hours): nothing older is read\n"
MINUTES_KEPT = "the store keeps minutes for 2 days (retention.minutes): no older ones are read\n"


@pytest.mark.parametrize(("days", "told"), [(5, (True, True)), (4, (False, True))])
def test_nothing_is_read_that_the_store_would_not_keep(
    stillfit: Stillfit, world: World, configured: Path, days: int, told: tuple[bool, bool]
) -> None:
    configured.write_text(f"{configured.read_text()}retention:\n  minutes: 2d\n  hours: 4d\n")
    put_table(world, "carts")
    read(world, carts_ConsumedReadCapacityUnits=3)
    said = filled(stillfit, configured, "--days", days, "--yes", "--minutes").err
    found = {period: one.covered for period, one in consumed(configured, "carts").items()}

    assert (HOURS_KEPT in said, MINUTES_KEPT in said) == told
    assert found == {300: (hours(-4 * 24 + 2, 0),), 60: (hours(-2 * 24 + 2, 0),)}


MINUTES_OF_THE_HOUR = (
    (0, 0, hours(-23, -1)),
    (0, 1, hours(-22, -1)),  # what is gone within the hour is not asked for
    (14, 59, hours(-22, -1)),  # what is younger than a quarter may still change
    (15, 0, hours(-22, 0)),
    (59, 59, hours(-22, 0)),
)


@pytest.mark.parametrize(
    ("present", "whole"),
    [
        (StandingClock(TEN.replace(minute=minute, second=second)), whole)
        for minute, second, whole in MINUTES_OF_THE_HOUR
    ],
    indirect=["present"],
    ids=[f"10:{minute:02}:{second:02}" for minute, second, _ in MINUTES_OF_THE_HOUR],
)
def test_whole_hours_are_read_that_are_settled_and_not_about_to_go(
    stillfit: Stillfit, world: World, configured: Path, whole: Span
) -> None:
    configured.write_text(f"{configured.read_text()}retention:\n  minutes: 1d\n  hours: 1d\n")
    put_table(world, "carts")
    filled(stillfit, configured, "--days", 2, "--yes", "--table", "carts")

    assert {one.covered for one in consumed(configured, "carts").values()} == {(whole,)}


def test_days_that_the_store_keeps_whole_need_no_word(stillfit: Stillfit, configured: Path) -> None:
    configured.write_text(f"{configured.read_text()}retention:\n  minutes: 2d\n  hours: 4d\n")

    assert "the store keeps" not in filled(stillfit, configured, "--days", 2, "--yes").err


def test_minutes_of_everything_are_read_where_wanted(stillfit: Stillfit, world: World, configured: Path) -> None:
    put_table(world, "carts")
    read(world, carts_ConsumedReadCapacityUnits=3)
    filled(stillfit, configured, "--days", 3, "--yes", "--minutes")

    assert sorted(consumed(configured, "carts")) == [60, 300]


def test_causes_are_asked_where_something_was_refused_and_known_elsewhere(
    stillfit: Stillfit, world: World, configured: Path
) -> None:
    put_table(world, "carts")
    filled(stillfit, configured, "--days", 3, "--yes")
    found = stored(configured)
    causes = {
        (key.subject.name, key.period_s): one
        for key, one in found.items()
        if key.metric == "write_key_range_throttle_events"
    }

    assert {name for name in causes if len(causes[name].times)} == {("orders", 60), ("orders", 300)}
    assert all(sum(span.seconds for span in one.covered) == 3 * DAY for one in causes.values())


def test_its_price_is_told_before_and_is_what_was_billed(stillfit: Stillfit, world: World, configured: Path) -> None:
    put_table(world, "carts")
    told = filled(stillfit, configured, "--days", 3, "--yes", "--table", "carts")

    assert "found 1 table and 0 indexes" in told.err
    assert f"(of an hour beyond 63 days): {world.bill.metrics} metrics in about " in told.err
    assert f"spent {world.bill.dollars:.5f} USD: {world.bill.metrics} metrics" in told.err


def test_what_is_known_is_not_paid_again(stillfit: Stillfit, world: World, configured: Path) -> None:
    filled(stillfit, configured, "--days", 3, "--yes")
    before = world.bill.metrics
    told = filled(stillfit, configured, "--days", 3, "--yes")

    assert "the store has all of it" in told.err
    assert world.bill.metrics == before > 0


def test_only_what_is_older_is_paid_for_when_more_days_are_wanted(
    stillfit: Stillfit, world: World, configured: Path
) -> None:
    filled(stillfit, configured, "--days", 3, "--yes")
    world.before_call.clear()
    windows: list[tuple[float, float]] = []
    world.before_call.append(
        lambda call: (
            windows.append((call.parameters["StartTime"], call.parameters["EndTime"]))
            if call.operation == "GetMetricData"
            else None
        )
    )
    filled(stillfit, configured, "--days", 5, "--yes")

    assert {end - start for start, end in windows} == {2 * DAY}


def test_a_limit_holds_and_nothing_is_spent(stillfit: Stillfit, world: World, configured: Path) -> None:
    told = filled(stillfit, configured, "--days", 3, "--yes", "--max-dollars", "0.0001")

    assert (told.code, world.bill.metrics) == (2, 0)
    assert "backfill: 0.000" in told.err


def test_a_running_daemon_is_named_with_what_to_do(stillfit: Stillfit, world: World, configured: Path) -> None:
    with closing(Store.open(f"sqlite:///{configured.parent}/stillfit.db", clock=CLOCK, ballast_bytes=0)):
        told = filled(stillfit, configured, "--days", 3, "--yes")

    assert (told.code, world.bill.metrics) == (4, 0)
    assert "is in use by another stillfit" in told.err
    assert "Stop the daemon, backfill, start it again" in told.err


@pytest.mark.server("postgresql")
def test_on_postgresql_it_runs_beside_the_daemon(
    stillfit: Stillfit, world: World, configured: Path, postgresql_url: str
) -> None:
    configured.write_text(configured.read_text().replace(f"sqlite:///{configured.parent}/stillfit.db", postgresql_url))
    with closing(Store.open(postgresql_url, clock=CLOCK)) as daemons:
        told = filled(stillfit, configured, "--days", 3, "--yes")
        found = {one.period_s for one in daemons.series(last_days()) if one.metric == "consumed_read_units"}

    assert (told.code, found) == (0, {60, 300})


def test_regions_that_are_not_enabled_are_passed_over(stillfit: Stillfit, world: World, configured: Path) -> None:
    configured.write_text(configured.read_text().replace(f"[{REGION}]", "[all]"))
    told = filled(stillfit, configured, "--days", 1, "--yes", "--table", "orders")

    assert told.code == 0, told.err
    assert "found 1 table and 0 indexes" in told.err


def test_a_configuration_without_aws_is_refused(stillfit: Stillfit, config: Path) -> None:
    told = filled(stillfit, config, "--days", 3)

    assert (told.code, told.err) == (
        2,
        f"backfill: {config} names no DynamoDB under `aws`: there is no history to read\n",
    )


@pytest.mark.parametrize("days", [0, 456])
def test_days_that_nobody_keeps_are_refused(stillfit: Stillfit, configured: Path, days: int) -> None:
    assert filled(stillfit, configured, "--days", days).code == 2


def test_what_could_not_be_read_is_told_and_asked_again(stillfit: Stillfit, world: World, configured: Path) -> None:
    world.faults.add(Fault(kind=FaultKind.RESULT_FORBIDDEN, metric="ConsumedReadCapacityUnits"))
    told = filled(stillfit, configured, "--days", 3, "--yes")
    world.faults.clear()
    again = filled(stillfit, configured, "--days", 3, "--yes")

    assert told.code == 4
    assert "could not be read: " in told.out
    assert "cloudwatch:GetMetricData" in told.out
    assert (again.code, sorted(consumed(configured))) == (0, [60, 300])


def test_a_name_that_no_table_has_is_a_mistake(stillfit: Stillfit, world: World, configured: Path) -> None:
    told = filled(stillfit, configured, "--days", 2, "--yes", "--table", "nothing-*")

    assert (told.code, world.bill.metrics) == (2, 0)
    assert "--table nothing-*: no table that the configuration watches has such a name" in told.err
