"""The CBOR codec, against the RFC's own examples and botocore's parser."""

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from botocore.parsers import RpcV2CBORParser
from hypothesis import given
from hypothesis import strategies as st

from stillfit.standins.aws import cbor

# RFC 8949, appendix A
EXAMPLES: list[tuple[str, Any]] = [
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("1903e8", 1000),
    ("1a000f4240", 1_000_000),
    ("1bffffffffffffffff", 18_446_744_073_709_551_615),
    ("20", -1),
    ("3903e7", -1000),
    ("f93c00", 1.0),
    ("fa47c35000", 100_000.0),
    ("fb3ff199999999999a", 1.1),
    ("f4", False),
    ("f6", None),
    ("f7", None),
    ("c11a514b67b0", 1_363_896_240.0),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("62c3bc", "ü"),
    ("83010203", [1, 2, 3]),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ("7f657374726561646d696e67ff", "streaming"),
    ("9f0102ff", [1, 2]),
    ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
]


@pytest.mark.parametrize(("encoded", "value"), EXAMPLES, ids=[encoded for encoded, _ in EXAMPLES])
def test_the_examples_of_the_rfc_are_read(encoded: str, value: Any) -> None:
    assert cbor.loads(bytes.fromhex(encoded)) == value


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back_and_botocore_agrees(value: Any) -> None:
    encoded = cbor.dumps(value)
    parser = RpcV2CBORParser()

    assert cbor.loads(encoded) == value
    assert parser.parse_data_item(parser.get_peekable_stream_from_bytes(encoded)) == value


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(encoded: bytes) -> None:
    with suppress(cbor.CborError):
        cbor.dumps(cbor.loads(encoded))


def test_rows_are_written_at_once_as_one_by_one() -> None:
    row = np.array([0.0, -1.5, 1e300])

    assert cbor.doubles(row) == cbor.dumps(row.tolist())
    assert cbor.timestamps(np.array([60, 120])) == cbor.dumps([cbor.Timestamp(60), cbor.Timestamp(120)])


def test_what_has_no_cbor_form_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="object"):
        cbor.dumps(object())


def test_a_number_beyond_64_bits_is_an_overflow() -> None:
    with pytest.raises(OverflowError):
        cbor.dumps(2**64)
