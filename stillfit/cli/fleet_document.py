"""A look at a fleet as a part of the findings document: everything that the screen has no room for."""

from __future__ import annotations

from dataclasses import asdict

from collector.aws.spending.meter import USD_PER_METRIC
from stillfit.cli.aws_terms import refused_actions
from stillfit.cli.fleet_screen import Seen, answered
from stillfit.export.findings import AnsweredOut, DeniedOut, FleetOut, PlaceOut, SpentOut, subject_out


def fleet_out(seen: Seen) -> FleetOut:
    """All places, the coverage of each table, what was not granted, and the bill."""
    return FleetOut(
        places=tuple(PlaceOut(**asdict(place)) for place in seen.places),
        answered=tuple(
            AnsweredOut(
                subject=subject_out(one.subject),
                asked=len(one.asked),
                answered=one.answered,
                unanswered=tuple(sorted(one.open)),
            )
            for one in answered(seen.outcome)
        ),
        denied=tuple(
            DeniedOut(action=one.action, affected=count, blind=one.blind, essential=one.essential)
            for one, count in refused_actions(seen.gaps)
        ),
        spent=_spent(seen),
        usd_per_month=seen.plan.usd_a_month,
    )


def _spent(seen: Seen) -> SpentOut:
    metrics = sum(one.metrics for one in seen.bills)
    return SpentOut(
        usd=metrics * USD_PER_METRIC,
        metrics=metrics,
        calls=sum(one.calls for one in seen.bills),
        datapoints=sum(one.datapoints for one in seen.bills),
        seconds=seen.seconds,
    )
