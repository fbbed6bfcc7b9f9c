import pytest
from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    InvalidRequest,
    OperationTimedOut,
    ReadTimeout,
    Unauthorized,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionException, ConnectionShutdown, ProtocolError
from cassandra.protocol import OverloadedErrorMessage, ServerError

from collector.cassandra.failures import meaning
from stillfit.model import GapReason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationTimedOut(), GapReason.TIMEOUT),
        (ReadTimeout("late", consistency=ConsistencyLevel.LOCAL_ONE), GapReason.TIMEOUT),
        (Unauthorized("no"), GapReason.DENIED),
        (AuthenticationFailed("no"), GapReason.DENIED),
        (InvalidRequest("table nope does not exist"), GapReason.UNSUPPORTED),
        (OverloadedErrorMessage(0x1001, "busy", None), GapReason.THROTTLED),
        (ProtocolError("version 72"), GapReason.GARBLED),
        (ServerError(0, "boom", None), GapReason.GARBLED),
        (ConnectionException("gone"), GapReason.UNREACHABLE),
        (ConnectionRefusedError(111, "refused"), GapReason.UNREACHABLE),
        (NoHostAvailable("none", {}), GapReason.UNREACHABLE),
        (NoHostAvailable("none", {"a": ConnectionShutdown("gone")}), GapReason.UNREACHABLE),
        (NoHostAvailable("none", {"a": AuthenticationFailed("no")}), GapReason.DENIED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_the_drivers_exception_has_a_reason(error: Exception, reason: GapReason) -> None:
    assert meaning(error).reason is reason


def test_a_denial_says_what_to_do_next() -> None:
    assert "deploy/cassandra/grants.cql" in str(meaning(Unauthorized("no")))


def test_a_long_message_of_the_server_is_cut() -> None:
    assert len(str(meaning(ServerError(0, "x" * 1000, None)))) < 300
