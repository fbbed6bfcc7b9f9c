"""A Prometheus-compatible store as a source, one for each engine that is read from it.

A look asks which series names there are, then one range query for each name that the table of names knows; what it
brings is a batch. The last batch says what is not there. Nothing is carried over a missing sample: a minute is vouched
for only where samples lie in it or just before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.promql import failures
from collector.promql.client import MAX_POINTS, STEP_S, PromClient
from collector.promql.decode import Decoded, Spoken, decode, joined
from collector.promql.failures import TooMuchError
from collector.promql.names import MINUTE, Defaults, Exporter, Kind, Query, lag, of_engine, queries
from stillfit.errors import SourceError
from stillfit.metrics import METRICS
from stillfit.model import Batch, Engine, Gap, GapReason, Level, Span, Subject

OVERLAP_S = 1_800  # ours: each look reads half an hour again, for what was scraped or replicated late
LEAST_S = 3_600  # ours: a store that refuses an hour of one name is not asked for less
DAY_S = 86_400  # ours: of one name in one question; shorter where the store finds that too much


@dataclass(frozen=True, slots=True, kw_only=True)
class PromTarget:
    """What a source wants to know of its store."""

    id: str
    engine: Engine
    exporters: tuple[Exporter, ...]
    defaults: Defaults = field(default_factory=Defaults)
    scrape_s: int = MINUTE
    first_look: timedelta = timedelta(days=1)


@dataclass(slots=True)
class _Look:
    """What one look found, for its last batch."""

    at: datetime
    spoken: dict[tuple[Subject, str], dict[str, Exporter]] = field(default_factory=dict)
    failed: list[tuple[Query, SourceError]] = field(default_factory=list)

    def note(self, spoken: tuple[Spoken, ...]) -> None:
        for about, exporter, row in spoken:
            self.spoken.setdefault((about, row.metric), {})[exporter.name] = exporter

    @property
    def subjects(self) -> dict[Subject, dict[str, Exporter]]:
        """Each subject with the exporters that told of it."""
        found: dict[Subject, dict[str, Exporter]] = {}
        for (about, _), exporters in self.spoken.items():
            found.setdefault(about, {}).update(exporters)
        return found


class PrometheusSource:
    """Reads one engine's series. Opens its connection at the first look."""

    def __init__(self, target: PromTarget, client: PromClient) -> None:
        self._target = target
        self._client = client
        self._exporters = tuple(of_engine(target.exporters, target.engine))
        self._used = self._exporters
        self._scopes: frozenset[tuple[str, str]] = frozenset()
        self._stopping = False

    @property
    def id(self) -> str:
        return self._target.id

    @property
    def scope(self) -> Subject:
        """All that this engine has in the store; a failure is told of each account or cluster seen so far, too."""
        return Subject(engine=self._target.engine, scope=("", ""))

    @property
    def settle_s(self) -> int:
        """The slowest exporter that is in use, and two scrapes."""
        return lag(self._used) + 2 * max(self._target.scrape_s, MINUTE)

    @property
    def lag_s(self) -> int:
        """Everything is read at every look."""
        return 0

    def stop(self) -> None:
        """The question under way is the last one."""
        self._stopping = True

    def close(self) -> None:
        self._client.close()

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        """One batch a series name, then subjects and gaps. Raises SourceError when nothing at all could be read."""
        span = self._span(since, until)
        look = _Look(at=until)
        try:
            asked = queries(self._exporters, self._client.names(span))
            for query in asked:
                if self._stopping:
                    return
                yield from self._asked(query, span, look)
            if asked and len(look.failed) == len(asked):
                raise look.failed[0][1]
        except SourceError as error:
            yield self._blind(error, until)
            raise
        yield self._closing(look)

    def _span(self, since: datetime | None, until: datetime) -> Span:
        """Times to evaluate at, on whole minutes."""
        end = int(until.timestamp()) // STEP_S * STEP_S
        first = end - int(self._target.first_look.total_seconds())
        begin = first if since is None else min(int(since.timestamp()), end) - OVERLAP_S
        return Span(max(begin, 0) // STEP_S * STEP_S, end)

    def _asked(self, query: Query, span: Span, look: _Look) -> Iterator[Batch]:
        try:
            pieces = [piece for part in _parts(span, DAY_S) for piece in self._read(query, part)]
        except SourceError as error:
            look.failed.append((query, error))
            return
        for piece in pieces:
            look.note(piece.spoken)
        series = joined(one for piece in pieces for one in piece.series)
        if series:
            yield Batch(source=self.id, at=look.at, series=series)

    def _read(self, query: Query, span: Span) -> Iterator[Decoded]:
        """One stretch; in halves where the store finds it too much."""
        try:
            answer = self._client.range(query.expression(self._range_s(query)), span)
        except TooMuchError:
            if span.seconds <= LEAST_S:
                raise
            middle = span.start + span.seconds // 2 // STEP_S * STEP_S
            yield from self._read(query, Span(span.start, middle))
            yield from self._read(query, Span(middle + STEP_S, span.end))
            return
        if answer.doubts:
            sentence = f"{self.id}: the store says that its answer is partial ({answer.doubts[0][:200]}): look at it"
            raise SourceError(sentence, reason=GapReason.PARTIAL, retryable=True)
        try:
            yield decode(query, answer.series, self._target.defaults)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise failures.garbled(self.id, error) from error

    def _range_s(self, query: Query) -> int:
        """How far before a minute's end its samples may lie: one scrape and a half; a growth needs two samples."""
        scrapes = 2.5 if query.kind is Kind.COUNTER else 1.5
        return max(MINUTE, int(scrapes * self._target.scrape_s))

    def _closing(self, look: _Look) -> Batch:
        subjects = look.subjects
        self._scopes = self._scopes | {one.scope for one in subjects}
        used = {exporter.name: exporter for told in subjects.values() for exporter in told.values()}
        self._used = tuple(used.values()) or self._exporters
        return Batch(
            source=self.id,
            at=look.at,
            subjects_seen=tuple(sorted(_with_tables(subjects))),
            gaps=(*self._lacking(look), *self._failed(look), *self._holes(look), *self._settings(subjects)),
        )

    def _lacking(self, look: _Look) -> Iterator[Gap]:
        """Metrics that the exporters of a subject could bring and the store has not."""
        failed = {row.metric for query, _ in look.failed for _, row in query.readers}
        for about, exporters in look.subjects.items():
            for metric, names in _could_bring(exporters.values(), about.level).items():
                if (about, metric) not in look.spoken and metric not in failed:
                    detail = f"the store has no series {names[0]} of it: let {' or '.join(exporters)} read it"
                    yield self._gap(about, metric, GapReason.NO_DATA, detail)
        if not look.spoken and not look.failed:
            detail = f"{self.id}: no series of a known name: docs/prometheus_source.md lists names and how to add some"
            yield self._gap(self.scope, "*", GapReason.NO_DATA, detail)

    def _failed(self, look: _Look) -> Iterator[Gap]:
        for query, error in look.failed:
            for metric in sorted({row.metric for _, row in query.readers}):
                for scope in sorted(self._scopes):
                    yield self._gap(self._of(scope), metric, error.reason, str(error))

    def _holes(self, look: _Look) -> Iterator[Gap]:
        """Totals of windows between which the exporter does not look."""
        for (about, metric), exporters in look.spoken.items():
            for one in exporters.values():
                if one.has_holes and any(row.metric == metric and row.kind is Kind.WINDOW for row in one.rows):
                    detail = (
                        f"{one.name} asks every {one.every_s} s for windows of {one.window_s} s, so most is "
                        "never read: make its period as long as its interval"
                    )
                    yield self._gap(about, metric, GapReason.PARTIAL, detail)

    def _settings(self, subjects: dict[Subject, dict[str, Exporter]]) -> Iterator[Gap]:
        """Series tell no settings; one gap a table says so."""
        missing = "billing_mode" if self._target.engine is Engine.DYNAMODB else "gc_grace_s"
        for table in sorted({about.parent for about in subjects if about.table}):
            detail = "a metrics store holds no settings: read them from the database itself, beside this source"
            yield self._gap(table, missing, GapReason.NOT_CONFIGURED, detail)

    def _blind(self, error: SourceError, at: datetime) -> Batch:
        """The whole source failed: it is said of each account or cluster, since cases look there."""
        gaps = (self._gap(self._of(scope), "*", error.reason, str(error)) for scope in sorted(self._scopes))
        return Batch(source=self.id, at=at, gaps=tuple(gaps))

    def _of(self, scope: tuple[str, str]) -> Subject:
        return Subject(engine=self._target.engine, scope=scope)

    def _gap(self, about: Subject, missing: str, reason: GapReason, detail: str) -> Gap:
        return Gap(subject=about, missing=missing, reason=reason, detail=detail, source=self.id)


def _could_bring(exporters: Iterable[Exporter], level: Level) -> dict[str, list[str]]:
    """Metrics of a level with the series that would bring them."""
    found: dict[str, list[str]] = {}
    for exporter in exporters:
        for row in exporter.rows:
            if level in METRICS[row.metric].levels:
                found.setdefault(row.metric, []).append(row.series)
    return found


def _with_tables(subjects: dict[Subject, dict[str, Exporter]]) -> set[Subject]:
    """What was seen, the tables of indexes and replicas, and the nodes of replicas."""
    nodes = {Subject(engine=one.engine, scope=one.scope, node=one.node) for one in subjects if one.node}
    return {*subjects, *(one.parent for one in subjects), *nodes}


def _parts(span: Span, length_s: int) -> Iterator[Span]:
    """A span with both ends included, in parts that a store answers at once."""
    longest = min(length_s, (MAX_POINTS - 1) * STEP_S)
    start = span.start
    while start <= span.end:
        yield Span(start, min(start + longest - STEP_S, span.end))
        start += longest
