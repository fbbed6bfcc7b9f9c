"""`stillfit check`: one look at what files say, with no network, no credentials and no clock but theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeVar

from stillfit import cycle
from stillfit.advice import LIVE_STATES
from stillfit.cli.logs import quieten
from stillfit.cli.terminal import report, show
from stillfit.export.findings import FleetOut, document
from stillfit.model import Finding, Gap, Severity
from stillfit.observations import Observations, load_all
from stillfit.parts import knowledge
from stillfit.snapshot import Snapshot

T = TypeVar("T")


def run_check(paths: Sequence[Path], *, as_json: bool, fail_on: str) -> int:
    """Judge the files, each moment by itself, print the outcome, and say by the exit code what was found."""
    quieten()
    moments, known = load_all(paths), knowledge()
    outcome = together([cycle.look(snapshot_of(moment), known) for moment in moments])
    gaps = tuple(gap for moment in moments for gap in moment.batch.gaps)
    tell(outcome, gaps, as_json=as_json)
    return verdict(outcome, fail_on)


def tell(outcome: cycle.Turn, gaps: Sequence[Gap], *, as_json: bool, fleet: FleetOut | None = None) -> None:
    """Write the report, or the findings document, to standard output."""
    if as_json:
        sys.stdout.write(document(outcome, gaps, fleet).model_dump_json(indent=2) + "\n")
    else:
        show(report(outcome, gaps))


def verdict(outcome: cycle.Turn, fail_on: str) -> int:
    """1 where something of this severity, or worse, was found or is advised."""
    return int(fail_on != "never" and _worst(outcome) >= Severity(fail_on).rank)


def snapshot_of(observations: Observations) -> Snapshot:
    """What the files say as one moment: everything in them has settled."""
    batch = observations.batch
    engines = {subject.engine for subject in batch.subjects_seen}
    return Snapshot(
        at=observations.at,
        spans=dict.fromkeys(engines, observations.span),
        subjects=batch.subjects_seen,
        series=tuple(batch.series),
        attributes=batch.attributes,
        changes=batch.changes,
        gaps=batch.gaps,
        workloads=observations.workloads,
    )


def together(turns: Sequence[cycle.Turn]) -> cycle.Turn:
    """Looks at several moments as one outcome, dated by the last."""
    return cycle.Turn(
        at=turns[-1].at,
        judgements=_all(turn.judgements for turn in turns),
        costs=_all(turn.costs for turn in turns),
        unpriced=_all(turn.unpriced for turn in turns),
        fits=_all(turn.fits for turn in turns),
        undecided=_all(turn.undecided for turn in turns),
        advice=_all(turn.advice for turn in turns),
        transitions=_all(turn.transitions for turn in turns),
    )


def _all(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(chain.from_iterable(parts))


def _worst(outcome: cycle.Turn) -> int:
    found = [j.answer.severity.rank for j in outcome.judgements if isinstance(j.answer, Finding)]
    advised = [record.severity.rank for record in outcome.advice if record.state in LIVE_STATES]
    return max((*found, *advised), default=-1)
