"""CBOR (RFC 8949), the part that the Smithy RPC v2 protocol uses: definite and indefinite items, tag 1 timestamps."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

_BREAK = object()
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_DOUBLES = np.dtype([("head", "u1"), ("value", ">f8")])
_TIMES = np.dtype([("tag", "u1"), ("head", "u1"), ("value", ">f8")])


class CborError(ValueError):
    """The bytes are not the CBOR that was promised."""


class Timestamp(float):
    """Epoch seconds to be written with tag 1."""

    __slots__ = ()


class Encoded(bytes):
    """A part that is CBOR already and is written as it is."""

    __slots__ = ()


def dumps(value: Any) -> bytes:
    out = bytearray()
    _write(value, out)
    return bytes(out)


def loads(encoded: bytes) -> Any:
    try:
        value, end = _read(encoded, 0)
    except (IndexError, struct.error, ValueError, TypeError, RecursionError) as error:
        raise CborError(f"The CBOR body breaks off or is malformed: {error}") from error
    if value is _BREAK or end != len(encoded):
        raise CborError("The CBOR body does not end where its first item ends.")
    return value


def _write(value: Any, out: bytearray) -> None:
    match value:
        case None:
            out.append(0xF6)
        case bool():
            out.append(0xF5 if value else 0xF4)
        case Timestamp():
            out += b"\xc1\xfb" + struct.pack(">d", value)
        case int():
            _head(out, 0 if value >= 0 else 1, value if value >= 0 else -1 - value)
        case float():
            out += b"\xfb" + struct.pack(">d", value)
        case Encoded():
            out += value
        case str():
            text = value.encode()
            _head(out, 3, len(text))
            out += text
        case bytes():
            _head(out, 2, len(value))
            out += value
        case _:
            _write_many(value, out)


def _write_many(value: Any, out: bytearray) -> None:
    if isinstance(value, dict):
        _head(out, 5, len(value))
        for key, item in value.items():
            _write(key, out)
            _write(item, out)
        return
    if not isinstance(value, list | tuple):
        raise TypeError(f"No CBOR form for {type(value).__name__}.")
    _head(out, 4, len(value))
    for item in value:
        _write(item, out)


def doubles(values: npt.NDArray[Any]) -> Encoded:
    """A list of doubles, all at once: an answer of 100,800 datapoints is not written one by one."""
    rows = np.empty(values.size, dtype=_DOUBLES)
    rows["head"], rows["value"] = 0xFB, values
    return Encoded(_list_head(values.size) + rows.tobytes())


def timestamps(values: npt.NDArray[Any]) -> Encoded:
    """A list of tagged timestamps, all at once."""
    rows = np.empty(values.size, dtype=_TIMES)
    rows["tag"], rows["head"], rows["value"] = 0xC1, 0xFB, values
    return Encoded(_list_head(values.size) + rows.tobytes())


def _list_head(size: int) -> bytes:
    out = bytearray()
    _head(out, 4, size)
    return bytes(out)


def _head(out: bytearray, major: int, number: int) -> None:
    for extra, limit in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            out.append(major << 5 | number)
            return
        if number < 1 << 8 * limit:
            out.append(major << 5 | extra)
            out += number.to_bytes(limit, "big")
            return
    raise OverflowError(f"{number} does not fit into CBOR's 64 bits.")


def _read(data: bytes, at: int) -> tuple[Any, int]:
    major, extra = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return _read_simple(data, at, extra)
    if extra == 31:
        return _read_indefinite(data, at, major)
    number, at = _read_number(data, at, extra)
    match major:
        case 0:
            return number, at
        case 1:
            return -1 - number, at
        case 2 | 3:
            return _read_string(data, at, (major, number))
        case 4:
            return _read_items(data, at, number)
        case 5:
            flat, at = _read_items(data, at, 2 * number)
            return dict(zip(flat[::2], flat[1::2], strict=True)), at
    return _read_tagged(data, at, number)


def _read_simple(data: bytes, at: int, extra: int) -> tuple[Any, int]:
    if extra == 31:
        return _BREAK, at
    if extra in _FLOATS:
        form, size = _FLOATS[extra]
        return struct.unpack(form, data[at : at + size])[0], at + size
    if extra not in _SIMPLE:
        raise CborError(f"CBOR simple value {extra} is not used by the protocol.")
    return _SIMPLE[extra], at


def _read_number(data: bytes, at: int, extra: int) -> tuple[int, int]:
    if extra < 24:
        return extra, at
    if extra > 27:
        raise CborError(f"CBOR length form {extra} is reserved.")
    size = 1 << extra - 24
    if at + size > len(data):
        raise CborError("The CBOR body breaks off inside a length.")
    return int.from_bytes(data[at : at + size], "big"), at + size


def _read_string(data: bytes, at: int, kind: tuple[int, int]) -> tuple[str | bytes, int]:
    major, size = kind
    piece = data[at : at + size]
    if len(piece) != size:
        raise CborError("The CBOR body breaks off inside a string.")
    return (piece.decode() if major == 3 else piece), at + size


def _read_items(data: bytes, at: int, number: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(number):
        item, at = _read(data, at)
        items.append(item)
    return items, at


def _read_indefinite(data: bytes, at: int, major: int) -> tuple[Any, int]:
    items = []
    while True:
        item, at = _read(data, at)
        if item is _BREAK:
            break
        items.append(item)
    match major:
        case 2:
            return b"".join(items), at
        case 3:
            return "".join(items), at
        case 4:
            return items, at
        case 5:
            return dict(zip(items[::2], items[1::2], strict=True)), at
    raise CborError(f"CBOR type {major} has no indefinite form.")


def _read_tagged(data: bytes, at: int, tag: int) -> tuple[float, int]:
    value, at = _read(data, at)
    if tag != 1 or not isinstance(value, int | float):
        raise CborError(f"CBOR tag {tag} is not used by the protocol.")
    return float(value), at
