"""What people read in a terminal: findings with evidence, advice with its price, and what could not be judged.

Names come from the observed systems and may hold anything: they are shown as literal text, control characters escaped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stillfit.advice import Advice, Option
from stillfit.cycle import Turn
from stillfit.export.findings import CoverageOut, coverage, worst_first
from stillfit.model import CostFigure, Evidence, Finding, FitState, FitVerdict, Gap, Judgement, Money, Severity, Unknown

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
SHOWN_UNKNOWNS = 20
SHOWN_COSTS = 12


def safe(text: str) -> str:
    """Any name or sentence from outside as one printable line: controls, line breaks and bidi marks are escaped."""
    return "".join(
        char if char == " " or not unicodedata.category(char).startswith(("C", "Z")) else f"\\u{ord(char):04x}"
        for char in text
    )


def report(turn: Turn, gaps: Sequence[Gap]) -> RenderableType:
    """One look as a screen: what was found, what is advised, what it costs, whether it fits, what is not known."""
    found = [j.answer for j in turn.judgements if isinstance(j.answer, Finding)]
    unknown = [j for j in (*turn.judgements, *turn.unpriced) if isinstance(j.answer, Unknown)]
    sections = (
        ("Found", [_finding(one) for one in sorted(found, key=lambda f: (-f.severity.rank, f.subject))]),
        ("Advice", [_advice(one) for one in worst_first(turn.advice)]),
        ("Cost", [_costs(turn.costs)] if turn.costs else []),
        ("Fit", [_fit(verdict) for verdict in turn.fits if _worth_telling(verdict)]),
        ("Could not judge", [_unknowns(unknown)] if unknown else []),
        ("Could not read", [_gap(gap) for gap in gaps]),
        ("Looked at", [_coverage(coverage((*turn.judgements, *turn.unpriced)))]),
    )
    parts: list[RenderableType] = []
    for title, lines in sections:
        if lines:
            parts += [Text(title, style="bold underline"), *(Padding(line, (0, 0, 0, 2)) for line in lines), Text()]
    return Group(*parts)


def console(*, stderr: bool = False) -> Console:
    """A console that keeps names literal: no markup, no emoji codes, no guessing of highlights."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def money(amount: Money) -> str:
    """USD a month as a person says it: 410 (380 to 450)."""
    if amount.low == amount.high:
        return f"{amount.mid:,.2f}"
    return f"{amount.mid:,.2f} ({amount.low:,.2f} to {amount.high:,.2f})"


def evidence_line(one: Evidence) -> str:
    """One signal with its number, window, coverage and kind."""
    value = one.text or ("?" if one.mid is None else f"{one.mid:,.4g}")
    window = f" over {_length(one.window.seconds)}" if one.window else ""
    cover = f", {one.coverage:.0%} seen" if one.coverage < 1 else ""
    kind = "" if one.kind.value == "measured" else f" [{one.kind.value}]"
    return safe(f"{one.signal} = {value} {one.unit}".rstrip() + window + cover + kind)


def _finding(finding: Finding) -> RenderableType:
    head = Text.assemble(
        (f"{finding.severity.value.upper():9}", STYLES[finding.severity]),
        (f"{safe(finding.subject.name)}  ", "bold"),
        f"{safe(finding.summary)}",
    )
    since = f"{finding.since:%Y-%m-%d %H:%M} UTC"
    tail = f"{finding.detector}: {finding.cause} - confidence {finding.confidence} - since {since}"
    return Group(head, *_indented([tail, *map(evidence_line, finding.evidence)], style="dim"))


def _advice(record: Advice) -> RenderableType:
    head = Text.assemble(
        (f"{record.severity.value.upper():9}", STYLES[record.severity]),
        (f"{safe(record.subject.name)}  ", "bold"),
        f"{safe(record.title)}",
        (f"  {record.id} {record.state.value}", "dim"),
    )
    return Group(head, *_indented([safe(record.summary)]), *_indented(option_lines(record.option)), *_saving(record))


def option_lines(option: Option) -> list[str]:
    """Steps, commands, what does not help, and what it takes."""
    steps = [f"{number}) {safe(step)}" for number, step in enumerate(option.steps, 1)]
    commands = [f"$ {safe(command)}" for command in option.commands]
    useless = [f"not helpful: {safe(text)}" for text in option.not_helpful]
    tail = f"effort {option.effort.value} - risk: {safe(option.risk)} - way back: {safe(option.rollback)}"
    return [*steps, *commands, *useless, tail, f"check afterwards: {safe(option.verify)}"]


def _saving(record: Advice) -> list[RenderableType]:
    if record.saving is None:
        return []
    word = "saves" if record.saving.mid >= 0 else "costs"
    amount = money(record.saving) if record.saving.mid >= 0 else f"{-record.saving.mid:,.2f}"
    lines = [f"{word} {amount} USD a month at prices of {record.saving.price_date:%Y-%m-%d}"]
    return _indented([*lines, safe(record.saving.arithmetic)], style="green")


def _costs(figures: Sequence[CostFigure]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("table", "option", "part", "USD a month", "prices of"):
        table.add_column(heading, justify="right" if heading.startswith("USD") else "left")
    totals = [figure for figure in figures if figure.component == "total"] or list(figures)
    for figure in sorted(totals, key=lambda f: -f.money.mid)[:SHOWN_COSTS]:
        row = (figure.subject.name, figure.option, figure.component, money(figure.money))
        table.add_row(*(Text(safe(cell)) for cell in row), f"{figure.money.price_date:%Y-%m-%d}")
    if len(totals) > SHOWN_COSTS:
        table.add_row(Text(f"and {len(totals) - SHOWN_COSTS} more"))
    return table


def _worth_telling(verdict: FitVerdict) -> bool:
    return verdict.is_current and (verdict.state is not FitState.UNKNOWN or bool(verdict.blockers))


def _fit(verdict: FitVerdict) -> RenderableType:
    head = Text.assemble((f"{safe(verdict.workload)}  ", "bold"), f"{verdict.state.value} {safe(verdict.candidate)}")
    sure = ("possible blocker, confirm: ", "")
    lines = [f"{sure[blocker.certain]}{safe(blocker.sentence)}" for blocker in verdict.blockers]
    missing = [f"not known: {safe(', '.join(verdict.missing))}"] if verdict.missing else []
    return Group(head, *_indented([*lines, *missing], style="dim"))


def _unknowns(unknown: Sequence[Judgement]) -> RenderableType:
    """Grouped by reason, since one missing permission blinds many tables at once."""
    groups: dict[tuple[str, str], list[str]] = {}
    for judgement in unknown:
        assert isinstance(judgement.answer, Unknown)
        groups.setdefault((judgement.detector, judgement.answer.reason), []).append(judgement.subject.name)
    lines: list[RenderableType] = []
    for (detector, reason), names in list(groups.items())[:SHOWN_UNKNOWNS]:
        who = safe(", ".join(names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        lines.append(Text.assemble((f"{who}  ", "bold"), f"{detector}: {safe(reason)}"))
    if len(groups) > SHOWN_UNKNOWNS:
        lines.append(Text(f"and {len(groups) - SHOWN_UNKNOWNS} more reasons: --format json lists all", style="dim"))
    return Group(*lines)


def _gap(gap: Gap) -> RenderableType:
    return Text.assemble((f"{safe(gap.subject.name)}  ", "bold"), safe(f"{gap.missing}: {gap.reason}. {gap.detail}"))


def _coverage(rows: Iterable[CoverageOut]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("detector", "found", "nothing", "could not judge"):
        table.add_column(heading, justify="left" if heading == "detector" else "right")
    for row in rows:
        table.add_row(row.detector, str(row.found), str(row.nothing), str(row.unknown))
    return table


def _indented(lines: Iterable[str], style: str = "") -> list[RenderableType]:
    return [Padding(Text(line, style=style), (0, 0, 0, 9)) for line in lines if line]


def _length(seconds: int) -> str:
    """A length of time in the largest unit that divides it well: 45 min, 3 h, 14 d."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit and (seconds % unit == 0 or seconds >= 3 * unit):
            return f"{timedelta(seconds=seconds) / timedelta(seconds=unit):.0f} {name}"
    return f"{seconds} s"
