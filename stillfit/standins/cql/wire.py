"""Frames and primitive values of the CQL binary protocol, version 4.

Written to native_protocol_v4.spec of Apache Cassandra (sections 2, 3 and 9), without the client driver's own code:
a stand-in that shared the client's encoder could not notice the client's mistakes.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

VERSION = 4
MAX_BODY_BYTES = 256 * 1024 * 1024  # section 2.5 of the specification: a frame is limited to 256 MB
HEADER = struct.Struct(">BBhBi")
RESPONSE_BIT = 0x80


class Opcode(IntEnum):
    ERROR = 0x00
    STARTUP = 0x01
    READY = 0x02
    AUTHENTICATE = 0x03
    OPTIONS = 0x05
    SUPPORTED = 0x06
    QUERY = 0x07
    RESULT = 0x08
    PREPARE = 0x09
    EXECUTE = 0x0A
    REGISTER = 0x0B
    EVENT = 0x0C
    BATCH = 0x0D
    AUTH_CHALLENGE = 0x0E
    AUTH_RESPONSE = 0x0F
    AUTH_SUCCESS = 0x10


class TruncatedBodyError(Exception):
    """The body ends before the value that its notation announces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The nine bytes before every body; `is_response` is the direction bit of the version byte."""

    version: int
    is_response: bool
    stream: int
    opcode: int
    length: int

    @classmethod
    def parse(cls, raw: bytes) -> "Header":
        version, _flags, stream, opcode, length = HEADER.unpack(raw)
        return cls(
            version=version & ~RESPONSE_BIT,
            is_response=bool(version & RESPONSE_BIT),
            stream=stream,
            opcode=opcode,
            length=length,
        )


def response(opcode: Opcode, body: bytes, *, stream: int) -> bytes:
    return HEADER.pack(RESPONSE_BIT | VERSION, 0, stream, opcode, len(body)) + body


class Reader:
    """Reads the notations of section 3 from one body, in order."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if count < 0 or len(taken) < count:
            raise TruncatedBodyError(f"{count} bytes announced, {len(taken)} left")
        self._at += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def short(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "big", signed=True)

    def string(self) -> str:
        return self.take(self.short()).decode()

    def long_string(self) -> str:
        return self.take(self.integer()).decode()

    def nullable_bytes(self) -> bytes | None:
        length = self.integer()
        return None if length < 0 else self.take(length)

    def string_list(self) -> tuple[str, ...]:
        return tuple(self.string() for _ in range(self.short()))

    def string_map(self) -> dict[str, str]:
        return {self.string(): self.string() for _ in range(self.short())}


def byte(value: int) -> bytes:
    return value.to_bytes(1, "big")


def short(value: int) -> bytes:
    return value.to_bytes(2, "big")


def integer(value: int) -> bytes:
    return value.to_bytes(4, "big", signed=True)


def string(value: str) -> bytes:
    encoded = value.encode()
    return short(len(encoded)) + encoded


def nullable_bytes(value: bytes | None) -> bytes:
    return integer(-1) if value is None else integer(len(value)) + value


def string_list(values: Iterable[str]) -> bytes:
    encoded = [string(value) for value in values]
    return short(len(encoded)) + b"".join(encoded)


def string_multimap(values: Mapping[str, Iterable[str]]) -> bytes:
    return short(len(values)) + b"".join(string(key) + string_list(found) for key, found in values.items())
