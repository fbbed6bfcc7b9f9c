"""Runs the daemon with its pages until it is told to stop; shared by `run` and `demo`."""

from __future__ import annotations

import logging
import os
import signal
import sys
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
from stillfit.parts import Notified, Parts, assemble
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
    logged: int = logging.INFO
    """The least level of log lines that are written."""
    assemble: Callable[[Config, Store, Clock, Notified], Parts] = assemble


def serve(config: Config, clock: Clock, serving: Serving) -> None:
    """Run until SIGTERM or SIGINT, or until the time is over. A second of those signals ends the process at once."""
    set_up_logs(config.log_format, serving.logged)
    orders = _orders()
    with closing(Store.open(config.store, clock=clock)) as store:
        daemon = Daemon(config, clock=clock, store=store, assemble=serving.assemble, on_view=serving.on_view)
        with serve_pages(daemon, config.http, on_reload=lambda: orders.put(signal.SIGHUP)) as pages:
            serving.on_served(pages.url)
            daemon.start()
            try:
                _obey(orders, daemon, serving)
            finally:
                left = daemon.stop()
    if left:
        _leave(0)


def _orders() -> SimpleQueue[int]:
    """Signals as they come; a handler only puts them in line, since it may interrupt anything."""
    orders: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: _take(orders, number))
    return orders


def _take(orders: SimpleQueue[int], number: int) -> None:
    """From the first order to stop on, the next one does not wait for anybody."""
    if number != signal.SIGHUP:
        for again in (signal.SIGTERM, signal.SIGINT):
            signal.signal(again, lambda number, _frame: os._exit(128 + number))
    orders.put(number)


def _leave(code: int) -> None:
    """End now: the interpreter would wait for threads that do not end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


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
