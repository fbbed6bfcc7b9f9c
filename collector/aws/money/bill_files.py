"""Bill files on this machine: csv and csv.gz of CUR 1, CUR 2 and FOCUS 1.x, read line by line.

A folder may hold several deliveries of one month (a report that is not overwritten has a folder for each): of one
month only the folder with the newest file counts, else every charge would count twice.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Protocol

from collector.aws.money.bill_lines import COLUMNS, Dialect, Line, OddLineError, Row, dialect_of, line, period_of
from collector.aws.money.charges import Ledger, Watch, days_between
from stillfit.model import Series

DAYS = 62
"""Two months, so that a whole one is always there; older lines are passed over."""
INVOICED_AFTER = timedelta(days=10)
"""After the end of a month, where the bill does not say (AWS: "between the third and seventh day"; ours)."""
ENDINGS = (".csv", ".csv.gz")
PARQUET = (".parquet", ".snappy.parquet")
MAX_FIELD = 1_000_000
"""Characters of one field: the tags of FOCUS come as one JSON text."""
TOLD = 5
"""Numbers of odd lines that are told by name."""

Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and time of each file: what tells whether anything has changed."""


@dataclass(slots=True)
class FileReport:
    """What reading one file came to."""

    path: Path
    lines: int = 0
    taken: int = 0
    odd: list[tuple[int, str]] = field(default_factory=list)
    """Line numbers with what is wrong, of the first few."""
    odd_lines: int = 0
    trouble: str = ""
    """Why it could not be read, or not to its end."""

    def note(self, number: int, why: str) -> None:
        self.odd_lines += 1
        if len(self.odd) < TOLD:
            self.odd.append((number, why))

    @property
    def sentence(self) -> str:
        """What a person should know; empty where all is well."""
        told = [self.trouble] if self.trouble else []
        if self.odd_lines:
            first = "; ".join(f"line {number}: {why}" for number, why in self.odd)
            told.append(f"{self.odd_lines} of {self.lines} lines could not be read ({first})")
        return f"{self.path.name}: {'; '.join(told)}" if told else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bills:
    """All that the files say."""

    series: tuple[Series, ...]
    reports: tuple[FileReport, ...]
    superseded: int
    """Files that were passed over for a newer delivery of their month."""
    lost: int
    """Lines of parts beyond what is held."""


def stamp(path: Path) -> Stamp:
    """What is there now. Empty where there is nothing, or it cannot be looked at."""
    try:
        return tuple((str(one), one.stat().st_size, one.stat().st_mtime_ns) for one in _files(path))
    except OSError:
        return ()


def read(path: Path, watch: Watch, at: datetime) -> Bills:
    """What is watched, of all files at `path`. Nothing is raised: what is wrong is in the reports."""
    ledger = Ledger(at.date() - timedelta(days=DAYS), DAYS)
    days = _Days(at.date())
    reports: list[FileReport] = []
    chosen, superseded = _newest(path)
    for one in chosen:
        report = FileReport(one)
        for found in _lines(one, report):
            if watch.takes(found.charge.subject):
                report.taken += 1
                days.see(found)
                _add(ledger, found, watch)
        reports.append(report)
    reports += [FileReport(one, trouble=_NO_PARQUET) for one in _files(path) if one.name.endswith(PARQUET)]
    final = days.final if not any(one.sentence for one in reports) else set()
    told = tuple(ledger.series(final, days.known))
    return Bills(series=told, reports=tuple(reports), superseded=superseded, lost=ledger.lost)


@dataclass(slots=True)
class _Days:
    """Which days the files speak of, by month, and which months have a line that is not invoiced yet."""

    today: date
    seen: dict[tuple[int, int], set[date]] = field(default_factory=dict)
    open: set[tuple[int, int]] = field(default_factory=set)

    def see(self, found: Line) -> None:
        month = (found.charge.day.year, found.charge.day.month)
        self.seen.setdefault(month, set()).add(found.charge.day)
        is_final = self._is_past(found.charge.day) if found.is_final is None else found.is_final
        if not is_final:
            self.open.add(month)

    def _is_past(self, day: date) -> bool:
        next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return next_month + INVOICED_AFTER <= self.today

    @property
    def known(self) -> set[date]:
        """Of each month all from the first to the last: a day between without a line was billed nothing."""
        return {day for days in self.seen.values() for day in days_between(min(days), max(days) + timedelta(days=1))}

    @property
    def final(self) -> set[date]:
        return {day for day in self.known if (day.year, day.month) not in self.open}


def _add(ledger: Ledger, found: Line, watch: Watch) -> None:
    """To its region, and to its table."""
    ledger.add(found.charge)
    if found.table is not None and watch.takes(found.table):
        ledger.add(replace(found.charge, subject=found.table))


def _newest(path: Path) -> tuple[list[Path], int]:
    """Files to read: of each month those of the folder that was written last. And how many were passed over."""
    by_month: dict[str, dict[Path, list[Path]]] = {}
    for one in _files(path):
        if one.name.endswith(ENDINGS):
            by_month.setdefault(_month(one), {}).setdefault(one.parent, []).append(one)
    chosen: list[Path] = []
    files = 0
    for month, folders in by_month.items():
        files += sum(len(found) for found in folders.values())
        newest = [max(folders.values(), key=_written)] if month else folders.values()
        chosen += [one for found in newest for one in found]
    return chosen, files - len(chosen)


def _written(files: Iterable[Path]) -> float:
    return max((one.stat().st_mtime for one in files), default=0.0)


def _month(path: Path) -> str:
    """The month that the first line is billed in; empty where that cannot be told."""
    try:
        with _opened(path) as text:
            rows = csv.reader(text)
            header, first = next(rows, []), next(rows, [])
    except _UNREADABLE:
        return ""
    dialect = dialect_of(tuple(header))
    return period_of(dialect, dict(zip(header, first, strict=False))) if dialect else ""


def _lines(path: Path, report: FileReport) -> Iterator[Line]:
    try:
        with _opened(path) as text:
            rows = csv.reader(text)
            header = tuple(next(rows, []))
            dialect = dialect_of(header)
            if dialect is None:
                report.trouble = _NO_BILL
                return
            yield from _read(_Rows(rows, header, COLUMNS[dialect].values()), dialect, report)
    except _UNREADABLE as error:
        report.trouble = f"it cannot be read after line {report.lines + 1} ({type(error).__name__}: {error})"


class _Reader(Protocol):
    """csv.reader's own type has no name."""

    line_num: int

    def __next__(self) -> list[str]: ...
    def __iter__(self) -> Iterator[list[str]]: ...


class _Rows:
    """The rows of a file with the columns that are wanted. A row that cannot be split is an OddLineError."""

    def __init__(self, reader: _Reader, header: tuple[str, ...], wanted: Iterable[str]) -> None:
        self._reader = reader
        self._width = len(header)
        self._places = {name: header.index(name) for name in wanted if name in header}

    @property
    def number(self) -> int:
        """Of the line that was read last; the header is the first."""
        return self._reader.line_num

    def next(self) -> Row | None:
        """None at the end. Raises OddLineError."""
        try:
            fields = next(self._reader, None)
        except csv.Error as error:
            raise OddLineError(str(error)) from error
        if fields is None:
            return None
        if len(fields) != self._width:
            raise OddLineError(f"it has {len(fields)} fields, the file has {self._width} columns")
        return {name: fields[place] for name, place in self._places.items()}


def _read(rows: _Rows, dialect: Dialect, report: FileReport) -> Iterator[Line]:
    while True:
        report.lines += 1
        try:
            row = rows.next()
            found = line(dialect, row) if row is not None else None
        except OddLineError as error:
            report.note(rows.number, str(error))
            continue
        if row is None:
            report.lines -= 1
            return
        if found is not None:
            yield found


def _files(path: Path) -> list[Path]:
    every = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
    return [one for one in every if one.is_file() and one.name.endswith((*ENDINGS, *PARQUET))]


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The text of a file, unpacked as it is read."""
    csv.field_size_limit(MAX_FIELD)
    with path.open("rb") as raw:
        packed = gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw
        with io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as text:
            yield text


_UNREADABLE = (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error)
_NO_BILL = "its columns are those of neither CUR 1, CUR 2 nor FOCUS"
_NO_PARQUET = "parquet is not read: export the report as csv or csv.gz"
