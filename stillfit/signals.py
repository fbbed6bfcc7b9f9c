"""The names a rule may use: a typed registry of every signal, from metrics, settings, findings, costs and people.

A signal is absent where it is not known; it is never zero or empty by default. What people declare has names of its
own (`declared_...`), so that measured and declared are never mixed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from stillfit.attributes import ATTRIBUTES
from stillfit.fit.declared import DECLARED
from stillfit.metrics import METRICS, Kind, Metric
from stillfit.model import Engine, Level, Statistic


class SignalType(StrEnum):
    """The CEL type of a signal. Every number is a DOUBLE, so write 2.0 and not 2 in a rule."""

    DOUBLE = "double"
    STRING = "string"
    BOOL = "bool"
    LIST = "list"


class Origin(StrEnum):
    """Where a signal is read."""

    FINDING = "finding"  # the detector's answer itself
    EVIDENCE = "evidence"  # what the finding rests on
    SUBJECT = "subject"
    METRIC = "metric"
    SETTING = "setting"
    COST = "cost"
    FIT = "fit"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One name with its type and where it is read. `of`: the metric, attribute, option or fact behind it."""

    name: str
    type: SignalType
    origin: Origin
    meaning: str
    unit: str = ""
    of: str = ""
    statistic: Statistic = Statistic.SUM
    form: str = ""
    """How a metric is read: "" folded over the window, "rate" its mean, "peak" its busiest bucket per second.
    Of a setting "exists": whether there is one. Of Contributor Insights: see `_insights`."""
    of_table: bool = False
    """Read from the table of an index, not from the index itself."""


OPTIONS = {"current": "current", "on_demand": "on-demand", "provisioned": "provisioned"}
"""Cost options by the name they have in a signal."""

_TYPES = {
    "text": SignalType.STRING,
    "number": SignalType.DOUBLE,
    "bool": SignalType.BOOL,
    "names": SignalType.LIST,
}


def _plain(origin: Origin, *rows: tuple[str, SignalType, str, str]) -> tuple[Signal, ...]:
    return tuple(
        Signal(name=name, type=type_, origin=origin, unit=unit, meaning=meaning) for name, type_, unit, meaning in rows
    )


_FINDING = _plain(
    Origin.FINDING,
    ("cause", SignalType.STRING, "", "the finding's cause; empty where the detector looked and found nothing"),
    ("severity", SignalType.STRING, "", "info, warning or critical; empty without a finding"),
    ("confidence", SignalType.STRING, "", "low, medium or high; empty without a finding"),
    ("affected", SignalType.STRING, "", "name of what the finding is about; empty without a finding"),
    ("refused_direction", SignalType.STRING, "", "read or write, where the finding rests on refusals of one of them"),
    ("affects_index", SignalType.BOOL, "", "whether the finding is about an index"),
)
_SUBJECT = _plain(
    Origin.SUBJECT,
    ("engine", SignalType.STRING, "", "dynamodb, cassandra, keyspaces or dax"),
    ("level", SignalType.STRING, "", "table, index, keyspace, node or scope"),
    ("table", SignalType.STRING, "", "the table's own name"),
    ("index", SignalType.STRING, "", "the index's own name; empty on a table"),
    ("keyspace", SignalType.STRING, "", "the keyspace's name"),
    ("node", SignalType.STRING, "", "the node's address"),
    ("region", SignalType.STRING, "", "region or datacenter"),
    ("window_days", SignalType.DOUBLE, "d", "length of the window that was judged"),
)
_FIT = _plain(
    Origin.FIT,
    ("workload", SignalType.STRING, "", "name of the workload; told once, on its first table"),
    ("fit_state", SignalType.STRING, "", "the verdict on the database it is on now"),
    ("fit_blockers", SignalType.LIST, "", "knock-outs that certainly stand against it"),
    ("fit_blocker_sentences", SignalType.LIST, "", "the same in words"),
    ("fit_possible_blockers", SignalType.LIST, "", "knock-outs that may stand against it: confirm them"),
    ("fit_database", SignalType.STRING, "", "the database it is on now, as people call it"),
    ("fit_reasons", SignalType.STRING, "", "the certain knock-outs as sentences, one after the other"),
    ("fit_standing", SignalType.STRING, "", "how many certain knock-outs stand, in words"),
    ("fit_alternatives", SignalType.LIST, "", "candidates without a knock-out, as far as can be told"),
)
_EVIDENCE = _plain(
    Origin.EVIDENCE,
    ("cost_now", SignalType.DOUBLE, "USD", "cost/drift: USD a month at the rate of the last 7 days"),
    ("cost_before", SignalType.DOUBLE, "USD", "cost/drift: USD a month in the weeks before"),
    ("storage_rise", SignalType.DOUBLE, "USD", "cost/drift: USD a month more for storage than in the weeks before"),
    ("hottest_key", SignalType.STRING, "", "dynamodb/throttling: tag of the hottest partition key"),
    ("hottest_key_share", SignalType.DOUBLE, "ratio", "dynamodb/throttling: its share of what a partition serves"),
    ("requests_ratio", SignalType.DOUBLE, "x", "cost/drift: requests now over before"),
    ("units_per_request_ratio", SignalType.DOUBLE, "x", "cost/drift: units of a request now over before"),
)


def _costs() -> Iterable[Signal]:
    for name, option in OPTIONS.items():
        for component in ("throughput", "total"):
            key = f"{component}_{name}_usd" if component == "throughput" else f"cost_{name}_usd"
            meaning = f"USD a month under {option}: {component} of the table with its indexes"
            yield Signal(
                name=key,
                type=SignalType.DOUBLE,
                origin=Origin.COST,
                unit="USD",
                of=option,
                form=component,
                meaning=meaning,
            )
        if name != "current":
            yield from _savings(name, option)


def _savings(name: str, option: str) -> Iterable[Signal]:
    meanings = {
        "saving": f"USD a month that {option} would save on throughput; negative where it costs more",
        "saving_low": "the same at its least favourable end",
    }
    for form, meaning in meanings.items():
        key = form.replace("saving", f"saving_{name}", 1)
        yield Signal(
            name=f"{key}_usd",
            type=SignalType.DOUBLE,
            origin=Origin.COST,
            unit="USD",
            of=option,
            form=form,
            meaning=meaning,
        )


def _settings(*, of_table: bool) -> Iterable[Signal]:
    for one in ATTRIBUTES.values():
        if not of_table or (one.engine is Engine.DYNAMODB and Level.TABLE in one.levels):
            yield Signal(
                name=f"table_{one.name}" if of_table else one.name,
                type=_TYPES[one.type],
                origin=Origin.SETTING,
                of=one.name,
                of_table=of_table,
                unit=unit_of(one.name),
                meaning=one.meaning,
            )


def _autoscales() -> Iterable[Signal]:
    for direction in ("read", "write"):
        yield Signal(
            name=f"autoscales_{direction}s",
            type=SignalType.BOOL,
            origin=Origin.SETTING,
            of=f"autoscaling_{direction}_max",
            form="exists",
            meaning=f"whether auto scaling holds the {direction} capacity; not known where that could not be read",
        )


def _insights() -> Iterable[Signal]:
    """Which advice fits: read the report that there is, look whether there is one, or switch one on.

    None of these where switching it on failed.
    """
    to_set = "mode to switch Contributor Insights on in, where it is off: of"
    meanings = {
        "insights_switched_on": "mode that Contributor Insights is on in",
        "insights_unread": "permission that would tell whether Contributor Insights is on, where that is not known",
        "insights_to_switch_on": f"{to_set} a table",
        "index_insights_to_switch_on": f"{to_set} an index",
    }
    for name, meaning in meanings.items():
        yield Signal(
            name=name,
            type=SignalType.STRING,
            origin=Origin.SETTING,
            of="contributor_insights",
            form=name,
            meaning=meaning,
        )


def _metrics(*, of_table: bool) -> Iterable[Signal]:
    for metric in METRICS.values():
        if of_table and not metric.levels >= {Level.TABLE, Level.INDEX}:
            continue
        for statistic in sorted(metric.statistics):
            yield _metric(metric, statistic, "", of_table=of_table)
        if metric.kind is not Kind.GAUGE and Statistic.SUM in metric.statistics:
            yield _metric(metric, Statistic.SUM, "rate", of_table=of_table)
            yield _metric(metric, Statistic.SUM, "peak", of_table=of_table)


def _metric(metric: Metric, statistic: Statistic, form: str, *, of_table: bool) -> Signal:
    name = metric.name if statistic is Statistic.SUM else f"{metric.name}_{statistic}"
    name = {"": name, "rate": f"{name}_per_second", "peak": f"peak_{name}_per_second"}[form]
    over = {"": "over the window", "rate": "per second over the window", "peak": "per second in the busiest bucket"}
    return Signal(
        name=f"table_{name}" if of_table else name,
        type=SignalType.DOUBLE,
        origin=Origin.METRIC,
        of=metric.name,
        statistic=statistic,
        form=form,
        of_table=of_table,
        unit="requests" if statistic is Statistic.COUNT else f"{metric.unit}/s" if form else metric.unit,
        meaning=f"{statistic} {over[form]}: {metric.meaning}",
    )


def _demand() -> Iterable[Signal]:
    for direction, unit in (("read", "RCU/s"), ("write", "WCU/s")):
        for prefix in ("", "table_"):
            yield Signal(
                name=f"{prefix}peak_{direction}_demand_per_second",
                type=SignalType.DOUBLE,
                origin=Origin.METRIC,
                of=direction,
                form="demand",
                of_table=bool(prefix),
                unit=unit,
                meaning=f"{direction} units consumed and refused per second in the busiest bucket",
            )


def _declared() -> Iterable[Signal]:
    for question in DECLARED.values():
        yield Signal(
            name=f"declared_{question.name}",
            type=_TYPES[question.type],
            origin=Origin.DECLARED,
            of=question.name,
            unit=question.unit,
            meaning=question.question,
        )


def unit_of(name: str) -> str:
    """The unit that a setting carries in its name."""
    endings = {
        "_s": "s",
        "_bytes": "bytes",
        "_read_units": "RCU",
        "_write_units": "WCU",
        "_read_min": "RCU",
        "_read_max": "RCU",
        "_write_min": "WCU",
        "_write_max": "WCU",
        "_target": "%",
    }
    return next((unit for ending, unit in endings.items() if name.endswith(ending)), "")


def _registry() -> dict[str, Signal]:
    """Every signal once. A metric and a setting of one name (provisioned_read_units) do not meet: statistics differ."""
    every = (
        *_FINDING,
        *_SUBJECT,
        *_FIT,
        *_EVIDENCE,
        *_costs(),
        *(signal for of_table in (False, True) for signal in _settings(of_table=of_table)),
        *_autoscales(),
        *_insights(),
        *(signal for of_table in (False, True) for signal in _metrics(of_table=of_table)),
        *_demand(),
        *_declared(),
    )
    names = [signal.name for signal in every]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise ValueError(f"signals of one name: {', '.join(doubles)}")
    return {signal.name: signal for signal in every}


SIGNALS: dict[str, Signal] = _registry()
"""Every signal by name."""
