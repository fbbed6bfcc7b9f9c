"""What the AWS command line printed, taken as observations: describe-table, and get-metric-data with its request.

An answer goes with the request that asked for its ids. Account and region come from the tables' own ARNs. The moment is
the end of what was asked; of tables alone it is when the file was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from collector.aws.captured import Capture, is_answer, is_request, is_table, metrics_batch, request_window, table_batch
from stillfit.errors import ConfigError
from stillfit.model import Batch, Level, Span
from stillfit.observations.statements import Observations
from stillfit.workloads import workloads

_HOUR_S = 3600
_NOWHERE = ("unknown", "unknown")
"""Account and region of metrics that come without a described table."""


def observations(captures: Sequence[Capture], written: datetime) -> Observations:
    """The files as one moment. Raises ConfigError with every mistake."""
    tables = [one for one in captures if is_table(one.content)]
    requests = [one for one in captures if is_request(one.content)]
    pairs = list(_pairs(requests, [one for one in captures if is_answer(one.content)]))
    if not tables and not pairs:
        raise ConfigError((f"{captures[0].file}:1: file: a request alone says nothing; give its answer as well",))
    spans = [request_window(request) for request, _ in pairs]
    end = max((span.end for span in spans), default=int(written.timestamp()))
    span = Span(min((span.start for span in spans), default=end - _HOUR_S), end)
    described = [table_batch(one, span.ends_at) for one in tables]
    scopes = {subject.scope for batch in described for subject in batch.subjects_seen}
    if len(scopes) > 1 and pairs:
        raise ConfigError((f"{pairs[0][1].file}:1: file: tables of several accounts or regions",))
    scope = next(iter(scopes), _NOWHERE)
    measured = [metrics_batch(request, answer, scope, span.ends_at) for request, answer in pairs]
    return _together([*described, *measured], span)


def _pairs(requests: Sequence[Capture], answers: Sequence[Capture]) -> Iterator[tuple[Capture, Capture]]:
    """Each answer with the one request that asked for all of its ids."""
    for answer in answers:
        ids = {one.get("Id") for one in answer.content["MetricDataResults"] if isinstance(one, dict)}
        asked = [one for one in requests if ids <= _ids(one)]
        if len(asked) != 1:
            which = "several requests" if asked else "no request"
            sentence = f"{which} among the files asked for its ids; give it with its --cli-input-json file"
            raise ConfigError((f"{answer.file}:1: MetricDataResults: {sentence}",))
        yield asked[0], answer


def _ids(request: Capture) -> set[object]:
    return {one.get("Id") for one in request.content["MetricDataQueries"] if isinstance(one, dict)}


def _together(batches: Sequence[Batch], span: Span) -> Observations:
    subjects = tuple(dict.fromkeys(s for batch in batches for one in batch.subjects_seen for s in (one.parent, one)))
    batch = Batch(
        source=", ".join(batch.source for batch in batches),
        at=span.ends_at,
        series=tuple(one for batch in batches for one in batch.series),
        attributes=tuple(one for batch in batches for one in batch.attributes),
        gaps=tuple(one for batch in batches for one in batch.gaps),
        subjects_seen=subjects,
    )
    tables = [one for one in subjects if one.level is Level.TABLE]
    return Observations(at=batch.at, span=span, batch=batch, workloads=workloads((), tables))
