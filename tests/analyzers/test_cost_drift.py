from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.cost_drift import ANALYZER
from stillfit.case import Case
from stillfit.costs.dynamodb import figures
from stillfit.costs.pricebook import PriceBook
from stillfit.costs.weekly import Week, factors, mean, weeks_of
from stillfit.model import Answer, Confidence, Finding, Series, Span, Statistic, Unknown
from tests.builders import BY_STATUS, NOON, ORDERS, ask, change
from tests.costs.kit import BOOK, ON_DEMAND, PROVISIONED, hourly, table

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "cost_drift.yaml").read_text("utf-8"))
WEEK_H = 7 * 24
USD_PER_WRITE = 0.625 * 730 * 3600 / 1e6
"""A month of one write unit per second."""


def steps(before: float, after: float, weeks: int = 4) -> list[float]:
    return [before] * WEEK_H * (weeks - 1) + [after] * WEEK_H


def told(before: Mapping[str, Any], after: Mapping[str, Any], *, weeks: int = 4) -> Case:
    """A table as a row of the case file tells it, with the cost figures that the cycle would hand in."""

    def row(name: str, usual: float = 0.0, size: str = "") -> list[float]:
        values = [
            told_.get(name, usual) * (told_.get(size, 1.0) if size else 1.0) for told_ in (before, {**before, **after})
        ]
        return steps(values[0], values[1], weeks)

    provisioned = "write_capacity" in before
    extra: list[Series] = []
    metrics: dict[str, Any] = {}
    for way in ("read", "write"):
        metrics[f"consumed_{way}_units"] = row(f"{way}s", size=f"{way}_size")
        extra += [count(way, row(f"{way}s"))] if before.get("counted", True) else []
        metrics |= {f"provisioned_{way}_units": row(f"{way}_capacity")} if provisioned else {}
    if "gigabytes" in before:
        metrics["table_size_bytes"] = [gigabytes * 2**30 for gigabytes in row("gigabytes")]
        metrics["item_count"] = [millions * 1e6 for millions in row("items")]
    indexes = [index(row("index_writes"))] if "index_writes" in {**before, **after} else []
    mode = PROVISIONED if provisioned else ON_DEMAND
    about = table(settings=mode, hours=weeks * WEEK_H, related=indexes, **metrics)
    return priced(replace(about, series=(*about.series, *extra)))


def index(writes: list[float]) -> Case:
    return table(BY_STATUS, settings={}, hours=len(writes), consumed_write_units=writes)


def count(way: str, per_second: list[float]) -> Series:
    return replace(hourly(f"consumed_{way}_units", per_second, ORDERS), statistic=Statistic.COUNT)


def priced(about: Case, book: PriceBook = BOOK) -> Case:
    found = figures(about, book)
    assert isinstance(found, tuple), found
    return replace(about, costs=found)


def find(about: Case, **thresholds: float) -> Answer:
    return ask(ANALYZER, about, **thresholds)


def found(about: Case, **thresholds: float) -> Finding:
    answer = find(about, **thresholds)
    assert isinstance(answer, Finding), answer
    return answer


@pytest.mark.parametrize("row", CASES, ids=[row["name"] for row in CASES])
def test_case(row: dict[str, Any]) -> None:
    answer = find(told(row["before"], row["after"]))

    assert (answer.cause if isinstance(answer, Finding) else answer or "nothing") == row["expect"]


def test_every_cause_has_a_case() -> None:
    elsewhere = {"price_change"}

    assert {row["expect"] for row in CASES} == set(ANALYZER.causes) - elsewhere | {"nothing"}


def test_the_finding_tells_the_numbers_and_how_they_multiply() -> None:
    finding = found(told({"writes": 160}, {"write_size": 3}))
    signals = {one.signal: one.mid for one in finding.evidence}

    assert finding.summary == (
        f"costs {480 * USD_PER_WRITE:,.0f} USD a month, 3.00 times the {160 * USD_PER_WRITE:,.0f} of before: "
        "each request uses more units, as when items grow; units per request x 3.00"
    )
    assert signals["cost_now"] == pytest.approx(480 * USD_PER_WRITE)
    assert signals["cost_before"] == pytest.approx(160 * USD_PER_WRITE)
    assert signals["requests_ratio"] == pytest.approx(1)
    assert signals["units_per_request_ratio"] == pytest.approx(3)
    assert finding.since == NOON - timedelta(days=7)


@pytest.mark.parametrize(("before", "told_as"), [(0.0, "next to nothing was used before"), (0.17, "requests x 941")])
def test_a_use_that_began_is_no_multiple_of_nothing(before: float, told_as: str) -> None:
    finding = found(told({"writes": before}, {"writes": 160}))

    assert told_as in finding.summary
    assert any(one.signal == "requests_ratio" for one in finding.evidence) == bool(before)


@pytest.mark.parametrize(("rise", "fires"), [(49.9, False), (50.1, True)], ids=["just below", "just above"])
def test_fifty_dollars_a_month_are_the_line(rise: float, fires: bool) -> None:
    more = rise / USD_PER_WRITE

    assert isinstance(find(told({"writes": 50}, {"writes": 50 + more})), Finding) is fires


@pytest.mark.parametrize(("percent", "fires"), [(9.9, False), (10.1, True)], ids=["just below", "just above"])
def test_a_tenth_is_the_line(percent: float, fires: bool) -> None:
    about = told({"writes": 1000}, {"writes": 1000 * (1 + percent / 100)})

    assert isinstance(find(about), Finding) is fires


def test_an_operator_may_draw_the_lines_elsewhere() -> None:
    about = told({"writes": 1000}, {"writes": 1100})

    assert isinstance(find(about, relative_growth=5), Finding)
    assert find(about, absolute_growth=1e6) is None


def test_a_week_as_dear_as_an_earlier_one_is_no_drift() -> None:
    writes = [100.0] * WEEK_H + [300.0] * WEEK_H + [100.0] * WEEK_H + [290.0] * WEEK_H

    assert find(priced(table(hours=4 * WEEK_H, consumed_write_units=writes))) is None


def test_a_weekend_is_compared_with_weekends() -> None:
    week = [100.0] * 5 * 24 + [20.0] * 2 * 24

    assert find(priced(table(hours=4 * WEEK_H, consumed_write_units=week * 4))) is None


@pytest.mark.parametrize(
    ("weeks", "confidence"), [(2, Confidence.MEDIUM), (3, Confidence.MEDIUM), (4, Confidence.HIGH)]
)
def test_more_usual_weeks_make_it_surer(weeks: int, confidence: Confidence) -> None:
    assert found(told({"writes": 160}, {"writes": 320}, weeks=weeks)).confidence is confidence


@pytest.mark.parametrize(("days", "judged"), [(13, False), (14, True)])
def test_two_weeks_are_needed(days: int, judged: bool) -> None:
    hours = days * 24
    writes = [100.0] * (hours - WEEK_H) + [300.0] * WEEK_H

    assert isinstance(find(priced(table(hours=hours, consumed_write_units=writes))), Finding) is judged
    assert judged or isinstance(find(priced(table(hours=hours, consumed_write_units=writes))), Unknown)


def test_a_hole_in_the_last_week_is_unknown_and_no_fall() -> None:
    about = told({"writes": 160}, {"writes": 320})
    until = about.window.end - 5 * 86400
    series = tuple(replace(one, covered=(Span(about.window.start, until),)) for one in about.series)
    answer = find(replace(about, series=series))

    assert isinstance(answer, Unknown)
    assert answer.missing == ("consumed_read_units of orders", "consumed_write_units of orders")


def test_a_table_without_a_price_is_unknown() -> None:
    answer = find(replace(told({"writes": 160}, {"writes": 320}), costs=()))

    assert answer == Unknown("orders: what it costs could not be told, so neither can a change of it", ("cost",))


def test_a_change_of_class_makes_weeks_incomparable() -> None:
    switched = change("table_class", "STANDARD", "STANDARD_INFREQUENT_ACCESS", ago_min=3 * 24 * 60)

    assert isinstance(find(replace(told({"writes": 160}, {"writes": 320}), changes=(switched,))), Unknown)


def test_a_raised_capacity_is_joined_to_the_finding() -> None:
    raised = change("provisioned_write_units", 300.0, 900.0, ago_min=7 * 24 * 60)
    about = told({"writes": 100, "write_capacity": 300, "read_capacity": 10}, {"write_capacity": 900})
    finding = found(replace(about, changes=(raised,)))

    assert finding.cause == "setting_change"
    assert finding.summary.endswith("provisioned_write_units went from 300.0 to 900.0 on 2026-10-26")
    assert finding.since == raised.at


def test_a_switch_of_mode_is_a_setting_and_not_traffic() -> None:
    switched = change("billing_mode", "PROVISIONED", "PAY_PER_REQUEST", ago_min=7 * 24 * 60)
    about = told({"writes": 200, "reads": 10, "write_capacity": 220, "read_capacity": 20}, {})
    on_demand = replace(about, attributes=replace(about.attributes, values=tuple(ON_DEMAND.items())))  # type: ignore[type-var]  # has attributes
    finding = found(priced(replace(on_demand, changes=(switched,))))

    assert finding.cause == "setting_change"
    assert "billing_mode went from PROVISIONED to PAY_PER_REQUEST" in finding.summary


def test_a_dearer_list_price_is_told_from_traffic() -> None:
    raised = tuple(
        replace(
            one,
            bands=tuple(band._replace(usd=2 * band.usd) for band in one.bands),
            effective_from=NOON - timedelta(days=7),
        )
        for one in BOOK.at(datetime(2026, 1, 1, tzinfo=UTC)).prices.values()
    )
    about = priced(told({"writes": 160}, {}), PriceBook.of(BOOK, PriceBook(raised)))

    assert found(about).cause == "price_change"


def test_an_index_that_came_into_being_misses_nothing_before() -> None:
    about = told({"writes": 200}, {"index_writes": 200})
    born = change("exists", False, True, ago_min=7 * 24 * 60, of=BY_STATUS)
    (young,) = about.related
    alive = Span(about.window.end - 7 * 86400, about.window.end)
    series = tuple(replace(one, covered=(alive,)) for one in young.series)

    unknown = find(replace(about, related=(replace(young, series=series),)))
    known = find(replace(about, related=(replace(young, series=series, changes=(born,)),)))

    assert isinstance(unknown, Unknown)
    assert isinstance(known, Finding)
    assert known.cause == "index_added"


AMOUNTS = st.floats(min_value=0.1, max_value=1e5)
WEEKS = st.builds(
    Week,
    throughput=AMOUNTS,
    at_list=AMOUNTS,
    used=AMOUNTS,
    used_by_reads=st.just(0.0),
    used_by_new=st.just(0.0),
    requests=st.none() | AMOUNTS,
    storage=st.none(),
    item_bytes=st.none(),
)


@given(WEEKS, WEEKS)
def test_the_parts_multiply_to_the_whole(before: Week, after: Week) -> None:
    parts = factors(before, after)

    assert exp(parts.whole) == pytest.approx(after.throughput / before.throughput)
    if parts.requests is not None and parts.units_per_request is not None:
        assert parts.requests + parts.units_per_request == pytest.approx(parts.used, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.floats(min_value=1, max_value=500), st.floats(min_value=1, max_value=500))
def test_a_week_costs_what_the_cost_figure_says(reads: float, writes: float) -> None:
    about = told({"reads": reads, "writes": writes}, {})
    weeks = weeks_of(about)
    current = next(one.money.mid for one in about.costs if (one.option, one.component) == ("current", "throughput"))

    assert isinstance(weeks, tuple)
    assert mean(weeks).throughput == pytest.approx(current)


def test_operations_of_different_periods_both_count_as_requests() -> None:
    about = told({"writes": 10.0}, {"writes": 10.0})
    hours = replace(hourly("successful_requests", [3.0] * 4 * WEEK_H, ORDERS), dimension="PutItem")
    pairs = slice(None, None, 2)
    twos = replace(hours, period_s=7_200, times=hours.times[pairs], values=2 * hours.values[pairs], dimension="Query")

    weeks = weeks_of(replace(about, series=(*about.series, hours, twos)))

    assert isinstance(weeks, tuple)
    assert weeks[0].requests == pytest.approx(6.0 * 730 * 3600)
