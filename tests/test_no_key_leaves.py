"""Keys are personal data: planted ones are looked for in everything that comes out of whole looks at a table.

The stand-in serves reports whose keys are an e-mail address, a card number and a token, whole and broken. Then the
store, the log at its loudest, findings, the status page, /metrics, the Slack messages and every gap are searched.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from collector.aws.source import open_source
from collector.aws.wire.target import AwsTarget
from stillfit.cli.look import MINUTES, take
from stillfit.clock import FakeClock
from stillfit.cycle import look
from stillfit.export.findings import document
from stillfit.export.health import Health
from stillfit.export.prometheus import families
from stillfit.export.status_page import status_page
from stillfit.export.view import view_of
from stillfit.intake import Intake
from stillfit.keyfile import kept_secret
from stillfit.notify.message import message
from stillfit.parts import knowledge
from stillfit.redaction import Redaction
from stillfit.snapshot import Snapshot
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, Extras, Fault, FaultKind, Faults, Metric, Points, World
from stillfit.standins.aws.insight_rules import rule_name
from stillfit.store.store import Store
from tests.export.fleet import EMPTY
from tests.notify.builders import transition
from tests.standins.hangup import PATIENT

REGION = "eu-west-1"
HERE = (DEFAULT_ACCOUNT, REGION)
KEYS = {"ann.canary@example.com": 171_000.0, "4111-canary-1111": 40_000.0, "tok_canary_8c1f": 20_000.0}
SORT = "visit-of-canary"
CANARY = "canary"
HOT_KEY = "ann.canary@example.com"
BROKEN = (FaultKind.TRUNCATED, FaultKind.GARBAGE, FaultKind.HTML, FaultKind.INTERNAL_ERROR, FaultKind.RESET_MIDWAY)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def aws(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    """A table whose writes meet on one key, with every report there is."""
    for name, value in {"AWS_ACCESS_KEY_ID": DEFAULT_ACCOUNT, "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(name, value)
    world = World(now=lambda: clock.now().timestamp(), faults=Faults(seed=7, sleep=lambda _: None))
    rules = [rule_name(kind, "orders") for kind in ("PKC", "PKT", "SKC", "SKT")]
    on = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsRuleList": rules}
    table = {"TableName": "orders", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    world.dynamodb.put_table(*HERE, table, Extras(contributor_insights={None: on}))
    minutes = [int(world.now()) - 60 * back for back in range(1, 61)]
    for rule, kind in zip(rules, ("PKC", "PKT", "SKC", "SKT"), strict=True):
        sort = (SORT,) if kind.startswith("SK") else ()
        world.insights.put(*HERE, rule, {(key, *sort): dict.fromkeys(minutes, much) for key, much in KEYS.items()})
    for metric, number in {
        "ConsumedWriteCapacityUnits": 60_000,
        "ConsumedReadCapacityUnits": 0,
        "WriteThrottleEvents": 900,
        "WriteKeyRangeThroughputThrottleEvents": 900,
    }.items():
        row = Points.regular(start=minutes[-1], sum=np.full(60, number))
        world.put(*HERE, Metric.dynamodb(metric, TableName="orders"), row)
    with AwsStandIn(world) as stand_in:
        yield stand_in


class Out:
    """All that came out, by where it came out."""

    def __init__(self, aws: AwsStandIn, clock: FakeClock, folder: Path, *, show: bool = False) -> None:
        self.texts: dict[str, str] = {}
        redaction = Redaction(kept_secret(folder / "store.db.key"), show=show)
        target = AwsTarget(region=REGION, endpoint_url=aws.url, redaction=redaction, first_look=timedelta(hours=3))
        store = Store.open(f"sqlite:///{folder / 'store.db'}", clock=clock, ballast_bytes=0)
        with capture_logs() as logs:
            source = open_source(target, clock, patience=PATIENT)
            take(source, source.collect(None, clock.now()), store, clock.now())
            self._told(Intake(store, clock, Health()).snapshot([source], (), MINUTES), clock)
            source.close()
        store.close()
        self.texts["log of ours"] = repr(logs)
        files = [file for file in folder.iterdir() if file.is_file()]
        self.texts["store"] = "".join(file.read_bytes().decode("latin-1") for file in files)

    def _told(self, snapshot: Snapshot, clock: FakeClock) -> None:
        turn = look(snapshot, knowledge())
        view = view_of(EMPTY, turn, snapshot, ())
        self.texts["findings"] = document(turn, view.gaps).model_dump_json()
        self.texts["page"] = status_page(view, clock.now(), troubles=())
        self.texts["metrics"] = repr(list(families(view, clock.now().timestamp())))
        self.texts["slack"] = "".join(message(one, transition(), instance="here").dump() for one in turn.advice)

    def with_key(self) -> set[str]:
        """Where a planted key can be read."""
        return {place for place, text in self.texts.items() if CANARY in text}


def test_no_key_leaves_the_parser(
    aws: AwsStandIn, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    out = Out(aws, clock, tmp_path)
    tag = Redaction(kept_secret(tmp_path / "store.db.key")).partition_key(HOT_KEY)

    assert out.with_key() == set()
    assert CANARY not in caplog.text
    assert {place for place, text in out.texts.items() if tag in text} >= {"findings", "page", "slack"}


@pytest.mark.parametrize("kind", BROKEN, ids=str)
def test_no_key_leaves_an_answer_that_breaks(
    aws: AwsStandIn, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    caplog.set_level(logging.DEBUG)
    aws.world.faults.add(Fault(kind=kind, operation="GetInsightRuleReport"))
    out = Out(aws, clock, tmp_path)

    assert (out.with_key(), CANARY in caplog.text) == (set(), False)
    assert "which key is not known" in out.texts["findings"]


def test_an_operator_who_asks_for_keys_sees_them_and_slack_does_not(
    aws: AwsStandIn, clock: FakeClock, tmp_path: Path
) -> None:
    out = Out(aws, clock, tmp_path, show=True)

    assert out.with_key() == {"store", "findings", "page"}
    assert "key#" in out.texts["slack"]
