"""What becomes of a row: told, waited for, read back, told again, or given up."""

from __future__ import annotations

from datetime import datetime

import pytest
from structlog.testing import capture_logs

from stillfit.advice import AdviceState
from stillfit.clock import FakeClock
from stillfit.errors import DeliveryError
from stillfit.notify.compose import told
from stillfit.notify.sender import Sender
from stillfit.notify.sink import Delivered, may_repeat
from stillfit.store.outbox import MessageRecord, OutboxRow, OutboxState
from tests.notify.builders import MemoryOutbox, advice, queued, transition

LIVE, PENDING = AdviceState.OPEN, AdviceState.PENDING
RESOLVED, DISMISSED = AdviceState.RESOLVED, AdviceState.DISMISSED


class FakeSink:
    """Takes messages, unless told to raise; `there` is what a read-back finds."""

    def __init__(self, name: str = "slack", channel: str = "stillfit") -> None:
        self.name, self.channel = name, channel
        self.answers: list[DeliveryError] = []
        self.sent: list[OutboxRow] = []
        self.there: set[str] = set()
        self.unreadable: DeliveryError | None = None

    def send(self, row: OutboxRow, shown: MessageRecord | None) -> Delivered:
        if self.answers:
            raise self.answers.pop(0)
        self.sent.append(row)
        return Delivered(receipt=f"r{len(self.sent)}", channel="C1", ts=shown.ts if shown else f"{len(self.sent)}.0")

    def find(self, row: OutboxRow, shown: MessageRecord | None, since: datetime) -> Delivered | None:
        if self.unreadable:
            raise self.unreadable
        return Delivered(receipt="found", channel="C1", ts="9.9") if row.id in self.there else None


class Bench:
    """A sender with its outbox, one sink and a clock."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.sink, self.outbox = clock, FakeSink(), MemoryOutbox(clock)
        self.outcomes: list[tuple[str, str]] = []
        self.sender = Sender(
            self.outbox, (self.sink,), clock, "test", notified=lambda sink, out: self.outcomes.append((sink, out))
        )

    def after(self, seconds: float) -> OutboxRow:
        """Let time pass, send what is due, and look at the first row."""
        self.clock.advance(seconds)
        self.sender.send_due(1)
        return next(iter(self.outbox.rows.values()))

    def count_after(self, seconds: float) -> int:
        self.after(seconds)
        return len(self.sink.sent)


@pytest.fixture
def bench(clock: FakeClock) -> Bench:
    return Bench(clock)


def test_transitions_are_told_in_their_order_whatever_becomes_of_the_first(bench: Bench) -> None:
    bench.outbox.add(queued(2), queued(1), queued(3))
    bench.sink.answers = [transient()]

    for _ in range(20):
        bench.after(1)

    assert [row.number for row in bench.sink.sent] == [1, 2, 3]


def test_a_channel_takes_about_one_message_a_second(bench: Bench) -> None:
    bench.outbox.add(*(queued(advice_id=f"A-{number}") for number in range(5)))

    assert [bench.count_after(0.6) for _ in range(5)] == [1, 1, 2, 2, 3]


def test_in_compressed_time_the_pace_is_still_that_of_real_seconds(clock: FakeClock) -> None:
    clock.scale = 60.0
    bench = Bench(clock)
    bench.outbox.add(queued(advice_id="A-1"), queued(advice_id="A-2"))

    assert [bench.count_after(seconds) for seconds in (0, 71, 1)] == [1, 1, 2]


def test_a_429_holds_only_its_channel_and_for_as_long_as_asked(bench: Bench) -> None:
    other = FakeSink("other", "elsewhere")
    bench.sender = Sender(bench.outbox, (bench.sink, other), bench.clock, "test")
    bench.outbox.add(queued(), queued(sink="other", channel="elsewhere"))
    bench.sink.answers = [DeliveryError("wait", permanent=False, retry_after_s=40)]

    bench.after(0)
    assert (len(bench.sink.sent), len(other.sent)) == (0, 1)
    bench.after(39)
    assert not bench.sink.sent
    bench.after(1)
    assert len(bench.sink.sent) == 1


def test_waits_double_up_to_five_minutes_and_are_the_same_after_a_restart(bench: Bench) -> None:
    bench.outbox.add(queued())
    waits = []
    for _ in range(12):
        bench.sink.answers = [transient()]
        row = bench.after(300)
        waits.append((row.due_at - bench.clock.now()).total_seconds())

    assert [2**number / 2 <= wait <= 2**number for number, wait in enumerate(waits, 1)][:8] == [True] * 8
    assert all(150 <= wait <= 300 for wait in waits[8:])
    again = Bench(FakeClock())
    again.outbox.add(queued())
    again.sink.answers = [transient()]
    assert (again.after(300).due_at - again.clock.now()).total_seconds() == waits[0]


def test_a_message_that_can_never_be_delivered_is_said_in_the_log(bench: Bench) -> None:
    bench.outbox.add(queued())
    bench.sink.answers = [DeliveryError("slack: refused with invalid_blocks", permanent=True, of_message=True)]

    with capture_logs() as logs:
        row = bench.after(0)

    assert (row.state, row.error) == (OutboxState.FAILED, "slack: refused with invalid_blocks")
    assert "CRITICAL - orders" in logs[-1]["message"]
    assert bench.outcomes == [("slack", "failed")]


def test_a_revoked_token_holds_every_message_until_somebody_mends_it(bench: Bench) -> None:
    bench.outbox.add(queued())
    bench.sink.answers = [DeliveryError("slack: refused with token_revoked", permanent=True)] * 3

    with capture_logs() as logs:
        waits = [(bench.after(300 * turn).due_at - bench.clock.now()).total_seconds() for turn in range(3)]

    assert (waits, {log["log_level"] for log in logs}) == ([300] * 3, {"error"})
    assert bench.after(300).state is OutboxState.SENT


def test_an_unknown_outcome_is_never_sent_again_before_it_was_read_back(bench: Bench) -> None:
    bench.outbox.add(queued())
    bench.sink.answers = [unknown()]

    assert bench.after(0).state is OutboxState.SENDING
    assert bench.after(29.9).state is OutboxState.SENDING
    bench.sink.there = set(bench.outbox.rows)
    row = bench.after(0.1)

    assert (row.state, row.receipt, bench.sink.sent) == (OutboxState.SENT, "found", [])
    assert bench.outbox.message("A-1", "slack").ts == "9.9"  # type: ignore[union-attr]  # it was sent


def test_what_a_read_back_does_not_find_is_sent_once_more_without_saying_that_it_repeats(bench: Bench) -> None:
    bench.outbox.add(queued())
    bench.sink.answers = [unknown()]
    bench.after(0)

    assert bench.after(30).state is OutboxState.SENT
    assert [may_repeat(row) for row in bench.sink.sent] == [False]


def test_where_nothing_can_be_read_back_it_is_sent_again_and_says_so_even_after_a_429(bench: Bench) -> None:
    bench.outbox.add(queued())
    bench.sink.answers = [unknown(), DeliveryError("wait", permanent=False, retry_after_s=1)]
    bench.sink.unreadable = DeliveryError("cannot be read", permanent=True)
    bench.after(0)
    bench.after(30)

    assert bench.after(2).state is OutboxState.SENT
    assert [may_repeat(row) for row in bench.sink.sent] == [True]


def test_a_read_back_that_fails_for_now_is_tried_again_later(bench: Bench) -> None:
    bench.outbox.add(queued())
    bench.sink.answers = [unknown()]
    bench.sink.unreadable = transient()
    bench.after(0)

    assert bench.after(30).state is OutboxState.SENDING
    bench.sink.unreadable = None
    assert bench.after(300).state is OutboxState.SENT


def test_a_row_of_a_sink_that_is_gone_from_the_configuration_is_given_up(bench: Bench) -> None:
    bench.outbox.add(queued(sink="pager"))

    row = bench.after(0)

    assert (row.state, row.error) == (OutboxState.FAILED, "no sink 'pager' is configured any more")


def test_without_a_sink_nothing_is_composed_and_nothing_claimed(clock: FakeClock) -> None:
    outbox = MemoryOutbox(clock)
    outbox.add(queued())
    sender = Sender(outbox, (), clock, "test")
    sender.send_due(1)

    assert sender.tell([advice()], [transition()]) == ()
    assert outbox.counts()[OutboxState.QUEUED] == 1


def test_every_transition_makes_one_message_for_each_sink(clock: FakeClock) -> None:
    sender = Sender(MemoryOutbox(clock), (FakeSink(), FakeSink("other", "elsewhere")), clock, "test")
    steps = [transition(number=1), transition(RESOLVED, 2, before=LIVE)]

    made = sender.tell([advice()], steps)

    assert [(one.number, one.sink, one.channel) for one in made] == [
        (1, "slack", "stillfit"),
        (1, "other", "elsewhere"),
        (2, "slack", "stillfit"),
        (2, "other", "elsewhere"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        (PENDING, LIVE, True),
        (PENDING, RESOLVED, False),
        (PENDING, DISMISSED, False),
        (LIVE, RESOLVED, True),
        (LIVE, LIVE, True),
        (RESOLVED, PENDING, False),
        (RESOLVED, LIVE, True),
    ],
)
def test_only_what_was_shown_or_is_live_is_told(before: AdviceState, after: AdviceState, is_told: bool) -> None:
    assert told(transition(after, before=before)) is is_told


def transient() -> DeliveryError:
    return DeliveryError("refused", permanent=False)


def unknown() -> DeliveryError:
    return DeliveryError("broke", permanent=False, unknown_outcome=True)
