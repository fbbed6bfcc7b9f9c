"""Advice as cards: what hurts, what it rests on, what to do, what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from stillfit.advice import LIVE_STATES, Advice, AdviceState, Option
from stillfit.export.html import Html, join, tag
from stillfit.export.sparkline import sparkline
from stillfit.export.trends import Trend
from stillfit.export.wording import band, dollars, length, moment, plural, since, value_of
from stillfit.model import Evidence, Subject

MOST_CARDS = 60
"""Ours: who has more open than this needs the worst first, not a longer page."""
MOST_EVIDENCE = 10

Trends = Mapping[tuple[Subject, str], Trend]
ENGINES = {"dynamodb": "DynamoDB", "cassandra": "Cassandra", "keyspaces": "Keyspaces", "dax": "DAX"}


def cards(records: Iterable[Advice], trends: Iterable[Trend], now: datetime) -> Html:
    """Live advice, worst first; the acknowledged and snoozed after what is open."""
    live = [record for record in records if record.state in LIVE_STATES]
    live.sort(key=lambda record: record.state is not AdviceState.OPEN)
    drawn = {(one.subject, one.signal): one for one in trends}
    more = len(live) - MOST_CARDS
    rest = (
        tag("p", f"and {more:,} more: see ", tag("a", "findings.json", href="/api/findings.json")) if more > 0 else None
    )
    return join([_card(record, drawn, now) for record in live[:MOST_CARDS]], rest)


def place(subject: Subject) -> str:
    """Engine and scope, as an operator says them."""
    return " · ".join((ENGINES.get(subject.engine.value, subject.engine.value), *filter(None, subject.scope)))


def _card(record: Advice, trends: Trends, now: datetime) -> Html:
    quiet = "" if record.state is AdviceState.OPEN else " quiet"
    return tag(
        "article",
        tag("header", _head(record, now), _saving(record)),
        tag("p", record.summary, class_="summary"),
        _evidence(record, trends),
        tag("div", _option(record.option), _terms(record.option), class_="what"),
        _foot(record, now),
        class_=f"card {record.severity.value}{quiet}",
        id=record.id,
    )


def _head(record: Advice, now: datetime) -> Html:
    state = None
    if record.state is not AdviceState.OPEN:
        until = f" until {moment(record.snooze_until, now)}" if record.snooze_until else ""
        state = tag("span", f"{record.state.value}{until}", class_="pill state")
    return tag(
        "div",
        tag("span", record.severity.value, class_=f"pill {record.severity.value}"),
        state,
        tag("h3", record.title),
        tag("p", tag("b", record.subject.name), tag("span", place(record.subject), class_="dim"), class_="where"),
    )


def _saving(record: Advice) -> Html | None:
    saving = record.saving
    if saving is None:
        return None
    word = "saves" if saving.mid >= 0 else "costs"
    interval = f"{band(saving)}, " if band(saving) and saving.mid >= 0 else ""
    return tag(
        "div",
        tag("span", word, class_="dim"),
        tag("b", dollars(abs(saving.mid)), tag("small", "/month")),
        tag("span", f"{interval}prices of {saving.price_date:%Y-%m-%d}", class_="dim"),
        class_="saving",
        title=saving.arithmetic,
    )


def _evidence(record: Advice, trends: Trends) -> Html | None:
    if not record.evidence:
        return None
    rows = [_evidence_row(one, trends.get((record.subject, one.signal))) for one in record.evidence[:MOST_EVIDENCE]]
    more = len(record.evidence) - MOST_EVIDENCE
    rest = tag("p", f"and {more} more in findings.json", class_="dim") if more > 0 else None
    return join(tag("table", tag("tbody", rows), class_="evidence"), rest)


def _evidence_row(one: Evidence, trend: Trend | None) -> Html:
    window = f"over {length(one.window.seconds)}" if one.window else ""
    seen = f"{one.coverage:.0%} seen" if one.coverage < 1 else ""
    kind = one.kind.value if one.kind.value != "measured" else ""
    return tag(
        "tr",
        tag("th", one.signal.replace("_", " "), scope="row"),
        tag("td", value_of(one), class_="value"),
        tag("td", sparkline(trend) if trend else None),
        tag("td", " · ".join(filter(None, (window, seen, kind))), class_="dim"),
    )


def _option(option: Option) -> Html:
    steps = tag("ol", [tag("li", step) for step in option.steps]) if option.steps else None
    commands = [tag("pre", tag("code", command)) for command in option.commands]
    useless = [tag("li", sentence) for sentence in option.not_helpful]
    return tag(
        "div",
        tag("h4", "Do next"),
        steps,
        commands,
        join(tag("h4", "Will not help"), tag("ul", useless)) if useless else None,
        class_="do",
    )


def _terms(option: Option) -> Html:
    """What following the advice brings and takes."""
    facts = (
        ("effect", option.effect),
        ("effort", option.effort.value),
        ("risk", option.risk),
        ("way back", option.rollback),
        ("check", option.verify),
    )
    return tag("dl", [join(tag("dt", name), tag("dd", said)) for name, said in facts if said])


def _foot(record: Advice, now: datetime) -> Html:
    state = f"{record.state.value} for {since(record.state_since, now)}"
    tail = (f"confidence {record.confidence.value}", state, f"first seen {moment(record.first_seen, now)}", record.rule)
    again = (plural(record.transitions, "change of state", "changes of state"),) if record.transitions > 2 else ()
    line = [tag("span", said) for said in (*tail, *again)]
    return tag("footer", line, tag("code", f"stillfit advice show {record.id}"))
