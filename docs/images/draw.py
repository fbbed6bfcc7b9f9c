"""Draws docs/images/demo.svg from what `stillfit demo` really prints: `python docs/images/draw.py`.

Long sections are cut after their first entries, marked by dots; nothing else is changed.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS = 112
MOST = {"Found": 18, "Advice": 24, "Cost": 7, "Fit": 4, "Could not judge": 4, "Could not read": 3, "Looked at": 9}


def demo() -> str:
    """The first seconds of a demo, with colours."""
    command = [sys.executable, "-c", "from stillfit.cli import main; main()", "demo", "--for", "14", "--port", "0"]
    environ = {**os.environ, "COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = subprocess.run(command, env=environ, capture_output=True, check=True, text=True)  # noqa: S603  # our own command
    return done.stdout


def shortened(lines: Iterable[Text]) -> Iterator[Text]:
    """The lines of each section up to its measure."""
    left = 1_000
    for line in lines:
        if line.plain.strip() in MOST:
            left = MOST[line.plain.strip()] + 1
        left -= 1
        if left >= 0:
            yield line
        elif left == -1:
            yield Text("  ...", style="dim")


def draw(printed: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False)
    for line in shortened(Text.from_ansi(line) for line in printed.splitlines()):
        console.print(line)
    return console.export_svg(title="stillfit demo")


if __name__ == "__main__":
    (HERE / "demo.svg").write_text(draw(demo()))
