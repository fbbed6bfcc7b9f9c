"""Does a workload still fit its database, and would it fit another? Pure.

Knock-outs only, so far: a certain one decides, an open one keeps the verdict open, and "fits" is said only when every
knock-out of a candidate is known not to stand. Utilities and their uncertainty will read the same evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stillfit.case import Case
from stillfit.fit.knockouts import (
    CANDIDATES,
    CASSANDRA,
    DYNAMODB_ON_DEMAND,
    DYNAMODB_PROVISIONED,
    KEYSPACES,
    Knockout,
    Known,
    Standing,
    knockouts_of,
)
from stillfit.fit.signals import known_of
from stillfit.model import Blocker, Engine, FitState, FitVerdict, Workload


def fit_of(workload: Workload, cases: Sequence[Case], at: datetime) -> tuple[FitVerdict, ...]:
    """One verdict for each candidate, the current ones first. `cases` are the workload's tables."""
    known = known_of(workload, cases, at)
    current = {candidate for case in cases for candidate in _candidates_of(case)}
    verdicts = [_judge(workload.name, one, known, is_current=one in current) for one in CANDIDATES]
    return tuple(sorted(verdicts, key=lambda verdict: not verdict.is_current))


def _candidates_of(case: Case) -> tuple[str, ...]:
    """What a table runs on; both modes of DynamoDB while the mode is not known."""
    match case.subject.engine:
        case Engine.DYNAMODB:
            modes = {"PAY_PER_REQUEST": (DYNAMODB_ON_DEMAND,), "PROVISIONED": (DYNAMODB_PROVISIONED,)}
            return modes.get(str(case.attribute("billing_mode")), (DYNAMODB_ON_DEMAND, DYNAMODB_PROVISIONED))
        case Engine.CASSANDRA:
            return (CASSANDRA,)
        case Engine.KEYSPACES:
            return (KEYSPACES,)
        case _:
            return ()


def _judge(workload: str, candidate: str, known: Known, *, is_current: bool) -> FitVerdict:
    answers = [(knockout, knockout.ask(known)) for knockout in knockouts_of(candidate)]
    stand = [knockout for knockout, answer in answers if answer is Standing.STANDS]
    open_ = [knockout for knockout, answer in answers if answer in {Standing.POSSIBLE, Standing.MISSING}]
    possible = [knockout for knockout, answer in answers if answer is Standing.POSSIBLE]
    missing = {signal for knockout in open_ for signal in knockout.missing(known)}
    return FitVerdict(
        workload=workload,
        candidate=candidate,
        is_current=is_current,
        state=FitState.DOES_NOT_FIT if stand else FitState.UNKNOWN if open_ else FitState.FITS,
        blockers=(
            *(_blocker(knockout, known, certain=True) for knockout in stand),
            *(_blocker(knockout, known, certain=False) for knockout in possible),
        ),
        missing=() if stand else tuple(sorted(missing)),
    )


def _blocker(knockout: Knockout, known: Known, *, certain: bool) -> Blocker:
    sentence = knockout.sentence if certain else f"possible blocker, confirm: {knockout.sentence}"
    return Blocker(id=knockout.id, sentence=sentence, certain=certain, evidence=knockout.evidence(known))
