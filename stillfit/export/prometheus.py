"""The fleet as series, drawn at each scrape from one frozen view: what is gone leaves no stale child behind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from collector.aws.spending.plan import Plan
from stillfit.advice import LIVE_STATES, Advice, AdviceState
from stillfit.clock import Clock
from stillfit.costs.dynamodb import CURRENT, TOTAL
from stillfit.cycle import Turn
from stillfit.export.catalogue import EXPORTED
from stillfit.export.exported import FIT_STATES
from stillfit.export.findings import coverage
from stillfit.export.health import collector_of
from stillfit.export.labels import clean
from stillfit.export.readings import Reading, table_of, target_of
from stillfit.export.view import SourceStatus, View
from stillfit.model import CostFigure, Engine, FitVerdict, Unknown

Family = GaugeMetricFamily | CounterMetricFamily

ALTERNATIVE = "alternative"


class Fleet(Collector):
    """Registered beside the daemon's own health. Ages are counted at the scrape, on the daemon's clock."""

    def __init__(self, view: Callable[[], View], clock: Clock) -> None:
        self._view = view
        self._clock = clock

    def describe(self) -> Iterator[Family]:
        """Nothing: the registry would otherwise collect once at registration."""
        yield from ()

    def collect(self) -> Iterator[Family]:
        view = self._view()
        return families(view, self._clock.now().timestamp())


def families(view: View, now: float) -> Iterator[Family]:
    """Every metric of the view that has a row, in the order of the catalogue."""
    rows: defaultdict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    for name, labels, value in (*view.readings, *_targets(view, now), *_bill(view), *_judged(view, now)):
        rows[name][labels] = value
    for name, one in EXPORTED.items():
        if name in rows:
            kind = CounterMetricFamily if one.type == "counter" else GaugeMetricFamily
            family = kind(name, one.help, labels=one.labels)
            for labels, value in rows[name].items():
                family.add_metric(labels, value)
            yield family


def _targets(view: View, now: float) -> Iterator[Reading]:
    for one in view.sources:
        labels = (clean(one.id), collector_of(one.id))
        yield Reading("stillfit_target_info", _about(one, view), 1.0)
        if one.last_attempt is not None:
            yield Reading("stillfit_target_up", labels, 0.0 if one.error else 1.0)
            yield Reading("stillfit_target_overdue_seconds", labels, one.overdue(view.at).total_seconds())
        if one.last_success is not None:
            success = one.last_success.timestamp()
            yield Reading("stillfit_target_last_success_timestamp_seconds", labels, success)
        if one.covered_until is not None:
            yield Reading("stillfit_sample_age_seconds", labels, max(0.0, now - one.covered_until.timestamp()))
        if one.backlog is not None:
            yield Reading("stillfit_reading_owed_seconds", labels, one.backlog.seconds)
            if one.backlog.ends_at is not None:
                yield Reading("stillfit_reading_owed_end_timestamp_seconds", labels, one.backlog.ends_at.timestamp())
        for engine, span in view.spans:
            if engine.value == one.engine:
                yield Reading("stillfit_window_lag_seconds", labels, max(0.0, now - span.end))


def _about(one: SourceStatus, view: View) -> tuple[str, ...]:
    versions = {version for scope, version in view.versions if scope[0] == one.scope[0]}
    version = " ".join(sorted(versions)) if one.engine == Engine.CASSANDRA.value else ""
    return (clean(one.id), one.engine, clean(one.scope[0]), clean(one.scope[1]), clean(version))


def _bill(view: View) -> Iterator[Reading]:
    totals: defaultdict[tuple[str, str], float] = defaultdict(float)
    for spent in (spent for one in view.sources for spent in one.spent):
        totals["stillfit_api_requests_total", spent.api] += spent.requests
        totals["stillfit_api_metrics_requested_total", spent.api] += spent.metrics
        totals["stillfit_api_cost_dollars_total", spent.api] += spent.dollars
        totals["stillfit_api_lost_cost_dollars_total", spent.api] += spent.lost_dollars
    for one in view.sources:
        yield from _plan(one)
    for (name, api), total in totals.items():
        yield Reading(name, (api,), total)
    yield Reading("stillfit_notify_queue_length", (), view.queue_length)
    yield Reading("stillfit_series_dropped", ("limit",), view.dropped)


def _plan(status: SourceStatus) -> Iterator[Reading]:
    plan, labels = status.plan, (clean(status.id), collector_of(status.id))
    if plan is None:
        return
    yield Reading("stillfit_api_projected_cost_dollars", labels, plan.usd_a_month)
    yield Reading("stillfit_reading_stretched_steps", labels, plan.rung)
    if plan.budget_usd is not None:
        yield Reading("stillfit_api_budget_dollars", labels, plan.budget_usd)
    if (causes := plan.load.causes_share) is not None:
        yield Reading("stillfit_reading_causes_ratio", labels, causes)
    yield from _month(status.shared, labels)
    for tier in plan.cadences:
        yield Reading("stillfit_reading_tables", (*labels, tier.value), plan.load.of(tier).tables)
        yield Reading("stillfit_reading_worst_age_seconds", (*labels, tier.value), plan.worst_age_s(tier))


def _month(shared: Plan | None, labels: tuple[str, ...]) -> Iterator[Reading]:
    if shared is None or not shared.month.name:
        return
    yield Reading("stillfit_api_month_spent_dollars", labels, shared.month.spent_usd)
    yield Reading("stillfit_api_month_expected_dollars", labels, shared.expected_usd)
    if shared.budget_usd is not None:
        yield Reading("stillfit_api_budget_exhausted", labels, float(shared.wires_alone))


def _judged(view: View, now: float) -> Iterator[Reading]:
    yield from _advice(view)
    if view.turn is not None:
        yield from _answers(view.turn)
        yield from _coverage(view.turn, view)
        yield from (row for figure in view.turn.costs for row in _cost(figure, view))
        yield from (row for verdict in view.turn.fits for row in _fit(verdict, view))
        yield from _prices(view.turn, now)


def _advice(view: View) -> Iterator[Reading]:
    """A record that stands wins over an older one that does not, since both have the same labels."""
    for record in sorted(view.advice, key=lambda record: record.state in LIVE_STATES):
        if record.state is not AdviceState.PENDING:
            where, live = _place(record, view), record.state in LIVE_STATES
            labels = (clean(record.rule), record.severity.value, *where)
            yield Reading("stillfit_advice_active", labels, 1.0 if live else 0.0)
            if live:
                since = f"{record.state_since:%Y-%m-%dT%H:%M:%SZ}"
                yield Reading("stillfit_advice_info", (clean(record.rule), *where, record.state.value, since), 1.0)
    counts = Counter(record.state for record in view.advice)
    for state in AdviceState:
        yield Reading("stillfit_recommendations", (state.value,), counts[state])


def _place(record: Advice, view: View) -> tuple[str, str, str]:
    subject = record.subject
    return target_of(subject, view.targets), table_of(subject), clean(subject.index or subject.node)


def _answers(turn: Turn) -> Iterator[Reading]:
    for one in coverage((*turn.judgements, *turn.unpriced)):
        for answer, count in (("found", one.found), ("nothing", one.nothing), ("unknown", one.unknown)):
            yield Reading("stillfit_judgements", (clean(one.detector), answer), count)


def _coverage(turn: Turn, view: View) -> Iterator[Reading]:
    asked: Counter[tuple[str, str]] = Counter()
    answered: Counter[tuple[str, str]] = Counter()
    for judgement in turn.judgements:
        if judgement.subject.table:
            where = (target_of(judgement.subject, view.targets), table_of(judgement.subject))
            asked[where] += 1
            answered[where] += not isinstance(judgement.answer, Unknown)
    for where, count in asked.items():
        yield Reading("stillfit_evidence_coverage", where, answered[where] / count)


def _cost(figure: CostFigure, view: View) -> Iterator[Reading]:
    basis = CURRENT if figure.option == CURRENT else ALTERNATIVE
    where = (target_of(figure.subject, view.targets), table_of(figure.subject))
    labels = (*where, clean(figure.component), basis, clean(figure.option))
    money = figure.money
    bands = (("low", money.low), ("mid", money.mid), ("high", money.high))
    for band, dollars in bands if figure.component == TOTAL else bands[1:2]:
        yield Reading("stillfit_cost_dollars_per_month", (*labels, band), dollars)


def _fit(verdict: FitVerdict, view: View) -> Iterator[Reading]:
    basis = CURRENT if verdict.is_current else ALTERNATIVE
    about = (clean(verdict.workload), clean(verdict.candidate), basis)
    for workload in view.workloads:
        for table in workload.tables if workload.name == verdict.workload else ():
            labels = (target_of(table, view.targets), table_of(table), *about)
            yield Reading("stillfit_fit_state", labels, FIT_STATES.index(verdict.state.value))


def _prices(turn: Turn, now: float) -> Iterator[Reading]:
    dates = [figure.money.price_date.timestamp() for figure in turn.costs]
    if dates:
        yield Reading("stillfit_pricebook_age_seconds", ("list prices",), max(0.0, now - min(dates)))
