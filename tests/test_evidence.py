"""What rules may ask of: nothing made up, nothing mixed, and each number with what it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from stillfit.costs.saving import saving
from stillfit.evidence import Facts, gather
from stillfit.model import (
    Answer,
    Blocker,
    Confidence,
    CostFigure,
    DeclaredFact,
    Evidence,
    EvidenceKind,
    Finding,
    FitState,
    FitVerdict,
    Money,
    Severity,
    Unknown,
    Value,
    Workload,
)
from stillfit.rulebook import packaged_rules
from stillfit.rules.engine import render
from stillfit.signals import SIGNALS, SignalType
from tests.builders import BY_STATUS, JOBS, JOBS_ON_1, NOON, ORDERS, case, gap, series


def finding(*evidence: Evidence, cause: str = "key_range", subject: object = ORDERS) -> Finding:
    return Finding(
        detector="dynamodb/throttling",
        subject=BY_STATUS if subject is BY_STATUS else ORDERS,
        cause=cause,
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        since=NOON,
        summary="",
        evidence=evidence,
    )


def signal(name: str, mid: float, kind: EvidenceKind = EvidenceKind.MEASURED) -> Evidence:
    return Evidence(signal=name, unit="", kind=kind, source="test", low=mid, mid=mid, high=mid)


def declared(name: str, value: Value, *, days_ago: float = 1) -> Workload:
    fact = DeclaredFact(name, value, NOON - timedelta(days=days_ago), "ana")
    return Workload(name="orders", tables=(ORDERS,), declared=(fact,))


def figure(option: str, low: float, mid: float, high: float, component: str = "throughput") -> CostFigure:
    money = Money(low=low, mid=mid, high=high, price_date=NOON, arithmetic=f"{mid} USD")
    return CostFigure(subject=ORDERS, option=option, component=component, money=money)


@pytest.mark.parametrize(
    ("answer", "cause", "severity", "affects_index"),
    [
        (finding(), "key_range", "critical", False),
        (finding(subject=BY_STATUS), "key_range", "critical", True),
        (None, "", "", False),
        (Unknown("not seen"), None, None, None),
    ],
    ids=["found", "found on an index", "looked and found nothing", "could not judge"],
)
def test_the_three_answers_stay_apart(
    answer: Answer, cause: str | None, severity: str | None, affects_index: bool | None
) -> None:
    facts = gather(answer, case(related=[case(BY_STATUS)]))
    names = ("cause", "severity", "affects_index")
    assert tuple(facts.value(name) for name in names) == (cause, severity, affects_index)


def test_a_total_is_known_only_where_it_is_proven() -> None:
    assert gather(None, case(consumed_read_units=3600)).value("consumed_read_units") == 3600

    half = replace(series("consumed_read_units", 3600), covered=())
    assert gather(None, case(extra=[half])).value("consumed_read_units") is None


def test_a_statistic_that_nobody_collected_is_absent_and_not_zero() -> None:
    assert gather(None, case(consumed_read_units=3600)).value("consumed_read_units_count") is None


def test_rates_and_peaks_are_derived_per_second() -> None:
    facts = gather(None, case(consumed_write_units=[60.0] * 59 + [6000.0]))

    assert facts.value("peak_consumed_write_units_per_second") == 100
    assert facts.value("consumed_write_units_per_second") == pytest.approx((59 * 60 + 6000) / 3600)
    assert facts.evidence("consumed_write_units_per_second")[0].kind is EvidenceKind.DERIVED


def test_demand_is_what_was_served_and_what_was_refused() -> None:
    busy = case(consumed_write_units=[600.0] * 60, write_throttle_events=[0.0] * 59 + [300.0])
    assert gather(None, busy).value("peak_write_demand_per_second") == 15


def test_a_rate_counts_only_the_time_that_was_seen() -> None:
    window = case().window
    seen = window._replace(start=window.start + 300)
    part = series("write_throttle_events", [55.0] * 55, covered=[seen])
    assert gather(None, case(extra=[part])).value("write_throttle_events_per_second") == pytest.approx(55 / 60)


def test_settings_keep_their_type() -> None:
    settings: dict[str, Value] = {"billing_mode": "PROVISIONED", "stream_enabled": True, "provisioned_read_units": 5}
    facts = gather(None, case(settings=settings))

    assert facts.value("billing_mode") == "PROVISIONED"
    assert facts.value("stream_enabled") is True
    assert facts.value("provisioned_read_units") == 5.0
    assert facts.value("table_class") is None


def test_a_setting_of_the_wrong_type_is_absent() -> None:
    assert gather(None, case(settings={"billing_mode": 5.0})).value("billing_mode") is None


@pytest.mark.parametrize(
    ("settings", "missing", "scaled"),
    [
        ({"autoscaling_read_max": 5000}, "", True),
        ({"billing_mode": "PROVISIONED"}, "", False),
        ({"billing_mode": "PROVISIONED"}, "autoscaling_read_max", None),
        ({}, "", None),
    ],
    ids=["a target", "none", "not readable", "nothing read"],
)
def test_auto_scaling_is_absent_only_where_it_was_looked_for(
    settings: dict[str, Value], missing: str, scaled: bool | None
) -> None:
    read = replace(case(settings=settings or None), gaps=(gap(missing=missing),) if missing else ())

    assert gather(None, read).value("autoscales_reads") is scaled


@pytest.mark.parametrize(
    ("mode", "read", "to_set"),
    [
        ("", None, "THROTTLED_KEYS"),
        (None, None, None),
        ("ACCESSED_AND_THROTTLED_KEYS", "ACCESSED_AND_THROTTLED_KEYS", None),
        ("FAILED", None, None),
    ],
    ids=["off", "not known", "on", "failed"],
)
def test_insights_are_to_be_read_where_they_are_on_and_to_be_switched_on_where_they_are_off(
    mode: str | None, read: str | None, to_set: str | None
) -> None:
    settings: dict[str, Value] = {} if mode is None else {"contributor_insights": mode}
    table, index = (gather(None, case(*of, settings=settings)) for of in ((), (BY_STATUS,)))

    assert [one.value("insights_switched_on") for one in (table, index)] == [read, read]
    unread = "dynamodb:DescribeContributorInsights" if mode is None else None
    assert [one.value("insights_unread") for one in (table, index)] == [unread, unread]
    assert [one.value("insights_to_switch_on") for one in (table, index)] == [to_set, None]
    assert [one.value("index_insights_to_switch_on") for one in (table, index)] == [None, to_set]


def test_an_index_sees_its_table_under_a_name_of_its_own() -> None:
    table = case(settings={"billing_mode": "PROVISIONED"}, consumed_write_units=7200)
    facts = gather(None, case(BY_STATUS, related=[table]))

    assert facts.value("table_billing_mode") == "PROVISIONED"
    assert facts.value("table_consumed_write_units_per_second") == 2
    assert facts.value("billing_mode") is None
    assert gather(None, table).value("table_billing_mode") is None


def test_what_only_replicas_tell_is_the_worst_of_them() -> None:
    replicas = [case(JOBS_ON_1, tombstones_per_read__p99=5722)]
    assert gather(None, case(JOBS, related=replicas)).value("tombstones_per_read_p99") == 5722


def test_what_the_finding_rests_on_goes_before_what_the_case_says() -> None:
    facts = gather(finding(signal("write_throttle_events", 7)), case(write_throttle_events=9))
    assert facts.value("write_throttle_events") == 7


def test_declared_evidence_never_stands_for_a_measurement() -> None:
    said = signal("write_throttle_events", 7, EvidenceKind.DECLARED)
    assert gather(finding(said), case()).value("write_throttle_events") is None


@pytest.mark.parametrize(
    ("names", "direction"),
    [(["write_throttle_events"], "write"), (["read_throttle_events", "read_key_range_throttle_events"], "read")],
)
def test_the_direction_is_the_one_that_the_finding_rests_on(names: list[str], direction: str) -> None:
    assert gather(finding(*(signal(name, 9) for name in names)), case()).value("refused_direction") == direction


@pytest.mark.parametrize("names", [[], ["read_throttle_events", "write_throttle_events"]])
def test_a_direction_that_is_not_told_is_not_known(names: list[str]) -> None:
    assert gather(finding(*(signal(name, 9) for name in names)), case()).value("refused_direction") is None


@pytest.mark.parametrize(("days_ago", "value"), [(179.9, 86400.0), (180.1, None)])
def test_a_declared_fact_expires_after_180_days(days_ago: float, value: float | None) -> None:
    facts = gather(None, case(), workload=declared("repair_interval_s", 86400.0, days_ago=days_ago))
    assert facts.value("declared_repair_interval_s") == value


def test_a_declared_fact_says_who_said_it() -> None:
    (evidence,) = gather(None, case(), workload=declared("multi_cloud", value=True)).evidence("declared_multi_cloud")
    assert (evidence.kind, evidence.source, evidence.text) == (EvidenceKind.DECLARED, "ana", "yes")


def test_a_saving_is_least_where_both_ends_are_unfavourable() -> None:
    costs = (figure("current", 90, 100, 110), figure("on-demand", 40, 60, 95), figure("current", 1, 1, 1, "reads"))
    facts = gather(None, case(), costs=costs)

    assert facts.value("throughput_current_usd") == 100
    assert facts.value("saving_on_demand_usd") == 40
    assert facts.value("saving_on_demand_low_usd") == -5
    assert facts.savings["on_demand"].high == 70
    assert facts.value("saving_provisioned_usd") is None
    assert facts.value("cost_current_usd") is None


def test_the_saving_that_rules_decide_on_is_the_one_that_is_displayed() -> None:
    costs = (figure("current", 90, 100, 110), figure("on-demand", 40, 60, 95), figure("provisioned", 20, 30, 60))

    assert gather(None, case(), costs=costs).savings == {
        "on_demand": saving(costs, ORDERS, "on-demand"),
        "provisioned": saving(costs, ORDERS, "provisioned"),
    }


def test_an_index_is_paid_with_its_table() -> None:
    assert (
        gather(None, case(BY_STATUS), costs=(figure("current", 90, 100, 110),)).value("throughput_current_usd") == 100
    )


def verdicts(state: FitState) -> tuple[FitVerdict, ...]:
    blockers = (Blocker("joins", "Joins are needed.", True, ()), Blocker("size", "Items may be large.", False, ()))
    current = FitVerdict(workload="orders", candidate="dynamodb", is_current=True, state=state, blockers=blockers)
    other = FitVerdict(workload="orders", candidate="aurora", is_current=False, state=FitState.FITS)
    return (other, current)


def test_the_fit_tells_certain_blockers_from_possible_ones() -> None:
    workload = Workload(name="orders", tables=(ORDERS,))
    facts = gather(None, case(), workload=workload, fits=verdicts(FitState.DOES_NOT_FIT))

    assert facts.value("fit_state") == "does not fit"
    assert facts.value("fit_blockers") == ("joins",)
    assert facts.value("fit_possible_blockers") == ("size",)
    assert facts.value("fit_alternatives") == ("aurora",)


@pytest.mark.parametrize(
    ("sentences", "standing", "reasons"),
    [
        (["joins are needed"], "1 knock-out stands", "Joins are needed."),
        (
            ["joins are needed", "it runs in one cloud."],
            "2 knock-outs stand",
            "Joins are needed. It runs in one cloud.",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_words_and_without_ids(sentences: list[str], standing: str, reasons: str) -> None:
    blockers = tuple(Blocker(f"dynamodb/{n}", text, True, ()) for n, text in enumerate(sentences))
    current = FitVerdict(
        workload="orders",
        candidate="dynamodb-on-demand",
        is_current=True,
        state=FitState.DOES_NOT_FIT,
        blockers=blockers,
    )
    told = gather(None, case(), workload=Workload(name="orders", tables=(ORDERS,)), fits=(current,))
    rule = next(one for one in packaged_rules() if one.id == "fit/clear_the_blockers")
    title, summary, _ = render(rule, told)

    assert title == f"orders no longer fits DynamoDB on-demand: {standing}"
    assert summary == f"orders asks for what DynamoDB on-demand cannot give. {reasons}"


def test_a_verdict_is_told_once_on_the_first_table_of_its_workload() -> None:
    first = replace(ORDERS, table="a")
    workload = Workload(name="orders", tables=(ORDERS, first))
    assert gather(None, case(), workload=workload, fits=verdicts(FitState.FITS)).value("fit_state") is None


def test_a_signal_nobody_registered_is_absent() -> None:
    facts = gather(finding(signal("made_up", 1)), case())
    assert facts.value("made_up") is None


def test_every_signal_can_be_asked_of_any_subject() -> None:
    for subject in (ORDERS, BY_STATUS, JOBS, JOBS_ON_1):
        facts: Facts = gather(None, case(subject))
        assert set(facts.named) <= set(SIGNALS)


def test_what_is_known_has_the_type_that_was_promised() -> None:
    python = {SignalType.DOUBLE: float, SignalType.STRING: str, SignalType.BOOL: bool, SignalType.LIST: tuple}
    full = case(settings={"billing_mode": "PROVISIONED"}, consumed_read_units=5, read_throttle_events=1)
    for name, known in gather(finding(), full).named.items():
        assert isinstance(known.value, python[SIGNALS[name].type]), name


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_absent(value: float) -> None:
    assert gather(finding(signal("write_throttle_events", value)), case()).value("write_throttle_events") is None
