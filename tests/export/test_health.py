from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from stillfit.export.health import HANG_S, Health
from tests.builders import NOON
from tests.export.fleet import TURN


class Ticking:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


@pytest.fixture
def health(ticking: Ticking) -> Health:
    return Health(monotonic=ticking, now=lambda: NOON.timestamp() + ticking.seconds)


def value(health: Health, name: str, **labels: str) -> float | None:
    return health.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("seconds", "hung"), [(HANG_S - 1, ()), (HANG_S, ()), (HANG_S + 1, ("judge",))], ids=["below", "at", "above"]
)
def test_a_loop_that_does_not_beat_for_five_minutes_hangs(
    health: Health, ticking: Ticking, seconds: float, hung: tuple[str, ...]
) -> None:
    health.scheduled("judge", 60)
    ticking.seconds = seconds

    assert health.hung() == hung


def test_a_slow_loop_may_take_three_of_its_intervals(health: Health, ticking: Ticking) -> None:
    health.scheduled("keep house", 3_600)
    ticking.seconds = 3 * 3_600
    assert health.hung() == ()

    ticking.seconds += 1
    assert health.hung() == ("keep house",)


def test_a_run_that_was_left_out_is_no_beat(health: Health, ticking: Ticking) -> None:
    health.scheduled("send", 1)
    ticking.seconds = HANG_S + 1
    health.job_ended("send", "still running")

    assert health.hung() == ("send",)


def test_a_loop_that_only_ever_crashes_counts_as_hung(health: Health, ticking: Ticking) -> None:
    health.scheduled("judge", 60)
    ticking.seconds = HANG_S + 1
    health.job_ended("judge", "crashed")

    assert health.hung() == ("judge",)
    assert value(health, "stillfit_job_last_success_timestamp_seconds", loop="judge") is None
    assert value(health, "stillfit_job_runs_total", loop="judge", outcome="crashed") == 1


def test_a_loop_that_crashed_once_is_well_again_with_its_next_success(health: Health, ticking: Ticking) -> None:
    health.scheduled("judge", 60)
    health.job_ended("judge", "crashed")
    ticking.seconds = HANG_S + 1
    health.job_ended("judge", "ok")

    assert health.hung() == ()


def test_a_long_first_look_is_no_reason_to_restart(health: Health, ticking: Ticking) -> None:
    health.scheduled("collect aws/123456789012/us-east-1", 60)
    ticking.seconds = 3_600

    assert health.hung() == ()


def test_jobs_that_were_taken_off_are_not_expected(health: Health, ticking: Ticking) -> None:
    health.scheduled("judge", 60)
    health.unscheduled()
    ticking.seconds = 3_600

    assert health.hung() == ()


def test_the_store_is_not_writable_from_its_refusal_to_its_next_success(health: Health) -> None:
    health.job_ended("judge", "store")
    health.job_ended("send", "ok")
    assert (health.store_writable, value(health, "stillfit_store_writable")) == (False, 0)

    health.job_ended("judge", "ok")
    assert (health.store_writable, value(health, "stillfit_store_writable")) == (True, 1)


def test_a_failed_read_is_counted_by_its_reason(health: Health) -> None:
    health.collected("aws/1/eu-west-1", 2.0, error="denied")

    where = {"target": "aws/1/eu-west-1", "collector": "aws"}
    assert value(health, "stillfit_collect_errors_total", **where, kind="denied") == 1
    assert value(health, "stillfit_collect_duration_seconds_count", **where) == 1


def test_a_refused_reload_leaves_the_time_of_the_last_good_one(health: Health) -> None:
    health.reloaded(ok=True, at=NOON)
    health.reloaded(ok=False, at=NOON.replace(hour=23))

    assert value(health, "stillfit_config_last_reload_successful") == 0
    assert value(health, "stillfit_config_last_reload_success_timestamp_seconds") == NOON.timestamp()


def test_transitions_are_counted_by_rule_and_state(health: Health) -> None:
    health.turned(TURN)

    counted = value(health, "stillfit_advice_transitions_total", rule="dynamodb-hot-key-range", to="open")
    assert counted == 1


def test_a_message_that_was_not_taken_is_an_error_too(health: Health) -> None:
    health.notified("slack", "sent")
    health.notified("slack", "failed")

    assert value(health, "stillfit_notify_total", sink="slack", outcome="sent") == 1
    assert value(health, "stillfit_notify_errors_total", sink="slack", outcome="failed") == 1
    assert value(health, "stillfit_notify_errors_total", sink="slack", outcome="sent") is None


def test_many_threads_lose_no_count(health: Health) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: health.job_ended("judge", "ok"), range(2_000)))

    assert value(health, "stillfit_job_runs_total", loop="judge", outcome="ok") == 2_000
