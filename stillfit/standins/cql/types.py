"""CQL types: their text form, their option in result metadata and the bytes of their values.

Text form as in `system_schema.columns.type`; ids and encodings of native_protocol_v4.spec, sections 4.2.5.2 and 6.
"""

import ipaddress
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from stillfit.standins.cql import wire

TOKEN = re.compile(r"\s*([A-Za-z_]+|[<>,])")


@dataclass(frozen=True, slots=True, kw_only=True)
class CqlType:
    name: str
    parameters: tuple["CqlType", ...] = ()


class UnfitValueError(Exception):
    """A value that a column of this type cannot hold."""


@lru_cache(maxsize=256)
def parse(text: str) -> CqlType:
    """`frozen<map<text, int>>` as a type; `frozen` changes nothing on the wire and is dropped."""
    found, rest = _parse(TOKEN.findall(text))
    if rest or not _is_known(found):
        raise ValueError(f"{text!r} is not a CQL type this stand-in knows")
    return found


def _parse(tokens: list[str]) -> tuple[CqlType, list[str]]:
    name, rest = tokens[0], tokens[1:]
    parameters: list[CqlType] = []
    while rest and rest[0] == ("," if parameters else "<"):
        parameter, rest = _parse(rest[1:])
        parameters.append(parameter)
    if parameters:
        rest = rest[1:]
    return (parameters[0] if name == "frozen" else CqlType(name=name, parameters=tuple(parameters))), rest


def _is_known(found: CqlType) -> bool:
    known = found.name in SCALARS or found.name in COLLECTIONS
    return known and all(_is_known(parameter) for parameter in found.parameters)


def option(cql_type: CqlType) -> bytes:
    """The [option] that names the type in the metadata of a result."""
    if cql_type.name in SCALARS:
        return wire.short(SCALARS[cql_type.name][0])
    parameters = b"".join(option(parameter) for parameter in cql_type.parameters)
    count = wire.short(len(cql_type.parameters)) if cql_type.name == "tuple" else b""
    return wire.short(COLLECTIONS[cql_type.name][0]) + count + parameters


def encode(cql_type: CqlType, value: Any) -> bytes | None:
    """The bytes of a value; None is null."""
    if value is None:
        return None
    try:
        if cql_type.name in SCALARS:
            return SCALARS[cql_type.name][1](value)
        return COLLECTIONS[cql_type.name][1](cql_type, value)
    except (AttributeError, OverflowError, TypeError, ValueError, struct.error) as error:
        raise UnfitValueError(f"a value of type {cql_type.name} cannot be {value!r}") from error


def _integer(size: int) -> Callable[[int], bytes]:
    return lambda value: int.to_bytes(value, size, "big", signed=True)


def _double(value: float) -> bytes:
    return struct.pack(">d", value)


def _float(value: float) -> bytes:
    return struct.pack(">f", value)


def _boolean(value: object) -> bytes:
    if not isinstance(value, bool):
        raise TypeError("not a boolean")
    return wire.byte(value)


def _timestamp(value: datetime) -> bytes:
    if value.tzinfo is None:
        raise ValueError("a timestamp without a time zone")
    return int.to_bytes(round(value.timestamp() * 1000), 8, "big", signed=True)


def _inet(value: str) -> bytes:
    return ipaddress.ip_address(value).packed


def _uuid(value: UUID) -> bytes:
    return value.bytes


def _sequence(cql_type: CqlType, values: Iterable[Any]) -> bytes:
    elements = [wire.nullable_bytes(encode(cql_type.parameters[0], value)) for value in values]
    return wire.integer(len(elements)) + b"".join(elements)


def _map(cql_type: CqlType, values: dict[Any, Any]) -> bytes:
    of_key, of_value = cql_type.parameters
    return wire.integer(len(values)) + b"".join(
        wire.nullable_bytes(encode(of_key, key)) + wire.nullable_bytes(encode(of_value, value))
        for key, value in values.items()
    )


def _tuple(cql_type: CqlType, values: Iterable[Any]) -> bytes:
    pairs = zip(cql_type.parameters, values, strict=True)
    return b"".join(wire.nullable_bytes(encode(of_element, value)) for of_element, value in pairs)


SCALARS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "ascii": (0x01, lambda value: str.encode(value, "ascii")),
    "bigint": (0x02, _integer(8)),
    "blob": (0x03, bytes),
    "boolean": (0x04, _boolean),
    "counter": (0x05, _integer(8)),
    "double": (0x07, _double),
    "float": (0x08, _float),
    "int": (0x09, _integer(4)),
    "timestamp": (0x0B, _timestamp),
    "uuid": (0x0C, _uuid),
    "text": (0x0D, str.encode),
    "timeuuid": (0x0F, _uuid),
    "inet": (0x10, _inet),
    "smallint": (0x13, _integer(2)),
    "tinyint": (0x14, _integer(1)),
}
COLLECTIONS: dict[str, tuple[int, Callable[[CqlType, Any], bytes]]] = {
    "list": (0x20, _sequence),
    "map": (0x21, _map),
    "set": (0x22, _sequence),
    "tuple": (0x31, _tuple),
}
