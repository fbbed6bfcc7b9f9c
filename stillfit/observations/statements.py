"""What a file says, as records, with every mistake that its shape alone cannot show. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stillfit.attributes import ATTRIBUTES
from stillfit.fit.declared import DECLARED
from stillfit.metrics import METRICS
from stillfit.model import (
    AttributeChange,
    Attributes,
    Batch,
    Engine,
    Gap,
    Level,
    Series,
    SeriesKey,
    Span,
    Subject,
    Value,
    Workload,
)
from stillfit.observations.document import ChangeShape, ObservationShape, SeriesShape, SubjectShape, instant, plain
from stillfit.observations.expansion import MAX_POINTS, Wrong, expand
from stillfit.workloads import workloads
from stillfit.yamlfile import Document, Place, did_you_mean

_HOUR_S = 3600
_ENGINES_LEVELS = {
    Engine.CASSANDRA: frozenset({Level.SCOPE, Level.KEYSPACE, Level.TABLE, Level.NODE, Level.REPLICA}),
    Engine.KEYSPACES: frozenset({Level.SCOPE, Level.KEYSPACE, Level.TABLE}),
}
_AWS_LEVELS = frozenset({Level.SCOPE, Level.TABLE, Level.INDEX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What one file, or several of the same moment, say."""

    at: datetime
    span: Span
    """The stretch that is spoken of; all of it has settled."""
    batch: Batch
    workloads: tuple[Workload, ...]


@dataclass(slots=True)
class Statements:
    """Reads one file of the right shape and gathers what is wrong with what it says."""

    document: Document
    shape: ObservationShape
    mistakes: list[tuple[Place, str]] = field(default_factory=list)
    """What is wrong, and where in the file."""
    span: Span = field(init=False)

    def observations(self) -> Observations:
        """The records; only to be used where `mistakes` is empty afterwards."""
        self.span = self._span()
        said = [
            (("subjects", i), one, self._subject(("subjects", i), one)) for i, one in enumerate(self.shape.subjects)
        ]
        known = [(place, one, subject) for place, one, subject in said if subject is not None]
        subjects = tuple(dict.fromkeys(s for _, _, subject in known for s in (subject.parent, subject)))
        batch = Batch(
            source=self.document.name,
            at=self.shape.at,
            series=tuple(self._all_series(known)),
            attributes=tuple(a for part in known for a in self._attributes(*part)),
            changes=tuple(c for part in known for c in self._changes(*part)),
            gaps=tuple(g for part in known for g in self._gaps(*part)),
            subjects_seen=subjects,
        )
        return Observations(at=self.shape.at, span=self.span, batch=batch, workloads=self._workloads(subjects))

    def _wrong(self, place: Place, sentence: str) -> None:
        self.mistakes.append((place, sentence))

    def _span(self) -> Span:
        at, window = self.shape.at, self.shape.window
        end = instant(window.to, at) if window and window.to else at
        start = int(instant(window.from_, at).timestamp()) if window else int(end.timestamp()) - _HOUR_S
        if end > at:
            self._wrong(("window", "to"), "lies after `at`; nobody has seen the future")
        if start >= int(end.timestamp()):
            self._wrong(("window",), "is empty; `from` must be before `to`")
        return Span(start, max(start, int(end.timestamp())))

    def _subject(self, place: Place, said: SubjectShape) -> Subject | None:
        subject = self._by_text(place, said) if said.subject is not None else self._by_parts(place, said)
        if subject is None:
            return None
        has_table = bool(subject.table) or not subject.index
        on_keyspace = not subject.table or bool(subject.keyspace) == (subject.engine is not Engine.DYNAMODB)
        if subject.level in _ENGINES_LEVELS.get(subject.engine, _AWS_LEVELS) and has_table and on_keyspace:
            return subject
        self._wrong(place, f"{subject.engine} has no such subject: {_HOW_TO_NAME[subject.engine]}")
        return None

    def _by_text(self, place: Place, said: SubjectShape) -> Subject | None:
        if said.engine or said.scope or said.keyspace or said.table or said.index or said.node:
            self._wrong((*place, "subject"), "say the subject by its text or by its parts, not by both")
            return None
        try:
            return Subject.parse(said.subject or "")
        except (ValueError, TypeError):
            example = "dynamodb/123456789012/us-east-1/table=orders"
            self._wrong((*place, "subject"), f"{said.subject!r} is no subject; write it like {example}")
            return None

    def _by_parts(self, place: Place, said: SubjectShape) -> Subject | None:
        if said.engine is None or said.scope is None:
            self._wrong(place, "a subject needs `subject`, or `engine` and `scope`")
            return None
        first, second = said.scope
        parts = {"keyspace": said.keyspace, "table": said.table, "index": said.index, "node": said.node}
        return Subject(engine=said.engine, scope=(first, second), **parts)

    def _all_series(self, known: Sequence[tuple[Place, SubjectShape, Subject]]) -> Iterator[Series]:
        seen: dict[SeriesKey, int] = {}
        points = 0
        for place, said, subject in known:
            for i, shape in enumerate(said.series):
                here = (*place, "series", i)
                one = self._series(here, shape, subject)
                points += len(one.times) if one is not None else 0
                if points > MAX_POINTS:
                    self._wrong(here, f"the file says more than {MAX_POINTS} points; take a longer `period`")
                    return
                if one is not None and one.key in seen:
                    self._wrong(here, f"{shape.metric} is said twice, first on line {seen[one.key]}; say it once")
                elif one is not None:
                    seen[one.key] = self.document.line(here)
                    yield one

    def _series(self, place: Place, shape: SeriesShape, subject: Subject) -> Series | None:
        if not self._has_metric(place, shape.metric, subject):
            return None
        found = expand(shape, subject, self.span, self.shape.at)
        if isinstance(found, Wrong):
            self._wrong((*place, *found.place), found.sentence)
            return None
        return found

    def _has_metric(self, place: Place, name: str, subject: Subject) -> bool:
        metric = METRICS.get(name)
        if metric is None or metric.engine is not subject.engine:
            names = [one for one, metric in METRICS.items() if metric.engine is subject.engine]
            self._wrong((*place, "metric"), f"{subject.engine} has no metric {name!r}{did_you_mean(name, names)}")
        elif subject.level not in metric.levels:
            levels = _either(metric.levels)
            self._wrong((*place, "metric"), f"{name} is known of {levels}, but {subject.name} is a {subject.level}")
        else:
            return True
        return False

    def _attributes(self, place: Place, said: SubjectShape, subject: Subject) -> Iterator[Attributes]:
        here = (*place, "attributes")
        valid = {
            name: value for name, value in said.attributes.items() if self._fits((*here, name), name, value, subject)
        }
        if valid:
            yield Attributes.of(subject, self.shape.at, {name: _held(name, value) for name, value in valid.items()})

    def _fits(self, place: Place, name: str, value: object, subject: Subject) -> bool:
        """Whether a setting exists, belongs to the subject and takes the value."""
        attribute = ATTRIBUTES.get(name)
        if attribute is None or attribute.engine is not subject.engine:
            names = [one for one, known in ATTRIBUTES.items() if known.engine is subject.engine]
            self._wrong(place, f"{subject.engine} has no attribute {name!r}{did_you_mean(name, names)}")
        elif subject.level not in attribute.levels:
            levels = _either(attribute.levels)
            self._wrong(place, f"{name} belongs to {levels}, but {subject.name} is a {subject.level}")
        elif not attribute.accepts(_held(name, value)):
            self._wrong(place, _not_accepted(value, attribute.type, attribute.choices))
        else:
            return True
        return False

    def _changes(self, place: Place, said: SubjectShape, subject: Subject) -> Iterator[AttributeChange]:
        for i, change in enumerate(said.changes):
            here = (*place, "changes", i)
            values = [(key, getattr(change, key)) for key in ("before", "after") if getattr(change, key) is not None]
            if not values:
                self._wrong(here, "needs `before`, `after` or both")
            fits = [self._fits((*here, key), change.name, value, subject) for key, value in values]
            if all(fits):
                yield self._change(here, change, subject)

    def _change(self, place: Place, said: ChangeShape, subject: Subject) -> AttributeChange:
        at = instant(said.at, self.shape.at)
        if at > self.shape.at:
            self._wrong((*place, "at"), "lies after the file's own `at`")
        before, after = (None if value is None else _held(said.name, value) for value in (said.before, said.after))
        return AttributeChange(subject=subject, name=said.name, before=before, after=after, at=at)

    def _gaps(self, place: Place, said: SubjectShape, subject: Subject) -> Iterator[Gap]:
        names = {"*", *METRICS, *ATTRIBUTES}
        for i, gap in enumerate(said.gaps):
            if gap.missing not in names:
                word = did_you_mean(gap.missing, names)
                self._wrong((*place, "gaps", i, "missing"), f"no metric or attribute {gap.missing!r}{word}")
            source = self.document.name
            yield Gap(subject=subject, missing=gap.missing, reason=gap.reason, detail=gap.detail, source=source)

    def _workloads(self, subjects: tuple[Subject, ...]) -> tuple[Workload, ...]:
        found = workloads(self.shape.workloads, subjects)
        named = {one.name for one in found}
        for i, said in enumerate(self.shape.workloads):
            if said.name not in named:
                tables = [one.name for one in subjects if one.level is Level.TABLE]
                word = did_you_mean(said.tables[0], tables)
                self._wrong(("workloads", i, "tables"), f"names no table of this file{word}")
            for name, fact in said.declared.items():
                self._declared(("workloads", i, "declared", name), name, fact.value)
        return found

    def _declared(self, place: Place, name: str, value: Value) -> None:
        question = DECLARED.get(name)
        if question is None:
            self._wrong(place, f"there is no question {name!r}{did_you_mean(name, DECLARED)}")
        elif not question.accepts(value):
            self._wrong((*place, "value"), _not_accepted(value, question.type, question.choices))


_NEEDED = {"text": "text", "number": "a number of at least 0", "bool": "true or false", "names": "a list of names"}
_HOW_TO_NAME = {
    Engine.DYNAMODB: "name a table, or a table and an index",
    Engine.DAX: "name a table, or leave all names out",
    Engine.CASSANDRA: "name a keyspace, a keyspace and table, a node, or keyspace, table and node",
    Engine.KEYSPACES: "name a keyspace, or a keyspace and table",
}


def _not_accepted(value: object, kind: str, choices: tuple[str, ...]) -> str:
    if choices and isinstance(value, str):
        return f"{value!r} is not valid{did_you_mean(value, choices)}"
    return f"{_NEEDED[kind]} is needed, not {value!r}"


def _held(name: str, value: object) -> Value:
    return _value(plain(value) if ATTRIBUTES[name].type == "number" else value)


def _value(value: object) -> Value:
    """A plain value of the file as an attribute holds it. What no attribute holds is text, which none accepts."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if isinstance(value, bool | str):
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def _either(levels: frozenset[Level]) -> str:
    return " or ".join(f"a {level}" for level in sorted(levels)).replace("a index", "an index")
