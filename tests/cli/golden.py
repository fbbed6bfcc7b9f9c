"""What `stillfit check` prints, kept as files: `python -m tests.cli.golden` writes them, the difference is read.

The version of stillfit and temporary paths are not in them, so that only words and layout can change.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/cases/observations"
FOLDER = ROOT / "tests/golden/check"
SHOWN = ("c05_null_inserts", "d08_throttled_after_scale_in", "d13_cheaper_on_demand")


def printed(name: str) -> str:
    """The report of one case on a terminal of 100 columns."""
    command = [
        sys.executable,
        "-c",
        "from stillfit.cli import main; main()",
        "check",
        "-o",
        str(CASES / f"{name}.yaml"),
    ]
    environ = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False, text=True).stdout


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in SHOWN:
        (FOLDER / f"{one}.txt").write_text(printed(one))
