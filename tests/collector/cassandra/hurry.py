"""A patient connection that waits only a moment for what is known never to answer.

What is healthy has all the time it needs, on however slow a machine; what hangs is soon given up on.
"""

from collections.abc import Callable, Sequence

from collector.cassandra.connection import Cql, Peer, Row

MOMENT_S = 0.3


class Hurried:
    """`cql`, where `hangs(peer, statement)` tells which questions are never answered."""

    def __init__(self, cql: Cql, hangs: Callable[[Peer, str], bool]) -> None:
        self._cql = cql
        self._hangs = hangs

    def peers(self) -> tuple[Peer, ...]:
        return self._cql.peers()

    def query(self, peer: Peer, statement: str, timeout_s: float) -> Sequence[Row]:
        return self._cql.query(peer, statement, MOMENT_S if self._hangs(peer, statement) else timeout_s)

    def close(self) -> None:
        self._cql.close()
