"""A server's end always comes, and a start that fails tells why."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.servers.process import Command, ServerError, ServerProcess, free_ports, new_folder
from tests.servers.reaper import watched_at_the_end

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


def process(script: str) -> ServerProcess:
    command = Command(name="Sleeper", arguments=(sys.executable, "-c", script), folder=new_folder("sleeper"))
    return ServerProcess(command)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_a_closed_server_leaves_no_process_and_no_folder() -> None:
    server = process(SLEEPER)
    server.start(lambda: "up" in server.tail(), timeout=30)
    server.pause()

    server.close()

    assert not server.is_alive()
    assert not server.command.folder.exists()


def test_a_server_that_dies_at_its_start_says_its_last_words() -> None:
    server = process("raise SystemExit('port 9042 is taken')")

    with pytest.raises(ServerError, match=r"(?s)Sleeper died .*port 9042 is taken"):
        server.start(lambda: False, timeout=30)
    server.close()


def test_a_server_that_never_gets_ready_is_killed() -> None:
    server = process(SLEEPER)

    with pytest.raises(ServerError, match="Sleeper was not ready within 0 s"):
        server.start(lambda: False, timeout=0.0)
    assert not server.is_alive()
    server.close()


def test_ports_in_use_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr("tests.servers.process.PORTS", (port, port + 50))

        assert port not in free_ports(10, ["127.0.0.1", "127.0.0.2"])


def test_what_was_forgotten_is_not_reaped() -> None:
    lines = ["watch 11 /tmp/a b\n", "watch 12 /tmp/c\n", "forget 11 /tmp/a b\n"]

    assert watched_at_the_end(lines) == {(12, "/tmp/c")}


def test_servers_end_with_a_test_run_that_was_killed() -> None:
    script = """
        import os, signal
        from tests.servers.test_process import SLEEPER, process
        server = process(SLEEPER)
        server.start(lambda: "up" in server.tail(), timeout=30)
        print(server.pid, server.command.folder, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    pid, folder = run.stdout.split()

    assert run.returncode == -signal.SIGKILL
    _await_end(int(pid), Path(folder))


def _await_end(pid: int, folder: Path) -> None:
    reaped = process(SLEEPER)
    try:
        reaped.start(lambda: has_ended(pid) and not folder.exists(), timeout=30)
    finally:
        reaped.close()
