"""What the server refuses, with its own codes and wording.

Codes and bodies: native_protocol_v4.spec, section 9. Wording: recorded from Cassandra 5.0.9, so that a client that
matches on it meets the same words here.
"""

from stillfit.standins.cql import wire

LOCAL_ONE = 0x000A


class CqlError(Exception):
    """An ERROR response: a code, a sentence and, for some codes, more fields."""

    code = 0x0000

    def __init__(self, message: str, *, fields: bytes = b"") -> None:
        super().__init__(message)
        self.fields = fields

    def body(self) -> bytes:
        return wire.integer(self.code) + wire.string(str(self)) + self.fields


class ServerError(CqlError):
    code = 0x0000


class ProtocolError(CqlError):
    code = 0x000A


class BadCredentialsError(CqlError):
    code = 0x0100


class OverloadedError(CqlError):
    code = 0x1001

    def __init__(self) -> None:
        super().__init__("Server is in overloaded state. Cannot accept more requests at this point")


class BootstrappingError(CqlError):
    code = 0x1002

    def __init__(self) -> None:
        super().__init__("Cannot read from a bootstrapping node")


class ReadTimeoutError(CqlError):
    code = 0x1200

    def __init__(self) -> None:
        fields = wire.short(LOCAL_ONE) + wire.integer(0) + wire.integer(1) + wire.byte(0)
        super().__init__("Operation timed out - received only 0 responses.", fields=fields)


class CqlSyntaxError(CqlError):
    code = 0x2000


class UnauthorizedError(CqlError):
    code = 0x2100


class InvalidError(CqlError):
    code = 0x2200
