"""The sample world served by hand: python -m stillfit.standins.aws."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillfit.standins.aws.__main__ import main
from stillfit.standins.server import Response, StandInServer
from tests.standins.aws.kit import client

ROOT = Path(__file__).parents[3]


@pytest.fixture
def served() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "stillfit.standins.aws", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("ends", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]], ids=str)
def test_the_sample_is_served_until_a_signal_and_ends_clean(
    served: subprocess.Popen[str], ends: list[signal.Signals]
) -> None:
    assert served.stdout is not None
    url = re.findall(r"http://\S+:\d+", served.stdout.readline())[0]
    dynamodb = client(url, "dynamodb")
    names = dynamodb.list_tables()["TableNames"]
    for end in ends:
        served.send_signal(end)
    rest = served.stdout.read()
    dynamodb.close()

    assert names == ["audit-log", "orders", "sessions"]
    assert (served.wait(120), rest.splitlines()[-1]) == (0, "Served 1 calls, 0 billed metrics, 0.00000 USD.")


def test_a_taken_port_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with StandInServer(lambda _: Response()) as other:
        code = main(["--port", str(other.port)])

    assert code == 2
    assert f"The port {other.port} on 127.0.0.1 cannot be used" in capsys.readouterr().err
