from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from stillfit.clock import FakeClock
from stillfit.errors import LeaseLostError, StoreError
from stillfit.store.leases import EVALUATION
from stillfit.store.outbox import MessageRecord, OutboxMessage, OutboxRow, OutboxState, notification_id
from stillfit.store.store import Store
from tests.store.builders import NOON, advice, message

MINUTE = timedelta(minutes=1)


def enqueue(store: Store, *messages: OutboxMessage) -> None:
    store.commit([advice()], (), messages, epoch=None)


def claim(store: Store, at: timedelta = timedelta()) -> OutboxRow:
    row = store.outbox.claim(NOON + at, None)
    assert row is not None
    return row


def test_the_id_is_the_same_for_the_same_transition_and_sink() -> None:
    assert message().id == notification_id("a1", 1, "slack")
    assert len({message().id, message(number=2).id, message("a2").id, message(sink="hook").id}) == 4


def test_a_claim_is_an_intent_that_is_kept(store: Store) -> None:
    enqueue(store, message())

    row = claim(store)

    assert (row.state, row.attempts, row.payload, row.channel) == (OutboxState.SENDING, 1, '{"text":"hot"}', "#db")
    assert store.outbox.sending() == (row,)
    assert store.outbox.claim(NOON, None) is None


def test_what_was_sent_is_done_and_its_message_known(store: Store) -> None:
    enqueue(store, message())
    record = MessageRecord(
        advice_id="a1", sink="slack", channel="C1", ts="17.1", content_hash="h", number=1, updated_at=NOON
    )

    store.outbox.mark_sent(claim(store).id, "17.1", epoch=None, record=record)

    assert store.outbox.message("a1", "slack") == record
    assert store.outbox.counts() == {
        OutboxState.QUEUED: 0, OutboxState.SENDING: 0, OutboxState.SENT: 1, OutboxState.FAILED: 0,
    }  # fmt: skip


def test_what_was_not_taken_is_tried_again_when_due(store: Store) -> None:
    enqueue(store, message())
    store.outbox.retry_at(claim(store).id, NOON + MINUTE, "429", epoch=None)

    assert store.outbox.claim(NOON + MINUTE - timedelta(microseconds=1), None) is None
    again = claim(store, MINUTE)
    assert (again.attempts, again.error) == (2, "429")


def test_what_failed_is_never_tried_again_and_lets_the_next_pass(store: Store) -> None:
    enqueue(store, message(), message(number=2))
    store.outbox.fail(claim(store).id, "archived", epoch=None)

    assert claim(store).number == 2
    assert store.outbox.counts()[OutboxState.FAILED] == 1


def test_a_later_state_never_overtakes_an_earlier(store: Store) -> None:
    enqueue(store, message(number=2), message(number=1), message(number=1, sink="hook"))

    first, other_sink = claim(store), claim(store)

    assert {(first.number, first.sink), (other_sink.number, other_sink.sink)} == {(1, "slack"), (1, "hook")}
    assert store.outbox.claim(NOON, None) is None
    store.outbox.retry_at(first.id, NOON + MINUTE, "busy", epoch=None)
    assert store.outbox.claim(NOON, None) is None


def test_a_hold_stops_one_channel_and_is_never_shortened(store: Store) -> None:
    enqueue(store, message("a1", channel="#db"), message("a2", channel="#web"))
    store.outbox.hold("#db", NOON + 2 * MINUTE)
    store.outbox.hold("#db", NOON + MINUTE)

    assert claim(store).channel == "#web"
    assert store.outbox.claim(NOON + MINUTE, None) is None
    assert dict(store.outbox.held(NOON)) == {"#db": NOON + 2 * MINUTE}
    assert claim(store, 2 * MINUTE).channel == "#db"


def test_the_queue_can_be_seen(store: Store) -> None:
    later = OutboxMessage(
        **{name: getattr(message("a2"), name) for name in message().__slots__ if name != "not_before"},
        not_before=NOON + MINUTE,
    )
    enqueue(store, message("a1"), later, message("a3", channel="#web"))

    assert [row.advice_id for row in store.outbox.queued("#db")] == ["a1", "a2"]
    assert len(store.outbox.queued()) == 3
    assert len(store.outbox.queued(limit=1)) == 1


@pytest.mark.parametrize("settle", ["mark_sent", "fail"])
def test_only_what_is_being_sent_can_be_settled(store: Store, settle: str) -> None:
    enqueue(store, message())

    with pytest.raises(StoreError, match="is not being sent"):
        getattr(store.outbox, settle)(message().id, "x", epoch=None)


def test_a_sender_that_lost_its_lease_is_refused_everywhere(store: Store, clock: FakeClock) -> None:
    lease = store.leases.acquire(EVALUATION, "old", timedelta(seconds=30))
    assert lease is not None
    enqueue(store, message())
    row = store.outbox.claim(clock.now(), lease.epoch)
    assert row is not None
    store.leases.release(lease)
    store.leases.acquire(EVALUATION, "new", timedelta(seconds=30))

    with pytest.raises(LeaseLostError):
        store.outbox.claim(clock.now(), lease.epoch)
    with pytest.raises(LeaseLostError):
        store.outbox.mark_sent(row.id, "x", epoch=lease.epoch)
    with pytest.raises(LeaseLostError):
        store.outbox.retry_at(row.id, NOON, "x", epoch=lease.epoch)
    with pytest.raises(LeaseLostError):
        store.outbox.fail(row.id, "x", epoch=lease.epoch)
    assert store.outbox.sending() == (row,)


def test_no_row_is_claimed_twice_by_threads(store: Store) -> None:
    enqueue(store, *(message(f"a{number}") for number in range(40)))
    claimed: list[str] = []

    def work() -> None:
        while (row := store.outbox.claim(NOON, None)) is not None:
            claimed.append(row.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == len(set(claimed)) == 40
