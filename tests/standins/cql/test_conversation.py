"""The handshake, as bytes in and bytes out; what the real server says was recorded from Cassandra 5.0.9."""

import struct

import pytest

from stillfit.standins.cql import wire
from stillfit.standins.cql.conversation import Backend, Conversation
from stillfit.standins.cql.faults import Faults
from stillfit.standins.cql.schema import View
from stillfit.standins.cql.wire import Header, Opcode, Reader
from stillfit.standins.cql.world import Node, Role

STARTUP = b"\x00\x01" + wire.string("CQL_VERSION") + wire.string("3.0.0")


def conversation(*roles: Role) -> Conversation:
    node = Node(name="a")
    view = View(node=node, cluster_name="c", ports={"a": 9042}, peers=(), keyspaces=(), faults=())
    return Conversation(
        Backend(view=lambda: view, rows=lambda *_: (), roles=roles, faults=Faults(), note=lambda text: None)
    )


def send(to: Conversation, opcode: int, body: bytes = b"", *, version: int = 4, is_response: bool = False) -> bytes:
    header = Header(version=version, is_response=is_response, stream=7, opcode=opcode, length=len(body))
    return to.answer(header, body).payload


def opcode_of(payload: bytes) -> int:
    version, _, stream, opcode, length = struct.unpack(">BBhBi", payload[:9])
    assert (version, stream, length) == (0x84, 7, len(payload) - 9)
    return int(opcode)


def error(payload: bytes) -> tuple[int, str]:
    assert opcode_of(payload) == Opcode.ERROR
    reader = Reader(payload[9:])
    return reader.integer(), reader.string()


def query(text: str) -> bytes:
    return struct.pack(">i", len(text)) + text.encode() + b"\x00\x0a\x00"


@pytest.mark.parametrize("version", [3, 5, 6, 66])
def test_another_protocol_version_is_refused_with_the_list(version: int) -> None:
    answer = send(conversation(), Opcode.OPTIONS, version=version)

    assert error(answer) == (
        0x0A,
        f"Invalid or unsupported protocol version ({version}); supported versions are (4/v4)",
    )


@pytest.mark.parametrize(
    ("opcode", "body", "message"),
    [
        (Opcode.QUERY, query("SELECT"), "Unexpected message QUERY, expecting STARTUP or OPTIONS"),
        (Opcode.REGISTER, b"\0\0", "Unexpected message REGISTER, expecting STARTUP or OPTIONS"),
        (Opcode.STARTUP, b"\0\0", "Missing value CQL_VERSION in STARTUP message"),
        (Opcode.STARTUP, b"\0\1\0\5short", "Invalid message body: 2 bytes announced, 0 left"),
        (0x55, b"", "Unknown opcode 85"),
    ],
)
def test_a_client_out_of_order_is_told_so(opcode: int, body: bytes, message: str) -> None:
    assert error(send(conversation(), opcode, body)) == (0x0A, message)


def test_a_response_sent_by_a_client_is_refused() -> None:
    answer = send(conversation(), Opcode.OPTIONS, is_response=True)

    assert error(answer)[1] == ("Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode 5 (OPTIONS)")


def test_compression_is_not_offered_and_not_taken() -> None:
    body = b"\x00\x02" + STARTUP[2:] + wire.string("COMPRESSION") + wire.string("zip")

    assert error(send(conversation(), Opcode.STARTUP, body)) == (0x0A, "Unknown compression algorithm: zip")


def test_without_roles_a_startup_is_enough() -> None:
    client = conversation()

    assert opcode_of(send(client, Opcode.STARTUP, STARTUP)) == Opcode.READY
    assert opcode_of(send(client, Opcode.QUERY, query("SELECT * FROM system_schema.views"))) == Opcode.RESULT


def test_with_roles_nothing_is_answered_before_the_password() -> None:
    client = conversation(Role(name="monitor", password="right"))

    assert opcode_of(send(client, Opcode.STARTUP, STARTUP)) == Opcode.AUTHENTICATE
    assert error(send(client, Opcode.QUERY, query("SELECT")))[1].startswith("Unexpected message QUERY")
    assert (
        opcode_of(send(client, Opcode.AUTH_RESPONSE, wire.nullable_bytes(b"\0monitor\0right"))) == Opcode.AUTH_SUCCESS
    )
    assert opcode_of(send(client, Opcode.QUERY, query("SELECT * FROM system_schema.views"))) == Opcode.RESULT


@pytest.mark.parametrize("token", [b"\0monitor\0wrong", b"\0ghost\0right", b"nonsense"])
def test_a_wrong_password_is_bad_credentials(token: bytes) -> None:
    client = conversation(Role(name="monitor", password="right"))
    send(client, Opcode.STARTUP, STARTUP)

    assert error(send(client, Opcode.AUTH_RESPONSE, wire.nullable_bytes(token)))[0] == 0x0100


def test_an_unknown_event_cannot_be_registered_for() -> None:
    client = conversation()
    send(client, Opcode.STARTUP, STARTUP)

    assert opcode_of(send(client, Opcode.REGISTER, wire.string_list(["STATUS_CHANGE"]))) == Opcode.READY
    assert error(send(client, Opcode.REGISTER, wire.string_list(["WEATHER"]))) == (
        0x0A,
        "Invalid value 'WEATHER' for Type",
    )


def test_bound_values_are_refused() -> None:
    client = conversation()
    send(client, Opcode.STARTUP, STARTUP)

    body = query("SELECT * FROM system.local")[:-1] + b"\x01\x00\x00"

    assert error(send(client, Opcode.QUERY, body)) == (0x2200, "Invalid amount of bind variables")
