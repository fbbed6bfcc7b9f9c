"""Pictures of pages, as a person sees them, by headless Chromium."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

PAGE_SECONDS = 180.0
QUIET = (  # without these it calls home at every start
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


def screenshot(url: str, png: Path, *, width: int = 1280, height: int = 900, settle_ms: int = 1_000) -> Path:
    """Write a picture of the page to `png` once its scripts have had `settle_ms` of the browser's own time."""
    _run(url, f"--screenshot={png}", f"--window-size={width},{height}", f"--virtual-time-budget={settle_ms}")
    return png


def rendered(url: str, *, settle_ms: int = 1_000) -> str:
    """The page's HTML after its scripts have run."""
    return _run(url, "--dump-dom", f"--virtual-time-budget={settle_ms}")


def _run(url: str, *options: str) -> str:
    browser = chromium()
    assert browser is not None, "Chromium is not installed"
    with tempfile.TemporaryDirectory(prefix="stillfit-chromium-", ignore_cleanup_errors=True) as profile:
        arguments = [browser, "--headless", "--no-sandbox", "--disable-gpu", *QUIET, f"--user-data-dir={profile}"]
        answer = subprocess.run(
            [*arguments, *options, url], capture_output=True, text=True, timeout=PAGE_SECONDS, check=True
        )
    return answer.stdout
