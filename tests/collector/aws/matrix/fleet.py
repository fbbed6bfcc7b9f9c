"""The small fleet that the matrix breaks: a DynamoDB table with an index, a Keyspaces table, a DAX cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.service import ServiceSource
from collector.aws.source import AwsSource, open_source
from collector.aws.wire.access import Access
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import FakeClock
from stillfit.model import Engine, Subject
from stillfit.standins.aws import AwsStandIn, Extras, Fault, FaultKind, Faults, World
from stillfit.standins.aws.insight_rules import rule_name
from tests.collector.aws.kit import REGION, SCOPE, provisioned, put_table
from tests.collector.aws.services import PROVISIONED, put_front, put_jobs
from tests.standins.hangup import PATIENT

KEY = f"arn:aws:kms:{REGION}:{SCOPE[0]}:key/0a0b0c0d"
ENCRYPTED: dict[str, Any] = {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY}}
DYNAMODB, KEYSPACES, DAX = "dynamodb", "keyspaces", "dax"
ACCOUNT = Subject(engine=Engine.DYNAMODB, scope=SCOPE)


def fleet(clock: FakeClock, faults: Faults | int = 7) -> World:
    """`faults`, or the seed of some."""
    chosen = Faults(seed=faults, sleep=lambda _: None) if isinstance(faults, int) else faults
    world = World(now=lambda: clock.now().timestamp(), faults=chosen)
    put_table(world, provisioned(**ENCRYPTED))
    world.kms.put_key(KEY, "CUSTOMER")
    put_jobs(world, capacitySpecification=PROVISIONED, tags={"team": "shop"})
    put_front(world, tags={"team": "shop"})
    return world


@contextmanager
def reading(source: str, aws: AwsStandIn, clock: FakeClock, patience: Patience = PATIENT) -> Iterator[Any]:
    """The source of that name, closed afterwards."""
    target = AwsTarget(region=REGION, endpoint_url=aws.url)
    opened: AwsSource | ServiceSource
    if source == DYNAMODB:
        opened = open_source(target, clock, patience=patience)
    else:
        access = Access(target, clock, patience=patience)
        opened = ServiceSource(access, (Keyspaces if source == KEYSPACES else Dax)(access))
    try:
        yield opened
    finally:
        opened.close()


def put_export(world: World) -> None:
    """One more finished export: each is described once."""
    world.backups.put_export(*SCOPE, "orders", {"ExportTime": world.now() - 60})


def change_key(world: World) -> None:
    """Encrypt the table with another key: each is described once."""
    key = f"{KEY}{world.now():.0f}"
    world.kms.put_key(key, "CUSTOMER")
    put_table(world, provisioned(SSEDescription={**ENCRYPTED["SSEDescription"], "KMSMasterKeyArn": key}))


def switch_on_insights(world: World) -> None:
    """Contributor Insights of the table, with the rules that it brings."""
    names = [rule_name(kind, "orders") for kind in ("PKC", "PKT")]
    said = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsRuleList": names}
    world.dynamodb.put_table(*SCOPE, provisioned(**ENCRYPTED), Extras(contributor_insights={None: said}))
    for name in names:
        world.insights.put(*SCOPE, name, {})


def deny_tag_search(world: World) -> None:
    """Where tags cannot be searched, each table is asked for its own."""
    world.faults.add(Fault(kind=FaultKind.ACCESS_DENIED, service="tag"))
