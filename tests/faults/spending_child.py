"""The process that is killed: the daemon's source of one region with its purse, which looks a few times.

    python -m tests.faults.spending_child STORE_URL REGION NOW LOOKS

NOW is when it looks first; each look is three hours after the one before. Requests are small and few are under way at
once, so that what a kill may count too much is little and can be told from what a defect would.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

from collector.aws.metrics import cloudwatch, planner
from stillfit.clock import SystemClock
from stillfit.config import Config
from stillfit.configaws import Aws
from stillfit.store.store import Store

WORKERS, QUERIES = 2, 10
"""Requests under way at once, and queries of each at most."""
BETWEEN = timedelta(hours=3)


class Stepped(SystemClock):
    """The same instant until it is told another; waiting is real."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def main() -> None:
    url, region, now, looks = sys.argv[1:]
    cloudwatch.WORKERS, planner.MAX_QUERIES = WORKERS, QUERIES
    from stillfit.sources import sources  # it takes the number of workers as it is read

    clock = Stepped(datetime.fromtimestamp(float(now), UTC))
    config = Config(aws=(Aws(regions=(region,), first_look=timedelta(hours=3), prices="packaged"),))
    with closing(Store.open(url, clock=clock, ballast_bytes=4096)) as store:
        ((source, _),) = sources(config, clock, store.reach, store.spending)
        for _ in range(int(looks)):
            for batch in source.collect(store.last_end(source.id), clock.now()):
                store.write(batch)
            clock.at += BETWEEN
        source.close()


if __name__ == "__main__":
    main()
