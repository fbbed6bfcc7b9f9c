"""The parts of the status page below the advice: cost, fit, sources, and everything that is not known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from collector.aws.looks.history import Backlog
from collector.aws.spending.plan import Plan, told
from collector.aws.spending.printed import budget_lines, lines
from stillfit.advice import Advice, AdviceState
from stillfit.costs.dynamodb import CURRENT, TOTAL
from stillfit.costs.saving import saving
from stillfit.export.findings import coverage
from stillfit.export.html import Child, Html, join, tag
from stillfit.export.view import SourceStatus, Spent
from stillfit.export.wording import ago, band, dollars, length, moment, of_it, plain, plural, since
from stillfit.model import CostFigure, FitState, FitVerdict, Gap, Judgement, Subject, Unknown

MOST_ROWS = 40
STALE_AFTER = timedelta(minutes=15)
"""CloudWatch points settle within minutes; beyond this nothing new is judged."""
MONTH_S = 30 * 86_400
_FIT_CLASS = {
    FitState.FITS: "ok",
    FitState.FITS_WITH_CHANGES: "info",
    FitState.STRAINED: "warning",
    FitState.DOES_NOT_FIT: "critical",
    FitState.UNKNOWN: "unknown",
}


def section(title: str, note: str, *children: Child) -> Html:
    return tag("section", tag("h2", title, tag("small", note)), *children)


def costs(figures: Sequence[CostFigure]) -> Html | None:
    """What each table costs now and under its other options, dearest first."""
    by_table: defaultdict[Subject, dict[str, CostFigure]] = defaultdict(dict)
    for figure in figures:
        if figure.component == TOTAL:
            by_table[figure.subject][figure.option] = figure
    if not by_table:
        return None
    options = sorted({option for row in by_table.values() for option in row} - {CURRENT})
    ordered = sorted(by_table.items(), key=lambda item: -_now(item[1]))
    total, dearest = sum(_now(row) for row in by_table.values()), max(1e-9, _now(ordered[0][1]))
    head = tag("tr", [tag("th", name) for name in ("table", "now", *options, "best saving")])
    rows = [
        tag("tr", _cost_cells(subject, row, options, dearest), _saving_cell(figures, subject, options))
        for subject, row in ordered[:MOST_ROWS]
    ]
    oldest = min(figure.money.price_date for row in by_table.values() for figure in row.values())
    note = f"{dollars(total)} a month in all · list prices of {oldest:%Y-%m-%d}"
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="costs")
    return section("Cost", note, tag("div", table, class_="wide"), _rest(len(ordered)))


def _now(row: dict[str, CostFigure]) -> float:
    return row[CURRENT].money.mid if CURRENT in row else 0.0


def _cost_cells(subject: Subject, row: dict[str, CostFigure], options: Sequence[str], dearest: float) -> Html:
    bar = tag(
        "svg",
        tag("rect", width=f"{100 * _now(row) / dearest:.1f}", height="4"),
        class_="bar",
        viewBox="0 0 100 4",
        preserveAspectRatio="none",
    )
    now = tag("td", _amount(row.get(CURRENT)), bar)
    return join(tag("th", subject.name, scope="row"), now, [_cost_cell(row.get(name)) for name in options])


def _saving_cell(figures: Sequence[CostFigure], table: Subject, options: Sequence[str]) -> Html:
    """The saving that the rules decide on, where even its least favourable end is one."""
    known = {option: saved for option in options if (saved := saving(figures, table, option)) is not None}
    best = max(known, key=lambda option: known[option].mid, default="")
    if not best or known[best].low <= 0:
        return tag("td", tag("span", "none" if known else "not known", class_="dim"))
    return tag(
        "td", tag("b", dollars(known[best].mid)), tag("small", best), class_="good", title=known[best].arithmetic
    )


def _cost_cell(figure: CostFigure | None) -> Html:
    return tag("td", _amount(figure), title=figure.money.arithmetic if figure else None)


def _amount(figure: CostFigure | None) -> Html:
    if figure is None:
        return tag("span", "not known", class_="dim")
    interval = band(figure.money)
    return join(dollars(figure.money.mid), tag("small", interval) if interval else None)


def fits(verdicts: Sequence[FitVerdict]) -> Html | None:
    """Each workload on what it runs on now, and where else it could run; those that nothing is known of together."""
    by_workload: defaultdict[str, list[FitVerdict]] = defaultdict(list)
    for verdict in verdicts:
        by_workload[verdict.workload].append(verdict)
    if not by_workload:
        return None
    undecided: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    told: list[tuple[int, str, Html]] = []
    for name, rows in by_workload.items():
        if _is_undecided(rows):
            undecided[_missing(rows)].append(name)
        else:
            told.append((_rank(rows), name, _workload(name, rows)))
    bad = sum(one.is_current and one.state is FitState.DOES_NOT_FIT for one in verdicts)
    many = plural(len(by_workload), "workload")
    note = f"{bad} of {many} no longer {'fits' if bad == 1 else 'fit'}" if bad else many
    drawn = [html for _, _, html in sorted(told)[:MOST_ROWS]]
    return section("Still fit?", note, drawn, [_undecided(names, missing) for missing, names in undecided.items()])


def _is_undecided(verdicts: Sequence[FitVerdict]) -> bool:
    current = [one for one in verdicts if one.is_current]
    return bool(current) and all(one.state is FitState.UNKNOWN and not one.blockers for one in current)


def _missing(verdicts: Sequence[FitVerdict]) -> tuple[str, ...]:
    return tuple(sorted({name for one in verdicts if one.is_current for name in one.missing}))


def _rank(verdicts: Sequence[FitVerdict]) -> int:
    order = [FitState.DOES_NOT_FIT, FitState.STRAINED, FitState.FITS_WITH_CHANGES, FitState.UNKNOWN, FitState.FITS]
    return min((order.index(one.state) for one in verdicts if one.is_current), default=len(order))


def _workload(name: str, verdicts: Sequence[FitVerdict]) -> Html:
    elsewhere: defaultdict[FitState, list[str]] = defaultdict(list)
    for one in verdicts:
        if not one.is_current:
            elsewhere[one.state].append(one.candidate)
    lines = [
        tag("p", _state(state), tag("span", f" {', '.join(candidates)}", class_="dim"))
        for state, candidates in sorted(elsewhere.items(), key=lambda item: list(FitState).index(item[0]))
    ]
    head = tag("p", "elsewhere", class_="dim") if lines else None
    current = [_current(one) for one in verdicts if one.is_current]
    return tag("div", tag("h4", name), current, head, lines, class_="fit")


def _current(verdict: FitVerdict) -> Html:
    blockers = [tag("li", one.sentence, class_=None if one.certain else "dim") for one in verdict.blockers]
    missing = tag("p", f"not known: {', '.join(verdict.missing)}", class_="dim") if verdict.missing else None
    head = tag("p", _state(verdict.state), f" on {verdict.candidate}")
    return join(head, tag("ul", blockers) if blockers else None, missing)


def _state(state: FitState) -> Html:
    return tag("span", state.value, class_=f"pill {_FIT_CLASS[state]}")


def _undecided(names: Sequence[str], missing: Sequence[str]) -> Html:
    """Only people know these facts; the page says how to tell them."""
    return tag(
        "div",
        tag("p", _state(FitState.UNKNOWN), f" {', '.join(names[:MOST_ROWS])}", _rest(len(names))),
        tag("p", f"Declare what no metric tells: {', '.join(missing)}.", class_="dim") if missing else None,
        class_="fit",
    )


QUIET = {"no data": "nothing to read there", "waiting": "never read yet"}
"""States of a source that are told of many at once."""
SHOWN_QUIET = 3
"""So many of one such state are told one by one (ours)."""


def sources(statuses: Sequence[SourceStatus], started_at: datetime, now: datetime) -> Html:
    """How each source does, how fresh its data is, and what asking it has cost."""
    alike = {word: [one for one in statuses if _standing(one, now)[0] == word] for word in QUIET}
    alike = {word: some for word, some in alike.items() if len(some) > SHOWN_QUIET}
    rows = [_source(one, now) for one in statuses if _standing(one, now)[0] not in alike]
    rows += [_quiet(word, some) for word, some in alike.items()]
    spent = sum(paid.dollars for one in statuses for paid in one.spent)
    running = max(1.0, (now - started_at).total_seconds())
    rate = f", {dollars(spent / running * MONTH_S)} a month at this rate" if running > 3_600 and spent else ""
    note = f"our own CloudWatch bill since start: {dollars(spent)}{rate}" if spent else plural(len(statuses), "source")
    return section("Sources", note, rows or tag("p", "no source is configured", class_="dim"))


def _quiet(word: str, some: Sequence[SourceStatus]) -> Html:
    """Many of which there is nothing to tell, such as the regions that an account does not use, in one row."""
    names = tag("b", _names([one.id for one in some]))
    return tag(
        "div",
        tag("p", tag("span", word, class_="pill unknown"), names),
        tag("ul", tag("li", QUIET[word]), class_="facts"),
        class_="source",
    )


def _source(one: SourceStatus, now: datetime) -> Html:
    word, kind = _standing(one, now)
    return tag(
        "div",
        tag("p", tag("span", word, class_=f"pill {kind}"), tag("b", one.id)),
        tag("p", one.error, class_="error") if one.error else None,
        tag("ul", [tag("li", said) for said in _doings(one, now)], class_="facts"),
        class_="source",
    )


def _doings(one: SourceStatus, now: datetime) -> Iterator[str]:
    """What a source has done lately, in sentences of a few words."""
    if late := one.overdue(now):
        took, every = length(late.total_seconds()), length(one.every.total_seconds())
        yield f"being read for {took}, longer than its interval of {every}: what it watches is told late"
    if one.covered_until:
        yield f"data until {moment(one.covered_until, now)}, {since(one.covered_until, now)} old"
    yield f"read {ago(one.last_success, now)} in {plain(one.seconds)} s" if one.last_success else "never read yet"
    if one.points:
        yield f"{plural(one.subjects, 'subject')}, {plural(one.points, 'point')} last time"
    if one.backlog and one.backlog.seconds:
        yield _owed(one.backlog, now)
    if one.plan:
        yield from _plan(one.plan, one.shared)
    for paid in one.spent:
        yield f"{paid.api}: {paid.requests:,} calls, {paid.metrics:,} metrics, {dollars(paid.dollars)}{_lost(paid)}"


def _lost(paid: Spent) -> str:
    """Only where it shows."""
    most = paid.dollars + paid.lost_dollars
    return f" to {dollars(most)}, because answers were lost on the way" if paid.lost_dollars else ""


def _owed(backlog: Backlog, now: datetime) -> str:
    """What is not read yet of the past, and when it will be."""
    hours = plural(-(-backlog.seconds // 3_600), "hour")
    what = f"{hours} of the past of {plural(backlog.subjects, 'subject')} not read yet"
    if backlog.ends_at is None:
        return f"{what}; the last look brought none of them"
    left = length(max(0.0, (backlog.ends_at - now).total_seconds()))
    return f"{what}; they are by {moment(backlog.ends_at, now)} at this pace, in {left}"


def _plan(plan: Plan, shared: Plan | None) -> Iterator[str]:
    """How closely tables are read and for how much, and where a budget has stretched that."""
    yield from (line for line in lines(plan) if ": 0 tables" not in line)
    yield f"{dollars(plan.usd_a_month)} a month at this plan"
    yield from budget_lines(shared or plan)
    if plan.late:
        ages = ", ".join(f"{tier} {told(age)}" for tier, age in plan.late.items())
        yield f"the freshness promise does not hold: a message may be late by {ages}"


def _standing(one: SourceStatus, now: datetime) -> tuple[str, str]:
    if one.error:
        return "failing", "critical"
    if one.overdue(now):
        return "slow", "warning"
    if one.last_success is None:
        return "waiting", "unknown"
    if one.covered_until is None and not one.subjects and not one.points:
        return "no data", "unknown"  # a region without clusters, or a source of prices: there is nothing to be stale
    stale = one.covered_until is None or now - one.covered_until > STALE_AFTER + timedelta(minutes=5)
    return ("stale", "warning") if stale else ("fresh", "ok")


def unknowns(judged: Iterable[Judgement]) -> Html | None:
    """Grouped by what is missing, since one missing permission blinds many tables at once."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in judged:
        if isinstance(one.answer, Unknown):
            groups[one.detector, of_it(one.answer.reason, one.subject.name)].append(one.subject.name)
    if not groups:
        return None
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    rows = [
        tag("tr", tag("th", _names(names), scope="row"), tag("td", detector, class_="dim"), tag("td", reason))
        for (detector, reason), names in ordered[:MOST_ROWS]
    ]
    total = sum(len(names) for names in groups.values())
    note = f"{plural(total, 'question')} without an answer: neither health nor fault"
    return section("Could not judge", note, tag("table", tag("tbody", rows), class_="plain"), _rest(len(ordered)))


def gaps(found: Iterable[Gap]) -> Html | None:
    """What could not be read, grouped by reason."""
    groups: defaultdict[tuple[str, str], list[Gap]] = defaultdict(list)
    for gap in found:
        groups[gap.reason.value, gap.detail].append(gap)
    if not groups:
        return None
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    rows = [_gap_row(reason, detail, some) for (reason, detail), some in ordered[:MOST_ROWS]]
    total = sum(len(some) for some in groups.values())
    return section(
        "Could not read", plural(total, "gap"), tag("table", tag("tbody", rows), class_="plain"), _rest(len(ordered))
    )


def _gap_row(reason: str, detail: str, some: Sequence[Gap]) -> Html:
    what = _names(sorted({"everything" if gap.missing == "*" else gap.missing for gap in some}))
    who = _names(sorted({gap.subject.name for gap in some}))
    return tag(
        "tr",
        tag("th", who, scope="row"),
        tag("td", tag("span", reason, class_="pill unknown")),
        tag("td", tag("span", what, class_="dim"), tag("br"), detail),
    )


def looked_at(judged: Sequence[Judgement]) -> Html | None:
    """What each detector was asked and could say."""
    rows = [
        tag("tr", tag("th", one.detector, scope="row"), [tag("td", f"{count:,}") for count in counts])
        for one in coverage(judged)
        for counts in [(one.found, one.nothing, one.unknown)]
    ]
    if not rows:
        return None
    head = tag("tr", [tag("th", name) for name in ("detector", "found", "nothing", "unknown")])
    return section("Looked at", "", tag("table", tag("thead", head), tag("tbody", rows), class_="counts"))


def closed(records: Iterable[Advice], now: datetime) -> Html | None:
    """What ended since yesterday, so that nobody looks for it."""
    ended = [one for one in records if one.state in {AdviceState.RESOLVED, AdviceState.DISMISSED}]
    if not ended:
        return None
    ended.sort(key=lambda record: record.state_since, reverse=True)
    table = tag("table", tag("tbody", [_closed_row(one, now) for one in ended[:MOST_ROWS]]), class_="plain")
    return section("Closed", "within a day, or dismissed", table)


def _closed_row(one: Advice, now: datetime) -> Html:
    kind = "ok" if one.state is AdviceState.RESOLVED else "unknown"
    why = f"{moment(one.state_since, now)} · {one.state_reason or one.rule}"
    return tag(
        "tr",
        tag("th", one.subject.name, scope="row"),
        tag("td", tag("span", one.state.value, class_=f"pill {kind}")),
        tag("td", one.title, tag("br"), tag("span", why, class_="dim")),
    )


def _names(names: Sequence[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")


def _rest(count: int) -> Html | None:
    more = count - MOST_ROWS
    return tag("p", f"and {more:,} more in findings.json", class_="dim") if more > 0 else None
