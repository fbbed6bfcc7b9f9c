"""The process as a service manager sees it: how it ends when it is told to, once and twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
SOON_S = 120.0


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A daemon on a source that hangs; it has begun to read it. Whatever happens, it is gone at the end."""
    command = [sys.executable, "-W", "default", "-m", "tests.cli.stuck_child", f"sqlite:///{folder}/s.db", *arguments]
    child = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline().strip() == "READING"
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_reading_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    with watching(tmp_path) as child:
        child.send_signal(signal.SIGTERM)

        assert child.wait(SOON_S) == 0


@pytest.mark.parametrize(("again", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_the_second_order_to_stop_ends_the_process_at_once(tmp_path: Path, again: signal.Signals, code: int) -> None:
    with watching(tmp_path, "deaf") as child:
        assert child.stdout is not None
        child.send_signal(signal.SIGTERM)
        assert child.stdout.readline().strip() == "STOPPING"
        child.send_signal(again)

        assert child.wait(SOON_S) == code  # and not 0, as after a stop that had its time


def test_a_source_that_does_not_heed_a_stop_is_left_behind(tmp_path: Path) -> None:
    with watching(tmp_path, "deaf") as child:
        child.send_signal(signal.SIGINT)

        assert child.wait(SOON_S) == 0
