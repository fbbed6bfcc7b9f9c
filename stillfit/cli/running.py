"""Runs the daemon with its pages until it is told to stop; shared by `run` and `demo`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import structlog

from stillfit.cli.logs import set_up_logs
from stillfit.clock import Clock
from stillfit.config import Config
from stillfit.configfile import load
from stillfit.daemon import Daemon
from stillfit.errors import ConfigError
from stillfit.export.view import View
from stillfit.http import serve_pages
from stillfit.parts import assemble
from stillfit.store.store import Store

log = structlog.get_logger(__name__)


def serve(
    config: Config,
    clock: Clock,
    *,
    reload_from: Path | None = None,
    on_view: Callable[[View], None] | None = None,
    seconds: float = 0.0,
) -> None:
    """Run until SIGTERM or SIGINT, or for `seconds` of real time where that is not 0."""
    set_up_logs(config.log_format)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with closing(Store.open(config.store, clock=clock)) as store:
        daemon = Daemon(config, clock=clock, store=store, assemble=assemble, on_view=on_view)
        if reload_from is not None:
            signal.signal(signal.SIGHUP, lambda *_: reload(daemon, reload_from))
        with serve_pages(daemon, config.http):
            daemon.start()
            stopping.wait(seconds or None)
            daemon.stop()


def reload(daemon: Daemon, path: Path) -> None:
    """Read the file again; one with mistakes leaves the running configuration in place."""
    try:
        config = load(path)
    except ConfigError as error:
        daemon.reload_refused(error)
    else:
        daemon.reload(config)
