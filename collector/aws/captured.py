"""What the AWS command line wrote to a file, as a Batch: judged with no network and no credentials. Pure.

- `aws dynamodb describe-table --table-name orders > orders.json`: as it is; account and region stand in its ARN.
- `aws cloudwatch get-metric-data --cli-input-json file://request.json > answer.json`: the answer together with its
  request, because an answer alone says neither which table nor which stretch of time was asked, and without that a
  sparse metric cannot be told from one that was never read. The request may spread over any tables of one region.

What cannot be read is a ConfigError with one line for each mistake: file, place, what is wrong.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.aws.metrics.decode import Decoded, decode
from collector.aws.metrics.planner import Request, Stretch
from collector.aws.metrics.queries import ALL, NAMESPACE, Ask, Slot, Spec
from collector.aws.metrics.specs import OF_ACCOUNT
from collector.aws.settings.tables import index_settings, indexes, table_settings
from collector.aws.wire.failures import GarbledError
from collector.aws.wire.instants import instant
from stillfit.errors import ConfigError
from stillfit.model import Attributes, Batch, Engine, Gap, Span, Statistic, Subject

Content = Mapping[str, Any]

_SPECS = {
    name: tuple(spec for spec in ALL if spec.name == name)
    for name in dict.fromkeys(spec.name for spec in ALL if spec.namespace == NAMESPACE)
}
_PLACES = frozenset({"TableName", "GlobalSecondaryIndexName"})


@dataclass(frozen=True, slots=True)
class Capture:
    """One JSON file: its name as a person knows it, and what was in it."""

    file: str
    content: Content


def is_table(content: object) -> bool:
    """Whether a file is the output of describe-table."""
    return isinstance(content, dict) and isinstance(content.get("Table"), dict)


def is_answer(content: object) -> bool:
    """Whether a file is the output of get-metric-data."""
    return isinstance(content, dict) and isinstance(content.get("MetricDataResults"), list)


def is_request(content: object) -> bool:
    """Whether a file is the input of get-metric-data."""
    return isinstance(content, dict) and isinstance(content.get("MetricDataQueries"), list)


def table_batch(capture: Capture, at: datetime) -> Batch:
    """A table with its indexes and settings, said to be so at `at`. Raises ConfigError."""
    try:
        table = capture.content["Table"]
        account, region = _place(table["TableArn"])
        subject = Subject(engine=Engine.DYNAMODB, scope=(account, region), table=table["TableName"])
        settings = {subject: table_settings(table, region)}
        settings |= {index: index_settings(table, described) for index, described in indexes(subject, table)}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        line = f"{capture.file}: Table: {error!r} where describe-table writes more: give its output as it is"
        raise ConfigError((line,)) from error
    attributes = tuple(Attributes.of(one, at, values) for one, values in settings.items())
    return Batch(source=capture.file, at=at, attributes=attributes, subjects_seen=tuple(settings))


def metrics_batch(request: Capture, answer: Capture, scope: tuple[str, str], at: datetime) -> Batch:
    """The series of a request and its answer; `scope` is (account, region). Raises ConfigError."""
    asked = _asked(request, scope)
    groups: defaultdict[Stretch, dict[str, Ask]] = defaultdict(dict)
    for query, (stretch, ask) in zip(request.content["MetricDataQueries"], asked, strict=True):
        groups[stretch][query["Id"]] = ask
    brought = [_decoded(stretch, asks, answer) for stretch, asks in groups.items()]
    series = tuple(series for got in brought for series in got.series)
    gaps = tuple(
        Gap(
            subject=missing.ask.subject,
            missing=missing.ask.slots[0].metric,
            reason=missing.reason,
            detail=missing.what_happened,
            source=answer.file,
            span=missing.stretch.window,
        )
        for got in brought
        for missing in got.missing
    )
    seen = tuple(dict.fromkeys(ask.subject for _, ask in asked))
    return Batch(source=answer.file, at=at, series=series, gaps=gaps, subjects_seen=seen)


def _decoded(stretch: Stretch, asks: Mapping[str, Ask], answer: Capture) -> Decoded:
    """`asks` by the id under which the result of each travels."""
    request = Request(stretch=stretch, asks=tuple(asks.values()))
    ours = dict(zip(asks, request.ids, strict=True))
    try:
        results = [{**one, "Id": ours[one["Id"]]} for one in answer.content["MetricDataResults"] if one["Id"] in ours]
        return decode(request, [{"MetricDataResults": results}])
    except (GarbledError, KeyError, TypeError) as error:
        line = f"{answer.file}: MetricDataResults: {error}: give the output of get-metric-data as it is"
        raise ConfigError((line,)) from error


def _asked(request: Capture, scope: tuple[str, str]) -> list[tuple[Stretch, Ask]]:
    """Every query of a request. All mistakes at once."""
    window, mistakes = _window(request)
    asked: list[tuple[Stretch, Ask]] = []
    ids: set[str] = set()
    for place, query in enumerate(request.content["MetricDataQueries"]):
        try:
            asked.append(_ask(place, query, window, scope))
            ids.add(_new_id(query, ids))
        except _MistakeError as mistake:
            mistakes.append(f"{request.file}: MetricDataQueries[{place}]: {mistake}")
        except (KeyError, TypeError, ValueError) as error:
            mistakes.append(f"{request.file}: MetricDataQueries[{place}]: {error!r}: this is no query of a metric")
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return asked


def _new_id(query: Content, others: Collection[str]) -> str:
    id_: str = query["Id"]
    if id_ in others:
        raise _MistakeError(f"Id {id_!r} stands there twice: give each query one of its own")
    return id_


def request_window(request: Capture) -> Span:
    """The stretch of time that a request asks for. Raises ConfigError."""
    window, mistakes = _window(request)
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return window


class _MistakeError(Exception):
    """One thing wrong with one query."""


def _window(request: Capture) -> tuple[Span, list[str]]:
    """StartTime to EndTime, whole minutes as CloudWatch rounds them."""
    try:
        start, end = (int(_instant(request.content[key]).timestamp()) // 60 * 60 for key in ("StartTime", "EndTime"))
    except (KeyError, TypeError, ValueError) as error:
        line = f"{request.file}: {error}: StartTime and EndTime must be there, as seconds or ISO 8601"
        return Span(0, 0), [line]
    return Span(start, end), [] if start < end else [f"{request.file}: EndTime: must be later than StartTime"]


def _instant(value: Any) -> datetime:
    return instant(float(value) if isinstance(value, str) and value.replace(".", "", 1).isdecimal() else value)


def _ask(place: int, query: Content, window: Span, scope: tuple[str, str]) -> tuple[Stretch, Ask]:
    if "Expression" in query or "MetricStat" not in query:
        raise _MistakeError("only MetricStat queries can be read, metric math cannot")
    stat = query["MetricStat"]
    metric, period = stat["Metric"], int(stat["Period"])
    if metric["Namespace"] != NAMESPACE:
        raise _MistakeError(f"namespace {metric['Namespace']!r}: only {NAMESPACE} can be read")
    if period < 60 or window.start % period:
        raise _MistakeError(f"Period {period}: StartTime must be a multiple of it, so that points keep to the clock")
    named = {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}
    spec, part = _spec(metric["MetricName"], named)
    subject = _subject(spec, named, scope)
    slot = _slot(spec, stat["Stat"])
    if not isinstance(query["Id"], str):
        raise _MistakeError(f"Id {query['Id']!r}: must be a text")
    whole = Span(window.start, window.end // period * period)
    ask = Ask(number=place, subject=subject, spec=spec, part=part, slots=(slot,))
    return Stretch(period, whole), ask


def _spec(name: str, named: Mapping[str, str]) -> tuple[Spec, str]:
    """The metric of these dimensions, and the part of it that they name: some have several sets of dimensions."""
    if name not in _SPECS:
        near = difflib.get_close_matches(name, _SPECS, 1)
        raise _MistakeError(f"metric {name!r} is not read{f', did you mean {near[0]}?' if near else ''}")
    for spec in _SPECS[name]:
        further = {key: value for key, value in named.items() if key not in _PLACES}
        fixed = {key: further.pop(key, "") for key, _ in spec.fixed}
        if fixed == dict(spec.fixed) and further.keys() <= {spec.part}:
            return spec, further.get(spec.part, "")
    known = " or ".join(dict.fromkeys(spec.part or "none" for spec in _SPECS[name]))
    raise _MistakeError(f"dimensions {sorted(named)}: TableName is needed, with index or {known.lower()} at most")


def _slot(spec: Spec, wanted: str) -> Slot:
    brings: Iterator[tuple[str, Statistic]] = (
        (metric, statistic) for metric, statistic, name in spec.brings if name == wanted
    )
    found = next(brings, None)
    if found is None:
        known = ", ".join(name for _, _, name in spec.brings)
        raise _MistakeError(f"statistic {wanted!r} of {spec.name} is not read: {known}")
    return Slot(metric=found[0], statistic=found[1], cloudwatch_statistic=wanted)


def _subject(spec: Spec, named: Mapping[str, str], scope: tuple[str, str]) -> Subject:
    if spec in OF_ACCOUNT:
        if named:
            raise _MistakeError(f"dimensions {sorted(named)}: {spec.name} is of the account and region, it has none")
        return Subject(engine=Engine.DYNAMODB, scope=scope)
    if "TableName" not in named:
        raise _MistakeError(f"dimensions {sorted(named)}: TableName is needed, with index or operation at most")
    index = named.get("GlobalSecondaryIndexName", "")
    return Subject(engine=Engine.DYNAMODB, scope=scope, table=named["TableName"], index=index)


def _place(arn: str) -> tuple[str, str]:
    """Account and region of arn:aws:dynamodb:REGION:ACCOUNT:table/NAME."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or not parts[5].startswith("table/"):
        raise ValueError(f"{arn!r} is not the ARN of a table")
    return parts[4], parts[3]
