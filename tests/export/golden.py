"""Compares a text with a committed file; STILLFIT_GOLDEN=write makes the file anew, to be read in review."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden"


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("STILLFIT_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8"), f"{name} changed: read the difference, then STILLFIT_GOLDEN=write"
