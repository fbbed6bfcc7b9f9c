from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stillfit.model import AttributeChange, Engine, Gap, GapReason, Level, Series, Span, Statistic, Subject
from stillfit.observations import Observations, load_all
from stillfit.observations.document import json_schema
from stillfit.observations.files import read
from stillfit.yamlfile import parse

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 8, 24, 12, tzinfo=UTC)
AT_S = int(AT.timestamp())
ORDERS = Subject(engine=Engine.DYNAMODB, scope=("1", "us-east-1"), table="orders")


def said(**subject: object) -> Observations:
    """One table, said as JSON, which is YAML as well."""
    named = {"subject": str(ORDERS), **subject}
    return read(json.dumps({"at": "2026-08-24T12:00:00Z", "subjects": [named]}), name="a.json")


def one(metric: str = "read_throttle_events", /, **form: object) -> Series:
    (series,) = said(series=[{"metric": metric, **form}]).batch.series
    return series


def test_the_window_is_the_hour_before_unless_said() -> None:
    assert said().span == Span(AT_S - 3600, AT_S)
    assert said().at == AT


def test_a_constant_fills_the_window_and_vouches_for_it() -> None:
    series = one(constant=5)

    assert series.covered == (Span(AT_S - 3600, AT_S),)
    assert series.values.tolist() == [5.0] * 60
    assert series.times[0] == AT_S - 3600


def test_a_null_is_not_vouched_for_and_what_is_not_said_neither() -> None:
    series = one(values=[1, None, 3])

    assert series.values.tolist() == [1.0, 3.0]
    assert series.covered == (Span(AT_S - 3600, AT_S - 3540), Span(AT_S - 3480, AT_S - 3420))


def test_a_rate_is_turned_into_sums() -> None:
    assert one("consumed_read_units", constant=3000, per="second", period="5m").values.tolist() == [900_000.0] * 12


def test_a_stretch_narrows_what_is_known() -> None:
    assert one(constant=1, **{"from": "-10m", "to": "-5m"}).covered == (Span(AT_S - 600, AT_S - 300),)


@pytest.mark.parametrize(
    ("form", "first", "last"),
    [
        ({"ramp": {"from": 1, "to": 60}}, 1, 60),
        ({"steps": [{"value": 2}, {"from": "-5m", "value": 9}]}, 2, 9),
        ({"spike": {"base": 1, "peak": 7, "from": "-1m", "length": "5m"}}, 1, 7),
        ({"spike": {"base": 1, "peak": 7, "from": "-1h", "length": "1m", "every": "10m"}}, 7, 1),
        ({"daily_wave": {"low": 0, "high": 10, "peak_hour": 11}}, 10, 9.83),
    ],
    ids=["ramp", "steps", "spike", "repeated spike", "daily wave"],
)
def test_a_short_form_is_written_out(form: dict[str, object], first: float, last: float) -> None:
    values = one(**form).values

    assert (values[0], values[-1]) == (pytest.approx(first), pytest.approx(last, abs=0.01))


def test_a_repeated_spike_keeps_its_beat() -> None:
    spike = {"base": 0, "peak": 1, "from": "-1h", "length": "1m", "every": "10m"}

    assert np.flatnonzero(one(spike=spike).values).tolist() == [0, 10, 20, 30, 40, 50]


def test_the_default_statistic_is_the_first_that_the_metric_has() -> None:
    chosen = [one(metric, constant=1).statistic for metric in ("consumed_read_units", "table_size_bytes")]

    assert chosen == [Statistic.SUM, Statistic.LAST]
    assert one("request_latency_ms", constant=1).statistic is Statistic.AVERAGE


def test_settings_changes_and_gaps_become_records() -> None:
    batch = said(
        attributes={"billing_mode": "PROVISIONED", "provisioned_read_units": 5, "replica_regions": ["eu-west-1"]},
        changes=[{"name": "provisioned_read_units", "before": 50, "after": 5, "at": "-12m"}],
        gaps=[{"missing": "*", "reason": "denied", "detail": "grant it"}],
    ).batch
    changed_at = datetime(2026, 8, 24, 11, 48, tzinfo=UTC)

    assert dict(batch.attributes[0].values)["replica_regions"] == ("eu-west-1",)
    assert batch.changes == (
        AttributeChange(subject=ORDERS, name="provisioned_read_units", before=50.0, after=5.0, at=changed_at),
    )
    assert batch.gaps == (
        Gap(subject=ORDERS, missing="*", reason=GapReason.DENIED, detail="grant it", source="a.json"),
    )


def test_the_table_of_an_index_or_replica_need_not_be_listed() -> None:
    index = {"subject": f"{ORDERS}/index=by-status"}
    seen = read(json.dumps({"at": "2026-08-24T12:00:00Z", "subjects": [index]}), name="a.json").batch.subjects_seen

    assert [subject.level for subject in seen] == [Level.TABLE, Level.INDEX]


def test_a_table_that_no_workload_names_is_one_by_itself() -> None:
    (workload,) = said().workloads

    assert (workload.name, workload.tables, workload.declared) == ("orders", (ORDERS,), ())


def test_declared_facts_keep_their_owner_and_date() -> None:
    fact = {"value": 20, "declared_at": "2026-06-01", "owner": "team-orders"}
    workload = {"name": "shop", "tables": ["ord*"], "declared": {"latency_slo_ms": fact}}
    text = {"at": "2026-08-24T12:00:00Z", "subjects": [{"subject": str(ORDERS)}], "workloads": [workload]}
    found = read(json.dumps(text), name="a.json").workloads[0].fact("latency_slo_ms")

    assert found is not None
    assert (found.value, found.owner, found.declared_at) == (20, "team-orders", datetime(2026, 6, 1, tzinfo=UTC))


@settings(deadline=None)
@given(table=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
@example(table='\N{FIRE} "a"\n<b>*c* \\ud83d\\udd25')
def test_any_name_can_be_said(table: str) -> None:
    named = {"engine": "dynamodb", "scope": ["1", "us-east-1"], "table": table}
    text = json.dumps({"at": "2026-08-24T12:00:00Z", "subjects": [named]})

    assert read(text, name="a.json").batch.subjects_seen[0].table == table


@settings(deadline=None)
@given(low=st.floats(0, 1e6), high=st.floats(0, 1e6), peak=st.floats(0, 23.99), minutes=st.integers(1, 48 * 60))
def test_a_daily_wave_stays_between_its_levels(low: float, high: float, peak: float, minutes: int) -> None:
    wave = {"low": low, "high": high, "peak_hour": peak}
    text = {"at": "2026-08-24T12:00:00Z", "window": {"from": f"-{minutes}m"}}
    series = [{"metric": "read_throttle_events", "daily_wave": wave}]
    (found,) = read(
        json.dumps({**text, "subjects": [{"subject": str(ORDERS), "series": series}]}), name="a.json"
    ).batch.series

    assert len(found.values) == minutes
    assert found.values.min() >= min(low, high) - 1e-3
    assert found.values.max() <= max(low, high) + 1e-3


def test_yaml_and_json_say_the_same() -> None:
    text = {"at": "2026-08-24T12:00:00Z", "subjects": [{"subject": str(ORDERS), "attributes": {"status": "ACTIVE"}}]}
    in_yaml = read(yaml.safe_dump(text), name="a")

    assert in_yaml == read(json.dumps(text), name="a")


def test_files_of_one_moment_are_one_observation_and_others_are_not(tmp_path: Path) -> None:
    for name, day, table in (("a", 24, "one"), ("b", 24, "two"), ("c", 25, "three")):
        subject = {"engine": "dynamodb", "scope": ["1", "r"], "table": table}
        text = json.dumps({"at": f"2026-08-{day}T12:00:00Z", "subjects": [subject]})
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")

    moments = load_all([tmp_path])
    assert [[s.table for s in one.batch.subjects_seen] for one in moments] == [["one", "two"], ["three"]]
    assert [workload.name for workload in moments[0].workloads] == ["one", "two"]


def test_the_published_schema_is_that_of_the_code() -> None:
    published = json.loads((ROOT / "stillfit" / "observations" / "schema.json").read_text(encoding="utf-8"))

    assert published == json_schema()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "cases" / "observations").glob("*.yaml")), ids=lambda p: p.name
)
def test_the_schema_takes_every_report(path: Path) -> None:
    plain = parse(path.read_text(encoding="utf-8"), name=path.name).value

    jsonschema.Draft202012Validator(json_schema()).validate(plain)


def test_the_examples_of_the_page_are_right() -> None:
    page = (ROOT / "docs" / "observations.md").read_text(encoding="utf-8")
    whole, changes, workloads = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    orders = f"at: 2026-08-24T12:00:00Z\nsubjects:\n  - subject: {ORDERS}\n"

    assert read(whole, name="page").batch.gaps
    assert read(orders + changes, name="page").batch.changes
    assert read(orders + workloads, name="page").workloads[0].declared


def test_the_page_names_every_reason_of_a_gap() -> None:
    page = (ROOT / "docs" / "observations.md").read_text(encoding="utf-8").replace("\n", " ")

    assert [reason for reason in GapReason if reason not in page] == []


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    wrong = {"at": "2026-08-24T12:00:00Z", "subjects": [{"subject": "x", "series": [{"metric": "reeds"}]}]}

    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(wrong)


def test_a_number_as_json_writes_it_is_a_number() -> None:
    assert one(constant=1e-05).values[0] == 1e-05
    assert said(attributes={"warm_read_units": 1e-05}).batch.attributes[0].get("warm_read_units") == 1e-05
