from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from stillfit.store.chunks import EMPTY, UNKNOWN, VALUE, Block, ChunkError, checksum, decode, encode

FINITE = st.floats(allow_nan=False, allow_infinity=False)
KINDS = st.sampled_from(
    [
        FINITE,
        st.integers(-(2**40), 2**40).map(float),
        st.integers(-(10**6), 10**6).map(lambda whole: whole / 1000),
        st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308, 2.0**31, -(2.0**31), 2.0**31 - 3, 2.0**31 - 2]),
    ]
)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    shape = draw(st.tuples(st.integers(0, 6), st.integers(1, 12)))
    values = draw(npst.arrays(np.float64, shape, elements=draw(KINDS)))
    states = draw(npst.arrays(np.uint8, shape, elements=st.sampled_from([UNKNOWN, EMPTY, VALUE])))
    return Block(np.where(states == VALUE, values, 0.0), states)


@given(blocks())
def test_every_cell_comes_back_as_it_was(block: Block) -> None:
    read = decode(encode(block))

    assert np.array_equal(read.states, block.states)
    assert np.array_equal(read.values, block.values)


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_the_sign_of_zero_is_dropped_when_a_value_is_put(values: list[float]) -> None:
    block = Block.unknown(1, len(values))
    block.put(np.arange(len(values)), np.array(values))

    read = decode(encode(block)).values[0]

    assert np.array_equal(read, np.array(values))
    assert not np.signbit(read[read == 0]).any()


def test_a_row_of_fractions_does_not_spoil_its_neighbours() -> None:
    integers = Block(np.tile(np.arange(60.0), (100, 1)), np.full((100, 60), VALUE, np.uint8))
    mixed = Block(integers.values.copy(), integers.states)
    mixed.values[0] = np.random.default_rng(1).random(60)

    assert len(encode(mixed)) < len(encode(integers)) + 60 * 8 + 16


def test_gaps_cost_little_beside_the_values() -> None:
    rng = np.random.default_rng(1)
    full = Block(rng.poisson(300, (500, 60)).astype(float), np.full((500, 60), VALUE, np.uint8))
    holed = Block(full.values, np.where(rng.random((500, 60)) < 0.05, UNKNOWN, VALUE).astype(np.uint8))

    assert len(encode(holed)) - len(encode(full)) < 0.1 * full.states.size  # bytes a cell, at one gap in twenty


@given(blocks(), st.data())
def test_a_damaged_blob_is_refused_or_found_by_its_checksum(block: Block, data: st.DataObject) -> None:
    blob = encode(block)
    place = data.draw(st.integers(0, len(blob) - 1))
    damaged = blob[:place] + bytes([blob[place] ^ data.draw(st.integers(1, 255))]) + blob[place + 1 :]

    assert checksum(damaged, 1, 0, 3600) != checksum(blob, 1, 0, 3600)


@pytest.mark.parametrize("blob", [b"", b"garbage", encode(Block.unknown(2, 3))[:-3]], ids=["empty", "noise", "cut"])
def test_what_is_no_chunk_is_refused(blob: bytes) -> None:
    with pytest.raises(ChunkError):
        decode(blob)


def test_a_blob_under_the_key_of_another_is_found() -> None:
    blob = encode(Block.unknown(1, 1))

    assert checksum(blob, 1, 0, 3600) != checksum(blob, 1, 0, 7200)


def test_what_is_known_does_not_turn_unknown_by_pasting() -> None:
    block = Block.unknown(2, 3)
    block.put(np.array([1]), np.array([7.0]))
    block.paste(Block.unknown(1, 3), 0)

    assert block.states.tolist() == [[UNKNOWN, VALUE, UNKNOWN], [UNKNOWN] * 3]


def test_ticks_around_what_is_known_cost_nothing() -> None:
    short, long = Block.unknown(100, 5), Block.unknown(100, 500)
    for block, start in ((short, 0), (long, 200)):
        block.values[:, start : start + 5] = np.arange(500.0).reshape(100, 5)
        block.states[:, start : start + 5] = VALUE

    assert abs(len(encode(long)) - len(encode(short))) <= 8


def test_chunks_of_the_first_version_are_read() -> None:
    blob = "28b52ffd204a8501003402010300040000000003ff0901fd01007f00000000ff00ff00ff"
    blob += "0055f8f8f8d57f7f7f3f04003b2a80c30063036802"

    read = decode(bytes.fromhex(blob))

    assert read.values.tolist() == [[7, 0, -3, 0], [0, 0.125, 0, 0], [0, 0, 0, 1 / 3]]
    assert read.states.tolist() == [[VALUE, EMPTY, VALUE, EMPTY], [0, VALUE, 0, 0], [0, 0, 0, VALUE]]
