"""The table of names: who wrote a series, whom it speaks of, and what a names file may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzers.dynamodb_throttling import ANALYZER
from collector.promql.names import Defaults, Exporter, Kind, Row, before, queries, subject
from collector.promql.namesfile import exporters, packaged, read
from stillfit.errors import ConfigError
from stillfit.metrics import METRICS
from stillfit.model import Engine, Statistic, Subject

BY_NAME = {one.name: one for one in packaged()}
TABLE = {"account_id": "123456789012", "region": "eu-west-1", "dimension_TableName": "orders"}
HEAD = "exporters:\n  - name: mine\n    engine: dynamodb\n    labels: {table: table}\n    series:\n"


def row_of(exporter: Exporter, series: str) -> Row:
    return next(row for row in exporter.rows if row.series == series)


def placed(exporter: str, series: str, labels: dict[str, str], defaults: Defaults | None = None) -> Subject | None:
    one = BY_NAME[exporter]
    return subject(one, row_of(one, series), labels, defaults or Defaults())


@pytest.mark.parametrize("exporter", packaged(), ids=lambda one: one.name)
def test_every_packaged_row_fits_its_metric(exporter: Exporter) -> None:
    for row in exporter.rows:
        metric = METRICS[row.metric]
        assert metric.engine is exporter.engine
        assert row.statistic in metric.statistics
        assert row.kind is not Kind.WINDOW or row.statistic in {Statistic.SUM, Statistic.COUNT}


@pytest.mark.parametrize("exporter", ["yace", "cloudwatch_exporter"])
def test_all_that_throttling_asks_for_has_a_name(exporter: str) -> None:
    told = {row.metric for row in BY_NAME[exporter].rows}

    assert {name for name in ANALYZER.wants if name.endswith("_throttle_events")} <= told


def test_yace_names_account_region_table_and_index() -> None:
    name = "aws_dynamodb_read_throttle_events_sum"

    table = placed("yace", name, TABLE | {"dimension_GlobalSecondaryIndexName": ""})
    index = placed("yace", name, TABLE | {"dimension_GlobalSecondaryIndexName": "by-status"})

    assert table == Subject(engine=Engine.DYNAMODB, scope=("123456789012", "eu-west-1"), table="orders")
    assert index == Subject(engine=Engine.DYNAMODB, scope=table.scope, table="orders", index="by-status")


def test_one_name_is_read_by_the_exporter_whose_labels_it_has() -> None:
    name = "aws_dynamodb_read_throttle_events_sum"
    defaults = Defaults(account="123456789012", region="us-east-1")

    assert placed("yace", name, {"table_name": "orders"}) is None
    assert placed("cloudwatch_exporter", name, {"table_name": "orders"}, defaults) == Subject(
        engine=Engine.DYNAMODB, scope=("123456789012", "us-east-1"), table="orders"
    )


@pytest.mark.parametrize(
    ("instance", "node"),
    [
        ("10.0.0.1:7070", "10.0.0.1"),
        ("cass-1", "cass-1"),
        ("[fd00::1]:7070", "fd00::1"),
        ("fd00::1", "fd00::1"),
    ],
)
def test_a_node_is_called_without_its_port(instance: str, node: str) -> None:
    found = placed("mcac", "mcac_compaction_pending_tasks", {"cluster": "prod", "dc": "dc1", "instance": instance})

    assert found == Subject(engine=Engine.CASSANDRA, scope=("prod", "dc1"), node=node)


def test_a_replica_needs_its_keyspace_and_table() -> None:
    labels = {"cluster": "prod", "dc": "dc1", "instance": "10.0.0.1", "keyspace": "shop"}

    assert placed("mcac", "mcac_table_max_partition_size", labels) is None
    assert placed("mcac", "mcac_table_max_partition_size", labels | {"table": "jobs"}) == Subject(
        engine=Engine.CASSANDRA, scope=("prod", "dc1"), keyspace="shop", table="jobs", node="10.0.0.1"
    )


def test_names_are_found_whatever_their_case_and_only_those_that_are_there() -> None:
    asked = queries(packaged(), ["org_apache_cassandra_metrics_Table_Count", "up"])

    assert {query.series for query in asked} == {"org_apache_cassandra_metrics_Table_Count"}
    assert {row.metric for query in asked for _, row in query.readers} >= {"reads", "writes", "disk_used_bytes"}


def test_two_exporters_of_one_name_are_asked_about_once() -> None:
    (query,) = queries(packaged(), ["aws_dynamodb_read_throttle_events_sum"])

    assert [exporter.name for exporter, _ in query.readers] == ["yace", "cloudwatch_exporter"]


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("level", r'last_over_time(x{a=~"0\\.9|\\.9"}[90s])'),
        ("window", r'last_over_time(x{a=~"0\\.9|\\.9"}[90s])'),
        ("counter", r'rate(x{a=~"0\\.9|\\.9"}[90s]) * 60'),
    ],
)
def test_a_question_carries_no_value_over_a_missing_sample(kind: str, expression: str) -> None:
    row = f'      x: {{metric: ttl_deleted_items, statistic: sum, kind: {kind}, where: {{a: ["0.9", ".9"]}}}}\n'

    (query,) = queries(read(HEAD + row, name="names.yaml"), ["x"])

    assert query.expression(90) == expression


def test_like_takes_over_what_is_not_said_again() -> None:
    (own,) = read("exporters:\n  - {name: yace, like: yace, window_s: 60}\n", name="n", known=packaged())

    assert (own.window_s, own.every_s, own.has_holes) == (60, 300, True)
    assert own.rows == BY_NAME["yace"].rows
    assert [one.name for one in before((own,), packaged())].count("yace") == 1


def test_an_own_file_goes_before_the_packaged_names(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    path.write_text(HEAD + "      x: {metric: item_count, statistic: last, kind: level}\n")

    assert [one.name for one in exporters(path)][:2] == ["mine", "yace"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "n:1: file: a mapping of keys is needed"),
        ("exporters: []\n", "n:1: exporters: a list of exporters is needed"),
        ("exporters:\n  - {name: a, like: yaci}\n", "n:2: exporters[0].like: no exporter 'yaci', did you mean 'yace'?"),
        ("exporters:\n  - {name: a, engine: dynamo}\n", "n:2: exporters[0].engine: no engine 'dynamo', did you mean"),
        ("exporters:\n  - {name: a, engine: dynamodb}\n", "n:2: exporters[0].labels: says no label for table"),
        ("exporters:\n  - {name: a, like: yace, windows_s: 60}\n", "windows_s: no such key, did you mean 'window_s'?"),
        ("exporters:\n  - {name: a, like: yace, lag_s: 90}\n", "lag_s: whole minutes in seconds are needed"),
        ("exporters:\n  - {name: a, like: yace, window_s: 0}\n", "window_s: whole minutes in seconds are needed"),
        (
            "exporters:\n  - {name: a, like: yace, labels: {tabel: x}}\n",
            "labels.tabel: no such key, did you mean 'table'?",
        ),
        ("exporters:\n  - {name: a, like: yace, labels: {table: a-b}}\n", "labels.table: a label name is needed"),
        (HEAD + "      a-b: {}\n", "n:6: exporters[0].series.a-b: is no name of a series"),
        (HEAD + "      x: {metric: reads, statistic: sum, kind: level}\n", "x.metric: no metric 'reads'"),
        (HEAD + "      x: {metric: item_count, statistic: sum, kind: level}\n", "x.statistic: no statistic 'sum'"),
        (HEAD + "      x: {metric: item_count, statistic: last, kind: gauge}\n", "x.kind: no kind 'gauge'"),
        (HEAD + "      x: {metric: item_count, statistic: last}\n", "x.kind: is needed and missing"),
        (
            HEAD + "      x: {metric: item_count, statistic: last, kind: level, scale: 0}\n",
            "x.scale: a number above zero",
        ),
        (
            HEAD + "      x: {metric: item_count, statistic: last, kind: level, where: {q: 0.9}}\n",
            'x.where.q: a label with its text is needed, in quotes, such as quantile: "0.99"',
        ),
        ("exporters:\n  - {name: a, like: yace}\n  - {name: a, like: yace}\n", "exporters[1].name: 'a' is given twice"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text, name="n", known=packaged())

    assert any(mistake in one for one in raised.value.mistakes), raised.value.mistakes


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        exporters(tmp_path / "nowhere.yaml")
