"""The last resort: ends the servers of a test run that died without doing so itself.

One such process per test process. It reads lines `watch PID FOLDER` and `forget PID FOLDER` from its standard input,
whose other end closes when the test process is gone, however it went: finished, Ctrl-C, kill -9. What is watched then,
is killed.
"""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterable


def watched_at_the_end(lines: Iterable[str]) -> set[tuple[int, str]]:
    watched: set[tuple[int, str]] = set()
    for line in lines:
        verb, pid, folder = line.rstrip("\n").split(" ", 2)
        change = watched.add if verb == "watch" else watched.discard
        change((int(pid), folder))
    return watched


def reap(pid: int, folder: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # every server leads its own process group
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for server in watched_at_the_end(sys.stdin):
        reap(*server)
