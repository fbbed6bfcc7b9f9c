"""Tags of tables, and which tables they choose.

One call of the tagging API tells of a hundred tables; where only that is refused, each table is asked for its own. The
tagging API lists what has a tag or once had one (API reference, GetResources), so what it does not list has none. A
table whose tags are not known is neither taken nor left out where tags choose.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from collector.aws.settings.rounds import Detail, Round
from collector.aws.settings.tables import Description, Settings
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import amiss
from collector.aws.wire.listing import Listing, Question
from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.model import GapReason

ATTRIBUTE = "tags"

_QUESTION = Question(
    service="resourcegroupstaggingapi",
    operation="GetResources",
    expect="ResourceTagMappingList",
    tokens=("PaginationToken", "PaginationToken"),
    parameters={"ResourceTypeFilters": ["dynamodb:table"], "ResourcesPerPage": 100},
)
_TABLE = re.compile(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/([^/]+)")


class Tags:
    """The tags of one account and region. One look at a time."""

    def __init__(self, connection: Connection, about: str, pool: Pool) -> None:
        self._connection = connection
        self._listing = Listing(connection, _QUESTION, about)
        self._by_name: Mapping[str, Settings] | None = None
        self._listed_with: frozenset[str] = frozenset()
        ask = Detail(attributes=(ATTRIBUTE,), action="dynamodb:ListTagsOfResource", ask=self._ask)
        self._singly = Round(ask, pool)

    def look(self, names: Collection[str], now: float) -> None:
        """List where it is time, or where a table is new. `now` is monotonic seconds."""
        if self._by_name is not None and not self._listed_with.issuperset(names):
            self._listing.hurry()
        if not self._listing.look(now):
            return
        found = self._read()
        if found is not None:
            self._by_name, self._listed_with = found, frozenset(names)

    @property
    def listing_error(self) -> SourceError | None:
        """Why the list is not as new as it should be, or not there."""
        return self._listing.error

    @property
    def singly(self) -> bool:
        """Whether each table has to be asked: the list was refused."""
        return self._listing.error is not None and self._listing.error.reason is GapReason.DENIED

    def begin(self, tables: Mapping[str, Description], now: float) -> None:
        """Ask each table, where the list was refused."""
        if self.singly:
            self._singly.begin(tables, now)

    def finish(self) -> None:
        self._singly.finish()

    def settings(self, name: str) -> Settings:
        """The attribute, where it is known."""
        pairs = self._pairs(name)
        return {} if pairs is None else {ATTRIBUTE: tuple(sorted(f"{key}={value}" for key, value in pairs.items()))}

    def missing(self, name: str) -> SourceError | None:
        """Why a table's tags are not known, or not as new as they should be."""
        return self._singly.missing(name) if self.singly else self._listing.error

    def chosen(self, name: str, wanted: Collection[tuple[str, str]]) -> bool | None:
        """Whether a table has all the tags that are wanted, values by pattern; None where that is not known."""
        pairs = self._pairs(name)
        if pairs is None:
            return None
        return all(key in pairs and fnmatchcase(str(pairs[key]), pattern) for key, pattern in wanted)

    def _pairs(self, name: str) -> Settings | None:
        """Values by key; None where they are not known."""
        if self.singly and self._singly.of(name).settings is not None:
            return self._singly.of(name).settings
        if self._by_name is None or (name not in self._by_name and name not in self._listed_with):
            return None
        return self._by_name.get(name, {})

    def _read(self) -> Mapping[str, Settings] | None:
        found: dict[str, Settings] = {}
        try:
            for row in self._listing.rows or ():
                table = _TABLE.fullmatch(row["ResourceARN"])
                if table:
                    found[table[1]] = {one["Key"]: str(one["Value"]) for one in row.get("Tags") or ()}
        except (KeyError, TypeError, AttributeError) as error:
            self._listing.error = self._listing.unreadable(f"a record that cannot be read: {amiss(error)}")
            return None
        return found

    def _ask(self, table: Description) -> Settings:
        return {one["Key"]: str(one["Value"]) for one in self._pages(table)}

    def _pages(self, table: Description) -> Iterator[Mapping[str, str]]:
        pages = self._connection.pages(
            "dynamodb",
            "ListTagsOfResource",
            f'table "{table["TableName"]}"',
            expect="Tags",
            tokens=("NextToken", "NextToken"),
            ResourceArn=table["TableArn"],
        )
        return (one for page in pages for one in page)
