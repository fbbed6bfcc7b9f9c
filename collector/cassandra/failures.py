"""What the driver's exceptions mean: a reason, a sentence with what to do next, and whether the node is lost."""

from __future__ import annotations

from cassandra import (
    AuthenticationFailed,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    ReadTimeout,
    Unauthorized,
    Unavailable,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionException, ProtocolError
from cassandra.protocol import ErrorMessage, IsBootstrappingErrorMessage, OverloadedErrorMessage, SyntaxException

from stillfit.model import GapReason

REASONS: tuple[tuple[tuple[type[Exception], ...], GapReason, str], ...] = (
    ((AuthenticationFailed,), GapReason.DENIED, "refused the role or its password: check username and password"),
    (
        (Unauthorized,),
        GapReason.DENIED,
        "does not let this role read it: apply deploy/cassandra/grants.cql",
    ),
    ((OperationTimedOut, ReadTimeout), GapReason.TIMEOUT, "did not answer in time"),
    ((InvalidRequest, SyntaxException), GapReason.UNSUPPORTED, "does not know it: another release of Cassandra"),
    ((OverloadedErrorMessage,), GapReason.THROTTLED, "says it is overloaded"),
    ((ProtocolError,), GapReason.GARBLED, "sent bytes that are no CQL: is the port that of the native protocol?"),
    ((IsBootstrappingErrorMessage, Unavailable), GapReason.UNREACHABLE, "is not ready to serve reads"),
)

UNREACHED: tuple[type[Exception], ...] = (NoHostAvailable, ConnectionException, DriverException, OSError)
DRIVER_ERRORS = (*UNREACHED, ErrorMessage, ProtocolError)
"""All that the driver raises for what a server or the network does; it has no common root."""


class QueryError(Exception):
    """A question that got no usable answer."""

    def __init__(self, reason: GapReason, what_happened: str) -> None:
        super().__init__(what_happened)
        self.reason = reason


def meaning(error: Exception) -> QueryError:
    """The driver's exception in our words; where it wraps one host's error, that one counts."""
    if isinstance(error, NoHostAvailable):
        inner = [each for each in error.errors.values() if isinstance(each, Exception)]
        if inner:
            return meaning(inner[0])
    for kinds, reason, what_happened in REASONS:
        if isinstance(error, kinds):
            return QueryError(reason, what_happened)
    if isinstance(error, UNREACHED):
        return QueryError(GapReason.UNREACHABLE, f"cannot be reached ({_first_line(error)})")
    return QueryError(GapReason.GARBLED, f"gave an answer that cannot be read ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    """Kept short: a server's message may quote a query."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:160]
