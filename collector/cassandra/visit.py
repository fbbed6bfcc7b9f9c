"""The questions to one node: one at a time, within a deadline, each failure a Gap that names what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from collector.cassandra import prepared, system_tables, virtual_tables
from collector.cassandra.connection import Cql, Peer, Row
from collector.cassandra.failures import QueryError
from collector.cassandra.prepared import Shape
from collector.cassandra.system_tables import Local
from collector.cassandra.virtual_tables import LATENCIES, TALLIES, VIEWS, Sample, View
from stillfit.model import Gap, GapReason, Subject, Value

PREPARED_ATTRIBUTES: Final = (
    "prepared_inserts",
    "prepared_insert_columns",
    "prepared_deletes",
    "prepared_deletes_partition",
    "prepared_ttl",
    "prepared_collection_overwrites",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a node may take. Ours: a virtual table takes some 4 ms, so 500 times that is not going to come."""

    query_s: float = 2.0
    deadline_s: float = 6.0
    """For all questions together: a sick node must not hold up the others."""
    timeouts: int = 2
    """After that many the node is left alone until the next collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a node can be asked, by its release; asked again after a restart."""

    release: str
    generation: int
    views: dict[str, frozenset[str]]
    system: dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """What changes seldom and is asked seldom."""

    settings: dict[str, Value] = field(default_factory=dict)
    shapes: frozenset[Shape] | None = None
    """None: not known."""
    samples: tuple[Sample, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one node said. Without `local` it said nothing, and `gaps` tell why."""

    peer: Peer
    local: Local | None = None
    features: Features | None = None
    samples: tuple[Sample, ...] = ()
    slow: Slow | None = None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Whom to ask, in whose name gaps are told, and what is known already."""

    peer: Peer
    subject: Subject
    source: str
    features: Features | None = None
    slow: Slow | None = None
    """Still fresh enough: not asked again."""
    patience: Patience = Patience()


def visit(cql: Cql, errand: Errand, monotonic: Callable[[], float] = time.monotonic) -> Answers:
    """Ask one node everything. Never raises for what the node does."""
    talk = _Talk(cql, errand, monotonic)
    found = talk.ask(system_tables.LOCAL, "*")
    local = system_tables.local(found[0]) if found else None
    features = _features(talk, local) if local else None
    if local is None or features is None:
        return Answers(peer=errand.peer, local=local, gaps=talk.gaps())
    samples = [*_views(talk, local, features), *_tallies(talk, features)]
    slow = errand.slow or _slow(talk, features)
    return Answers(
        peer=errand.peer,
        local=local,
        features=features,
        samples=(*samples, *slow.samples),
        slow=slow,
        gaps=(*talk.gaps(), *slow.gaps),
    )


def _features(talk: _Talk, local: Local) -> Features | None:
    """The cached ones while the node runs on; else the node's own virtual schema (there is none before 4.0)."""
    known = talk.errand.features
    if known and (known.release, known.generation) == (local.release, local.generation):
        return known
    views = talk.ask(system_tables.VIRTUAL_COLUMNS, "*")
    system = talk.ask(system_tables.STORED_COLUMNS, "*") if views is not None else None
    if views is None or system is None:
        return None
    return Features(
        release=local.release,
        generation=local.generation,
        views=system_tables.columns_by_table(views),
        system=system_tables.columns_by_table(system),
    )


def _views(talk: _Talk, local: Local, features: Features) -> list[Sample]:
    scale = virtual_tables.latency_scale(virtual_tables.release(local.release))
    _tell_latency_unit(talk, local, scale)
    found: list[Sample] = []
    for view in VIEWS:
        askable = view.within(features.views.get(view.table, frozenset()))
        _tell_missing(talk, view, askable)
        rows = talk.ask(askable.statement, *askable.metrics) if askable.columns else None
        found += virtual_tables.samples(askable, rows or (), scale)
    return found


def _tell_missing(talk: _Talk, view: View, askable: View) -> None:
    for metric in sorted({column.metric for column in view.columns if column not in askable.columns}):
        talk.lacks(metric, f"system_views.{view.table} does not have it in this release of Cassandra")


def _tell_latency_unit(talk: _Talk, local: Local, scale: float | None) -> None:
    if scale == 1.0:
        return
    for metric in sorted(LATENCIES):
        if scale is None:
            talk.lacks(metric, f"nobody has measured the unit of the latency columns of Cassandra {local.release}")
        else:
            talk.tell(
                metric,
                GapReason.PARTIAL,
                f"the virtual tables of Cassandra {local.release} tell whole milliseconds only: below 0.5 ms shows "
                "nothing; JMX or an exporter tells more",
            )


def _tallies(talk: _Talk, features: Features) -> list[Sample]:
    found: list[Sample] = []
    for tally in TALLIES:
        if not set(tally.selected) <= features.views.get(tally.table, frozenset()):
            talk.lacks(tally.metric, f"there is no system_views.{tally.table} in this release of Cassandra")
            continue
        rows = talk.ask(tally.statement, tally.metric)
        found += [virtual_tables.tally(tally, rows)] if rows is not None else []
    return found


def _slow(talk: _Talk, features: Features) -> Slow:
    """Everything asked seldom; its gaps stay with it, and are told again until it is asked again."""
    own = talk.branch()
    slow = Slow(settings=_settings(own), shapes=_shapes(own), samples=_top_partitions(own, features))
    return replace(slow, gaps=own.gaps())


def _settings(talk: _Talk) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, (attribute, _unit) in system_tables.SETTINGS.items():
        rows = talk.ask(system_tables.setting_statement(name), attribute)
        said = system_tables.setting(name, rows) if rows is not None else {}
        if rows is not None and not said:
            talk.lacks(attribute, f"system_views.settings does not say {name} in this release of Cassandra")
        found |= said
    return found


def _shapes(talk: _Talk) -> frozenset[Shape] | None:
    rows = talk.ask(system_tables.PREPARED_STATEMENTS, *PREPARED_ATTRIBUTES)
    return prepared.shapes(rows) if rows is not None else None


def _top_partitions(talk: _Talk, features: Features) -> tuple[Sample, ...]:
    if "top" not in features.system.get("top_partitions", frozenset()):
        talk.lacks("top_partition_tombstones", "there is no system.top_partitions in this release of Cassandra")
        return ()
    rows = talk.ask(system_tables.TOP_PARTITIONS, "top_partition_tombstones")
    return tuple(system_tables.top_partitions(rows or ()))


class _Talk:
    """One node, one question in flight. After it is lost, or twice late, it is asked nothing more."""

    def __init__(self, cql: Cql, errand: Errand, monotonic: Callable[[], float]) -> None:
        self.errand = errand
        self._cql = cql
        self._monotonic = monotonic
        self._until = monotonic() + errand.patience.deadline_s
        self._timeouts = 0
        self._over: QueryError | None = None
        self._gaps: list[Gap] = []

    def branch(self) -> _Talk:
        """The same talk, going on with gaps of its own."""
        talk = _Talk(self._cql, self.errand, self._monotonic)
        talk._until, talk._timeouts, talk._over = self._until, self._timeouts, self._over
        return talk

    def ask(self, statement: str, *missing: str) -> Sequence[Row] | None:
        """The rows, or None with a gap for each name in `missing`."""
        try:
            return self._cql.query(self.errand.peer, statement, self._patience())
        except QueryError as error:
            self._remember(error)
            table = statement.partition(" FROM ")[2].split()[0]
            for name in missing:
                self.tell(name, error.reason, f"{self.errand.peer.name} was asked for {table}: it {error}")
            return None

    def _patience(self) -> float:
        """Seconds that the next answer may take. Raises QueryError when the talk is over."""
        if self._over is not None:
            raise self._over
        left = self._until - self._monotonic()
        if left <= 0 or self._timeouts >= self.errand.patience.timeouts:
            raise QueryError(GapReason.TIMEOUT, "was too slow before and is left alone until the next time")
        return min(self.errand.patience.query_s, left)

    def _remember(self, error: QueryError) -> None:
        if error.reason in {GapReason.UNREACHABLE, GapReason.GARBLED}:
            self._over = error
        if error.reason is GapReason.TIMEOUT:
            self._timeouts += 1

    def lacks(self, missing: str, detail: str) -> None:
        self.tell(missing, GapReason.UNSUPPORTED, f"{self.errand.peer.name}: {detail}")

    def tell(self, missing: str, reason: GapReason, detail: str) -> None:
        subject, source = self.errand.subject, self.errand.source
        self._gaps.append(Gap(subject=subject, missing=missing, reason=reason, detail=detail, source=source))

    def gaps(self) -> tuple[Gap, ...]:
        return tuple(self._gaps)
