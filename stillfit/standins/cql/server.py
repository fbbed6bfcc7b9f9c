"""The CQL stand-in: any number of Cassandra nodes in one process, on ports of this machine.

    with CqlStandin([Node(name="a"), Node(name="b")], world) as standin:
        Cluster(contact_points=standin.contact_points, ...)

It speaks version 4 of the native protocol and answers the SELECTs of a monitoring client from the recorded schemas of
Cassandra 4.0, 4.1 and 5.0, with rows that it asks of a World at the moment of each query. See docs/standins_cql.md.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Self

from stillfit.standins.cql import queries
from stillfit.standins.cql.catalogue import TableDefinition
from stillfit.standins.cql.conversation import Backend, Conversation
from stillfit.standins.cql.faults import Fault, FaultKind, Faults
from stillfit.standins.cql.listener import Listener
from stillfit.standins.cql.schema import View
from stillfit.standins.cql.world import Node, Role, Row, StillWorld, World

ASKED_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One query that a client sent."""

    node: str
    text: str


class CqlStandin:
    """Started and stopped by `with`; faults may be injected and cleared at any time, from any thread."""

    def __init__(
        self,
        nodes: Sequence[Node],
        world: World | None = None,
        *,
        cluster_name: str = "stand-in",
        roles: Sequence[Role] = (),
    ) -> None:
        self._world = world or StillWorld()
        self._cluster_name = cluster_name
        self._roles = tuple(roles)
        self._nodes = {node.name: node for node in nodes}
        self._faults = {node.name: Faults() for node in nodes}
        self._listeners: dict[str, Listener] = {}
        self._changing = Lock()
        self._asked: deque[Asked] = deque(maxlen=ASKED_KEPT)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._nodes.values())

    @property
    def contact_points(self) -> list[tuple[str, int]]:
        """(address, port) of every node, as `cassandra.cluster.Cluster` takes them."""
        return [(node.address, self._listeners[name].port) for name, node in self._nodes.items()]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The queries of all clients, oldest first; the newest 10,000."""
        return tuple(self._asked)

    def inject(self, node: str, fault: Fault) -> None:
        self._faults[node].inject(fault)
        if fault.kind is FaultKind.DOWN:
            with self._changing:
                self._listeners[node].refuse()

    def standing(self, node: str) -> tuple[Fault, ...]:
        """The faults of a node that were neither used up nor cleared."""
        return self._faults[node].standing()

    def clear(self, node: str | None = None) -> None:
        """Take away the faults of a node, or of all; a node that was down comes back on its old port."""
        for name in self._nodes if node is None else (node,):
            self._faults[name].clear()
            with self._changing:
                self._listeners[name].open()

    def start(self) -> Self:
        for node in self._nodes.values():
            backend = self._backend(node)
            self._listeners[node.name] = Listener(node.address, node.port, _speaking_to(backend))
        for listener in self._listeners.values():  # after all are bound: the first client asks for every port
            listener.open()
        return self

    def stop(self) -> None:
        with self._changing:
            for listener in reversed(self._listeners.values()):
                listener.close()
            self._listeners = {}  # not before: a node that still answers names the ports of all

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _backend(self, node: Node) -> Backend:
        def rows(view: View, table: TableDefinition) -> Sequence[Row]:
            return queries.rows_of(lambda name: self._world.rows(node, name), view, table)

        def note(text: str) -> None:
            self._asked.append(Asked(node=node.name, text=text))

        return Backend(
            view=lambda: self._view(node), rows=rows, roles=self._roles, faults=self._faults[node.name], note=note
        )

    def _view(self, node: Node) -> View:
        return View(
            node=node,
            cluster_name=self._cluster_name,
            ports={name: listener.port for name, listener in self._listeners.items()},
            peers=[peer for peer in self._nodes.values() if peer.name != node.name],
            keyspaces=self._world.keyspaces(),
            faults=self._faults[node.name].standing(),
        )


def _speaking_to(backend: Backend) -> Callable[[], Conversation]:
    return lambda: Conversation(backend)
