"""What people read in a terminal: findings with evidence, advice with its price, and what could not be judged.

Names come from the observed systems and may hold anything: they are shown as literal text, control characters escaped.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from shutil import get_terminal_size
from textwrap import wrap

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stillfit.advice import Advice, Option
from stillfit.cycle import Turn
from stillfit.export.findings import CoverageOut, coverage, worst_first
from stillfit.export.wording import of_it
from stillfit.model import (
    CostFigure,
    Evidence,
    EvidenceKind,
    Finding,
    FitState,
    FitVerdict,
    Gap,
    Judgement,
    Money,
    Severity,
    Unknown,
)

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
SHOWN_UNKNOWNS = 20
SHOWN_COSTS = 12
PIPE_WIDTH = 1_000
LEAST_WIDTH = 20
"""Of a terminal, in columns (ours): what is asked to be narrower is cut to pieces that nobody can read."""
LIST = "  "


def safe(text: str) -> str:
    """Any name or sentence from outside as one printable line: controls, line breaks and bidi marks are escaped."""
    return "".join(
        char if char == " " or not unicodedata.category(char).startswith(("C", "Z")) else f"\\u{ord(char):04x}"
        for char in text
    )


def safe_lines(text: str) -> str:
    """A sentence of several lines, each of them as `safe` has it."""
    return "\n".join(map(safe, text.split("\n")))


def report(turn: Turn, gaps: Sequence[Gap], *, waiting: bool = False) -> RenderableType:
    """One look as a screen: what was found, what is advised, what it costs, whether it fits, what is not known.

    `waiting` shows also the advice that nobody is told yet, because its cause has not been seen for long enough.
    """
    told = worst_first(turn.advice)
    later = worst_first(turn.advice, waiting=True) if waiting else ()
    found = [j.answer for j in turn.judgements if isinstance(j.answer, Finding)]
    unknown = [j for j in (*turn.judgements, *turn.unpriced) if isinstance(j.answer, Unknown)]
    sections = (
        ("Found", [_finding(one) for one in sorted(found, key=lambda f: (-f.severity.rank, f.subject))]),
        ("Advice", [_advice(one) for one in (*told, *later)]),
        ("Cost", [_costs(turn.costs)] if turn.costs else []),
        ("Fit", [_fit(verdict) for verdict in turn.fits if _worth_telling(verdict)]),
        ("Could not judge", [_unknowns(unknown)] if unknown else []),
        ("Could not read", [_gaps(gaps)] if gaps else []),
        ("Looked at", [_coverage(coverage((*turn.judgements, *turn.unpriced)))]),
    )
    parts: list[RenderableType] = []
    for title, lines in sections:
        if lines:
            parts += [
                Text(title, style="bold underline"),
                *(Padding(line, (0, 0, 0, 2), expand=False) for line in lines),
                Text(),
            ]
    return Group(*parts)


def console(*, stderr: bool = False) -> Console:
    """A console that keeps names literal: no markup, no emoji codes, no guessing of highlights.

    What goes to a file or a pipe is not wrapped, so that a line can be searched; COLUMNS sets another width.
    """
    stream = sys.stderr if stderr else sys.stdout
    chosen = os.environ.get("COLUMNS", "")
    wide = None if stream.isatty() else PIPE_WIDTH
    if chosen.isdecimal():  # 0 is what a terminal without a size says of itself
        wide = max(int(chosen), LEAST_WIDTH) if int(chosen) else wide or get_terminal_size().columns
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=wide)


def show(*things: RenderableType) -> None:
    """Print to standard output. Where that is no terminal, without the blanks that tables put at the end of lines."""
    out = console()
    if out.is_terminal:
        out.print(*things, sep="\n")
        return
    with out.capture() as capture:
        out.print(*things, sep="\n")
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Tell the person who waits what is being done; nothing where nobody looks on."""
    if not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(what):
        yield


def rows(pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and what there is to say of each, side by side."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in pairs:
        table.add_row(Text(name), Text(text))
    return table


def hanging(line: str) -> Text:
    """A line of a list: where a terminal is too narrow for it, what follows stands further in."""
    wide = max(console().width, len(2 * LIST) + 1)
    return Text("\n".join(wrap(line, wide, initial_indent=LIST, subsequent_indent=2 * LIST, break_on_hyphens=False)))


def length(seconds: int) -> str:
    """A length of time in the largest unit that divides it well: 45 min, 3 h, 14 d."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit and (seconds % unit == 0 or seconds >= 3 * unit):
            return f"{timedelta(seconds=seconds) / timedelta(seconds=unit):.0f} {name}"
    return f"{seconds} s"


def money(amount: Money) -> str:
    """USD a month as a person says it: 410 (380 to 450)."""
    if amount.low == amount.high:
        return f"{amount.mid:,.2f}"
    return f"{amount.mid:,.2f} ({amount.low:,.2f} to {amount.high:,.2f})"


def number(value: float) -> str:
    """As a person reads it: whole from a hundred up, else four digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def evidence_table(evidence: Iterable[Evidence]) -> Table:
    """Each signal with its number, window, coverage and kind."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for one in evidence:
        value = one.text or ("?" if one.mid is None else number(one.mid))
        table.add_row(*(Text(safe(cell), style="dim") for cell in (one.signal, value, _about(one))))
    return table


def _about(one: Evidence) -> str:
    window = f"over {length(one.window.seconds)}" if one.window else ""
    cover = f"{one.coverage:.0%} seen" if one.coverage < 1 else ""
    kind = "" if one.kind is EvidenceKind.MEASURED else one.kind.value
    return f"{one.unit} {', '.join(part for part in (window, cover, kind) if part)}".strip()


def head(severity: Severity, name: str, rest: str = "", tail: str = "") -> Text:
    """The first line of a finding or of advice: how bad, of what, and what."""
    return Text.assemble(
        (f"{severity.value.upper():9}", STYLES[severity]), (safe(name), "bold"), f"  {safe(rest)}", (f"  {tail}", "dim")
    )


def _finding(finding: Finding) -> RenderableType:
    told = f"{finding.cause} ({finding.detector}), confidence {finding.confidence}"
    return Group(
        head(finding.severity, finding.subject.name),
        *indented([safe(finding.summary)]),
        *indented([f"{told}, since {finding.since:%Y-%m-%d %H:%M} UTC"], style="dim"),
        inside(evidence_table(finding.evidence)),
    )


def _advice(record: Advice) -> RenderableType:
    return Group(
        head(record.severity, record.subject.name, tail=f"{record.id} {record.state.value}"),
        *indented([safe(record.title)], style="bold"),
        *indented([safe(record.summary)]),
        inside(option_table(record.option)),
        inside(takes(record.option)),
        *saving(record),
    )


def option_table(option: Option) -> Table:
    """Steps, commands, what does not help, and what it takes."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    lines = [(f"{place})", step) for place, step in enumerate(option.steps, 1)]
    lines += [("$", command) for command in option.commands]
    lines += [("x", text) for text in option.not_helpful]
    for mark, text in lines:
        table.add_row(Text(mark, style="dim"), Text(safe(text)))
    return table


def takes(option: Option) -> Table:
    """What it takes and what it may break."""
    lines = (("effort", option.effort.value), ("risk", option.risk), ("way back", option.rollback))
    return rows((name, safe(text)) for name, text in (*lines, ("afterwards", option.verify)))


def saving(record: Advice) -> list[RenderableType]:
    """What it saves or costs a month, with the arithmetic."""
    if record.saving is None:
        return []
    word = "saves" if record.saving.mid >= 0 else "costs"
    amount = money(record.saving) if record.saving.mid >= 0 else f"{-record.saving.mid:,.2f}"
    lines = [f"{word} {amount} USD a month at prices of {record.saving.price_date:%Y-%m-%d}"]
    return indented([*lines, safe(record.saving.arithmetic)], style="green")


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
    return Group(head, *indented([*lines, *missing], style="dim"))


def _unknowns(unknown: Sequence[Judgement]) -> RenderableType:
    """Grouped by reason, since one missing permission blinds many tables at once; a reason may name its own table."""
    groups: dict[tuple[str, str], list[str]] = {}
    for judgement in unknown:
        assert isinstance(judgement.answer, Unknown)
        name, why = judgement.subject.name, judgement.answer.reason
        groups.setdefault((judgement.detector, of_it(why, name)), []).append(name)
    lines = [
        Text.assemble((f"{_who(names)}  ", "bold"), f"{detector}: {safe(why)}")
        for (detector, why), names in groups.items()
    ]
    return _some(lines, "reasons")


def _gaps(gaps: Sequence[Gap]) -> RenderableType:
    """Grouped by what is missing and why: one node more of the same says nothing new."""
    missing: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        missing.setdefault((gap.subject.name, gap.reason.value), []).append(gap)
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[str, str]]] = {}
    for (name, reason), found in missing.items():
        key = (reason, tuple(gap.missing for gap in found))
        groups.setdefault(key, []).append((name, found[0].detail))
    lines = [
        Text.assemble(
            (f"{_who([name for name, _ in told])}  ", "bold"), safe(f"{', '.join(names)}: {reason}. {told[0][1]}")
        )
        for (reason, names), told in groups.items()
    ]
    return _some(lines, "gaps")


def _who(names: Sequence[str]) -> str:
    return safe(", ".join(names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _some(lines: Sequence[Text], what: str) -> RenderableType:
    """As many as a person reads."""
    left = len(lines) - SHOWN_UNKNOWNS
    more = [Text(f"and {left} more {what}: --format json lists all", style="dim")] if left > 0 else []
    return Group(*lines[:SHOWN_UNKNOWNS], *more)


def _coverage(rows: Iterable[CoverageOut]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("detector", "found", "nothing", "could not judge"):
        table.add_column(heading, justify="left" if heading == "detector" else "right")
    for row in rows:
        table.add_row(row.detector, str(row.found), str(row.nothing), str(row.unknown))
    return table


def indented(lines: Iterable[str], style: str = "") -> list[RenderableType]:
    """Lines under a head; the empty ones are left out."""
    return [inside(Text(line, style=style)) for line in lines if line]


def inside(thing: RenderableType) -> RenderableType:
    """Anything under a head."""
    return Padding(thing, (0, 0, 0, 9), expand=False)
