"""The first scenario, on a real Cassandra: a table used as a queue, from its cause to the message that says it is over.

Real: the server, the driver, the tables, every read. Stepped: the clock by which readings are dated and dwell accrues,
so that half an hour is not waited for. The cause ends as it does in the field: readers remember where they were. What
older reads left in the server's histograms fades out within minutes; here many good reads outweigh the few bad ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args

from stillfit.clock import FakeClock
from stillfit.config import Cassandra, Config, Http, Slack
from stillfit.model import Finding, Severity
from stillfit.standins.slack import TOKEN, SlackStandIn
from tests.scenarios.seen import Say
from tests.scenarios.watching import CHANNEL, Watching, found, headline, shown
from tests.servers.cassandra import CassandraServer

pytestmark = pytest.mark.server("cassandra")

DELETED = 800
LEFT = 20
BAD_READS, GOOD_READS = 25, 5_000


class Queue:
    """A table of jobs by due time, as an application uses it."""

    def __init__(self, session: Session, keyspace: str) -> None:
        self.name = f"{keyspace}.jobs"
        session.execute(f"CREATE TABLE {self.name} (shard int, due timestamp, payload text, PRIMARY KEY (shard, due))")
        self._session = session
        self._insert = session.prepare(f"INSERT INTO {self.name} (shard, due, payload) VALUES (0, ?, ?)")
        self._take = session.prepare(f"DELETE FROM {self.name} WHERE shard = 0 AND due = ?")
        self._head = session.prepare(f"SELECT due, payload FROM {self.name} WHERE shard = 0 LIMIT 10")
        self._after = session.prepare(f"SELECT due, payload FROM {self.name} WHERE shard = 0 AND due > ? LIMIT 10")
        self._dues = [datetime(2026, 11, 1) + timedelta(seconds=number) for number in range(DELETED + LEFT)]

    def work(self) -> None:
        """Jobs come, and most of them are taken off."""
        self._many(self._insert, [(due, "do it") for due in self._dues])
        self._many(self._take, [(due,) for due in self._dues[:DELETED]])

    def read_the_head(self, times: int) -> int:
        rows = [list(self._session.execute(self._head)) for _ in range(times)]
        return len(rows[-1])

    def read_after_the_last_taken(self, times: int) -> None:
        self._many(self._after, [(self._dues[DELETED - 1],)] * times)

    def _many(self, statement: object, rows: list[tuple[object, ...]]) -> None:
        execute_concurrent_with_args(self._session, statement, rows, concurrency=64)


@pytest.fixture
def queue(cassandra: CassandraServer, keyspace: str) -> Iterator[Queue]:
    with cassandra.session() as session:
        yield Queue(session, keyspace)


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn([CHANNEL]) as standin:
        yield standin


@pytest.fixture
def watching(
    cassandra: CassandraServer, keyspace: str, slack: SlackStandIn, clock: FakeClock, tmp_path: Path
) -> Iterator[Watching]:
    config = Config(
        instance="scenario",
        store=f"sqlite:///{tmp_path}/stillfit.db",
        cassandra=(
            Cassandra(
                cluster="real",
                contact_points=tuple(cassandra.contact_points),
                port=cassandra.port,
                include=(f"{keyspace}.*",),
            ),
        ),
        slack=Slack.model_validate({"channel": CHANNEL.name, "token": TOKEN, "base_url": slack.url}),
        http=Http(port=0),
    )
    with Watching(config, clock) as started:
        yield started


def pass_minutes(watching: Watching, clock: FakeClock, minutes: int) -> None:
    for _ in range(0, minutes, 2):  # read statistics stand for five, so none is lost between
        clock.advance(120)
        watching.step()


def test_a_queue_is_found_told_and_cleared(
    queue: Queue, watching: Watching, slack: SlackStandIn, clock: FakeClock, say: Say
) -> None:
    queue.work()
    live = queue.read_the_head(BAD_READS)
    say(
        f"{queue.name}: {DELETED + LEFT} rows written, {DELETED} deleted, head read {BAD_READS} times, {live} rows each"
    )

    pass_minutes(watching, clock, 24)

    finding = found(watching.turns[-1])[f"cassandra/tombstones {queue.name}"]
    (message,) = slack.workspace.roots(CHANNEL.id)
    say(f"{clock.now():%H:%M} found: {finding.cause}, {finding.severity}: {finding.summary}")
    say(f"{clock.now():%H:%M} Slack: {headline(message)}")
    _is_the_queue(finding)
    assert queue.name in headline(message)
    assert "WARNING" in headline(message)
    assert "tombstones per read p99" in shown(message)

    queue.read_after_the_last_taken(GOOD_READS)
    say(f"{queue.name}: readers remember their position; {GOOD_READS} reads begin after the last row taken")
    pass_minutes(watching, clock, 36)

    (edited,) = slack.workspace.roots(CHANNEL.id)
    (reply,) = slack.workspace.replies(CHANNEL.id, message.ts)
    say(f"{clock.now():%H:%M} Slack: {headline(edited)}")
    say(f"{clock.now():%H:%M} in its thread: {reply.content.text}")
    assert found(watching.turns[-1]) == {}
    assert (edited.ts, "RESOLVED" in headline(edited)) == (message.ts, True)
    assert [one.state for one in watching.store.advice()] == ["resolved"]


def _is_the_queue(finding: Finding) -> None:
    assert (finding.cause, finding.severity) == ("queue_pattern", Severity.WARNING)
    told = {one.signal: one.mid for one in finding.evidence}
    assert DELETED <= (told["tombstones_per_read_p99"] or 0) < 1.25 * DELETED
