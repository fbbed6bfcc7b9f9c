"""Credentials that are long in coming: a call has its deadline, the next one does not begin anew, a stop ends it."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import OutOfTimeError
from collector.aws.wire.limiter import Limiter, StoppedError
from collector.aws.wire.signing import NEEDED_S, RENEWED_S, Signing
from collector.aws.wire.target import AwsTarget
from stillfit.clock import FakeClock
from stillfit.errors import SourceError
from stillfit.model import GapReason
from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests.collector.aws.kit import REGION
from tests.standins.hangup import PATIENT

LOOKUP_S = 0.4
KEYS = '{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "secret"}'


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, aws: AwsStandIn) -> Path:
    """An AWS configuration file in place of keys in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    return tmp_path / "config"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """A program that gives keys waits until this file is there."""
    path = tmp_path / "gate"
    yield path
    path.touch()


@pytest.fixture
def connection(config: Path, gate: Path, tmp_path: Path, clock: FakeClock) -> Iterator[Connection]:
    """One that has its keys from such a program."""
    program = tmp_path / "keys.py"
    program.write_text(
        f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.05)\nprint('''{KEYS}''')\n"
    )
    config.write_text(f"[default]\ncredential_process = {sys.executable} {program}\n")
    made = Connection(AwsTarget(region=REGION), clock, Limiter(clock), PATIENT)
    made._signing._whole_s = LOOKUP_S  # the lookup alone: a call that is served has its time
    yield made
    made.stop()
    made.close()
    gate.touch()
    for one in lookups():  # the next test counts its own
        one.join()


def who(connection: Connection) -> str:
    return str(connection.call("sts", "GetCallerIdentity", "here", expect="Account")["Account"])


def lookups() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "aws credentials"]


def test_a_lookup_that_does_not_end_is_a_timeout_and_is_begun_once(connection: Connection) -> None:
    for _ in range(2):
        with pytest.raises(SourceError, match=r"no credentials in 0\.4 s") as lost:
            who(connection)

    assert lost.value.reason is GapReason.TIMEOUT
    assert len(lookups()) == 1


def test_what_comes_late_is_used_by_the_next_call(connection: Connection, gate: Path) -> None:
    with pytest.raises(SourceError):
        who(connection)
    gate.touch()
    for one in lookups():
        one.join()
    connection._signing._whole_s = 60.0

    assert who(connection) == "123456789012"


def test_those_who_stand_in_line_are_told_the_same(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    came, waited, wait = list[float](), list[object](), connection._signing._wait
    pause = threading.Event()

    def monotonic() -> float:
        came.append(time.monotonic())
        return came[-1]

    def wait_when_all_are_there(lookup: Any) -> None:
        waited.append(lookup)
        assert any(len(came) >= 10 or pause.wait(0.005) for _ in range(24_000)), "not all came within two minutes"
        wait(lookup)

    monkeypatch.setattr("collector.aws.wire.connection.time", SimpleNamespace(monotonic=monotonic))
    monkeypatch.setattr(connection._signing, "_wait", wait_when_all_are_there)
    with ThreadPoolExecutor(10) as pool:
        lost = list(pool.map(lambda _: failure_of(lambda: who(connection)), range(10)))

    assert {one.reason for one in lost} == {GapReason.TIMEOUT}
    assert len(waited) == 1


def failure_of(work: Callable[[], Any]) -> SourceError:
    with pytest.raises(SourceError) as raised:
        work()
    return raised.value


def test_a_stop_ends_the_waiting(config: Path, connection: Connection) -> None:
    connection._signing._whole_s = 60.0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(who, connection)
        while connection._signing._lookup is None:
            time.sleep(0.01)
        connection.stop()

        with pytest.raises(StoppedError):
            waiting.result(timeout=60)


def test_a_program_that_is_not_there_is_named(config: Path, clock: FakeClock) -> None:
    config.write_text("[default]\ncredential_process = /no/such/program\n")
    connection = Connection(AwsTarget(region=REGION), clock, Limiter(clock), PATIENT)

    with pytest.raises(SourceError, match=r"no usable credentials .*no/such/program"):
        who(connection)
    connection.close()


def test_a_role_of_a_profile_that_sts_does_not_answer_for_is_a_timeout(
    config: Path, world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore assumes it by itself, with a client of its own."""
    keys = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret"
    config.write_text(
        f"[profile own]\n{keys}\n[profile role]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = own\n"
        f"region = {REGION}\n"
    )
    world.faults.add(Fault(kind=FaultKind.HANG, operation="AssumeRole"))
    patience = replace(PATIENT, read_s=0.3)  # of the one call that is sent, which hangs
    connection = Connection(AwsTarget(region=REGION, profile="role"), clock, Limiter(clock), patience)

    assert failure_of(lambda: who(connection)).reason is GapReason.TIMEOUT
    connection.close()


@pytest.mark.parametrize(
    ("left_s", "looked", "waited"),
    [
        (RENEWED_S, 1, False),
        (RENEWED_S - 1, 2, False),
        (NEEDED_S, 2, False),
        (NEEDED_S - 1, 2, True),
    ],
)
def test_credentials_are_renewed_beside_the_calls_while_they_are_good(left_s: int, looked: int, waited: bool) -> None:
    looks: list[int] = []
    hangs, left = threading.Event(), [3_600]
    found = SimpleNamespace(refresh_needed=lambda seconds: left[0] < seconds, get_frozen_credentials=lambda: None)

    def get_credentials() -> Any:
        looks.append(len(looks))
        if len(looks) > 1:
            hangs.wait()
        return found

    signing, session = Signing(60.0), SimpleNamespace(get_credentials=get_credentials)
    signing.ready(session)  # type: ignore[arg-type]  # what a session is asked for
    left[0] = left_s
    if waited:
        signing._whole_s = 0.2
        with pytest.raises(OutOfTimeError):
            signing.ready(session)  # type: ignore[arg-type]
    else:
        signing.ready(session)  # type: ignore[arg-type]
    hangs.set()
    for one in lookups():
        one.join()

    assert len(looks) == looked
