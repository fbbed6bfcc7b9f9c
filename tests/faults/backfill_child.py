"""The process that is killed: `stillfit backfill` at a time that stands still.

    python -m tests.faults.backfill_child CONFIG DAYS NOW

Few answers are under way at once, so that a kill costs little and what it costs can be told from what a defect would;
and none waits for a quota that the stand-in does not have.
"""

from __future__ import annotations

import sys
from pathlib import Path

from collector.aws.backfill import run as backfill
from collector.aws.wire import limiter
from stillfit.cli.backfill import BackfillOptions, run_backfill
from tests.fakes import StandingClock

WORKERS = 2
ANSWERS_A_BATCH = 2


def main() -> None:
    config, days, now = sys.argv[1:]
    limiter.OLDER_DATAPOINTS_PER_S = 1.0e9
    backfill.WORKERS, backfill.ANSWERS_A_BATCH = WORKERS, ANSWERS_A_BATCH
    options = BackfillOptions(config=Path(config), days=int(days), yes=True)
    # the hour must not end while a run is killed and begun again: a later one would want an hour more
    sys.exit(run_backfill(options, StandingClock(float(now))))


if __name__ == "__main__":
    main()
