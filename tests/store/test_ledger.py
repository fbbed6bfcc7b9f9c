from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from stillfit.advice import AdviceState
from stillfit.errors import LeaseLostError
from stillfit.store.leases import EVALUATION
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store
from tests.store.builders import NOON, advice, message, transition

OPEN = advice(transitions=1, state=AdviceState.OPEN)


def test_records_come_back_exactly(store: Store) -> None:
    bare = replace(advice("a2"), saving=None, snooze_until=None, evidence=())

    store.commit([OPEN, bare], epoch=None)

    assert store.advice() == (OPEN, bare)


def test_a_record_is_replaced_by_its_newer_version(store: Store) -> None:
    store.commit([advice()], epoch=None)
    store.commit([OPEN], [transition()], epoch=None)

    assert store.advice() == (OPEN,)
    assert store.transitions() == store.transitions("a1") == (transition(),)


def test_a_replay_changes_nothing(store: Store) -> None:
    first = store.commit([OPEN], [transition()], [message()], epoch=None)
    again = store.commit([OPEN], [transition()], [message()], epoch=None)

    assert (first.superseded, again.superseded) == (frozenset(), frozenset())
    assert len(store.transitions()) == store.outbox.counts()[OutboxState.QUEUED] == 1


def test_a_replay_after_sending_sends_nothing(store: Store) -> None:
    store.commit([OPEN], [transition()], [message()], epoch=None)
    row = store.outbox.claim(NOON, None)
    assert row is not None
    store.outbox.mark_sent(row.id, "ts", epoch=None)

    store.commit([OPEN], [transition()], [message()], epoch=None)

    assert store.outbox.claim(NOON, None) is None


def test_what_a_person_did_meanwhile_is_not_undone(store: Store) -> None:
    acknowledged = replace(OPEN, state=AdviceState.ACKNOWLEDGED, transitions=2)
    store.commit([acknowledged], [transition(), transition(number=2, after=AdviceState.ACKNOWLEDGED)], epoch=None)

    seen_again = replace(OPEN, last_seen=NOON + timedelta(minutes=5))
    other = advice("a2")
    done = store.commit([seen_again, other], epoch=None)

    assert done.superseded == {"a1"}
    assert store.advice() == (acknowledged, other)


def test_of_two_transitions_with_one_number_the_first_stays(store: Store) -> None:
    store.commit([OPEN], [transition()], epoch=None)

    resolved = transition(after=AdviceState.RESOLVED)
    done = store.commit([replace(OPEN, state=AdviceState.RESOLVED)], [resolved], [message()], epoch=None)

    assert done.superseded == {"a1"}
    assert (store.advice(), store.transitions()) == ((OPEN,), (transition(),))
    assert store.outbox.counts()[OutboxState.QUEUED] == 0


def test_nothing_is_kept_of_a_commit_under_a_lost_lease(
    store: Store,
) -> None:
    lease = store.leases.acquire(EVALUATION, "one", timedelta(seconds=30))
    assert lease is not None

    with pytest.raises(LeaseLostError, match="taken over"):
        store.commit([OPEN], [transition()], [message()], epoch=lease.epoch - 1)

    assert (store.advice(), store.transitions(), store.outbox.queued()) == ((), (), ())
    store.commit([OPEN], [transition()], [message()], epoch=lease.epoch)
    assert store.advice() == (OPEN,)


def test_many_threads_write_without_an_error(store: Store) -> None:
    errors: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for number in range(1, 6):
                id_ = f"{thread}-{number}"
                store.commit([advice(id_)], [transition(id_)], [message(id_)], epoch=None)
        except Exception as error:  # noqa: BLE001  (carried to the assertion)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert len(store.advice()) == len(store.transitions()) == 40
