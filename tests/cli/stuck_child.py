"""A daemon as `run` serves it, on one source that hangs in its first look; "deaf": also when it is told to stop.

python -m tests.cli.stuck_child STORE [deaf]
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

from stillfit.cli.running import Serving, serve
from stillfit.clock import Clock, SystemClock
from stillfit.config import Config, Http
from stillfit.model import Batch
from stillfit.notify import sender_of
from stillfit.parts import Notified, Parts, knowledge
from stillfit.store.store import Store
from tests.fakes import FakeSource


class Stuck(FakeSource):
    def __init__(self, *, is_deaf: bool) -> None:
        super().__init__()
        self._is_deaf = is_deaf
        self._told = threading.Event()

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        print("READING", flush=True)
        self._told.wait()
        yield from super().collect(since, until)

    def stop(self) -> None:
        print("STOPPING", flush=True)
        if not self._is_deaf:
            self._told.set()


def main(store: str, mode: str = "") -> None:
    def assemble(config: Config, store: Store, clock: Clock, notified: Notified) -> Parts:
        source = Stuck(is_deaf=mode == "deaf")
        sender = sender_of(config, store.outbox, clock, notified)
        return Parts(sources=((source, timedelta(minutes=1)),), knowledge=knowledge(), sender=sender)

    serve(Config(store=store, http=Http(port=0)), SystemClock(), Serving(assemble=assemble))


if __name__ == "__main__":
    main(*sys.argv[1:])
