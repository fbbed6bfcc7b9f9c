"""Exports of a region's tables: listed, and each finished one described once, since it does not change any more.

ListExports names the exports of 90 days; only DescribeExport tells what one was billed for, and of which table it is
where another table has had the same name before.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from collector.aws.settings.details import Export, exports
from collector.aws.settings.tables import Settings
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import amiss
from collector.aws.wire.listing import Listing, Question, Record
from stillfit.errors import SourceError
from stillfit.model import GapReason

COUNT = "exports"
DESCRIBED = ("newest_export", "exports_billed_bytes")
DESCRIBED_A_LOOK = 100
"""So many exports are described before the rest waits for the next look (ours)."""

_QUESTION = Question(service="dynamodb", operation="ListExports", expect="ExportSummaries")
_TABLE = re.compile(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/([^/]+)/export/[^/]+")


class Exports:
    """Used by one thread at a time."""

    def __init__(self, connection: Connection, about: str) -> None:
        self._connection = connection
        self._about = about
        self._listing = Listing(connection, _QUESTION, about)
        self._described: dict[str, Export] = {}
        self._arns: Mapping[str, tuple[str, ...]] | None = None
        self._error: SourceError | None = None

    def look(self, tables: Collection[str], now: float) -> None:
        """List where it is time, and describe what is new of `tables`. `now` is monotonic seconds."""
        if self._listing.look(now):
            self._listed()
        wanted = [arn for name, arns in (self._arns or {}).items() if name in tables for arn in arns]
        new = sorted((arn for arn in wanted if arn not in self._described), key=_made, reverse=True)
        self._error = self._waiting(len(new)) if len(new) > DESCRIBED_A_LOOK else None
        for arn in new[:DESCRIBED_A_LOOK]:
            try:
                self._describe(arn)
            except SourceError as error:
                self._error = error
                return

    def settings(self, table: str, table_id: object) -> Settings:
        """Of one table; without what could not be described."""
        if self._arns is None:
            return {}
        arns = self._arns.get(table, ())
        known = [self._described[arn] for arn in arns if arn in self._described]
        own = [one for one in known if one.table_id == table_id]
        if len(known) == len(arns):
            return exports(own)
        return {COUNT: float(len(arns) - len(known) + len(own))}

    def missing(self) -> Iterator[tuple[str, SourceError]]:
        if self._listing.error:
            yield from ((name, self._listing.error) for name in (COUNT, *DESCRIBED))
        elif self._error:
            yield from ((name, self._error) for name in DESCRIBED)

    def _listed(self) -> None:
        """Take over what was listed; only what is finished has been billed."""
        arns: defaultdict[str, list[str]] = defaultdict(list)
        try:
            for name, arn in map(_named, self._listing.rows or ()):
                if name:
                    arns[name].append(arn)
        except (KeyError, TypeError, AttributeError) as error:
            self._listing.error = self._listing.unreadable(f"a record that cannot be read: {amiss(error)}")
            return
        self._arns = {name: tuple(found) for name, found in arns.items()}
        listed = {arn for found in arns.values() for arn in found}
        self._described = {arn: one for arn, one in self._described.items() if arn in listed}

    def _describe(self, arn: str) -> None:
        answer = self._connection.call(
            "dynamodb", "DescribeExport", self._about, expect="ExportDescription", ExportArn=arn
        )
        try:
            self._described[arn] = Export.of(answer["ExportDescription"])
        except (TypeError, AttributeError, ValueError) as error:
            raise self._listing.unreadable(f"an export that cannot be read: {amiss(error)}") from error

    def _waiting(self, count: int) -> SourceError:
        said = f"{count} exports of {self._about} are to be described, {DESCRIBED_A_LOOK} a look: the next looks go on"
        return SourceError(said, reason=GapReason.PARTIAL, retryable=True)


def _named(summary: Record) -> tuple[str, str]:
    """The table and ARN of an export that has completed; no table for any other."""
    arn = str(summary["ExportArn"])
    found = _TABLE.fullmatch(arn)
    return (found[1] if found and summary.get("ExportStatus") == "COMPLETED" else "", arn)


def _made(arn: str) -> str:
    """An export's id begins with the time at which it was asked for."""
    return arn.rsplit("/", 1)[-1]
