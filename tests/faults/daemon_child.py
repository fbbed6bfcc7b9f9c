"""The process that is killed: the whole daemon with its threads, real sources, store, pages, sender and Slack sink.

    python -m tests.faults.daemon_child CONFIG_JSON START ORIGIN SCALE

It shares its compressed clock with the stand-ins of the harness (ORIGIN is time.monotonic(), which all processes of a
machine share) and runs until it is killed, or told to stop by SIGTERM. Prints a line when its jobs have begun.
"""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from stillfit.clock import Clock, ScaledClock
from stillfit.config import Config
from stillfit.daemon import Daemon
from stillfit.http import serve_pages
from stillfit.notify import Pace, Sender
from stillfit.notify.slack import SlackSink
from stillfit.notify.webclient import Api
from stillfit.parts import Notified, Parts, assemble
from stillfit.store.store import Store

PACE = Pace(between_s=0.01, grace_s=1.0, longest_s=0.5)


def impatient(config: Config, store: Store, clock: Clock, notified: Notified) -> Parts:
    """The parts as they are, with a sender that does not wait half a minute before it reads back."""
    assert config.slack is not None
    assert config.slack.token is not None
    api = Api(config.slack.token.get_secret_value(), config.slack.base_url, timeout_s=60)
    sink = SlackSink(api, config.slack.channel)
    sender = Sender(store.outbox, (sink,), clock, config.instance, pace=PACE, notified=notified)
    return replace(assemble(config, store, clock, notified), sender=sender)


def main(config_path: str, start: str, origin: str, scale: str) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # before any thread: only sigwait takes it
    config = Config.model_validate_json(Path(config_path).read_text("utf-8"))
    clock = ScaledClock(datetime.fromisoformat(start), float(scale), float(origin))
    with closing(Store.open(config.store, clock=clock, ballast_bytes=4096)) as store:
        daemon = Daemon(config, clock=clock, store=store, assemble=impatient)
        with serve_pages(daemon, config.http):
            daemon.start()
            print("READY", flush=True)
            signal.sigwait({signal.SIGTERM})
            daemon.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
