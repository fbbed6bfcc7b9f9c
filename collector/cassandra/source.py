"""One Cassandra cluster as a source of batches: one for each node, then one for the cluster with its tables."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collector.cassandra import history, schema, visit
from collector.cassandra.connection import Cql, Peer, connect
from collector.cassandra.failures import QueryError
from collector.cassandra.history import NodeHistory, Readings
from collector.cassandra.picture import Picture, Seen
from collector.cassandra.prepared import Shape
from collector.cassandra.schema import ClusterSchema
from collector.cassandra.visit import Answers, Errand, Features, Patience, Slow
from stillfit.config import Cassandra
from stillfit.errors import SourceError
from stillfit.model import Batch, Gap, GapReason, Subject

NODES_AT_ONCE: Final = 16  # ours: one query in flight to each; decoding is the limit beyond that
SLOW_EVERY_S: Final = 600.0  # ours: settings and prepared statements change with deployments, not with load
SCHEMA_TIMEOUT_S: Final = 10.0  # thousands of tables take longer than any virtual table


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of a node from one collection to the next."""

    history: NodeHistory
    features: Features
    slow: Slow
    slow_at: float


class CassandraSource:
    """Connects at the first collection and keeps the session; a node that fails is a gap, and the others go on."""

    def __init__(
        self,
        settings: Cassandra,
        *,
        connect: Callable[[Cassandra], Cql] = connect,
        patience: Patience = Patience(),  # noqa: B008  # frozen
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._patience = patience
        self._monotonic = monotonic
        self._picture = Picture(settings, self.id)
        self._cql: Cql | None = None
        self._stopping = False
        self._memory: dict[str, Memory] = {}
        self._schema: ClusterSchema | None = None

    @property
    def id(self) -> str:
        return f"cassandra/{self._settings.cluster}"

    @property
    def scope(self) -> Subject:
        return self._picture.cluster

    @property
    def settle_s(self) -> int:
        """A minute is complete with the first reading after it."""
        return history.PERIOD_S + int(self._settings.every.total_seconds())

    @property
    def lag_s(self) -> int:
        """Everything is read at every look."""
        return 0

    def stop(self) -> None:
        """Close the session under a reading: each of its queries fails at once."""
        self._stopping = True  # first: a session that opens just now is closed by the one who opens it
        if (cql := self._cql) is not None:
            cql.close()

    def close(self) -> None:
        if self._cql is not None:
            self._cql.close()
            self._cql = None

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:  # noqa: ARG002  # see below
        """Read every node as it is now and tell the full minutes that end by `until`; there is no past to ask for.

        Raises SourceError when no contact point can be used, or not one node said anything.
        """
        cql = self._cql = self._cql or self._connect(self._settings)
        if self._stopping:
            cql.close()
            return
        peers = cql.peers()
        answered: list[Answers] = []
        for answers in self._visits(cql, peers, until):
            answered.append(answers)
            yield self._node_batch(answers, until)
        if not any(answers.local for answers in answered):
            raise self._blind(answered)
        self._forget(peers)
        found, gaps = self._read_schema(cql, answered)
        yield self._picture.cluster_batch(
            Seen(answered=tuple(answered), schema=found, shapes=self._shapes(), at=until), gaps
        )

    def _visits(self, cql: Cql, peers: Sequence[Peer], until: datetime) -> Iterator[Answers]:
        errands = [self._errand(peer, until) for peer in peers]
        with ThreadPoolExecutor(NODES_AT_ONCE, thread_name_prefix=self.id) as threads:
            for done in as_completed([threads.submit(visit.visit, cql, each, self._monotonic) for each in errands]):
                yield done.result()

    def _errand(self, peer: Peer, until: datetime) -> Errand:
        known = self._memory.get(peer.name)
        is_fresh = known is not None and until.timestamp() - known.slow_at < SLOW_EVERY_S
        return Errand(
            peer=peer,
            subject=self._picture.node(peer),
            source=self.id,
            features=known.features if known else None,
            slow=known.slow if known and is_fresh else None,
            patience=self._patience,
        )

    def _node_batch(self, answers: Answers, until: datetime) -> Batch:
        """The node's batch; what the next collection needs of it is remembered."""
        if answers.local is None or answers.features is None or answers.slow is None:
            return Batch(source=self.id, at=until, gaps=answers.gaps)
        name, at = answers.peer.name, until.timestamp()
        known = self._memory.get(name)
        readings = Readings(at=at, generation=answers.local.generation, samples=self._picture.watched(answers.samples))
        before = known.history if known else None
        series, after = history.series(readings, before, self._picture.subject_of(answers.peer))
        is_kept = known is not None and known.slow is answers.slow
        self._memory[name] = Memory(
            history=after,
            features=answers.features,
            slow=answers.slow,
            slow_at=known.slow_at if known and is_kept else _asked_at(answers.slow, at),
        )
        return self._picture.node_batch(answers, series, before, until)

    def _forget(self, peers: Sequence[Peer]) -> None:
        present = {peer.name for peer in peers}
        self._memory = {name: memory for name, memory in self._memory.items() if name in present}

    def _shapes(self) -> frozenset[Shape] | None:
        """The statements prepared on any node; None when no node told."""
        told = [memory.slow.shapes for memory in self._memory.values() if memory.slow.shapes is not None]
        return frozenset().union(*told) if told else None

    def _read_schema(self, cql: Cql, answered: Sequence[Answers]) -> tuple[ClusterSchema | None, tuple[Gap, ...]]:
        """The schema that most nodes have, read again only when its version changes; the old one while that fails."""
        versions = Counter(answers.local.schema_version for answers in answered if answers.local)
        version = versions.most_common(1)[0][0]
        if self._schema is not None and self._schema.version == version:
            return self._schema, ()
        peer = next(answers.peer for answers in answered if answers.local and answers.local.schema_version == version)
        try:
            keyspaces, tables, views, columns = (
                cql.query(peer, statement, SCHEMA_TIMEOUT_S)
                for statement in (schema.KEYSPACES, schema.TABLES, schema.VIEWS, schema.COLUMNS)
            )
        except QueryError as error:
            return self._schema, self._picture.schema_gaps(
                error.reason, f"{peer.name} was asked for its schema: it {error}"
            )
        self._schema = schema.cluster_schema(version, keyspaces, [*tables, *views], columns)
        return self._schema, ()

    def _blind(self, answered: Sequence[Answers]) -> SourceError:
        reasons = Counter(gap.reason for answers in answered for gap in answers.gaps)
        details = "; ".join(gap.detail for answers in answered for gap in answers.gaps[:1])
        reason = reasons.most_common(1)[0][0] if reasons else GapReason.UNREACHABLE
        return SourceError(f"{self.id}: no node answered: {details}", reason=reason, retryable=True)


def _asked_at(slow: Slow, at: float) -> float:
    """When the seldom asked was asked; with a failure in it that may pass, it is asked again at once."""
    return at if all(gap.reason is GapReason.UNSUPPORTED for gap in slow.gaps) else 0.0
