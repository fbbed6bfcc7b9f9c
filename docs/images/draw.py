"""Draws demo.svg from what `stillfit demo` really prints, and status.png of its page: `python docs/images/draw.py`.

Long sections are cut after their first entries, marked by dots; nothing else is changed. The page needs a chromium.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS = 112
PORT = 9877
MOST = {"Found": 18, "Advice": 24, "Cost": 7, "Fit": 4, "Could not judge": 4, "Could not read": 3, "Looked at": 9}


def demo() -> str:
    """The first half minute of a demo, with colours; its page is drawn in the end."""
    command = [
        sys.executable,
        "-c",
        "from stillfit.cli import main; main()",
        "demo",
        "--for",
        "60",
        "--port",
        str(PORT),
    ]
    environ = {**os.environ, "COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own command
        assert process.stdout is not None
        time.sleep(38)
        page(f"http://127.0.0.1:{PORT}/")
        return process.stdout.read()


def page(url: str) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,1500")
    command = [browser, *options, f"--screenshot={HERE / 'status.png'}", url]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our own command


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
