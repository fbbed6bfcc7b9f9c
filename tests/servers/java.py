"""Which Java runs Cassandra: proven on 17; 11 is supported upstream too, later ones are not."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

SUPPORTED = (17, 11)  # Apache Cassandra 5.0 documentation, "Installing: prerequisites"; the better one first


@functools.cache
def java() -> Path | None:
    """The `java` to use, or None: JAVA_HOME and the path first, then what Debian keeps in /usr/lib/jvm."""
    found = {major: path for path in reversed([*_candidates()]) if (major := _major(path)) in SUPPORTED}
    return next((found[major] for major in SUPPORTED if major in found), None)


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin/java")
    if on_path := which("java"):
        yield Path(on_path)
    yield from sorted(Path("/usr/lib/jvm").glob("*/bin/java"))


def _major(path: Path) -> int | None:
    try:
        answer = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=180, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_major(answer.stderr)


def parse_major(version_text: str) -> int | None:
    found = re.search(r'version "(?:1\.)?(\d+)', version_text)
    return int(found[1]) if found else None
