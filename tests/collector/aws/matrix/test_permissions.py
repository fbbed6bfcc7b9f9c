"""The printed policy is enough for all that is read, and each action that it is without is named where it is missed."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from collector.aws.permissions import PERMISSIONS, Feature
from stillfit.cli.policy import policy
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import AwsStandIn
from tests.collector.aws.kit import cycle
from tests.collector.aws.matrix.fleet import DAX, DYNAMODB, KEYSPACES, fleet, put_export, reading, switch_on_insights
from tests.collector.aws.matrix.table import ROWS

SOURCES = (DYNAMODB, KEYSPACES, DAX)
NEEDED = [(row.source, row.action) for row in ROWS if row.action != "dynamodb:ListTagsOfResource"]
"""ListTagsOfResource is asked only where the search for tags is denied: then both are."""


def denials(source: str, without: Collection[str]) -> str:
    """All that a cycle was denied, under the printed policy less some actions."""
    clock = FakeClock()
    world = fleet(clock)
    put_export(world)
    switch_on_insights(world)
    document = policy(frozenset(Feature))
    for statement in document["Statement"]:
        statement["Action"] = [action for action in statement["Action"] if action not in without] or ["none:None"]
    world.identities.add_key("AKIDEXAMPLE", secret="secret", policy=document)
    with AwsStandIn(world) as aws, reading(source, aws, clock) as opened:
        try:
            gaps = cycle(opened, clock).gaps
        except SourceError as error:
            return str(error)
    return " ".join(gap.detail for gap in gaps if gap.reason is GapReason.DENIED)


@pytest.mark.parametrize("source", SOURCES)
def test_the_printed_policy_is_enough(source: str) -> None:
    assert denials(source, without=()) == ""


@pytest.mark.parametrize(("source", "action"), NEEDED)
def test_each_action_that_is_not_granted_is_named(source: str, action: str) -> None:
    granted = "cassandra:Select" if action.startswith("cassandra:") else action
    without = {granted, "dynamodb:ListTagsOfResource"} if action == "tag:GetResources" else {granted}

    assert f"grant {granted} (" in denials(source, without)


def test_every_permission_is_one_that_a_policy_can_be_without() -> None:
    assert len({one.action for one in PERMISSIONS}) == len(PERMISSIONS)
