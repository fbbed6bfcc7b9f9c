"""One client connection as a state machine: request frame in, reply out. Touches no socket and no clock.

    new -- STARTUP --> ready                                    a server without roles
    new -- STARTUP --> authenticating -- AUTH_RESPONSE --> ready

OPTIONS is answered in every state. A frame of another protocol version gets the error that lists the versions there
are, in a version 4 frame; a driver then tries the next lower one, as it would with an older server.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from stillfit.standins.cql import faults, queries, wire
from stillfit.standins.cql.errors import BadCredentialsError, CqlError, ProtocolError
from stillfit.standins.cql.faults import Fault, FaultKind, Faults
from stillfit.standins.cql.queries import Asker, Query, RowsOf
from stillfit.standins.cql.schema import View
from stillfit.standins.cql.wire import Header, Opcode, Reader
from stillfit.standins.cql.world import Role

AUTHENTICATOR = "org.apache.cassandra.auth.PasswordAuthenticator"
EVENTS = frozenset({"TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"})
NOT_CQL = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
VERSION_LIST = "(4/v4)"


class Ending(Enum):
    """What happens to the connection after the reply."""

    STAYS_OPEN = auto()
    CLOSES = auto()
    IS_RESET = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Bytes to send (none: the request is never answered), after `seconds`."""

    payload: bytes = b""
    seconds: float = 0.0
    ending: Ending = Ending.STAYS_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What a connection needs to know of its node."""

    view: Callable[[], View]
    rows: RowsOf
    roles: Sequence[Role]
    faults: Faults
    note: Callable[[str], None]
    """is told the text of every QUERY"""


class State(Enum):
    """How far the client has come; the value is what the server waits for."""

    NEW = "STARTUP or OPTIONS"
    AUTHENTICATING = "AUTH_RESPONSE"
    READY = "QUERY or REGISTER"


ALLOWED = {
    State.NEW: frozenset({Opcode.STARTUP, Opcode.OPTIONS}),
    State.AUTHENTICATING: frozenset({Opcode.AUTH_RESPONSE, Opcode.OPTIONS}),
    State.READY: frozenset({Opcode.QUERY, Opcode.REGISTER, Opcode.OPTIONS}),
}


class Conversation:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._state = State.NEW
        self._asker = Asker()

    def answer(self, header: Header, body: bytes) -> Reply:
        try:
            opcode = _checked_opcode(header)
            self._check_order(opcode)
            return self._reply(opcode, body, header.stream)
        except (wire.TruncatedBodyError, UnicodeDecodeError) as error:
            return _refusal(ProtocolError(f"Invalid message body: {error}"), header.stream)
        except CqlError as error:
            return _refusal(error, header.stream)

    def _check_order(self, opcode: Opcode) -> None:
        if opcode not in ALLOWED[self._state]:
            raise ProtocolError(f"Unexpected message {opcode.name}, expecting {self._state.value}")

    def _reply(self, opcode: Opcode, body: bytes, stream: int) -> Reply:
        if opcode is Opcode.QUERY:
            return self._query(Query.parse(body), stream)
        fault = self._backend.faults.strike(faults.TRANSPORT)
        return _hurt(fault) or Reply(payload=self._handshake(opcode, Reader(body), stream), seconds=_delay(fault))

    def _query(self, query: Query, stream: int) -> Reply:
        self._backend.note(query.text)
        statement = queries.statement_of(query, self._asker)
        table = queries.full_name(statement)
        fault = self._backend.faults.strike(faults.TRANSPORT | faults.ERRORS, table)
        if hurt := _hurt(fault):
            return hurt
        if fault and fault.kind in faults.ERRORS:
            raise queries.refusal(fault, asker=self._asker, table=table)
        found = queries.answer(self._backend.view(), query, statement, asker=self._asker, rows=self._backend.rows)
        self._asker = Asker(role=self._asker.role, keyspace=found.keyspace)
        return Reply(payload=wire.response(Opcode.RESULT, found.body, stream=stream), seconds=_delay(fault))

    def _handshake(self, opcode: Opcode, reader: Reader, stream: int) -> bytes:
        match opcode:
            case Opcode.STARTUP:
                return self._startup(reader.string_map(), stream)
            case Opcode.AUTH_RESPONSE:
                return self._authenticate(reader.nullable_bytes() or b"", stream)
            case Opcode.REGISTER:
                return _register(reader.string_list(), stream)
            case _:
                return wire.response(Opcode.SUPPORTED, self._supported(), stream=stream)

    def _supported(self) -> bytes:
        cql_version = self._backend.view().release.cql_version
        return wire.string_multimap({"PROTOCOL_VERSIONS": ["4/v4"], "COMPRESSION": [], "CQL_VERSION": [cql_version]})

    def _startup(self, options: dict[str, str], stream: int) -> bytes:
        if "CQL_VERSION" not in options:
            raise ProtocolError("Missing value CQL_VERSION in STARTUP message")
        if "COMPRESSION" in options:
            raise ProtocolError(f"Unknown compression algorithm: {options['COMPRESSION']}")
        if self._backend.roles:
            self._state = State.AUTHENTICATING
            return wire.response(Opcode.AUTHENTICATE, wire.string(AUTHENTICATOR), stream=stream)
        self._state = State.READY
        return wire.response(Opcode.READY, b"", stream=stream)

    def _authenticate(self, token: bytes, stream: int) -> bytes:
        """SASL PLAIN: authorization id, name and password, each after a zero byte."""
        parts = token.decode().split("\0")
        if len(parts) != 3:
            raise BadCredentialsError("Authentication ID must not be null")
        _, name, password = parts
        role = next((role for role in self._backend.roles if role.name == name), None)
        if role is None or role.password != password:
            raise BadCredentialsError(f"Provided username {name} and/or password are incorrect")
        self._state, self._asker = State.READY, Asker(role=role)
        return wire.response(Opcode.AUTH_SUCCESS, wire.nullable_bytes(None), stream=stream)


def _checked_opcode(header: Header) -> Opcode:
    if header.version != wire.VERSION:
        raise ProtocolError(
            f"Invalid or unsupported protocol version ({header.version}); supported versions are {VERSION_LIST}"
        )
    try:
        opcode = Opcode(header.opcode)
    except ValueError as error:
        raise ProtocolError(f"Unknown opcode {header.opcode}") from error
    if header.is_response:
        raise ProtocolError(
            f"Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode {header.opcode} ({opcode.name})"
        )
    return opcode


def _register(events: Sequence[str], stream: int) -> bytes:
    """Registered clients are never told anything: this server's topology changes only by its faults."""
    if unknown := sorted(set(events) - EVENTS):
        raise ProtocolError(f"Invalid value '{unknown[0]}' for Type")
    return wire.response(Opcode.READY, b"", stream=stream)


def _hurt(fault: Fault | None) -> Reply | None:
    """The reply in place of an answer, where the fault leaves none."""
    match fault and fault.kind:
        case FaultKind.HANG:
            return Reply()
        case FaultKind.RESET:
            return Reply(ending=Ending.IS_RESET)
        case FaultKind.GARBAGE:
            return Reply(payload=NOT_CQL, ending=Ending.CLOSES)
    return None


def _delay(fault: Fault | None) -> float:
    return fault.seconds if fault and fault.kind is FaultKind.SLOW else 0.0


def _refusal(error: CqlError, stream: int) -> Reply:
    return Reply(payload=wire.response(Opcode.ERROR, error.body(), stream=stream))
