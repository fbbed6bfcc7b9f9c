from uuid import UUID

import pytest

from stillfit.standins.cql.errors import CqlError, CqlSyntaxError, InvalidError, UnauthorizedError
from stillfit.standins.cql.statements import Literal, Select, Use, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM system.local", Select(keyspace="system", table="local")),
        ("select NAME, b from T limit 5;", Select(keyspace=None, table="t", columns=("name", "b"), limit=5)),
        ('SELECT "schema" FROM k.gossip_info', Select(keyspace="k", table="gossip_info", columns=("schema",))),
        ('SELECT "a""b" FROM "Shop"."T x"', Select(keyspace="Shop", table="T x", columns=('a"b',))),
        ("USE shop", Use(keyspace="shop")),
    ],
)  # fmt: skip
def test_the_small_select_is_understood(text: str, expected: object) -> None:
    assert parse(text) == expected


def test_relations_keep_their_literals() -> None:
    text = "SELECT a FROM t WHERE a = 'it''s' AND b = -7 AND c = true AND d = 7ad54392-bcdd-35a6-8417-4e047860b377"

    where = parse(text).where  # type: ignore[union-attr]  # a select by its text

    assert where == (
        ("a", Literal(kind="string", value="it's", text="it''s")),
        ("b", Literal(kind="integer", value=-7, text="-7")),
        ("c", Literal(kind="boolean", value=True, text="true")),
        (
            "d",
            Literal(
                kind="uuid",
                value=UUID("7ad54392-bcdd-35a6-8417-4e047860b377"),
                text="7ad54392-bcdd-35a6-8417-4e047860b377",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("SELEC", CqlSyntaxError, "line 1:0 no viable alternative at input 'SELEC'"),
        ("", CqlSyntaxError, "line 0:-1 no viable alternative at input '<EOF>'"),
        ("SELECT * FROM", CqlSyntaxError, "line 0:-1 no viable alternative at input '<EOF>'"),
        ("SELECT schema FROM t", CqlSyntaxError, "line 1:7 no viable alternative at input 'schema'"),
        ("SELECT * FROM t EXTRA", CqlSyntaxError, "line 1:16 mismatched input 'EXTRA' expecting EOF"),
        ("SELECT count(*) FROM t", CqlSyntaxError, "line 1:12 mismatched input '(' expecting K_FROM"),
        ("SELECT * FROM t WHERE a > 1", CqlSyntaxError, "line 1:24 no viable alternative at input '>'"),
        ("SELECT * FROM t WHERE a = b", CqlSyntaxError, "line 1:26 no viable alternative at input 'b'"),
        ("SELECT * FROM t LIMIT x", CqlSyntaxError, "line 1:22 no viable alternative at input 'x'"),
        ("SELECT * FROM t LIMIT 0", InvalidError, "LIMIT must be strictly positive"),
        ("SELECT * FROM t WHERE a = ?", InvalidError, "Invalid amount of bind variables"),
        ("SELECT ~ FROM t", CqlSyntaxError, "line 1:6 no viable alternative at character '~'"),
        ("DROP TABLE t", UnauthorizedError, "DROP is not for a monitoring role: only SELECT is answered"),
        ("delete from t", UnauthorizedError, "DELETE is not for a monitoring role: only SELECT is answered"),
    ],
)  # fmt: skip
def test_everything_else_is_refused_in_the_words_of_the_server(text: str, error: type[CqlError], message: str) -> None:
    with pytest.raises(error) as refused:
        parse(text)

    assert str(refused.value) == message
