"""`stillfit check`: one look at what files say, with no network, no credentials and no clock but theirs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stillfit import cycle
from stillfit.advice import LIVE_STATES
from stillfit.cli.terminal import console, report
from stillfit.export.findings import document
from stillfit.model import Finding, Severity
from stillfit.observations import Observations, load_all
from stillfit.parts import knowledge
from stillfit.snapshot import Snapshot


def run_check(paths: Sequence[Path], *, as_json: bool, fail_on: str) -> int:
    """Judge the files, each moment by itself, print the outcome, and say by the exit code what was found."""
    moments, known = load_all(paths), knowledge()
    outcome = together([cycle.look(snapshot_of(moment), known) for moment in moments])
    gaps = tuple(gap for moment in moments for gap in moment.batch.gaps)
    if as_json:
        sys.stdout.write(document(outcome, gaps).model_dump_json(indent=2) + "\n")
    else:
        console().print(report(outcome, gaps))
    return int(fail_on != "never" and _worst(outcome) >= Severity(fail_on).rank)


def snapshot_of(observations: Observations) -> Snapshot:
    """What the files say as one moment: everything in them has settled."""
    batch = observations.batch
    engines = {subject.engine for subject in batch.subjects_seen}
    return Snapshot(
        at=observations.at,
        spans=dict.fromkeys(engines, observations.span),
        subjects=batch.subjects_seen,
        series=batch.series,
        attributes=batch.attributes,
        changes=batch.changes,
        gaps=batch.gaps,
        workloads=observations.workloads,
    )


def together(turns: Sequence[cycle.Turn]) -> cycle.Turn:
    """Looks at several moments as one outcome, dated by the last."""
    parts = ("judgements", "costs", "unpriced", "fits", "undecided", "advice", "transitions")
    joined = {part: tuple(one for turn in turns for one in getattr(turn, part)) for part in parts}
    return replace(turns[-1], **joined)


def _worst(outcome: cycle.Turn) -> int:
    found = [j.answer.severity.rank for j in outcome.judgements if isinstance(j.answer, Finding)]
    advised = [record.severity.rank for record in outcome.advice if record.state in LIVE_STATES]
    return max((*found, *advised), default=-1)
