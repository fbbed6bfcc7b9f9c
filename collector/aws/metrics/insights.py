"""Contributor Insights: the reports of tables and indexes that have it on. Never switched on or off by us.

A report is billed like metric data, so it is asked where it tells something: of the hottest partition key once an hour,
which is the headroom before anything is refused; of all four rules at once when a key range refused requests, and every
quarter of an hour while that lasts. Two billed metrics a report (ours: each statistic counted) make the hourly look
0.015 USD a month for a table or index, where its rules alone cost 1.00 or 2.00 USD, and a key range that refuses around
the clock 0.24 USD.

    insights = Insights(connection, meter, pool, source_id, redaction)
    insights.look(members, now)          # which rules there are; free calls
    insights.note(series)                # what was refused, as it is read
    yield from insights.batches(until)   # the reports that are due

Keys are made tags by the parser; what a garbled answer held is in no sentence, no log and no traceback.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from collector.aws.metrics.insight_report import PERIOD_S, STATISTICS, Kind, Report, Rule, read, rules_of
from collector.aws.metrics.queries import DIRECTIONS, causes_of
from collector.aws.settings.inventory import Member
from collector.aws.spending.meter import Meter, Price
from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import GarbledError, GoneError
from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.model import Batch, Gap, GapReason, Level, Series, Span, Subject
from stillfit.redaction import Redaction

REPORT = "GetInsightRuleReport"
BILLED = len(STATISTICS)
"""Metrics a report is billed for, where each statistic counts (ours: how they count is not documented)."""
EVERY_S = 3_600
"""How often the hottest partition key is asked for while nothing is refused."""
WHILE_REFUSED_S = 900
"""How often everything is asked for while a key range refuses requests: evidence of the last hour stays fresh."""
OVERLAP_S = 900
"""Asked again of what was read before: values of a minute still come in for up to ten (as of metric data)."""
LOOK_BACK_S = 3 * 3_600
"""How far back the first report of a rule goes (ours: what a first look reads by the minute)."""
RULES_EVERY_S = 3_600
"""How often the list of rules is read: it changes when somebody switches insights on, off or over."""
AGAIN_S = 900
"""How soon what was denied is tried again (as in the inventory)."""
MOST_REPORTS = 100
"""In one cycle (ours: five seconds at 20 a second). What is left has waited longest in the next and goes first."""
MOST_CONTRIBUTORS = 10
MOST_TAGS = 100
"""Keys of one table or index that become series of their own while the process lives (ours): more is no hot key."""

_RANGE = frozenset(causes_of(way)[1] for way in DIRECTIONS)
_CAUSES = frozenset(name for way in DIRECTIONS for name in causes_of(way))
_EVENTS = frozenset(f"{way}_throttle_events" for way in DIRECTIONS)

_OFF = "Contributor Insights is off here, so no key can be named; stillfit never switches it on"
_STATES: Mapping[str, tuple[GapReason, str]] = {
    "ENABLING": (
        GapReason.NO_DATA,
        "Contributor Insights is being switched on: nothing is recorded yet, the next look tells",
    ),
    "DISABLING": (GapReason.NOT_CONFIGURED, _OFF),
    "DISABLED": (GapReason.NOT_CONFIGURED, _OFF),
}
_THROTTLED_ONLY = (
    "Contributor Insights records throttled keys only (mode THROTTLED_KEYS): how hot a key is before it is refused "
    "cannot be seen; ACCESSED_AND_THROTTLED_KEYS would record that for 0.50 USD a rule and month and every request"
)
_FAILED = {
    "LimitExceededException": "the account has as many rules as it may have: switch it off for another table or index",
    "AccessDeniedException": "whoever switched it on may not create its rules or the service-linked role",
}
_TRY_AGAIN = "switch it off and on again, or ask AWS"


@dataclass(slots=True)
class _Known:
    """The rules of one table or index, or why there are none to ask."""

    mode: str
    rules: tuple[Rule, ...] = ()
    gap: Gap | None = None
    good_until: float = float("-inf")


@dataclass(slots=True)
class _Asked:
    """How far a rule was read (seconds since the epoch), and before when it is not tried again."""

    read_to: int = 0
    not_before: int = 0


@dataclass(slots=True)
class _Refusals:
    """What throttle events one cycle has brought, by subject."""

    by_range: set[Subject] = field(default_factory=set)
    by_any: set[Subject] = field(default_factory=set)
    told: set[Subject] = field(default_factory=set)

    def note(self, series: Series) -> None:
        if not series.values.any():
            return
        if series.metric in _RANGE:
            self.by_range.add(series.subject)
        if series.metric in _CAUSES:
            self.told.add(series.subject)
        elif series.metric in _EVENTS:
            self.by_any.add(series.subject)

    def of_key_ranges(self) -> set[Subject]:
        """Where the service says so, and where something was refused and nothing says by what."""
        return self.by_range | (self.by_any - self.told)


class Insights:
    """The reports of one source; remembers how far each was read. One cycle at a time."""

    def __init__(self, connection: Connection, meter: Meter, pool: Pool, source: str, redaction: Redaction) -> None:
        self._connection = connection
        self._meter = meter
        self._pool = pool
        self._source = source
        self._redaction = redaction
        self._known: dict[Subject, _Known] = {}
        self._asked: defaultdict[str, _Asked] = defaultdict(_Asked)
        self._tags: defaultdict[Subject, set[str]] = defaultdict(set)
        self._refusals = _Refusals()
        # At DEBUG it writes every answer whole, and with it keys in clear, into whatever log the host has.
        logging.getLogger("botocore.parsers").setLevel(logging.INFO)

    def look(self, members: Iterable[Member], now: float) -> None:
        """Bring up to date which rules there are. `now` is monotonic seconds. Begins a cycle."""
        self._refusals = _Refusals()
        states = {subject: settings for member in members for subject, settings in member.settings.items()}
        modes = {one: str(found["contributor_insights_status"]) for one, found in states.items() if _is_told(found)}
        self._known = {subject: one for subject, one in self._known.items() if subject in modes}
        asked = []
        for subject, state in modes.items():
            mode = str(states[subject].get("contributor_insights", ""))
            known = self._known.get(subject)
            if state not in {"ENABLED", "FAILED"}:
                self._known[subject] = _Known(mode, gap=self._gap(subject, *_STATES.get(state, _STATES["DISABLED"])))
            elif known is None or known.mode != mode or now >= known.good_until:
                asked.append((subject, self._pool.submit(self._described, subject, mode, now)))
        for subject, task in asked:
            self._known[subject] = task.result()

    def note(self, series: Iterable[Series]) -> None:
        """Take the throttle events out of what was read; others are passed over."""
        for one in series:
            self._refusals.note(one)

    def price(self, until: int) -> Price:
        """Of the reports that are due now while nothing is refused, and of all where key ranges refuse requests."""
        due, every = len(self._due(until, set())), sum(1 for _ in self._rules())
        now, at_most = (min(MOST_REPORTS, count) * BILLED for count in (due, every))
        return Price(metrics=now, more=at_most - now)

    @property
    def metrics_an_hour(self) -> int:
        """Billed metrics of the hourly look at all tables and indexes that have it on."""
        return BILLED * sum(rule.kind is Kind.PARTITION_KEY_UNITS for rule in self._rules())

    def batches(self, until: datetime, *, refused_alone: bool = False) -> Iterator[Batch]:
        """The reports that are due, and what is not known; of what hurts only, where asked so. Raises StoppedError."""
        end = int(until.timestamp()) // PERIOD_S * PERIOD_S
        hurting = self._refusals.of_key_ranges()
        due = [rule for rule in self._due(end, hurting) if rule.subject in hurting or not refused_alone]
        tasks = [(rule, self._pool.submit(self._report, rule, self._window(rule, end))) for rule in due[:MOST_REPORTS]]
        series, gaps = list[Series](), list(self._standing(self._refusals.by_range))
        for rule, task in tasks:
            got = task.result()
            if isinstance(got, Gap):
                gaps.append(got)
                self._put_off(rule, end, got)
            else:
                series += self._bounded(rule, got, gaps)
                self._asked[rule.name].read_to = end
        gaps += [self._left(rule) for rule in due[MOST_REPORTS:]]
        if series or gaps:
            yield Batch(source=self._source, at=until, series=tuple(series), gaps=_once(gaps))

    def _rules(self) -> Iterator[Rule]:
        return (rule for one in self._known.values() for rule in one.rules)

    def _due(self, until: int, hurting: set[Subject]) -> list[Rule]:
        """Those that hurt first, then what was read longest ago."""
        found = [rule for rule in self._rules() if self._is_due(rule, until, hurts=rule.subject in hurting)]
        return sorted(found, key=lambda rule: (rule.subject not in hurting, self._asked[rule.name].read_to, rule.name))

    def _is_due(self, rule: Rule, until: int, *, hurts: bool) -> bool:
        asked = self._asked[rule.name]
        if until < asked.not_before or not (hurts or rule.kind is Kind.PARTITION_KEY_UNITS):
            return False
        return until - asked.read_to >= (WHILE_REFUSED_S if hurts else EVERY_S)

    def _window(self, rule: Rule, end: int) -> Span:
        return Span(max(end - LOOK_BACK_S, self._asked[rule.name].read_to - OVERLAP_S), end)

    def _described(self, subject: Subject, mode: str, now: float) -> _Known:
        named = {"TableName": subject.table} | ({"IndexName": subject.index} if subject.index else {})
        try:
            told = self._connection.call(
                "dynamodb",
                "DescribeContributorInsights",
                _called(subject),
                expect="ContributorInsightsStatus",
                **named,
            )
        except SourceError as error:
            wait = AGAIN_S if error.reason is GapReason.DENIED else 0
            return _Known(mode, gap=self._gap(subject, error.reason, str(error)), good_until=now + wait)
        good_until = now + RULES_EVERY_S
        if told["ContributorInsightsStatus"] == "FAILED":
            why = _why_failed(told.get("FailureException") or {})
            return _Known(mode, gap=self._gap(subject, GapReason.NOT_CONFIGURED, why), good_until=good_until)
        rules = rules_of(subject, told.get("ContributorInsightsRuleList") or ())
        return _Known(mode, rules, self._of_mode(subject, {rule.kind for rule in rules}), good_until)

    def _of_mode(self, subject: Subject, kinds: set[Kind]) -> Gap | None:
        if not kinds:
            return self._gap(subject, GapReason.NO_DATA, "Contributor Insights is on and lists no rule yet")
        if Kind.PARTITION_KEY_UNITS not in kinds:
            return self._gap(subject, GapReason.NOT_CONFIGURED, _THROTTLED_ONLY)
        return None

    def _report(self, rule: Rule, window: Span) -> Report | Gap:
        """One report. What failed is told without a word of what was in the answer."""
        try:
            answer = self._answer(rule, window)
            got = read(answer, rule, window, self._redaction)
        except GarbledError:
            return self._garbled(rule)
        except GoneError as error:
            self._known[rule.subject].good_until = float("-inf")
            return self._gap(rule.subject, error.reason, f"{error} which rules there are", rule.kind.hottest)
        except SourceError as error:
            if error.reason is GapReason.GARBLED:  # its sentence begins with what was in the answer
                return self._garbled(rule)
            return self._gap(rule.subject, error.reason, str(error), rule.kind.hottest)
        self._meter.add(dropped_points=got.dropped)
        return got

    def _answer(self, rule: Rule, window: Span) -> dict[str, Any]:
        with self._meter.asking(BILLED) as asking:
            answer = self._connection.call(
                "cloudwatch",
                REPORT,
                _called(rule.subject),
                expect="KeyLabels",
                RuleName=rule.name,
                StartTime=window.start,
                EndTime=window.end,
                Period=PERIOD_S,
                MaxContributorCount=MOST_CONTRIBUTORS,
                Metrics=list(STATISTICS),
                OrderBy=STATISTICS[1],
            )
            asking.answered(reports=1, report_metrics=BILLED)
        return answer

    def _garbled(self, rule: Rule) -> Gap:
        sentence = f"cloudwatch:{REPORT} for {_called(rule.subject)} got an answer that cannot be read"
        return self._gap(
            rule.subject, GapReason.GARBLED, f"{sentence}: is there a proxy in between?", rule.kind.hottest
        )

    def _put_off(self, rule: Rule, end: int, gap: Gap) -> None:
        if gap.reason is GapReason.DENIED:
            self._asked[rule.name].not_before = end + AGAIN_S

    def _bounded(self, rule: Rule, got: Report, gaps: list[Gap]) -> Iterator[Series]:
        """Every series of a report, except of keys beyond the bound: their tags would pile up for ever."""
        tags = self._tags[rule.subject]
        for one in got.series:
            if one.dimension and one.dimension not in tags and len(tags) >= MOST_TAGS:
                detail = f"{MOST_TAGS} keys were told apart, further ones are not: the load is not on few keys"
                gaps.append(self._gap(rule.subject, GapReason.PARTIAL, detail, one.metric))
                continue
            if one.dimension:
                tags.add(one.dimension)
            yield one

    def _standing(self, by_range: set[Subject]) -> Iterator[Gap]:
        """That it is off is told only where a key range certainly refuses requests: elsewhere nobody misses it."""
        for subject, one in self._known.items():
            if one.gap is not None and (one.gap.detail != _OFF or subject in by_range):
                yield one.gap

    def _left(self, rule: Rule) -> Gap:
        detail = f"{MOST_REPORTS} reports are asked in one look: the next one goes on with {_called(rule.subject)}"
        return self._gap(rule.subject, GapReason.NOT_ASKED, detail, rule.kind.hottest)

    def _gap(
        self, subject: Subject, reason: GapReason, detail: str, missing: str = Kind.PARTITION_KEY_UNITS.hottest
    ) -> Gap:
        return Gap(subject=subject, missing=missing, reason=reason, detail=detail, source=self._source)


def _is_told(settings: Mapping[str, object]) -> bool:
    return "contributor_insights_status" in settings


def _called(subject: Subject) -> str:
    kind = "index" if subject.level is Level.INDEX else "table"
    return f'{kind} "{subject.name}"'


def _why_failed(told: Mapping[str, object]) -> str:
    name = str(told.get("ExceptionName") or "no reason given")
    why = _FAILED.get(name, _TRY_AGAIN)
    return f"Contributor Insights could not be switched on ({name}), so no key can be named: {why}"


def _once(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """One gap for a thing: the last word."""
    return tuple({(gap.subject, gap.missing): gap for gap in gaps}.values())
