"""The ladder of cadences: what it costs, what it promises, and what a budget makes of it."""

from itertools import pairwise

import pytest

from collector.aws.spending.budget import Budget
from collector.aws.spending.plan import (
    HOUR,
    MINUTE,
    PROMISE_S,
    Cadence,
    Load,
    Plan,
    Rhythm,
    Share,
    Tier,
    cheapest_on_time,
    ladder,
    plan,
    slowest,
)
from collector.aws.spending.printed import lines

FLEET = Load({Tier.HOT: Share(50, 100, 1_000), Tier.WARM: Share(450, 900, 5_000), Tier.COLD: Share(500, 1_000, 2_500)})
FREE = plan(FLEET)
SLOWEST = len(list(ladder())) - 1


def test_without_a_budget_the_promise_holds() -> None:
    ages = {tier: FREE.worst_age_s(tier) for tier in Tier}

    assert ages == {Tier.HOT: 7 * MINUTE, Tier.WARM: 7 * MINUTE, Tier.COLD: 17 * MINUTE}
    assert not FREE.late


def test_the_price_is_the_sum_of_its_readings() -> None:
    one = plan(Load({Tier.WARM: Share(1, 2, 11)}, listings_an_hour=36))
    looks = {"wires": 730 * 12, "rest": 730}
    metrics = 2 * looks["wires"] + 11 * looks["rest"]

    assert one.metrics_a_month == metrics
    assert one.usd_a_month == pytest.approx((metrics + 36 * 730) * 0.01 / 1_000)


def test_reports_of_hot_keys_are_in_the_price_and_told_where_there_are_any() -> None:
    load = Load({Tier.WARM: Share(1, 2, 11)})
    with_keys = plan(load + Load(reports_an_hour=20))

    assert with_keys.usd_a_month == pytest.approx(plan(load).usd_a_month + 20 * 730 * 0.01 / 1_000)
    assert list(lines(with_keys))[len(Tier) :] == [
        "limits of the account, reports of hot keys: 20 metrics an hour; 0.15 USD a month"
    ]
    assert len(list(lines(plan(load)))) == len(Tier)


def test_the_lines_of_a_plan_add_up_to_its_price() -> None:
    one = plan(Load({Tier.WARM: Share(40, 80, 440)}, reports_an_hour=20, listings_an_hour=360))
    told = [float(line.rsplit("; ", 1)[1].split()[0]) for line in lines(one)]

    assert sum(told) == pytest.approx(one.usd_a_month, abs=0.005 * len(told))


def test_each_rung_is_cheaper_and_none_is_fresher() -> None:
    rungs = [Plan(load=FLEET, cadences=cadences) for cadences in ladder()]

    for before, after in pairwise(rungs):
        assert after.usd_a_month < before.usd_a_month
        assert all(after.worst_age_s(tier) >= before.worst_age_s(tier) for tier in Tier)


def test_the_promise_breaks_only_after_all_that_does_not_break_it() -> None:
    late = [bool(Plan(load=FLEET, cadences=cadences).late) for cadences in ladder()]

    assert late == sorted(late)
    assert True in late
    assert False in late


@pytest.mark.parametrize(("age_s", "is_late"), [(1_199, False), (1_200, False), (1_201, True)])
def test_the_promise_of_cold_tables_is_twenty_minutes(age_s: int, is_late: bool) -> None:
    cadences = {**FREE.cadences, Tier.COLD: Cadence(age_s - 2 * MINUTE, 3 * HOUR)}

    assert (Tier.COLD in Plan(load=FLEET, cadences=cadences).late) is is_late
    assert PROMISE_S[Tier.COLD] == 1_200


def test_a_budget_that_is_just_enough_stretches_nothing() -> None:
    assert plan(FLEET, FREE.usd_a_month).rung == 0


def test_a_budget_a_cent_too_small_stretches_the_cheapest_pain_first() -> None:
    tight = plan(FLEET, FREE.usd_a_month - 0.01)

    assert tight.cadences == {**FREE.cadences, Tier.COLD: Cadence(15 * MINUTE, 6 * HOUR)}
    assert tight.usd_a_month <= FREE.usd_a_month - 0.01


def test_a_budget_that_nothing_can_hold_reads_as_slowly_as_there_is_and_drops_no_table() -> None:
    poor = plan(FLEET, 0.99 * slowest(FLEET).usd_a_month)

    assert (poor.rung, poor.is_within_budget, poor.wires_alone) == (SLOWEST, False, False)
    assert poor.load == FLEET
    assert set(poor.late) == set(Tier)


def test_a_slow_look_makes_every_cadence_at_least_as_slow() -> None:
    slow = plan(FLEET, rhythm=Rhythm(30 * MINUTE))

    assert all(cadence.wires_s >= 30 * MINUTE for cadence in slow.cadences.values())
    assert set(slow.late) == set(Tier)


def test_regions_share_a_budget() -> None:
    budget = Budget(FREE.usd_a_month * 1.5)

    assert budget.share("aws/1/eu-west-1", FLEET).rung == 0
    assert budget.share("aws/1/us-east-1", FLEET).rung > 0
    assert budget.plan.usd_a_month <= FREE.usd_a_month * 1.5
    assert budget.share("aws/1/us-east-1", Load()).rung == 0


def test_the_lines_tell_cadence_age_and_price() -> None:
    told = "\n".join(lines(FREE))

    assert "hot: 50 tables, tripwires every 5 min, the rest every 5 min; a message at most 7 min late" in told
    assert "cold: 500 tables, tripwires every 15 min, the rest every 3 h; a message at most 17 min late" in told


@pytest.mark.parametrize(("judged_every_s", "late"), [(60, set()), (61, {Tier.HOT}), (900, set(Tier))])
def test_rare_judging_makes_messages_late_too(judged_every_s: int, late: set[Tier]) -> None:
    assert set(plan(FLEET, rhythm=Rhythm(judged_every_s=judged_every_s)).late) == late


@pytest.mark.parametrize(("rest_s", "is_late"), [(300, False), (301, True)])
def test_a_hot_table_is_as_late_as_what_it_consumed_is_known(rest_s: int, is_late: bool) -> None:
    cadences = {**FREE.cadences, Tier.HOT: Cadence(300, rest_s)}

    assert (Tier.HOT in Plan(load=FLEET, cadences=cadences).late) is is_late


def test_the_cheapest_plan_that_is_on_time_reads_hot_tables_whole() -> None:
    enough = plan(FLEET, cheapest_on_time(FLEET))

    assert not enough.late
    assert enough.cadences[Tier.HOT] == FREE.cadences[Tier.HOT]
