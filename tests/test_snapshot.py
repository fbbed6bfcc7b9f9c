"""Cases cut from what is known: the right window, resolution, relatives and gaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from stillfit.case import Analyzer
from stillfit.model import Attributes, Engine, Gap, GapReason, Level, Series, Span, Subject
from stillfit.snapshot import Snapshot
from tests.builders import BY_STATUS, HOUR, JOBS, JOBS_ON_1, NOON, NOON_S, ORDERS, cassandra_subject, series

DAY = Span(NOON_S - 86_400, NOON_S)
TABLES = Analyzer(
    id="test/tables",
    levels=frozenset({Level.TABLE}),
    engines=frozenset(Engine),
    needs=frozenset(),
    causes={},
    find=lambda _case: None,
)
LONG = Analyzer(
    id="test/long",
    levels=frozenset({Level.TABLE}),
    engines=frozenset(Engine),
    needs=frozenset(),
    window=timedelta(days=7),
    hourly=True,
    causes={},
    find=lambda _case: None,
)


def snapshot(*known: Series, subjects: tuple[Subject, ...] = (ORDERS,), gaps: tuple[Gap, ...] = ()) -> Snapshot:
    return Snapshot(at=NOON, spans=dict.fromkeys(Engine, DAY), subjects=subjects, series=known, gaps=gaps)


def lines(_analyzer: Analyzer, _subject: Subject) -> dict[str, float]:
    return {"line": 1.0}


def test_the_window_is_the_newest_hour() -> None:
    assert snapshot().case(ORDERS, TABLES).window == HOUR


def test_a_window_longer_than_what_is_known_is_what_is_known() -> None:
    assert snapshot().case(ORDERS, LONG).window == DAY


def test_the_finest_period_wins_at_equal_cover() -> None:
    minutes, fives = series("consumed_read_units", 60.0), series("consumed_read_units", 60.0, period_s=300)

    assert [one.period_s for one in snapshot(fives, minutes).case(ORDERS, TABLES).series] == [60]


def test_a_long_question_takes_the_hourly_sums() -> None:
    minutes = series("consumed_read_units", 60.0, window=DAY)
    hours = series("consumed_read_units", 60.0, window=DAY, period_s=3600)

    assert [one.period_s for one in snapshot(minutes, hours).case(ORDERS, LONG).series] == [3600]


def test_what_covers_more_wins_whatever_its_period() -> None:
    minutes = series("consumed_read_units", 60.0, window=HOUR)
    hours = series("consumed_read_units", 60.0, window=DAY, period_s=3600)

    assert [one.period_s for one in snapshot(minutes, hours).case(ORDERS, LONG).series] == [3600]


def test_an_hour_that_began_before_the_window_vouches_for_nothing_in_it() -> None:
    """Its sum is not inside: taken for covered and empty it would turn what was not read into health."""
    quarter_past = Span(NOON_S - 2_700, NOON_S + 900)
    seen = Span(quarter_past.start, quarter_past.end - 420)  # the newest minutes are still missing
    minutes = series("read_throttle_events", 60.0, window=quarter_past, covered=[seen])
    hours = series("read_throttle_events", 60.0, window=Span(NOON_S - 3_600, NOON_S + 3_600), period_s=3_600)
    known = replace(snapshot(minutes, hours), spans={Engine.DYNAMODB: Span(DAY.start, quarter_past.end)})

    (one,) = known.case(ORDERS, TABLES).series

    assert (one.period_s, one.covered) == (60, (seen,))


def test_a_table_comes_with_its_indexes_and_replicas() -> None:
    known = snapshot(subjects=(ORDERS, BY_STATUS, JOBS, JOBS_ON_1))

    assert [one.subject for one in known.case(ORDERS, TABLES).related] == [BY_STATUS]
    assert [one.subject for one in known.case(JOBS, TABLES).related] == [JOBS_ON_1]


def test_an_index_comes_with_its_table_even_unlisted() -> None:
    assert [one.subject for one in snapshot(subjects=(BY_STATUS,)).case(BY_STATUS, TABLES).related] == [ORDERS]


def test_only_the_levels_and_engines_of_the_analyzer_are_asked() -> None:
    known = snapshot(subjects=(ORDERS, BY_STATUS, JOBS_ON_1))

    assert [one.subject for one in known.cases(TABLES, lines)] == [ORDERS]


def test_relatives_are_judged_by_the_same_lines() -> None:
    (one,) = snapshot(subjects=(ORDERS, BY_STATUS)).cases(TABLES, lines)

    assert [case.threshold("line") for case in (one, *one.related)] == [1.0, 1.0]


def test_a_gap_of_the_whole_account_is_a_gap_of_its_tables() -> None:
    scope = Subject(engine=Engine.DYNAMODB, scope=ORDERS.scope)
    down = Gap(subject=scope, missing="*", reason=GapReason.UNREACHABLE, detail="no route", source="aws")

    assert snapshot(gaps=(down,)).case(ORDERS, TABLES).gaps == (down,)


def test_a_gap_of_a_whole_cluster_is_a_gap_in_each_datacenter() -> None:
    cluster = Subject(engine=Engine.CASSANDRA, scope=(JOBS.scope[0], ""))
    down = Gap(subject=cluster, missing="*", reason=GapReason.UNREACHABLE, detail="no contact point", source="c")

    assert snapshot(subjects=(JOBS,), gaps=(down,)).case(JOBS, TABLES).gaps == (down,)


def test_a_replica_shows_the_settings_of_its_node_and_of_no_other() -> None:
    nodes = tuple(
        Attributes.of(cassandra_subject("", keyspace="", node=name), NOON, {"tombstone_warn_threshold": line})
        for name, line in (("10.0.0.1", 100.0), ("10.0.0.2", 200.0))
    )
    known = replace(snapshot(subjects=(JOBS, JOBS_ON_1)), attributes=nodes)

    (replica,) = known.case(JOBS, TABLES).related
    assert replica.node == nodes[0]
    assert known.case(JOBS, TABLES).node is None


FOLLOWING = replace(TABLES, follows=frozenset({"read_throttle_events", "write_throttle_events"}))


def rarely_read(behind_s: int, lag_s: int = 600) -> Snapshot:
    """Refusals are known up to a while ago, reads a day longer; the source says by how much subjects may lag."""
    reads = series("read_throttle_events", 0.0, window=Span(DAY.start, NOON_S - behind_s))
    writes = series("write_throttle_events", 0.0, window=Span(DAY.start, NOON_S - max(behind_s, 80_000)))
    return replace(snapshot(reads, writes), lags={Engine.DYNAMODB: lag_s})


@pytest.mark.parametrize(("behind_s", "moved_s"), [(0, 0), (540, 540), (600, 600), (660, 0)])
def test_the_window_follows_what_is_read_rarely_as_far_as_its_source_says(behind_s: int, moved_s: int) -> None:
    window = rarely_read(behind_s).case(ORDERS, FOLLOWING).window

    assert window == Span(HOUR.start - moved_s, HOUR.end - moved_s)


def test_a_window_that_follows_nothing_stays() -> None:
    assert rarely_read(540).case(ORDERS, TABLES).window == HOUR
    assert rarely_read(540, lag_s=0).case(ORDERS, FOLLOWING).window == HOUR


@pytest.mark.parametrize("behind_s", [300, 12 * 3_600])
def test_an_index_that_stands_still_holds_back_itself_and_not_its_table(behind_s: int) -> None:
    index = series("read_throttle_events", 0.0, of=BY_STATUS, window=Span(DAY.start, NOON_S - behind_s))
    table = series("read_throttle_events", 0.0, window=Span(DAY.start, NOON_S - 60))
    both = replace(snapshot(index, table, subjects=(ORDERS, BY_STATUS)), lags={Engine.DYNAMODB: 600})
    case = both.case(ORDERS, FOLLOWING)

    assert {case.window, *(one.window for one in case.related)} == {Span(HOUR.start - 60, HOUR.end - 60)}
