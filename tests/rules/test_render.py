"""What people read: numbers with units, names quoted where a shell or CQL reads them, nothing with a hole in it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillfit.model import Engine, Subject
from stillfit.rulebook import packaged_rules
from stillfit.rules.engine import ask, render
from stillfit.rules.render import show
from stillfit.rules.rule import Rule
from tests.rules.builders import facts, rule

RULES: dict[str, Rule] = {one.id: one for one in packaged_rules()}
RAISING = [
    ("dynamodb/raise_provisioned_capacity", "read"),
    ("dynamodb/raise_provisioned_capacity", "write"),
    ("dynamodb/raise_index_read_capacity", "read"),
    ("dynamodb/raise_index_write_capacity", "write"),
]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (410.4, "USD", "410 USD"),
        (9.994, "USD", "9.99 USD"),
        (1200.0, "WCU", "1,200 WCU"),
        (0.4, "ratio", "40 %"),
        (864000.0, "s", "10 d"),
        (10800.0, "s", "3 h"),
        (90.0, "s", "1.5 min"),
        (5.0, "s", "5 s"),
        (1610612736.0, "bytes", "1.5 GiB"),
        (12.0, "bytes", "12 bytes"),
        (14.0, "d", "14 days"),
        (True, "", "yes"),
        (("a", "b"), "", "a, b"),
        (1.825, "x", "1.82 x"),
    ],
)
def test_values_are_shown_as_people_say_them(value: float | tuple[str, ...], unit: str, text: str) -> None:
    assert show(value, unit) == text


@pytest.mark.parametrize(
    ("known", "command", "step"),
    [
        ({"insights_to_switch_on": "THROTTLED_KEYS"}, "--table-name orders --contributor-", "at 0.50 USD per rule"),
        (
            {"index_insights_to_switch_on": "THROTTLED_KEYS"},
            "--table-name orders --index-name ",
            "at 0.50 USD per rule",
        ),
        ({"insights_switched_on": "THROTTLED_KEYS"}, None, "Insights is on, THROTTLED_KEYS: read which key it is on"),
        ({"insights_unread": "dynamodb:DescribeX"}, None, "was not read, which takes dynamodb:DescribeX: look first"),
    ],
    ids=["off", "off on an index", "on", "not known"],
)
def test_insights_that_are_on_are_to_be_read_and_others_to_be_switched_on(
    known: dict[str, Any], command: str | None, step: str
) -> None:
    spread = RULES["dynamodb/spread_hot_writes"]
    told = render(spread, facts(spread, cause="key_range", refused_direction="write", **known)).option

    assert [command in one for one in told.commands if command] == [True] * len(told.commands) == [True] * bool(command)
    assert [one for one in told.steps if "Contributor Insights" in one] == [one for one in told.steps if step in one]


def test_a_step_with_an_unknown_number_is_left_out() -> None:
    raise_it = RULES["dynamodb/raise_provisioned_capacity"]
    known: dict[str, Any] = {"cause": "provisioned", "billing_mode": "PROVISIONED", "provisioned_write_units": 100}
    bare = render(raise_it, facts(raise_it, **known)).option
    full = render(
        raise_it, facts(raise_it, **known, write_throttle_events=900, peak_write_demand_per_second=141)
    ).option

    assert not [step for step in bare.steps if "Provision at least" in step]
    assert [step for step in full.steps if "Provision at least" in step] == [
        "Provision at least 210 WCU for writes now: the busiest stretch asked for 141 WCU/s."
    ]


@pytest.mark.parametrize(("rule_id", "direction"), RAISING)
def test_a_raise_never_names_less_than_there_is(rule_id: str, direction: str) -> None:
    """Refused within seconds, minutes below the capacity: 1,000 are there and the busiest minute asked for 301."""
    there: dict[str, Any] = {f"{direction}_throttle_events": 900, f"provisioned_{direction}_units": 1_000}
    asked: dict[str, Any] = {f"peak_{direction}_demand_per_second": 301}
    told = facts(RULES[rule_id], cause="provisioned", **there, **asked)
    option = render(RULES[rule_id], told).option

    assert not [step for step in option.steps if step.lower().startswith(("provision at least", "at least"))]
    assert not [command for command in option.commands if "--max-capacity" in command]


def raised(rule_id: str, direction: str, **scaling: float | bool) -> tuple[list[str], list[tuple[str, str]]]:
    """Steps on auto scaling, and minimum and maximum of each command: 200 are there now, the peak needs 430."""
    there: dict[str, Any] = {f"{direction}_throttle_events": 900, f"provisioned_{direction}_units": 200}
    asked: dict[str, Any] = {f"peak_{direction}_demand_per_second": 301, **scaling}
    option = render(RULES[rule_id], facts(RULES[rule_id], cause="provisioned", **there, **asked)).option
    words = [shlex.split(command) for command in option.commands]
    limits = [(one[one.index("--min-capacity") + 1], one[one.index("--max-capacity") + 1]) for one in words]
    return [step for step in option.steps if "auto scaling maximum" in step], limits


@pytest.mark.parametrize(("rule_id", "direction"), RAISING)
@pytest.mark.parametrize("most", [430, 431, 5_000])
def test_an_auto_scaling_maximum_with_room_is_never_lowered(rule_id: str, direction: str, most: float) -> None:
    limits: dict[str, Any] = {f"autoscaling_{direction}_min": 50, f"autoscaling_{direction}_max": most}
    steps, commands = raised(rule_id, direction, **limits, **{f"autoscales_{direction}s": True})

    assert commands == []
    assert [step.split(";")[0] for step in steps] == [
        f"The auto scaling maximum for {direction}s has room at {most:,} {direction[0].upper()}CU"
    ]


@pytest.mark.parametrize(("rule_id", "direction"), RAISING)
def test_a_maximum_that_is_too_low_is_raised_and_the_minimum_kept(rule_id: str, direction: str) -> None:
    limits: dict[str, Any] = {f"autoscaling_{direction}_min": 50, f"autoscaling_{direction}_max": 429}
    steps, commands = raised(rule_id, direction, **limits, **{f"autoscales_{direction}s": True})

    assert commands == [("50", "430")]
    assert [step for step in steps if "has room" in step] == []


@pytest.mark.parametrize(("rule_id", "direction"), RAISING)
@pytest.mark.parametrize(("scaled", "commands"), [(False, [("200", "430")]), (None, [])])
def test_a_target_is_registered_only_where_there_is_none(
    rule_id: str, direction: str, scaled: bool | None, commands: list[tuple[str, str]]
) -> None:
    known = {} if scaled is None else {f"autoscales_{direction}s": scaled}

    assert raised(rule_id, direction, **known) == ([], commands)


def test_a_number_of_the_direction_that_is_not_refused_does_not_exist() -> None:
    raise_it = RULES["dynamodb/raise_provisioned_capacity"]
    told = facts(raise_it, read_throttle_events=0, peak_read_demand_per_second=500, cause="provisioned")

    assert not [step for step in render(raise_it, told).option.steps if "500" in step]


def test_a_command_has_bare_numbers_and_quoted_names() -> None:
    index = RULES["dynamodb/raise_index_write_capacity"]
    known: dict[str, Any] = {"provisioned_write_units": 1200, "autoscales_writes": False}
    told = facts(index, **known, peak_write_demand_per_second=2800, table="a b; rm -rf ~")
    (command,) = render(index, told).option.commands

    words = shlex.split(command)
    assert words[words.index("--max-capacity") + 1] == "4000"
    assert words[words.index("--resource-id") + 1] == "table/a b; rm -rf ~/index/by-status"


@pytest.mark.parametrize(
    ("keyspace", "table", "quoted"),
    [("shop", "jobs", "shop.jobs"), ("Shop", "jobs", '"Shop".jobs'), ("shop", 'a"; DROP', 'shop."a""; DROP"')],
)
def test_a_cql_statement_quotes_names_as_cql_does(keyspace: str, table: str, quoted: str) -> None:
    twcs = RULES["cassandra/twcs_for_ttl"]
    subject = Subject(engine=Engine.CASSANDRA, scope=("main", "dc1"), keyspace=keyspace, table=table)
    told = facts(twcs, about=subject, compaction="LeveledCompactionStrategy", default_ttl_s=604800)

    assert render(twcs, told).option.commands[0].startswith(f"ALTER TABLE {quoted} WITH compaction = {{'class'")


def test_braces_in_a_name_are_not_filled_again() -> None:
    example = rule()
    told = facts(example, table="{region}")

    assert render(example, told).title == "Do it to {region}"


def test_gc_grace_is_proposed_only_with_a_known_repair_interval() -> None:
    purge = RULES["cassandra/repair_then_purge"]
    told = facts(purge, cause="undetermined", gc_grace_s=864000)

    assert [one.split()[0] for one in render(purge, told).option.commands] == ["nodetool", "nodetool"]


@given(
    repair_s=st.floats(min_value=0, max_value=5e6),
    grace_s=st.floats(min_value=0, max_value=5e6),
    rule_id=st.sampled_from(["cassandra/repair_then_purge", "cassandra/rework_queue"]),
)
def test_gc_grace_is_never_proposed_below_repair_interval_or_hint_window(
    repair_s: float, grace_s: float, rule_id: str
) -> None:
    """Cassandra's max_hint_window is 3 h by default; rows that were deleted come back below either."""
    advising = RULES[rule_id]
    altered = replace(advising, texts=replace(advising.texts, commands=("{gc_grace_floor_s}",)))
    proposed = render(altered, facts(altered, gc_grace_s=grace_s, declared_repair_interval_s=repair_s)).option.commands

    assert all(max(repair_s, 3 * 3600) < float(seconds) < grace_s for seconds in proposed)


@pytest.mark.parametrize("one", RULES.values(), ids=RULES)
def test_no_text_of_a_firing_rule_has_a_hole(one: Rule) -> None:
    for test in one.tests:
        given_here: dict[str, Any] = dict(test.given)
        told = facts(one, **given_here)
        if ask(one, told).fires:
            rendered = render(one, told)
            said = (rendered.title, rendered.summary, *rendered.option.steps, *rendered.option.commands)
            assert not [text for text in said if "not known" in text and "is not known" not in text]


@pytest.mark.parametrize(("table", "option"), [("orders", "--table-name orders "), ("--rf", "--table-name=--rf ")])
def test_a_name_that_looks_like_an_option_is_none_in_a_command(table: str, option: str) -> None:
    rule = RULES["dynamodb/record_throttled_keys"]
    (command,) = render(rule, facts(rule, cause="key_range", table=table)).option.commands

    assert option in command
