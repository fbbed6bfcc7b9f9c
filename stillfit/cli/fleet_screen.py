"""The fleet on one screen: what there is, what was found worst first, what could be answered, what it cost.

At most LINES lines at a hundred columns, however many tables there are; `--all` and `--format json` tell the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from collector.aws.permissions import Permission
from collector.aws.spending.meter import USD_PER_METRIC, Bill
from collector.aws.spending.plan import Plan, Tier, told
from stillfit.advice import Advice
from stillfit.cli.aws_terms import dollars, is_lost, lost_clause, refused_actions
from stillfit.cli.fleet import Place
from stillfit.cli.terminal import STYLES, safe
from stillfit.cycle import UNJUDGED, Turn
from stillfit.export.findings import worst_first
from stillfit.export.wording import of_it, plural
from stillfit.model import Finding, Gap, GapReason, Severity, Subject, Unknown

LINES = 50
SHOWN_PLACES, SHOWN_FINDINGS, SHOWN_COVERAGE, SHOWN_REASONS, SHOWN_DENIED, SHOWN_LOST = 8, 6, 4, 3, 5, 2
"""Rows of each part, so that all of them with their heads and the advice under findings are LINES at most (ours)."""
SHOWN_SAVINGS = 3
"""Kinds of advice named for what they save, each in the place of a kind of findings that there is not (ours)."""
NAMED = 3
SENTENCE = 150
"""Characters of a finding that are shown (ours: with a name, two lines of a hundred columns)."""
FAILURE = 180
"""Characters of what could not be read that are shown (ours: two lines of a hundred columns)."""
NAME = 48
"""Characters of a name that are shown; of a longer one both ends (ours). DynamoDB's names have up to 255."""
TOLD_ELSEWHERE = frozenset({GapReason.DENIED, GapReason.NOT_ASKED})
"""Of a whole table or region every other reason is told too: what is not on the screen must not pass for well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look at a fleet, judged."""

    outcome: Turn
    gaps: tuple[Gap, ...]
    places: tuple[Place, ...]
    failed: tuple[tuple[str, str], ...]
    """Account and region of what could not be read at all; no account where nobody could sign in."""
    disabled: int
    """Regions that are not enabled."""
    bills: tuple[Bill, ...]
    plan: Plan
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How many of the questions about one table, its indexes included, could be answered."""

    subject: Subject
    asked: frozenset[str]
    open: frozenset[str]
    """Detectors that could not judge the table or one of its indexes."""

    @property
    def is_unjudged(self) -> bool:
        """Whether there is no detector for such a thing at all."""
        return all(name == UNJUDGED for name in self.asked)

    @property
    def answered(self) -> int:
        return len(self.asked) - len(self.open)


def screen(seen: Seen) -> RenderableType:
    """All of it."""
    parts = (
        ("Fleet", _fleet(seen)),
        ("Found", _found(seen)),
        ("Answered", _coverage(seen)),
        ("Not granted", _denied(seen.gaps)),
        ("Could not read", _lost(seen.gaps)),
        ("Bill", _bill(seen)),
    )
    lines: list[RenderableType] = []
    for title, part in parts:
        rows = list(part)
        if rows:
            lines += [Text(title, style="bold underline"), *(Padding(row, (0, 0, 0, 2), expand=False) for row in rows)]
    return Group(*lines, _hint())


def answered(turn: Turn) -> tuple[Answered, ...]:
    """Each table or cluster that anything was asked about."""
    asked: defaultdict[Subject, set[str]] = defaultdict(set)
    unknown: defaultdict[Subject, set[str]] = defaultdict(set)
    for judgement in (*turn.judgements, *turn.unpriced):
        family = family_of(judgement.subject)
        asked[family].add(judgement.detector)
        if isinstance(judgement.answer, Unknown):
            unknown[family].add(judgement.detector)
    return tuple(
        Answered(subject=one, asked=frozenset(asked[one]), open=frozenset(unknown[one])) for one in sorted(asked)
    )


def unjudged(outcome: Turn) -> tuple[Subject, ...]:
    """Tables of which no question at all could be answered."""
    return tuple(one.subject for one in answered(outcome) if not one.is_unjudged and not one.answered)


def undescribed(gaps: Iterable[Gap]) -> frozenset[Subject]:
    """Tables and clusters that are listed, and of which no more could be told."""
    whole = (gap.subject for gap in gaps if gap.missing == "*" and gap.reason is not GapReason.NOT_ASKED)
    return frozenset(subject for subject in whole if subject.table or subject.cluster)


def is_dark(seen: Seen) -> bool:
    """Whether there is a table of which nothing could be judged, because something of it was lost on the way."""
    lost = {family_of(gap.subject) for gap in seen.gaps if is_lost(gap)}
    return not lost.isdisjoint((*unjudged(seen.outcome), *undescribed(seen.gaps)))


def family_of(subject: Subject) -> Subject:
    """The table of an index, the cluster of a node."""
    return replace(subject, index="", node="")


def _fleet(seen: Seen) -> Iterator[RenderableType]:
    there = [place for place in seen.places if any(place.counts)]
    named = ("tables", "indexes", "Keyspaces", "DAX")
    columns = [number for number in range(4) if number < 2 or any(place.counts[number] for place in there)]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for _ in columns:
        table.add_column(justify="right")
    table.add_row("", "", *(Text(named[number], style="dim") for number in columns))
    for before, place in zip((None, *there), there[:SHOWN_PLACES], strict=False):
        account = "" if before and before.account == place.account else place.account
        table.add_row(Text(account, style="bold"), place.region, *(f"{place.counts[number]:,}" for number in columns))
    rest = there[SHOWN_PLACES:]
    if rest:
        sums = (f"{sum(place.counts[number] for place in rest):,}" for number in columns)
        table.add_row("", f"{len(rest)} more", *sums)
    if len(there) > 1:
        sums = (f"{sum(place.counts[number] for place in there):,}" for number in columns)
        table.add_row(*(Text(cell, style="bold") for cell in ("together", "", *sums)))
    hidden = undescribed(seen.gaps)
    if there or not hidden:
        yield table if there else Text("nothing that can be watched")
    yield from _not_there(seen, there, hidden)


def _not_there(seen: Seen, there: Sequence[Place], hidden: Collection[Subject]) -> Iterator[RenderableType]:
    """What of the fleet is not in its table, and why."""
    if hidden:
        yield Text(f"listed and not described: {safe(_names(sorted(one.name for one in hidden)))}")
    if seen.failed:
        names = _names([f"{region} of {account}" if account else region for account, region in seen.failed])
        yield Text(f"could not be read: {safe(names)}", style=STYLES[Severity.CRITICAL])
    used = {(place.account, place.region) for place in there} | {*seen.failed, *(one.scope for one in hidden)}
    empty = [place.region for place in seen.places if (place.account, place.region) not in used]
    notes = [f"nothing in {safe(_names(empty))}"] if empty else []
    notes += [f"{seen.disabled} regions are not enabled"] if seen.disabled else []
    left_out = len({gap.subject for gap in seen.gaps if gap.missing == "*" and gap.reason is GapReason.NOT_ASKED})
    notes += [f"{left_out:,} left out by the configuration"] if left_out else []
    if notes:
        yield Text("; ".join(notes), style="dim")


def _found(seen: Seen) -> Iterator[RenderableType]:
    found = [one.answer for one in seen.outcome.judgements if isinstance(one.answer, Finding)]
    if not found:
        yield _nothing(seen)
        yield from _advised(seen.outcome, SHOWN_SAVINGS)
        return
    groups: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for one in sorted(found, key=lambda finding: (-finding.severity.rank, finding.subject)):
        groups[one.detector, one.cause].append(one)
    advice = worst_first(seen.outcome.advice)
    together = len({one.subject.scope for one in found}) > 1
    for group in list(groups.values())[:SHOWN_FINDINGS]:
        yield _group(group, advice, placed=together)
    left = list(groups.values())[SHOWN_FINDINGS:]
    if left:
        yield Text(f"and {sum(map(len, left))} more findings of {len(left)} kinds", style="dim")
    yield from _advised(seen.outcome, min(SHOWN_SAVINGS, SHOWN_FINDINGS - len(groups)))


def _nothing(seen: Seen) -> Text:
    """That nothing was found is good news only of what was judged."""
    hidden = undescribed(seen.gaps)
    dark = len({*unjudged(seen.outcome), *hidden})
    asked = len({*hidden, *(one.subject for one in answered(seen.outcome) if not one.is_unjudged)})
    if dark and dark == asked:
        return Text("nothing could be judged", style=STYLES[Severity.WARNING])
    if dark:
        return Text(f"nothing that hurts where it could be seen; {dark:,} of {asked:,} tables could not be judged")
    return Text("nothing that hurts, as far as could be seen", style="green" if seen.places else "")


def _group(group: Sequence[Finding], advice: Iterable[Advice], *, placed: bool) -> RenderableType:
    """Findings of one kind: the worst one's sentence, the names of the others, what to do."""
    worst = group[0]
    where = f" in {worst.subject.scope[1]}" if placed and worst.subject.scope[1] else ""
    name, short = worst.subject.name, _name(worst.subject.name)
    said = Text.assemble((safe(short), "bold"), f"{safe(where)}  {_cut(safe(worst.summary.replace(name, short)))}")
    lines = [f"{worst.cause} ({worst.detector}){_others(group)}"]
    meant = (one for one in advice if (one.subject, one.cause) == (worst.subject, worst.cause))
    lines += [f"-> {one.title.replace(name, short)}{_saves(one)}" for one in islice(meant, 1)]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=8)
    table.add_column(overflow="fold")
    table.add_row(Text(worst.severity.value.upper(), style=STYLES[worst.severity]), said)
    for line in lines:
        table.add_row("", Text(safe(line), style="dim"))
    return table


def _cut(sentence: str, most: int = SENTENCE) -> str:
    """As much of a sentence as two lines hold, ended at a word."""
    if len(sentence) <= most:
        return sentence
    return f"{sentence[:most].rsplit(' ', 1)[0]} ..."


def _others(group: Sequence[Finding]) -> str:
    others = group[1:]
    return f"; also {_names([one.subject.name for one in others])}" if others else ""


def _saves(advice: Advice) -> str:
    if advice.saving is None or "USD" in advice.title:
        return ""
    return f": {'saves' if advice.saving.mid >= 0 else 'costs'} {abs(advice.saving.mid):,.2f} USD a month"


def _advised(turn: Turn, kinds: int) -> Iterator[Text]:
    """How much advice there is, and of so many kinds the one that saves most."""
    told = worst_first(turn.advice)
    saving = sorted((one for one in told if _saved(one) > 0), key=_saved, reverse=True)
    what = f", which could save {sum(map(_saved, saving)):,.2f} USD a month" if saving else ""
    said = f"{plural(len(told), 'piece')} of advice{what}" if told else "no advice yet"
    yield Text(said, style="bold" if told else "dim")
    alike = Counter(one.rule for one in saving)
    for rule in list(alike)[: max(0, kinds)]:
        most = next(one for one in saving if one.rule == rule)
        others = f"; {alike[rule] - 1:,} more like it" if alike[rule] > 1 else ""
        title = most.title.replace(most.subject.name, _name(most.subject.name))
        yield Text(safe(f"-> {title}{_saves(most)}{others}"), style="dim")


def _saved(advice: Advice) -> float:
    return advice.saving.mid if advice.saving is not None else 0.0


def _coverage(seen: Seen) -> Iterator[RenderableType]:
    every = answered(seen.outcome)
    if not every:
        return
    groups: defaultdict[tuple[frozenset[str], frozenset[str]], list[Answered]] = defaultdict(list)
    for one in every:
        if not one.is_unjudged:
            groups[one.asked, one.open].append(one)
    ranked = sorted(groups.values(), key=lambda group: (-group[0].answered / len(group[0].asked), -len(group)))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for group in ranked[:SHOWN_COVERAGE]:
        table.add_row(Text(f"{group[0].answered} of {len(group[0].asked)}"), _covered(group))
    rest = [one for group in ranked[SHOWN_COVERAGE:] for one in group]
    if rest:
        least = min(one.answered for one in rest)
        table.add_row(Text(f"{least} or more"), Text(f"{_names([one.subject.name for one in rest])}"))
    kept = [one.subject.name for one in every if one.is_unjudged]
    if kept:
        table.add_row(Text("kept"), Text(f"{safe(_names(kept))}: no detector knows such yet, so they are not judged"))
    yield table
    yield from _why(seen.outcome)


def _covered(group: Sequence[Answered]) -> Text:
    names = [one.subject.name for one in group]
    text = Text(f"{len(group)} tables: {safe(_names(names))}" if len(group) > 1 else safe(_name(names[0])))
    if group[0].open:
        text.append(f"; not {', '.join(_short(sorted(group[0].open)))}", style="dim")
    return text


def _why(turn: Turn) -> Iterator[Text]:
    """The reasons that leave most questions open."""
    reasons: Counter[tuple[str, str]] = Counter()
    for judgement in (*turn.judgements, *turn.unpriced):
        if isinstance(judgement.answer, Unknown) and judgement.detector != UNJUDGED:
            reasons[judgement.detector, _shared(judgement.answer.reason, judgement.subject.name)] += 1
    for (detector, reason), count in reasons.most_common(SHOWN_REASONS):
        text = Text(f"{_short([detector])[0]} ({count}): {safe(reason)}", style="dim", no_wrap=True)
        text.overflow = "ellipsis"
        yield text


def _shared(reason: str, name: str) -> str:
    """A reason as many tables share it; how reading failed is told elsewhere."""
    told = of_it(reason, name)
    return told.partition(" (")[0] if len(told) > len(name) and told.endswith(")") else told


def _denied(gaps: Iterable[Gap]) -> Iterator[Text]:
    refused = refused_actions(gaps)
    for permission, count in sorted(refused, key=lambda one: not one[0].essential)[:SHOWN_DENIED]:
        yield _permission(permission, count)
    if len(refused) > SHOWN_DENIED:
        yield Text(f"and {len(refused) - SHOWN_DENIED} more: `stillfit doctor` tries each", style="dim")


def _permission(permission: Permission, count: int) -> Text:
    style = STYLES[Severity.CRITICAL] if permission.essential else STYLES[Severity.WARNING]
    told = f" is not granted ({count} affected): blind to {permission.blind}"
    return Text.assemble((permission.action, style), told)


def _lost(gaps: Iterable[Gap]) -> Iterator[Text]:
    """What failed, by what is said of it and by what it is of."""
    groups: defaultdict[tuple[str, str], list[Gap]] = defaultdict(list)
    for gap in gaps:
        if is_lost(gap) or (gap.missing == "*" and gap.reason not in TOLD_ELSEWHERE):
            shared = gap.detail.replace("/".join(gap.subject.scope), "it").replace(gap.subject.name, "it")
            groups[gap.reason.value, shared].append(gap)
    ranked = sorted(groups.values(), key=lambda found: (all(one.missing != "*" for one in found), -len(found)))
    for found in ranked[:SHOWN_LOST]:
        names = _names(sorted({gap.subject.name for gap in found}))
        yield Text.assemble(
            (safe(names), "bold"), safe(_cut(f"{_missed(found)}: {_said(found[0])}", FAILURE - len(names)))
        )
    if len(ranked) > SHOWN_LOST:
        yield Text(f"and {plural(len(ranked) - SHOWN_LOST, 'more kind')}", style="dim")


def _missed(found: Iterable[Gap]) -> str:
    """What is missing by name where it is one thing, else how many; nothing where it is all."""
    missing = {gap.missing for gap in found}
    if "*" in missing:
        return ""
    return f" {missing.pop()}" if len(missing) == 1 else f" {len(missing):,} kinds of data"


def _said(gap: Gap) -> str:
    """Why it is missing, its own name short."""
    return gap.detail.replace(gap.subject.name, _name(gap.subject.name)) or gap.reason.value


def _bill(seen: Seen) -> Iterator[Text]:
    metrics, calls = sum(one.metrics for one in seen.bills), sum(one.calls for one in seen.bills)
    spent = f"{dollars(metrics * USD_PER_METRIC)}: {metrics:,} metrics in {calls:,} calls"
    yield Text.assemble("this look  ", (spent, "bold"), f"; {seen.seconds:.0f} s{lost_clause(seen.bills)}")
    if not seen.plan.load.tables:
        return
    tiers = ", ".join(f"{seen.plan.load.of(tier).tables:,} {tier}" for tier in Tier if seen.plan.load.of(tier).tables)
    noun = "table" if seen.plan.load.tables == 1 else "tables"
    ages = [seen.plan.worst_age_s(tier) for tier in Tier if seen.plan.load.of(tier).tables]
    yield Text.assemble(
        "all month  ",
        (dollars(seen.plan.usd_a_month), "bold"),
        f" by the daemon, and more only while requests are refused: {tiers} {noun}; "
        f"refusals told within {told(max(ages))}",
    )


def _hint() -> Text:
    return Text("\nEvidence and steps: --all. Everything, for programs: --format json.", style="dim")


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(map(_name, names[:NAMED])) + (f" and {more:,} more" if more > 0 else "")


def _name(name: str) -> str:
    """A long name by both of its ends."""
    half = NAME // 2 - 2
    return name if len(name) <= NAME else f"{name[:half]} .. {name[-half:]}"


def _short(detectors: Sequence[str]) -> list[str]:
    """Without the engine, which the table tells; four at most."""
    names = [one.partition("/")[2] or one for one in detectors]
    return names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
