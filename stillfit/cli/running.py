"""Runs the daemon with its pages until it is told to stop; shared by `run` and `demo`."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How long to run, and who is told what."""

    reload_from: Path | None = None
    """The file to read again on SIGHUP."""
    on_served: Callable[[str], None] = lambda _url: None
    """Told the address of the pages."""
    on_view: Callable[[View], None] | None = None
    """Told each new picture."""
    seconds: float = 0.0
    """Real time after which to stop; 0 is never."""


def serve(config: Config, clock: Clock, serving: Serving) -> None:
    """Run until SIGTERM or SIGINT, or until the time is over."""
    set_up_logs(config.log_format)
    orders = _orders()
    with closing(Store.open(config.store, clock=clock)) as store:
        daemon = Daemon(config, clock=clock, store=store, assemble=assemble, on_view=serving.on_view)
        with serve_pages(daemon, config.http, on_reload=lambda: orders.put(signal.SIGHUP)) as pages:
            serving.on_served(pages.url)
            daemon.start()
            try:
                _obey(orders, daemon, serving)
            finally:
                daemon.stop()


def _orders() -> SimpleQueue[int]:
    """Signals as they come; a handler only puts them in line, since it may interrupt anything."""
    orders: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: orders.put(number))
    return orders


def _obey(orders: SimpleQueue[int], daemon: Daemon, serving: Serving) -> None:
    """Wait for the order to stop, or for the time to be over."""
    while True:
        try:
            order = orders.get(timeout=serving.seconds or None)
        except Empty:
            return
        if order != signal.SIGHUP:
            log.info("told to stop", signal=signal.Signals(order).name)
            return
        if serving.reload_from is not None:
            reload(daemon, serving.reload_from)


def reload(daemon: Daemon, path: Path) -> None:
    """Read the file again; one with mistakes leaves the running configuration in place."""
    try:
        config = load(path)
    except ConfigError as error:
        daemon.reload_refused(error)
    else:
        daemon.reload(config)
