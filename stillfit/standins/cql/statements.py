"""The small part of CQL that a monitoring client needs: SELECT and USE.

    SELECT * | column [, column]... FROM [keyspace.]table [WHERE column = literal [AND ...]] [LIMIT n] [ALLOW FILTERING]

Everything else is refused: other statements as unauthorized, other clauses as a syntax error. Reserved words need
double quotes, as on the server (`schema` in `system_views.gossip_info` is such a column).
"""

import re
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from stillfit.standins.cql.errors import CqlSyntaxError, InvalidError, UnauthorizedError

TOKEN = re.compile(
    r"""\s*(?:
      (?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    | (?P<integer>-?\d+)
    | (?P<word>[A-Za-z][A-Za-z0-9_]*)
    | "(?P<quoted>(?:[^"]|"")+)"
    | '(?P<string>(?:[^']|'')*)'
    | (?P<symbol>[*,.=;?()<>\[\]{}:+-])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
RESERVED = re.compile(
    "add|allow|alter|and|apply|asc|authorize|batch|begin|by|columnfamily|create|delete|desc|describe|drop|entries|"
    "execute|from|full|grant|if|in|index|infinity|insert|into|is|keyspace|limit|materialized|modify|nan|norecursive|"
    "not|null|of|on|or|order|primary|rename|replace|revoke|schema|select|set|table|to|token|truncate|unlogged|update|"
    "use|using|view|where|with",
    re.IGNORECASE,
)
REFUSED = re.compile("alter|apply|batch|begin|create|delete|drop|grant|insert|revoke|truncate|update", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    kind: str
    """string, integer, uuid or boolean"""
    value: str | int | UUID | bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    keyspace: str | None
    table: str
    columns: tuple[str, ...] = ()
    """empty: all of them"""
    where: tuple[tuple[str, Literal], ...] = ()
    limit: int | None = None
    allow_filtering: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    keyspace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Select | Use:
    tokens = _Tokens(text)
    statement = _statement(tokens)
    tokens.skip_symbol(";")
    if tokens.next.kind != "end":
        tokens.refuse("mismatched input {} expecting EOF")
    return statement


def _statement(tokens: "_Tokens") -> Select | Use:
    if tokens.skip_word("select"):
        return _select(tokens)
    if tokens.skip_word("use"):
        return Use(keyspace=tokens.name())
    if tokens.next.kind == "word" and REFUSED.fullmatch(tokens.next.text):
        raise UnauthorizedError(f"{tokens.next.text.upper()} is not for a monitoring role: only SELECT is answered")
    return tokens.refuse("no viable alternative at input {}")


def _select(tokens: "_Tokens") -> Select:
    columns = () if tokens.skip_symbol("*") else _names(tokens)
    tokens.expect_word("from")
    keyspace, table = _table(tokens)
    where = _where(tokens) if tokens.skip_word("where") else ()
    limit = _limit(tokens) if tokens.skip_word("limit") else None
    allow_filtering = tokens.skip_word("allow")
    if allow_filtering:
        tokens.expect_word("filtering")
    return Select(
        keyspace=keyspace, table=table, columns=columns, where=where, limit=limit, allow_filtering=allow_filtering
    )


def _names(tokens: "_Tokens") -> tuple[str, ...]:
    names = [tokens.name()]
    while tokens.skip_symbol(","):
        names.append(tokens.name())
    return tuple(names)


def _table(tokens: "_Tokens") -> tuple[str | None, str]:
    first = tokens.name()
    return (first, tokens.name()) if tokens.skip_symbol(".") else (None, first)


def _where(tokens: "_Tokens") -> tuple[tuple[str, Literal], ...]:
    relations = [_relation(tokens)]
    while tokens.skip_word("and"):
        relations.append(_relation(tokens))
    return tuple(relations)


def _relation(tokens: "_Tokens") -> tuple[str, Literal]:
    column = tokens.name()
    if not tokens.skip_symbol("="):
        tokens.refuse("no viable alternative at input {}")
    return column, tokens.literal()


def _limit(tokens: "_Tokens") -> int:
    if tokens.next.kind != "integer":
        tokens.refuse("no viable alternative at input {}")
    limit = int(tokens.take().text)
    if limit <= 0:
        raise InvalidError("LIMIT must be strictly positive")
    return limit


class _Tokens:
    """One statement, read from left to right with one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.next = self._scan(0)

    def _scan(self, at: int) -> Token:
        match = TOKEN.match(self._text, at)
        if match is None or match.lastgroup is None:
            raise CqlSyntaxError(f"line 1:{at} no viable alternative at character '{self._text[at:].strip()[:1]}'")
        self._after = match.end()
        return Token(kind=match.lastgroup, text=match[match.lastgroup], at=match.start(match.lastgroup))

    def take(self) -> Token:
        taken = self.next
        self.next = self._scan(self._after)
        return taken

    def skip_word(self, word: str) -> bool:
        return self._skip("word", word)

    def skip_symbol(self, symbol: str) -> bool:
        return self._skip("symbol", symbol)

    def _skip(self, kind: str, text: str) -> bool:
        found = self.next.kind == kind and self.next.text.lower() == text
        if found:
            self.take()
        return found

    def expect_word(self, word: str) -> None:
        if not self.skip_word(word):
            self.refuse(f"mismatched input {{}} expecting K_{word.upper()}")

    def name(self) -> str:
        if self.next.kind == "quoted":
            return self.take().text.replace('""', '"')
        if self.next.kind != "word" or RESERVED.fullmatch(self.next.text):
            self.refuse("no viable alternative at input {}")
        return self.take().text.lower()

    def literal(self) -> Literal:
        if self.next.text == "?":
            raise InvalidError("Invalid amount of bind variables")
        token = self.take()
        match token.kind:
            case "string":
                return Literal(kind="string", value=token.text.replace("''", "'"), text=token.text)
            case "integer":
                return Literal(kind="integer", value=int(token.text), text=token.text)
            case "uuid":
                return Literal(kind="uuid", value=UUID(token.text), text=token.text)
            case "word" if token.text.lower() in ("true", "false"):
                return Literal(kind="boolean", value=token.text.lower() == "true", text=token.text)
        raise CqlSyntaxError(f"line 1:{token.at} no viable alternative at input '{token.text}'")

    def refuse(self, wording: str) -> NoReturn:
        """Raise the server's syntax error; `{}` in the wording is the offending token."""
        if self.next.kind == "end":
            raise CqlSyntaxError("line 0:-1 " + wording.format("'<EOF>'"))
        raise CqlSyntaxError(f"line 1:{self.next.at} " + wording.format(f"'{self.next.text}'"))
