"""Credentials: rotated in files, refused as expired, a clock that is off, a role that one account of many refuses."""

import time
from pathlib import Path

import pytest

from collector.aws.wire.connection import Connection
from collector.aws.wire.limiter import Limiter
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import World
from tests.collector.aws.kit import REGION, OpenSource, cycle

ROLES = [f"arn:aws:iam::{account}:role/reader" for account in ("111122223333", "222233334444", "333344445555")]


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A shared credentials file instead of the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    return file


def write(file: Path, key: str, secret: str) -> None:
    file.write_text(f"[default]\naws_access_key_id={key}\naws_secret_access_key={secret}\n", "utf-8")


def test_keys_that_are_rotated_in_a_file_are_picked_up_within_the_cycle(
    world: World, opened: OpenSource, clock: FakeClock, keys: Path
) -> None:
    world.identities.add_key("AKIDOLD", secret="old")
    write(keys, "AKIDOLD", "old")
    source = opened()
    cycle(source, clock)
    world.identities.remove_key("AKIDOLD")
    world.identities.add_key("AKIDNEW", secret="new")
    write(keys, "AKIDNEW", "new")
    clock.advance(300)

    reasons = {gap.reason for gap in cycle(source, clock).gaps}

    assert reasons <= {GapReason.NOT_ASKED}  # of metrics whose turn it is not
    assert world.bill.calls["dynamodb:ListTables"] == 2


def test_a_secret_that_does_not_fit_its_key_is_named(world: World, opened: OpenSource, keys: Path) -> None:
    world.identities.add_key("AKIDOLD", secret="right")
    write(keys, "AKIDOLD", "wrong")

    with pytest.raises(SourceError, match="check the secret key") as refused:
        opened()
    assert refused.value.reason is GapReason.DENIED


def test_a_clock_that_is_off_is_not_blamed_on_the_keys(world: World, opened: OpenSource) -> None:
    world.wall = lambda: time.time() + 600

    with pytest.raises(SourceError, match="the clock of this machine is more than five minutes off"):
        opened()


def test_one_account_that_refuses_its_role_leaves_the_others_alone(world: World, opened: OpenSource) -> None:
    for role in (ROLES[0], ROLES[2]):
        world.identities.add_role(role)

    opened(role_arn=ROLES[0])
    with pytest.raises(SourceError, match=f"sts:AssumeRole of {ROLES[1]} .* was refused .AccessDenied."):
        opened(role_arn=ROLES[1])
    opened(role_arn=ROLES[2])


def test_signing_in_asks_the_region_itself_and_not_the_one_that_all_depend_on(clock: FakeClock) -> None:
    """The outage of us-east-1 in October 2025 took the global endpoint of STS with it."""
    connection = Connection(AwsTarget(region="eu-west-1"), clock, Limiter(clock), Patience())
    sts = connection._current("test", "test").client("sts")

    assert (sts.meta.endpoint_url, REGION) == ("https://sts.eu-west-1.amazonaws.com", "eu-west-1")
    connection.close()
