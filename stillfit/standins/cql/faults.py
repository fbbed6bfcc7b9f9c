"""What can be made to go wrong on a node, for as long as it stands or for a number of times."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from threading import Lock


class FaultKind(Enum):
    DOWN = "connections are refused, open ones are cut"
    HANG = "requests are read and never answered"
    SLOW = "answers come after `seconds`"
    RESET = "the connection is reset in place of an answer"
    GARBAGE = "bytes that are no CQL frame, then the end of the connection"
    OVERLOADED = "error 0x1001"
    BOOTSTRAPPING = "error 0x1002"
    READ_TIMEOUT = "error 0x1200"
    UNAUTHORIZED = "error 0x2100"
    MISSING_TABLE = "the node's release does not have `table`"
    MISSING_COLUMN = "the node's release does not have `column` of `table`"


TRANSPORT = frozenset({FaultKind.HANG, FaultKind.SLOW, FaultKind.RESET, FaultKind.GARBAGE})
"""Hit any request, a handshake or a heartbeat too."""

ERRORS = frozenset(
    {FaultKind.OVERLOADED, FaultKind.BOOTSTRAPPING, FaultKind.READ_TIMEOUT, FaultKind.UNAUTHORIZED},
)
"""Answer a query with an error response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    kind: FaultKind
    table: str | None = None
    """`keyspace.table`; None: every request, for errors every query"""
    column: str | None = None
    seconds: float = 0.0
    times: int | None = None
    """None: until cleared"""


class Faults:
    """The faults of one node, shared by its connections."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: list[tuple[Fault, int | None]] = []

    def inject(self, fault: Fault) -> None:
        with self._lock:
            self._left.append((fault, fault.times))

    def clear(self) -> None:
        with self._lock:
            self._left.clear()

    def standing(self) -> tuple[Fault, ...]:
        with self._lock:
            return tuple(fault for fault, _ in self._left)

    def strike(self, kinds: AbstractSet[FaultKind], table: str | None = None) -> Fault | None:
        """The first standing fault of these kinds that hits a request for `table`; one of its times is used up."""
        with self._lock:
            for position, (fault, left) in enumerate(self._left):
                if fault.kind in kinds and fault.table in (None, table):
                    self._use(position, left)
                    return fault
        return None

    def _use(self, position: int, left: int | None) -> None:
        if left == 1:
            del self._left[position]
        elif left is not None:
            self._left[position] = (self._left[position][0], left - 1)
