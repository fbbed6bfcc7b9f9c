"""dynamodb/throttling with the reports of Contributor Insights: which key, how full, and what was not seen."""

from __future__ import annotations

import pytest

from analyzers.dynamodb_throttling import ANALYZER
from stillfit.model import Finding, GapReason, Series, Span, Statistic
from tests.builders import NOON_S, Numbers, ask, case, each, gap, series

KEYS = "partition_key_units"
RANGE = each(
    {
        "read_throttle_events": [300, 300, 300],
        "read_key_range_throttle_events": [300, 300, 300],
        "consumed_read_units__count": 9_000,
    }
)
"""Refused in the last three minutes."""


def hot(numbers: Numbers, **keys: Numbers) -> list[Series]:
    """The hottest key by the minute, and single keys by their tag ("a" is key#aaaaaa)."""
    whole = series("hottest_partition_key_units", numbers, statistic=Statistic.MAXIMUM)
    single = (series(KEYS, row, statistic=Statistic.MAXIMUM, dimension=f"key#{tag * 6}") for tag, row in keys.items())
    return [whole, *single]


def found(*extra: Series) -> Finding:
    answer = ask(ANALYZER, case(extra=(*RANGE, *extra)))
    assert isinstance(answer, Finding), answer
    return answer


def evidence(finding: Finding) -> dict[str, float | str | None]:
    return {one.signal: one.text or one.mid for one in finding.evidence if "key" in one.signal.split("_")}


def test_the_hottest_key_is_named_with_its_share_of_a_partition() -> None:
    finding = found(*hot([170_000, 171_000, 90_000], a=[170_000, 171_000, 90_000], b=[50_000, 9, 9]))

    assert "the hottest key, key#aaaaaa, took 95% of what a partition serves, 3 times the next key" in finding.summary
    assert evidence(finding) == {
        "read_key_range_throttle_events": 900,
        "hottest_key_share": 0.95,
        "hottest_key": "key#aaaaaa",
    }


@pytest.mark.parametrize(
    ("second", "said"), [(60_001, False), (60_000, True), (59_999, True)], ids=["below", "at", "above"]
)
def test_a_key_stands_out_from_three_times_the_next_one_on(second: float, said: bool) -> None:
    finding = found(*hot([180_000], a=[180_000], b=[second]))

    assert ("3 times the next key" in finding.summary) is said


def test_its_share_of_all_that_was_consumed_weighs_writes_three_times() -> None:
    consumed: dict[str, Numbers] = {"consumed_read_units": [0, 0, 100_000], "consumed_write_units": [0, 0, 20_000]}
    finding = found(*hot([0, 0, 120_000], a=[None, None, 120_000]), *each(consumed))

    assert evidence(finding)["hottest_key_of_consumed"] == 0.75
    assert "and 75% of all that was consumed" in finding.summary


def test_a_key_that_was_hot_while_nothing_was_refused_is_not_the_one() -> None:
    earlier = [180_000.0] * 10 + [90_000.0] * 3
    finding = found(*hot(earlier, a=[180_000] * 10 + [None] * 3, b=[90_000] * 13))

    assert "key#bbbbbb, took 50%" in finding.summary


def test_minutes_that_no_report_covers_are_told() -> None:
    (whole,) = hot([150_000, 0, 0])
    partly = series(
        "hottest_partition_key_units",
        [*whole.values.tolist()[:1], None, None],
        statistic=Statistic.MAXIMUM,
        covered=(Span(NOON_S - 180, NOON_S - 120),),
    )

    assert "(1 of 3 minutes seen)" in found(partly).summary
    assert "minutes seen" not in found(whole).summary


def test_a_report_of_another_time_is_no_report() -> None:
    earlier = series(
        "hottest_partition_key_units", [170_000] + [None] * 20, covered=(Span(NOON_S - 3_600, NOON_S - 600),)
    )

    assert "which key is not known: no report of Contributor Insights was read" in found(earlier).summary


def test_the_mode_of_throttled_keys_names_the_key_and_what_it_cannot_see() -> None:
    rows = [
        series("hottest_partition_key_throttles", [250, 280, 210], statistic=Statistic.MAXIMUM),
        series("partition_key_throttles", [250, 280, 210], statistic=Statistic.MAXIMUM, dimension="key#cccccc"),
    ]
    told = gap("hottest_partition_key_units", reason=GapReason.NOT_CONFIGURED, detail="it records throttled keys only")
    answer = ask(ANALYZER, case(extra=(*RANGE, *rows), gaps=[told]))

    assert isinstance(answer, Finding)
    assert (
        "key#cccccc was refused most, 280 times in its worst minute; it records throttled keys only" in answer.summary
    )
    assert evidence(answer)["most_throttled_key"] == "key#cccccc"


def test_a_key_in_clear_stays_out_of_the_sentence() -> None:
    shown = series(KEYS, [170_000], statistic=Statistic.MAXIMUM, dimension="key#aaaaaa⟨ann@example.com⟩")
    finding = found(*hot([170_000]), shown)

    assert "the hottest key, key#aaaaaa, took" in finding.summary
    assert evidence(finding)["hottest_key"] == "key#aaaaaa⟨ann@example.com⟩"
