"""Each benchmark runs, at sizes that measure nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS, Benchmark

HOUSE = Path(__file__).parents[2]


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda one: str(one.module))
def test_each_benchmark_runs_and_prints_its_figures(benchmark: Benchmark) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", benchmark.module, *benchmark.quick],
        cwd=HOUSE,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert any(character.isdigit() for character in ended.stdout)


def test_every_module_of_the_folder_is_run() -> None:
    there = {f"bench.{path.stem}" for path in (HOUSE / "bench").glob("*.py") if not path.stem.startswith("_")}

    assert {one.module for one in BENCHMARKS} == there
