"""Forks one child after another, so that each begins at once: importing costs more than living.

Reads a line of JSON per child, [log file, *arguments of child.main], and answers with two lines: its pid, and, when it
is over, how it ended. Ends with its input.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.faults.child import main


def serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(*json.loads(line))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _live(log: str, store: str, slack: str, seed: int, *more: str) -> None:
    """Never returns: what follows in `serve` is the parent's."""
    code = 1
    try:
        with Path(log).open("a") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        main(store, slack, seed, *more)
        code = 0
    finally:
        if code:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
