"""`stillfit run`: the daemon on what the configuration names."""

from __future__ import annotations

from pathlib import Path

from stillfit.cli.running import Serving, serve
from stillfit.clock import SystemClock
from stillfit.configfile import load
from stillfit.garbage import look_seldom


def run_daemon(path: Path) -> None:
    """Read the configuration and serve until SIGTERM; SIGHUP reads it again."""
    look_seldom()
    serve(load(path), SystemClock(), Serving(reload_from=path))
