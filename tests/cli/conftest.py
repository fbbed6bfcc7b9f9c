"""The command line in this process: `stillfit("advice", "list")` answers with exit code and both outputs."""

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from stillfit.advice import Advice, AdviceState, Transition
from stillfit.cli import main
from stillfit.cli.check import snapshot_of
from stillfit.clock import Clock, SystemClock
from stillfit.cycle import look
from stillfit.observations import load
from stillfit.parts import knowledge
from stillfit.standins.aws import DEFAULT_ACCOUNT, AwsStandIn, World
from stillfit.store.store import Store
from tests.cli.cloud import REASON, REGION, put, put_table
from tests.standins.hangup import PATIENT

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests/cases/observations/d08_throttled_after_scale_in.yaml"


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


Stillfit = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A fixed width, no settings from outside, and logging as it was before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("STILLFIT_CONFIG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def stillfit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stillfit:
    earlier = count(0, -600)  # each probe may take ten minutes more than its deadline: the machine may be slow
    monkeypatch.setattr("stillfit.cli.probes.probe.time", SimpleNamespace(monotonic=lambda: float(next(earlier))))
    for name in ("cassandra.CONNECT_S", "cassandra.QUERY_S", "slack.ANSWER_S"):
        monkeypatch.setattr(f"stillfit.cli.probes.{name}", 60.0)
    monkeypatch.setattr("stillfit.cli.probes.aws.PATIENCE", PATIENT)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["stillfit", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose store does not exist yet."""
    path = tmp_path / "stillfit.yaml"
    path.write_text(f"store: sqlite:///{tmp_path}/stillfit.db\n")
    return path


@pytest.fixture
def standing(config: Path) -> Advice:
    """One piece of advice, open since an hour, in the store of `config`."""
    record = look(snapshot_of(load(CASE)), knowledge()).advice[0]
    clock = SystemClock()
    opened = clock.now() - timedelta(hours=1)
    step = Transition(
        advice_id=record.id,
        number=1,
        before=AdviceState.PENDING,
        after=AdviceState.OPEN,
        at=opened,
        reason="capacity was lowered",
        by="stillfit",
    )
    record = replace(record, state_since=opened, first_seen=opened, transitions=1)
    store = Store.open(f"sqlite:///{config.parent}/stillfit.db", clock=clock, ballast_bytes=0)
    store.commit([record], [step], epoch=None)
    store.close()
    return record


@pytest.fixture
def present() -> Clock:
    """What the time is in the simulated account."""
    return SystemClock()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, present: Clock) -> Iterator[World]:
    """Orders, whose writes meet on one key range, behind the address at which boto3 looks."""
    world = World(now=lambda: present.now().timestamp())
    put_table(world, "orders")
    put(world, "ConsumedWriteCapacityUnits", 60_000)
    put(world, "SuccessfulRequestLatency", 60_000, Operation="PutItem")
    put(world, "WriteThrottleEvents", 900)
    put(world, REASON, 900)
    nowhere = str(tmp_path_factory.getbasetemp() / "no-such-file")
    with AwsStandIn(world) as standin:
        for name, value in {
            "AWS_ENDPOINT_URL": standin.url,
            "AWS_ACCESS_KEY_ID": DEFAULT_ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield world
