"""The life of advice: what a rule's answer, a person's word or the passing of time makes of a record. Pure.

- A rule that fires is pending until `for` of observed firing time has accrued, then open. Windows overlap, so only
  time after `judged_until` accrues, and only inside the window: a time that nobody saw does not count.
- Not known pauses both clocks: it never opens, never clears, never resets.
- Live advice is resolved after `clear_for` of observed time in which `clear_when` held; between the two lines it stays.
- Resolved advice is the same record when it comes back, after `for` once more and not before its cool-down is over.
- A severity only rises while advice is live; each rise is told, and ends a snooze: what was put off was less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from stillfit.advice import LIVE_STATES, Advice, AdviceState, Transition
from stillfit.errors import UsageError
from stillfit.evidence import Facts
from stillfit.model import Confidence, Evidence, Severity, Span, Subject
from stillfit.rules.engine import Rule, RuleAnswer, render

REOPEN_WITHIN = timedelta(hours=24)
"""Advice that comes back within a day is the same episode (ours: people remember yesterday)."""
LONGEST_SNOOZE = timedelta(days=90)
LONGEST_DISMISSAL = timedelta(days=365)
"""Both must end (ours: a quarter, and a year, after which nobody knows why)."""

Stepped = tuple[Advice, tuple[Transition, ...]]

_STILLFIT = "stillfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a step is taken, and the settled window that was judged."""

    at: datetime
    window: Span


def step(
    prior: Advice | None, answer: RuleAnswer, facts: Facts, moment: Moment
) -> tuple[Advice | None, tuple[Transition, ...]]:
    """The record after one answer, with what people may be told of. The same inputs always give the same."""
    if prior is None:
        return (_born(answer, facts, moment), ()) if answer.fires else (None, ())
    record = _clocked(prior, answer, moment)
    if answer.fires:
        record = _refreshed(record, answer, facts, moment.at)
    return _moved(record, prior, answer, moment.at)


def gone(advice: Advice, at: datetime, *, still_there: bool) -> Stepped:
    """A record that no rule was asked about: it ends with its subject, and waits while its subject is only unseen."""
    if still_there or advice.state in {AdviceState.RESOLVED, AdviceState.PENDING}:
        return advice, ()
    told = f"{advice.subject.name} is no longer there or no longer watched"
    return _change(advice, AdviceState.RESOLVED, at, reason=told)


def retired(advice: Advice, at: datetime) -> Stepped:
    """A record whose rule is no longer in force."""
    if advice.state in {AdviceState.RESOLVED, AdviceState.PENDING}:
        return advice, ()
    return _change(advice, AdviceState.RESOLVED, at, reason=f"the rule {advice.rule} is no longer in force")


def exclusive(advice: tuple[Advice, ...], at: datetime) -> tuple[tuple[Advice, ...], tuple[Transition, ...]]:
    """Of each group on one table only the best is shown; the others wait, and end where they had been shown.

    Which is best turns on rank and on what is shown already, never on numbers that may wobble.
    """
    groups: defaultdict[tuple[str, Subject], list[Advice]] = defaultdict(list)
    for one in advice:
        if one.group:
            groups[one.group, one.subject.parent].append(one)
    best = {id_: winner for members in groups.values() for id_, winner in _losers(members, at)}
    settled = [_superseded(one, best.get(one.id), at) for one in advice]
    return tuple(one for one, _ in settled), tuple(change for _, changes in settled for change in changes)


def acknowledge(advice: Advice, at: datetime, *, by: str, reason: str = "") -> Stepped:
    """Somebody has taken it on. Raises UsageError unless it is open."""
    _must_be(advice, "acknowledged", AdviceState.OPEN)
    return _change(advice, AdviceState.ACKNOWLEDGED, at, reason=reason or f"taken on by {by}", by=by)


def snooze(advice: Advice, until: datetime, at: datetime, *, by: str, reason: str = "") -> Stepped:
    """Silent until an instant. Raises UsageError unless it is live and the instant lies within 90 days ahead."""
    _must_be(advice, "snoozed", *LIVE_STATES)
    _must_end(until, at, LONGEST_SNOOZE, "a snooze")
    told = reason or f"snoozed until {until:%Y-%m-%d %H:%M} UTC by {by}"
    return _change(replace(advice, snooze_until=until), AdviceState.SNOOZED, at, reason=told, by=by)


def dismiss(advice: Advice, reason: str, expires: datetime, at: datetime, *, by: str) -> Stepped:
    """Refused with a reason, until an instant. Raises UsageError without a reason or an end within a year."""
    _must_be(advice, "dismissed", AdviceState.PENDING, *LIVE_STATES)
    _must_end(expires, at, LONGEST_DISMISSAL, "a dismissal")
    if not reason.strip():
        raise UsageError(f"a dismissal of {advice.id} needs a reason: whoever sees it next must know why")
    return _change(replace(advice, snooze_until=expires), AdviceState.DISMISSED, at, reason=reason.strip(), by=by)


def fingerprint(rule: Rule, subject: Subject) -> str:
    """What makes two pieces of advice the same: rule, subject and kind of option, and no numbers."""
    return f"{rule.id}|{subject}|{rule.option}"


def advice_id(print_: str) -> str:
    return f"A-{sha256(print_.encode()).hexdigest()[:10]}"


def _born(answer: RuleAnswer, facts: Facts, moment: Moment) -> Advice:
    """A new record. Its clock starts at the end of this window: how long it fired before was not watched."""
    rule, (title, summary, option) = answer.rule, render(answer.rule, facts)
    print_ = fingerprint(rule, answer.subject)
    return Advice(
        id=advice_id(print_),
        fingerprint=print_,
        rule=rule.id,
        rule_version=rule.version,
        subject=answer.subject,
        title=title,
        summary=summary,
        cause=_cause(facts),
        severity=_severity(rule, facts),
        confidence=_confidence(rule, facts),
        option=option,
        evidence=_evidence(answer, facts),
        group=rule.group,
        rank=rule.rank,
        saving=facts.savings.get(rule.saves),
        state_since=moment.at,
        first_seen=moment.at,
        last_seen=moment.at,
        judged_until=_judged(moment),
    )


def _refreshed(record: Advice, answer: RuleAnswer, facts: Facts, at: datetime) -> Advice:
    """New numbers in the same record; a live severity never falls."""
    rule, (title, summary, option) = answer.rule, render(answer.rule, facts)
    severity = _severity(rule, facts)
    return replace(
        record,
        rule_version=rule.version,
        title=title,
        summary=summary,
        cause=_cause(facts),
        severity=max(severity, record.severity, key=_rank) if record.state in LIVE_STATES else severity,
        confidence=_confidence(rule, facts),
        option=option,
        evidence=_evidence(answer, facts),
        group=rule.group,
        rank=rule.rank,
        saving=facts.savings.get(rule.saves),
        last_seen=at,
    )


def _clocked(record: Advice, answer: RuleAnswer, moment: Moment) -> Advice:
    """Both clocks after this answer: one runs, stops at zero, or pauses."""
    end = _judged(moment)
    seen_from = max(record.judged_until, moment.window.starts_at)
    seen_s = max(0, int((end - seen_from).total_seconds()))
    firing_s, clear_s = record.firing_s, record.clear_s
    if answer.fires:
        firing_s, clear_s = firing_s + seen_s, 0
    elif answer.fires is False:
        firing_s = 0
        clear_s = {True: clear_s + seen_s, False: 0, None: clear_s}[answer.clears]
    return replace(record, firing_s=firing_s, clear_s=clear_s, judged_until=max(record.judged_until, end))


def _moved(record: Advice, prior: Advice, answer: RuleAnswer, at: datetime) -> Stepped:
    """The next state, if it is due."""
    match record.state:
        case AdviceState.PENDING | AdviceState.RESOLVED:
            return _opened(record, answer, at)
        case AdviceState.DISMISSED:
            return _undismissed(record, answer, at)
        case _ if answer.fires is False and answer.clears and record.clear_s >= answer.rule.clear_after_s:
            return _resolved(record, at)
        case _ if _rank(record.severity) > _rank(prior.severity):
            reason = f"severity rose from {prior.severity} to {record.severity}"
            return _change(record, AdviceState.OPEN, at, reason=reason)
        case AdviceState.SNOOZED:
            return _woken(record, at)
        case _:
            return record, ()


def _opened(record: Advice, answer: RuleAnswer, at: datetime) -> Stepped:
    rule = answer.rule
    again = record.state is AdviceState.RESOLVED
    cooling = again and at - record.state_since < timedelta(seconds=rule.cooldown_s)
    if not answer.fires or record.firing_s < rule.fire_after_s or record.superseded_by or cooling:
        return record, ()
    if not again:
        return _change(record, AdviceState.OPEN, at, reason=_reason(answer))
    if at - record.state_since <= REOPEN_WITHIN:
        return _change(record, AdviceState.OPEN, at, reason=f"came back: {_reason(answer)}")
    return _change(replace(record, first_seen=at), AdviceState.OPEN, at, reason=_reason(answer))


def _resolved(record: Advice, at: datetime) -> Stepped:
    hours = record.clear_s / 3600
    seen = f"{hours:.1f} h" if hours >= 1 else f"{record.clear_s / 60:.0f} min"
    return _change(record, AdviceState.RESOLVED, at, reason=f"seen clear for {seen}")


def _woken(record: Advice, at: datetime) -> Stepped:
    if record.snooze_until is None or at < record.snooze_until:
        return record, ()
    return _change(record, AdviceState.OPEN, at, reason="the snooze is over and the cause still stands")


def _undismissed(record: Advice, answer: RuleAnswer, at: datetime) -> Stepped:
    """A dismissal holds until it ends; then only what is seen decides."""
    if record.snooze_until is None or at < record.snooze_until or record.superseded_by:
        return record, ()
    if answer.fires and record.firing_s >= answer.rule.fire_after_s:
        return _change(record, AdviceState.OPEN, at, reason="the dismissal is over and the cause still stands")
    if answer.fires is False and answer.clears and record.clear_s >= answer.rule.clear_after_s:
        return _change(record, AdviceState.RESOLVED, at, reason="the dismissal is over and the cause is gone")
    return record, ()


_WAITING = frozenset({AdviceState.PENDING, AdviceState.RESOLVED})


def _losers(members: list[Advice], at: datetime) -> Iterable[tuple[str, Advice]]:
    """Each member that has to wait, with the one that is shown, or comes next, in its place."""
    standing = [one for one in members if one.state in LIVE_STATES or (one.state in _WAITING and one.last_seen == at)]
    for one in members:
        better = [other for other in standing if other.id != one.id and _goes_before(other, one)]
        if better:
            yield one.id, min(better, key=lambda other: (other.rank, other.id))


def _goes_before(other: Advice, one: Advice) -> bool:
    """Whether `other` keeps `one` from being shown.

    What waits displaces what is shown only once it is open itself. Two indexes of one table may each be right-sized,
    so advice of one rank on different subjects does not exclude each other.
    """
    if one.state in LIVE_STATES and other.state not in LIVE_STATES:
        return False
    if other.rank != one.rank:
        return other.rank < one.rank
    return other.subject == one.subject and _tie(other) < _tie(one)


def _tie(one: Advice) -> tuple[bool, str]:
    return one.state not in LIVE_STATES, one.id


def _superseded(one: Advice, winner: Advice | None, at: datetime) -> Stepped:
    marked = replace(one, superseded_by=winner.id if winner else "")
    if winner is None or one.state not in LIVE_STATES:
        return marked, ()
    return _change(marked, AdviceState.RESOLVED, at, reason=f"{winner.id} is advised instead: {winner.title}")


def _change(advice: Advice, after: AdviceState, at: datetime, *, reason: str, by: str = _STILLFIT) -> Stepped:
    """Move to a state; the count of transitions is what makes each of them unique."""
    ended = after is AdviceState.RESOLVED
    silent = after in {AdviceState.SNOOZED, AdviceState.DISMISSED}
    moved = replace(
        advice,
        state=after,
        state_reason=reason,
        state_by=by,
        state_since=at,
        snooze_until=advice.snooze_until if silent else None,
        firing_s=0 if ended else advice.firing_s,
        clear_s=0 if ended else advice.clear_s,
        transitions=advice.transitions + 1,
    )
    transition = Transition(
        advice_id=moved.id,
        number=moved.transitions,
        before=advice.state,
        after=after,
        at=at,
        reason=reason,
        by=by,
    )
    return moved, (transition,)


def _must_be(advice: Advice, wanted: str, *states: AdviceState) -> None:
    if advice.state not in states:
        valid = ", ".join(sorted(states))
        raise UsageError(f"advice {advice.id} is {advice.state} and cannot be {wanted}: it must be {valid}")


def _must_end(until: datetime, at: datetime, longest: timedelta, what: str) -> None:
    if not at < until <= at + longest:
        last = f"{at + longest:%Y-%m-%d}"
        raise UsageError(f"{what} must end after now and not later than {last}, {until:%Y-%m-%d %H:%M} does not")


def _judged(moment: Moment) -> datetime:
    """The end of what was judged; never ahead of the clock, so that no window can make time."""
    return min(moment.window.ends_at, moment.at)


def _reason(answer: RuleAnswer) -> str:
    said = (clause.because for clause in answer.clauses if clause.because)
    return "; ".join(said)


def _cause(facts: Facts) -> str:
    return facts.finding.cause if facts.finding else ""


def _severity(rule: Rule, facts: Facts) -> Severity:
    return rule.severity or (facts.finding.severity if facts.finding else Severity.INFO)


def _confidence(rule: Rule, facts: Facts) -> Confidence:
    """The rule's own, else the finding's, else by how long was looked: 7 days are adequate and 14 good.

    The days are those of the AWS skill for Aurora I/O-Optimized (2026-08).
    """
    if rule.confidence or facts.finding:
        return rule.confidence or (facts.finding.confidence if facts.finding else Confidence.LOW)
    days = facts.window.seconds / 86400
    return Confidence.HIGH if days >= 14 else Confidence.MEDIUM if days >= 7 else Confidence.LOW


def _evidence(answer: RuleAnswer, facts: Facts) -> tuple[Evidence, ...]:
    """What the finding rests on, then what the clauses add; each signal once."""
    found = facts.finding.evidence if facts.finding else ()
    return tuple({one.signal: one for one in (*answer.evidence, *found)}.values())


def _rank(severity: Severity) -> int:
    return severity.rank
