"""Many series over one stretch of time as one compressed blob, exact to the bit.

A cell has three states: a value, covered with nothing published, and not known. Each row of a block is coded by itself:
as integers scaled by a power of ten where that gives every value back exactly, else as float64, so that one series with
long fractions does not spoil its neighbours. Both parts are byte-shuffled and compressed with zstd level 1. Higher
levels, delta and XOR coding before the shuffle were measured and gained nothing (docs/decisions/store-0011). Ticks
before the first and after the last of which anything is known are not written: an open hour costs what it holds.

-0.0 is kept as 0.0: no metric means anything by the sign of zero. A value that is not finite leaves its cell not known.
"""

from __future__ import annotations

import struct
import threading
import zlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import zstandard
from numpy.typing import NDArray

UNKNOWN, EMPTY, VALUE = 0, 1, 2
"""States of a cell, ordered so that the maximum of two reads is what is known of it."""

_HEADER = struct.Struct("<BHIII")  # version, rows, ticks, first and end of the ticks that are written
_HEADER_1 = struct.Struct("<BHI")  # version 1 wrote all ticks
_VERSION = 2
_FLOAT_ROW = 255
_SCALES = (0, 1, 2, 3)  # decimals tried; more than three do not occur in what the sources publish
# integers from 0 up move by two (VALUE): 0 and 1 are states, and high bytes stay zero whatever the gaps
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1 - VALUE
_FLOAT_UNKNOWN, _FLOAT_EMPTY = 0x7FF8000000000000, 0x7FF8000000000001  # two quiet NaNs

_INT, _BITS = np.dtype(np.int32).newbyteorder("<"), np.dtype(np.uint64).newbyteorder("<")
_UNSIGNED = np.dtype(np.uint32).newbyteorder("<")
_Cell = TypeVar("_Cell", np.int32, np.uint64)

_local = threading.local()  # zstd contexts are not safe to share between threads


class ChunkError(Exception):
    """A blob is not what was written. Never leaves the store: its cells are read as not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Cells of [row, tick]. `values` are 0.0 wherever `states` does not say VALUE."""

    values: NDArray[np.float64]
    states: NDArray[np.uint8]

    @classmethod
    def unknown(cls, rows: int, ticks: int) -> Block:
        return cls(np.zeros((rows, ticks)), np.zeros((rows, ticks), np.uint8))

    @property
    def rows(self) -> int:
        return int(self.states.shape[0])

    @property
    def ticks(self) -> int:
        return int(self.states.shape[1])

    def ticks_of(self, start: int, end: int) -> Block:
        """A view of the ticks [start, end)."""
        return Block(self.values[:, start:end], self.states[:, start:end])

    def rows_of(self, chosen: NDArray[np.bool_]) -> Block:
        """A copy of some rows."""
        return Block(self.values[chosen], self.states[chosen])

    def cover(self, rows: NDArray[np.int64], start: int, end: int) -> None:
        """The source vouches for these ticks of these rows: what was not known is now empty."""
        self.states[rows, start:end] = np.maximum(self.states[rows, start:end], EMPTY)

    def put(self, cells: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Values into cells (row * ticks + tick) of a block that is no view; of two for one cell the later counts."""
        self.values.reshape(-1)[cells] = values + 0.0  # -0.0 + 0.0 is 0.0
        self.states.reshape(-1)[cells] = VALUE

    def paste(self, other: Block, start: int) -> None:
        """Lay a block of as many or fewer rows over the ticks from `start`; nothing known turns unknown."""
        place = self.ticks_of(start, start + other.ticks)
        values, states = place.values[: other.rows], place.states[: other.rows]
        if not states.any():
            values[:], states[:] = other.values, other.states
            return
        valued = other.states == VALUE
        values[valued] = other.values[valued]
        np.maximum(states, other.states, out=states)

    def same_as(self, other: Block) -> bool:
        """Whether both say the same of every cell."""
        return np.array_equal(self.states, other.states) and np.array_equal(self.values, other.values)

    def copy(self) -> Block:
        return Block(self.values.copy(), self.states.copy())


def encode(block: Block) -> bytes:
    """Only the ticks from the first to the last of which anything is known are written."""
    known = np.flatnonzero(block.states.any(axis=0))
    first, last = (int(known[0]), int(known[-1]) + 1) if len(known) else (0, 0)
    part = block.ticks_of(first, last)
    scales = _scales(part)
    floats = part.rows_of(scales == _FLOAT_ROW)
    header = _HEADER.pack(_VERSION, block.rows, block.ticks, first, last)
    body = header + scales.tobytes() + _shuffled(_integers(part, scales)) + _shuffled(_floats(floats))
    return _compressor().compress(body)


def decode(data: bytes) -> Block:
    """The block that `encode` was given. Raises ChunkError where `data` is anything else."""
    try:
        return _decoded(_decompressor().decompress(data))
    except (zstandard.ZstdError, struct.error, ValueError) as error:
        raise ChunkError(str(error)) from error


def checksum(data: bytes, *identity: int) -> int:
    """CRC-32 over the blob and whose it is, so that a blob under a wrong key is found as well."""
    return zlib.crc32(data, zlib.crc32(repr(identity).encode()))


def _scales(block: Block) -> NDArray[np.uint8]:
    """Per row: the fewest decimals with which int32 gives every value back, or _FLOAT_ROW."""
    scales = np.full(block.rows, _FLOAT_ROW, np.uint8)
    left = np.arange(block.rows)
    for scale in _SCALES:
        values = block.values[left] if len(left) < block.rows else block.values
        fit = _fits(values, scale).all(axis=1)
        scales[left[fit]] = scale
        left = left[~fit]
        if not len(left):
            break
    return scales


def _fits(values: NDArray[np.float64], scale: int) -> NDArray[np.bool_]:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(values * 10.0**scale if scale else values)
        exact: NDArray[np.bool_] = (scaled / 10.0**scale if scale else scaled) == values
    if scaled.max(initial=0.0) > _INT_MAX or scaled.min(initial=0.0) < _INT_MIN:
        exact &= (scaled >= _INT_MIN) & (scaled <= _INT_MAX)
    return exact


def _integers(block: Block, scales: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Rows that are integers. A state is the shift of its cell: a value moves by VALUE, 0 of the others becomes it."""
    whole = block if not scales.any() else block.rows_of(scales != _FLOAT_ROW)
    powers = scales[scales != _FLOAT_ROW]
    scaled = np.rint(whole.values * 10.0 ** powers[:, None]) if powers.any() else whole.values
    cells = scaled.astype(_INT)
    below = cells < 0
    cells += whole.states
    if below.any():
        cells[below] -= VALUE
    return cells


def _floats(block: Block) -> NDArray[np.uint64]:
    bits = block.values.astype("<f8").view(_BITS)
    absent = np.where(block.states == EMPTY, np.uint64(_FLOAT_EMPTY), np.uint64(_FLOAT_UNKNOWN))
    return np.where(block.states == VALUE, bits, absent).astype(_BITS)


def _decoded(body: bytes) -> Block:
    header = _HEADER_1 if body[:1] == b"\x01" else _HEADER
    version, rows, ticks, *trimmed = header.unpack_from(body)
    if version not in (1, _VERSION):
        raise ValueError(f"chunk version {version}, this program reads 1 and {_VERSION}")
    first, last = trimmed or (0, ticks)
    width = last - first
    scales = np.frombuffer(body, np.uint8, rows, header.size)
    integer = scales != _FLOAT_ROW
    count = int(integer.sum())
    start = header.size + rows
    middle = start + 4 * count * width
    if width < 0 or last > ticks or len(body) != middle + 8 * (rows - count) * width:
        raise ValueError(f"{len(body)} bytes for {rows} rows of {first} to {last} of {ticks}")
    block = Block.unknown(rows, ticks)
    part = block.ticks_of(first, last)
    _fill_integers(part, integer, _unshuffled(body[start:middle], _INT).reshape(count, width), scales)
    if count < rows:
        _fill_floats(part, ~integer, _unshuffled(body[middle:], _BITS).reshape(rows - count, width))
    return block


def _fill_integers(
    block: Block, integer: NDArray[np.bool_], cells: NDArray[np.int32], scales: NDArray[np.uint8]
) -> None:
    chosen = integer if len(cells) < block.rows else slice(None)
    states = np.minimum(cells.view(_UNSIGNED), VALUE)  # what is below zero is huge without its sign: a value
    below = cells < 0
    cells -= states.view(_INT)
    if below.any():
        cells[below] += VALUE
    powers = scales[integer]
    block.states[chosen] = states
    block.values[chosen] = cells / 10.0 ** powers[:, None] if powers.any() else cells


def _fill_floats(block: Block, chosen: NDArray[np.bool_], bits: NDArray[np.uint64]) -> None:
    values = bits.view("<f8")
    absent = np.isnan(values)
    block.values[chosen] = np.where(absent, 0.0, values)
    block.states[chosen] = np.where(absent, bits & np.uint64(1), VALUE)


def _shuffled(cells: NDArray[np.int32] | NDArray[np.uint64]) -> bytes:
    """Bytes of equal weight together: high bytes are nearly all alike and cost nothing."""
    return np.ascontiguousarray(np.ascontiguousarray(cells).view(np.uint8).reshape(-1, cells.itemsize).T).tobytes()


def _unshuffled(data: bytes, dtype: np.dtype[_Cell]) -> NDArray[_Cell]:
    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1)
    return np.array(planes.T, order="C").view(dtype).ravel()  # a copy even of one cell: it is written to


def _compressor() -> zstandard.ZstdCompressor:
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=1)
    made: zstandard.ZstdCompressor = _local.compressor
    return made


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    made: zstandard.ZstdDecompressor = _local.decompressor
    return made
