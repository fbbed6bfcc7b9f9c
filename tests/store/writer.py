"""Run by test_faults.py to be killed: commits without end and says what is committed."""

from __future__ import annotations

import sys
from itertools import count

import structlog

from stillfit.clock import FakeClock
from stillfit.store.store import Store
from tests.store.builders import BALLAST, advice, batch, message, series, transition


def main(url: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    store = Store.open(url, clock=FakeClock(), ballast_bytes=BALLAST)
    for number in count():
        store.write(batch(series({number: float(number)}, [(number, number + 1)])))
        id_ = str(number)
        store.commit([advice(id_)], [transition(id_)], [message(id_)], epoch=None)
        print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
