"""Full disks, locked files, garbled chunks and kill -9."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from structlog.testing import capture_logs

from stillfit.clock import FakeClock
from stillfit.errors import StoreError
from stillfit.model import GapReason, Span
from stillfit.store import database, schema
from stillfit.store.database import FullError
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store
from tests.store.builders import (
    BALLAST,
    CARTS,
    HOUR,
    NOON,
    NOON_S,
    ORDERS,
    READS,
    advice,
    around_noon,
    batch,
    message,
    series,
    transition,
)

NOISE = {minute: random.Random(minute).random() for minute in range(-3000, 0)}


def damage(store: Store, where: sa.ColumnElement[bool]) -> None:
    with store._samples.write() as connection:
        connection.execute(sa.update(schema.chunk).where(where).values(data=b"\x00 garbage"))


def test_a_garbled_chunk_is_unknown_time_with_a_gap_and_a_line(store: Store) -> None:
    store.write(batch(series({-90: 1.0, -30: 2.0}, [(-120, 0)]), series({-30: 3.0}, [(-60, 0)], subject=CARTS)))
    damage(store, (schema.chunk.c.facet == 0) & (schema.chunk.c.bucket == NOON_S - HOUR))

    with capture_logs() as lines:
        found = store.series(around_noon())
        store.series(around_noon())

    assert found == (series({-90: 1.0}, [(-120, -60)]),)
    assert [(line["event"], line["log_level"]) for line in lines] == [("chunk garbled", "error")]
    assert {(gap.subject, gap.reason, gap.span) for gap in store.gaps()} == {
        (one, GapReason.GARBLED, Span(NOON_S - HOUR, NOON_S)) for one in (ORDERS, CARTS)
    }


def test_a_garbled_chunk_that_is_collected_again_heals(store: Store) -> None:
    written = batch(series({-30: 2.0}, [(-60, 0)]))
    store.write(written)
    damage(store, schema.chunk.c.facet == 0)
    assert store.series(around_noon()) == ()

    store.write(written)

    assert (store.series(around_noon()), store.gaps()) == (written.series, ())


def test_an_hour_whose_samples_are_garbled_is_a_hole_for_a_backfill(store: Store) -> None:
    """Its sum is still there, and stays."""
    written = series(dict.fromkeys(range(-180, 0), 2.0), [(-180, 0)])
    store.write(batch(written))
    damage(store, (schema.chunk.c.facet == 0) & (schema.chunk.c.bucket == NOON_S - 2 * HOUR))
    name, span = (ORDERS, READS, ""), Span(NOON_S - 3 * HOUR, NOON_S)

    assert store.cover("cloudwatch", span, 60).holes([name]) == (Span(NOON_S - 2 * HOUR, NOON_S - HOUR),)
    assert len(store.hourly(span)[0].times) == 3
    store.write(batch(written))
    assert (store.cover("cloudwatch", span, 60).holes([name]), store.gaps()) == ((), ())


def test_an_hour_whose_samples_are_gone_by_age_is_no_hole(store: Store) -> None:
    store.write(batch(series({-30: 2.0}, [(-60, 0)])))
    with store._samples.write() as connection:
        connection.execute(sa.delete(schema.chunk).where(schema.chunk.c.facet == 0))

    assert store.cover("cloudwatch", Span(NOON_S - HOUR, NOON_S), 60).holes([(ORDERS, READS, "")]) == ()


@pytest.mark.parametrize("facet", [1, 2])
def test_a_garbled_hourly_chunk_is_unknown_and_never_zero(store: Store, facet: int) -> None:
    store.write(batch(series({-30: 2.0}, [(-60, 0)])))
    damage(store, schema.chunk.c.facet == facet)

    assert store.hourly(around_noon()) == ()
    assert {gap.reason for gap in store.gaps()} == {GapReason.GARBLED}


def test_hours_summed_up_outlive_their_garbled_minutes(store: Store) -> None:
    store.write(batch(series({-30: 2.0}, [(-60, 0)])))
    damage(store, schema.chunk.c.facet == 0)

    store.write(batch(series({-20: 1.0}, [(-25, -15)])))

    assert store.hourly(around_noon())[0].values.tolist() == [2.0]


def test_on_a_full_disk_state_is_kept_and_history_waits(sqlite_store: Store) -> None:
    sqlite_store._samples._engine.dispose()
    sa.event.listen(sqlite_store._samples._engine, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count=1"))

    with pytest.raises(FullError, match="the disk is full") as refused:
        sqlite_store.write(batch(series(NOISE, [(-3000, 0)]), subjects_seen=(ORDERS,)))

    assert (refused.value.retryable, sqlite_store.history_paused) == (True, True)
    assert sqlite_store.subjects() == (ORDERS,)
    assert (sqlite_store.last_end("cloudwatch"), sqlite_store.series(around_noon(60))) == (None, ())


def test_history_goes_on_by_itself_when_there_is_room_again(sqlite_store: Store, sqlite_path: Path) -> None:
    written = batch(series(NOISE, [(-3000, 0)]))
    sqlite_store._databases.ballast._path.unlink()  # type: ignore[union-attr]  # on SQLite there is one
    sqlite_store._databases.ballast._size = 2**62  # type: ignore[union-attr]  # more than any disk has free
    with pytest.raises(FullError, match="samples wait"):
        sqlite_store.write(written)
    assert sqlite_store.history_paused

    sqlite_store._databases.ballast._size = BALLAST  # type: ignore[union-attr]  # as if space had been freed
    sqlite_store.write(written)

    assert (sqlite_store.history_paused, sqlite_store.series(around_noon(60))) == (False, written.series)
    assert sqlite_path.with_name("stillfit.db.ballast").stat().st_size == BALLAST


def test_a_file_that_is_taken_away_is_told_of_and_work_goes_on_once_it_is_back(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    seen = batch(series({-30: 2.0}, [(-60, 0)]), subjects_seen=(ORDERS,))
    away = sqlite_path.rename(sqlite_path.with_name("away"))

    with pytest.raises(StoreError, match="removed or replaced under the running stillfit: put it back"):
        sqlite_store.write(seen)
    away.rename(sqlite_path)
    sqlite_store.write(seen)

    assert sqlite_store.subjects() == (ORDERS,)


def test_a_file_that_another_replaced_is_not_written_to(sqlite_store: Store, sqlite_path: Path) -> None:
    sqlite_path.rename(sqlite_path.with_name("away"))
    sqlite_path.write_bytes(b"")

    with pytest.raises(StoreError, match="removed or replaced"):
        sqlite_store.write(batch(subjects_seen=(ORDERS,)))
    assert sqlite_path.read_bytes() == b""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("FULL DISK NOT TRIED on a real file system: mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(file_path: Path) -> None:
    with file_path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_on_a_disk_that_fills_up_no_transition_is_lost_and_work_goes_on_after(small_disk: Path) -> None:
    filler, held = small_disk / "filler", small_disk / "stillfit.db.ballast"
    url = f"sqlite:///{small_disk}/stillfit.db"
    with closing(Store.open(url, clock=FakeClock(), ballast_bytes=8 * 2**20)) as store:
        fill(filler)
        for number in range(100):
            id_ = f"a{number}"
            store.commit([advice(id_)], [transition(id_)], [message(id_)], epoch=None)
        with pytest.raises(FullError):
            store.write(batch(series(NOISE, [(-3000, 0)])))
        row = store.outbox.claim(NOON, None)
        assert row is not None
        store.outbox.mark_sent(row.id, "ts", epoch=None)
        assert not held.exists()

        filler.unlink()
        store.write(batch(series({-1: 1.0}, [(-1, 0)])))

        assert (len(store.transitions()), store.outbox.counts()[OutboxState.QUEUED]) == (100, 99)
        assert store.series(around_noon()) == (series({-1: 1.0}, [(-1, 0)]),)
        assert held.exists()


def test_a_file_locked_for_too_long_is_a_retryable_sentence(
    sqlite_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    store = Store.open(f"sqlite:///{sqlite_path}", clock=clock, ballast_bytes=BALLAST)
    with closing(sqlite3.connect(sqlite_path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="stayed locked by another process") as refused:
            store.commit([advice()], epoch=None)
        assert refused.value.retryable
        assert store.advice() == ()

        other.rollback()
    store.commit([advice()], epoch=None)
    assert store.advice() == (advice(),)
    store.close()


@pytest.mark.parametrize("seed", range(6))
def test_kill_9_in_mid_commit_loses_nothing_acknowledged(url: str, seed: int) -> None:
    """The writer prints each number after its commit; what was printed must be there, and no half of anything else."""
    command = [sys.executable, "-W", "error", "-m", "tests.store.writer", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(random.Random(seed).uniform(0.0, 0.3))
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = [int(line) for line in writer.stdout.read().splitlines()]
    wait_until_alone(url)

    store = Store.open(url, clock=FakeClock(), ballast_bytes=BALLAST)
    kept = {int(one.id) for one in store.advice()}
    assert set(acknowledged) <= kept
    assert {int(one.advice_id) for one in store.transitions()} == kept
    assert {int(row.advice_id) for row in store.outbox.queued(limit=100_000)} == kept
    (found,) = store.series(Span(NOON_S - 10**7, NOON_S + 10**7))
    assert len(found.times) > max(acknowledged, default=0)
    assert found.values.tolist() == [float(n) for n in range(len(found.times))]
    store.close()


def wait_until_alone(url: str) -> None:
    """Until PostgreSQL has done, or dropped, what the killed writer had sent; a SQLite file has nobody behind it."""
    if url.startswith("sqlite"):
        return
    engine = sa.create_engine(url, poolclass=NullPool)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        pause = threading.Event()
        assert any(not connection.scalar(sa.text(others)) or pause.wait(0.01) for _ in range(12_000)), "not alone"
