"""Which series of which exporter brings which canonical metric. Pure: takes the text of a names file.

The packaged table is names.yaml; an operator's own file has the same form and goes before it. An exporter is recognised
by the labels that it puts on its series, because two of them share names: YACE and cloudwatch_exporter both write
aws_dynamodb_consumed_read_capacity_units_sum, one with dimension_TableName, the other with table_name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stillfit.metrics import METRICS
from stillfit.model import Engine, Level, Statistic, Subject

MINUTE = 60


class Kind(StrEnum):
    """What a sample of a series says."""

    WINDOW = "window"  # the total of the exporter's last CloudWatch window
    COUNTER = "counter"  # a total since some start; it may fall to zero at a restart
    LEVEL = "level"  # the value itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One series name (and labels it must have) with what it brings."""

    series: str
    metric: str
    statistic: Statistic
    kind: Kind
    scale: float = 1.0
    """What a value is multiplied by to be in the canonical unit."""
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Labels with the values that they may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One way of writing metrics down."""

    name: str
    engine: Engine
    labels: Mapping[str, tuple[str, ...]]
    """For each part of a subject (table, index, account, node, ...) the labels that may hold it, best first."""
    rows: tuple[Row, ...]
    window_s: int = MINUTE
    """Length of the CloudWatch window that one sample sums up (the exporter's `period`)."""
    every_s: int = MINUTE
    """How often the exporter asks CloudWatch."""
    lag_s: int = 0
    """How much older than its sample the data is, in whole minutes."""

    @property
    def has_holes(self) -> bool:
        """It asks less often than its windows are long: what lies between is never read."""
        return self.every_s > self.window_s

    def part(self, role: str, labels: Mapping[str, str]) -> str:
        """What the labels say of one part of a subject; "" where nothing."""
        return next((labels[name] for name in self.labels.get(role, ()) if labels.get(name)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Where series belong whose labels do not say it."""

    account: str = "unknown"
    region: str = "unknown"
    cluster: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question to the store, and who may have written what it brings."""

    series: str
    kind: Kind
    where: tuple[tuple[str, tuple[str, ...]], ...]
    readers: tuple[tuple[Exporter, Row], ...]

    def expression(self, range_s: int) -> str:
        """PromQL that has a value at a time only where samples lie in the range before it: never a carried one."""
        matchers = ",".join(f'{label}=~"{"|".join(map(_literal, values))}"' for label, values in self.where)
        selector = f"{self.series}{{{matchers}}}" if matchers else self.series
        if self.kind is Kind.COUNTER:
            return f"rate({selector}[{range_s}s]) * {MINUTE}"
        return f"last_over_time({selector}[{range_s}s])"


def queries(exporters: Iterable[Exporter], present: Iterable[str]) -> tuple[Query, ...]:
    """What to ask of a store that has the names `present`. Case does not count: jmx_exporter can lower all names."""
    written: dict[str, list[str]] = {}
    for name in present:
        written.setdefault(name.lower(), []).append(name)
    asked: dict[tuple[str, Kind, tuple[tuple[str, tuple[str, ...]], ...]], list[tuple[Exporter, Row]]] = {}
    for exporter in exporters:
        for row in exporter.rows:
            for name in written.get(row.series.lower(), ()):
                asked.setdefault((name, row.kind, row.where), []).append((exporter, row))
    return tuple(Query(series=key[0], kind=key[1], where=key[2], readers=tuple(who)) for key, who in asked.items())


def subject(exporter: Exporter, row: Row, labels: Mapping[str, str], defaults: Defaults) -> Subject | None:
    """Whom a series of this exporter speaks of; None where its labels are not those of this exporter."""
    if exporter.engine is Engine.CASSANDRA:
        return _of_cassandra(exporter, row, labels, defaults)
    table = exporter.part("table", labels)
    if not table:
        return None
    scope = (exporter.part("account", labels) or defaults.account, exporter.part("region", labels) or defaults.region)
    return Subject(engine=exporter.engine, scope=scope, table=table, index=exporter.part("index", labels))


def _of_cassandra(exporter: Exporter, row: Row, labels: Mapping[str, str], defaults: Defaults) -> Subject | None:
    node = _host(exporter.part("node", labels))
    keyspace, table = exporter.part("keyspace", labels), exporter.part("table", labels)
    of_table = METRICS[row.metric].levels == {Level.REPLICA}
    if not node or (of_table and not (keyspace and table)):
        return None
    scope = (exporter.part("cluster", labels) or defaults.cluster, exporter.part("datacenter", labels))
    named = {"keyspace": keyspace, "table": table} if of_table else {}
    return Subject(engine=Engine.CASSANDRA, scope=scope, node=node, **named)


def _host(instance: str) -> str:
    """10.0.0.1 of 10.0.0.1:7070, ::1 of [::1]:7070; a name without a port stays as it is."""
    if instance.startswith("["):
        return instance[1:].partition("]")[0]
    return instance.partition(":")[0] if instance.count(":") == 1 else instance


def _literal(text: str) -> str:
    """A value inside a quoted PromQL regular expression that must match itself."""
    return "".join(char if char.isalnum() or char in "_- " else f"\\\\{char}" for char in text)


def before(own: Sequence[Exporter], packaged: Sequence[Exporter]) -> tuple[Exporter, ...]:
    """An operator's exporters, then the packaged ones whose names they do not take."""
    taken = {one.name for one in own}
    return (*own, *(one for one in packaged if one.name not in taken))


def lag(exporters: Iterable[Exporter]) -> int:
    """Seconds after which the slowest of them has told what happened."""
    return max((one.lag_s for one in exporters), default=0)


def of_engine(exporters: Iterable[Exporter], engine: Engine) -> Iterator[Exporter]:
    return (one for one in exporters if one.engine is engine)
