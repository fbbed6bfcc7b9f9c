"""Run every benchmark and print them side by side, each under the command that repeats it.

python -m bench            # some minutes
python -m bench --quick    # tiny sizes: proves that they run, measures nothing
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A module of this folder that prints its own figures."""

    module: str
    asks: str
    runs: tuple[tuple[str, ...], ...] = ((),)
    quick: tuple[str, ...]


BENCHMARKS = (
    Benchmark(
        module="bench.collect_cpu",
        asks="What does a collected point cost, through our collector and through plain boto3?",
        quick=("--tables", "2"),
    ),
    Benchmark(
        module="bench.sweep",
        asks="What does it take to read and store a whole fleet once around, at the quota and within memory?",
        quick=("--tables", "20"),
    ),
    Benchmark(
        module="bench.looks",
        asks="How long after a look began is the last tripwire of a large fleet in the store?",
        quick=("--tables", "20", "--looks", "2"),
    ),
    Benchmark(
        module="bench.store_bytes",
        asks="How large is a stored sample, in chunks and in rows?",
        quick=("--series", "8", "--days", "1"),
    ),
    Benchmark(
        module="bench.cycle_1000",
        asks="What does a cycle cost for 1,000 tables: collect, store, judge?",
        quick=("--tables", "3", "--days", "2"),
    ),
    Benchmark(
        module="bench.day_bill",
        asks="What does a simulated day cost beside a five-minute poller, how late is its advice, and is it complete?",
        runs=(("--tables", "40"), ("--tables", "40", "--budget", "4")),
        quick=("--tables", "10", "--hours", "2", "--budget", "4"),
    ),
    Benchmark(
        module="bench.rivals",
        asks="What does collecting cost beside YACE and cloudwatch_exporter?",
        quick=("--tables", "2", "--sweeps", "1"),
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that each runs")
    quick = parser.parse_args().quick
    print(machine())
    return max(_run(one, quick=quick) for one in BENCHMARKS)


def machine() -> str:
    """What the figures were measured on."""
    versions = f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    return f"{datetime.now(UTC):%Y-%m-%d}: {_processor()}, {os.cpu_count()} cores, {versions}"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _run(one: Benchmark, *, quick: bool) -> int:
    """The worst exit code of its runs."""
    worst = 0
    for arguments in (one.quick,) if quick else one.runs:
        command = ["-m", one.module, *arguments]
        print(f"\n{one.asks}\n$ python {' '.join(command)}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, *command], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
