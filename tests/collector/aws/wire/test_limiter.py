"""The limiter on a fake clock, and the meter's arithmetic."""

import threading

import pytest

from collector.aws.spending.meter import Bill, Meter, billed
from collector.aws.wire.limiter import DOUBLED_IN_S, HALVED_EVERY_S, SLOWEST, Limiter, StoppedError
from stillfit.clock import FakeClock
from tests.collector.aws.kit import NOON


def seconds_for(limiter: Limiter, clock: FakeClock, calls: int, *, datapoints: int = 0, start: int = NOON) -> float:
    began = clock.monotonic()
    for _ in range(calls):
        limiter.wait(datapoints=datapoints, start=start)
    return clock.monotonic() - began


def test_a_second_of_burst_is_free_and_then_the_rate_holds() -> None:
    clock = FakeClock()
    limiter = Limiter(clock, calls_per_s=50)

    assert seconds_for(limiter, clock, 50) == 0.0
    assert seconds_for(limiter, clock, 500) == pytest.approx(10, abs=0.1)


def test_datapoints_bind_where_calls_do_not() -> None:
    clock = FakeClock()

    assert seconds_for(Limiter(clock), clock, 10, datapoints=90_000) == pytest.approx(4, abs=0.6)


@pytest.mark.parametrize(("age_s", "seconds"), [(3 * 3_600 - 60, 4.0), (3 * 3_600 + 60, 9.0)])
def test_older_windows_have_a_smaller_quota(age_s: int, seconds: float) -> None:
    clock = FakeClock()
    spent = seconds_for(Limiter(clock), clock, 10, datapoints=90_000, start=NOON - age_s)

    assert spent == pytest.approx(seconds - 0.5, abs=0.6)


def answered_for(limiter: Limiter, clock: FakeClock, seconds: float) -> None:
    for _ in range(round(seconds * 50)):
        clock.advance(1 / 50)
        limiter.answered()


def test_a_complaint_halves_the_pace_and_answers_win_it_back() -> None:
    clock = FakeClock()
    limiter = Limiter(clock)
    limiter.complained()
    assert limiter.pace == 0.5

    answered_for(limiter, clock, DOUBLED_IN_S / 2)
    assert limiter.pace == pytest.approx(0.5**0.5)
    answered_for(limiter, clock, DOUBLED_IN_S)
    assert limiter.pace == 1.0


@pytest.mark.parametrize(("after_s", "pace"), [(HALVED_EVERY_S - 0.1, 0.5), (HALVED_EVERY_S, 0.25)])
def test_what_is_refused_together_halves_the_pace_once(after_s: float, pace: float) -> None:
    clock = FakeClock()
    limiter = Limiter(clock)
    for _ in range(20):
        limiter.complained()
    clock.advance(after_s)
    limiter.complained()

    assert limiter.pace == pace


def test_a_call_that_failed_is_counted_again_since_it_is_made_again() -> None:
    clock = FakeClock()
    limiter = Limiter(clock, calls_per_s=50)
    for _ in range(10):
        limiter.failed()

    assert seconds_for(limiter, clock, 40) == 0.0
    assert seconds_for(limiter, clock, 50) == pytest.approx(1, abs=0.1)


def test_a_stop_ends_every_wait() -> None:
    limiter = Limiter(FakeClock(), calls_per_s=1)
    limiter.stop()
    for _ in range(2):
        limiter.wait()

    with pytest.raises(StoppedError):
        limiter.wait()


class Served(FakeClock):
    """The service answers others while somebody waits."""

    limiter: Limiter

    def sleep(self, seconds: float, until: threading.Event | None = None) -> bool:
        slept = super().sleep(seconds, until)
        self.limiter.answered()
        return slept


def test_who_waits_goes_by_the_pace_of_then_and_not_by_that_of_when_it_began_to_wait() -> None:
    clock = Served()
    limiter = clock.limiter = Limiter(clock)
    for _ in range(8):
        limiter.complained()
        clock.advance(HALVED_EVERY_S)
    assert limiter.pace == SLOWEST
    limiter.wait(datapoints=90_000, start=0)

    assert seconds_for(limiter, clock, 1, datapoints=90_000, start=0) < 10 < 1 / SLOWEST


def test_who_stops_waiting_holds_up_nobody() -> None:
    clock = FakeClock()
    limiter, other = Limiter(clock), Limiter(clock)
    other.join(limiter)
    assert seconds_for(limiter, clock, 2, datapoints=90_000, start=0) == 0.0
    limiter.stop()
    for _ in range(25):
        with pytest.raises(StoppedError):
            limiter.wait(datapoints=90_000, start=0)

    assert seconds_for(other, clock, 1, datapoints=90_000, start=0) <= 1.0


class Leaving(FakeClock):
    """Somebody else who waits in line is stopped while we wait."""

    other: Limiter

    def sleep(self, seconds: float, until: threading.Event | None = None) -> bool:
        if until is not None and not until.is_set():
            self.other.stop()
            with pytest.raises(StoppedError):
                self.other.wait(datapoints=900_000, start=0)
        return super().sleep(seconds, until)


def test_who_leaves_the_line_lets_nobody_before_it_go_sooner() -> None:
    clock = Leaving()
    limiter, clock.other = Limiter(clock), Limiter(clock)
    clock.other.join(limiter)

    assert seconds_for(limiter, clock, 3, datapoints=270_000, start=0) == pytest.approx(2.0 + 3.0)


def test_the_pace_has_a_floor_from_which_seconds_of_answers_lead_back() -> None:
    clock = FakeClock()
    limiter = Limiter(clock)
    for _ in range(50):
        limiter.complained()
        clock.advance(HALVED_EVERY_S)
    assert limiter.pace == SLOWEST

    answered_for(limiter, clock, 6 * DOUBLED_IN_S)
    assert limiter.pace == 1.0


@pytest.mark.parametrize(("statistics", "metrics"), [(1, 1), (5, 1), (6, 2)])
def test_five_statistics_are_billed_as_one_metric(statistics: int, metrics: int) -> None:
    assert billed(statistics) == metrics


def test_the_bill_adds_up_in_dollars() -> None:
    meter = Meter()
    meter.add(metrics=1_000, calls=2)
    meter.add(metrics=1_000, listings=500)

    assert meter.bill == Bill(metrics=2_000, calls=2, listings=500)
    assert meter.bill.usd == pytest.approx(0.025)
