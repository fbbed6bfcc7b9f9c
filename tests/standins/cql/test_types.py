from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cassandra.cqltypes import lookup_casstype
from hypothesis import given
from hypothesis import strategies as st

from stillfit.standins.cql import types
from stillfit.standins.cql.catalogue import FAMILIES, release
from stillfit.standins.cql.types import UnfitValueError

ID = UUID("7ad54392-bcdd-35a6-8417-4e047860b377")


@pytest.mark.parametrize(
    ("cql", "java", "value"),
    [
        ("text", "UTF8Type", "naïve ✓"),
        ("ascii", "AsciiType", "plain"),
        ("bigint", "LongType", -(2**63)),
        ("counter", "CounterColumnType", 7),
        ("int", "Int32Type", 2**31 - 1),
        ("smallint", "ShortType", -3),
        ("tinyint", "ByteType", -3),
        ("double", "DoubleType", 0.1),
        ("float", "FloatType", 0.5),
        ("boolean", "BooleanType", True),
        ("blob", "BytesType", b"\x00\xff"),
        ("inet", "InetAddressType", "::1"),
        ("uuid", "UUIDType", ID),
        ("frozen<map<text, bigint>>", "MapType(UTF8Type,LongType)", {"a": 1}),
        ("list<frozen<list<text>>>", "ListType(ListType(UTF8Type))", [["a"], []]),
        ("set<int>", "SetType(Int32Type)", {3}),
        ("frozen<tuple<text, int>>", "TupleType(UTF8Type,Int32Type)", ("a", None)),
    ],
)
def test_the_driver_reads_what_was_written(cql: str, java: str, value: Any) -> None:
    encoded = types.encode(types.parse(cql), value)

    assert lookup_casstype(java).from_binary(encoded, 4) == value


def test_a_timestamp_keeps_its_milliseconds() -> None:
    at = datetime(2026, 11, 2, 12, 0, 0, 123_000, tzinfo=UTC)

    encoded = types.encode(types.parse("timestamp"), at)

    assert lookup_casstype("TimestampType").from_binary(encoded, 4) == at.replace(tzinfo=None)


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_bigint_survives(value: int) -> None:
    assert lookup_casstype("LongType").from_binary(types.encode(types.parse("bigint"), value), 4) == value


@pytest.mark.parametrize(
    ("cql", "value"),
    [
        ("int", 2**31),
        ("int", "7"),
        ("int", 1.5),
        ("text", 7),
        ("boolean", 1),
        ("inet", "host.example"),
        ("timestamp", datetime(2026, 1, 1)),
        ("frozen<tuple<text, int>>", ("a",)),
    ],
)
def test_a_value_that_does_not_fit_is_refused(cql: str, value: Any) -> None:
    with pytest.raises(UnfitValueError, match="cannot be"):
        types.encode(types.parse(cql), value)


@pytest.mark.parametrize("text", ["money", "list<money>", "text text"])
def test_an_unknown_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a CQL type"):
        types.parse(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_recorded_column_has_a_type_we_can_write(family: str) -> None:
    columns = [column for table in release(family).tables.values() for column in table.columns]

    assert all(types.option(types.parse(column.type)) for column in columns)
