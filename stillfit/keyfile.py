"""The secret of an installation, in a file of its own: made at first use, readable by its owner only.

Tags of keys stay the same over restarts because of it, and over replicas where they share the file. It is not in the
database, so that a copy of the database gives nobody the means to guess keys.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

BYTES = 32
"""As long as the hash of the HMAC it keys (RFC 2104, section 3)."""
SHORTEST = 16
"""Bytes; a shorter secret could be tried out (ours: 128 bits)."""


def kept_secret(path: Path | None) -> Callable[[], bytes]:
    """Reads the secret when it is first asked for, and makes the file where there is none.

    None, or a file that cannot be used: a secret for as long as the process lives, and one warning.
    """
    found: list[bytes] = []
    lock = threading.Lock()

    def secret() -> bytes:
        with lock:
            if not found:
                found.append(secrets.token_bytes(BYTES) if path is None else _usable(path))
            return found[0]

    return secret


def _usable(path: Path) -> bytes:
    try:
        return _read_or_made(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        what_now = "tags of keys change at the next restart; mend the file or set `redaction_key_file`"
        log.warning("secret of the installation not kept", file=str(path), why=reason, then=what_now)
        return secrets.token_bytes(BYTES)


def _read_or_made(path: Path) -> bytes:
    """Whoever makes the file first wins; all others read it. Raises OSError, and ValueError where it holds none."""
    if not path.exists():
        descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(BYTES).encode() + b"\n")
            with suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            Path(fresh).unlink()
    return _checked(path.read_bytes())


def _checked(content: bytes) -> bytes:
    text = content.strip()
    if len(text) < SHORTEST:
        raise ValueError(f"it holds {len(text)} bytes, {SHORTEST} are needed")
    return text
