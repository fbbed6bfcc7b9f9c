"""An end for the looking up of credentials, which lies outside all calls.

It may be a metadata service, a sign-in by STS or SSO that botocore makes by itself, or a program of the operator's
(`credential_process`) that never returns. It runs in a thread of its own. Whoever needs the credentials waits for it as
long as a call may take and then goes without; the next one waits for the same lookup, so that what hangs is never begun
twice. Credentials that end soon are renewed beside the calls, as long as they are still good.
"""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.exceptions import CredentialRetrievalError

from collector.aws.wire.failures import OutOfTimeError, making
from collector.aws.wire.limiter import StoppedError

RENEWED_S, NEEDED_S = 15 * 60, 10 * 60
"""How long before their end credentials may be renewed, and must be (botocore's own advisory and mandatory refresh)."""


class Signing:
    """Of one connection. `ready` is for one thread at a time; `stop` for any."""

    def __init__(self, whole_s: float) -> None:
        self._whole_s = whole_s
        self._session: boto3.Session | None = None
        self._found: Any = None
        self._lookup: _Lookup | None = None
        self._stopped = False

    @property
    def unfinished(self) -> boto3.Session | None:
        """The session whose credentials are still being looked up; it is no use to begin with another one."""
        is_pending = self._lookup is not None and self._lookup.is_alive()
        return self._session if is_pending and self._found is None else None

    def ready(self, session: boto3.Session) -> None:
        """Have what a session signs with at hand. Raises what botocore raises, OutOfTimeError and StoppedError."""
        if session is not self._session:
            self._session, self._found, self._lookup = session, None, None
        if self._found is not None and not _ends_within(self._found, RENEWED_S):
            return
        lookup = self._lookup = self._lookup or _begun(session)
        if self._found is None or _ends_within(self._found, NEEDED_S):
            self._wait(lookup)
        if lookup.over.is_set() and not self._stopped:
            self._lookup = None
            self._found = lookup.told()

    def stop(self) -> None:
        """Nobody waits any more."""
        self._stopped = True
        lookup = self._lookup
        if lookup is not None:
            lookup.over.set()

    def _wait(self, lookup: _Lookup) -> None:
        came = self._stopped or lookup.over.wait(self._whole_s)
        if self._stopped:
            raise StoppedError
        if not came:
            raise OutOfTimeError(f"no credentials in {self._whole_s:g} s: look at where this profile has them from")


class _Lookup(threading.Thread):
    """One look for credentials."""

    def __init__(self, session: boto3.Session) -> None:
        super().__init__(name="aws credentials", daemon=True)
        self._looking_in = session
        self._came: Any = None
        self._error: Exception | None = None
        self.over = threading.Event()

    def run(self) -> None:
        try:
            with making():
                self._came = self._looking_in.get_credentials()
                if self._came is not None:
                    self._came.get_frozen_credentials()
        except (FileNotFoundError, PermissionError) as error:  # no such program
            self._error = CredentialRetrievalError(provider="credential_process", error_msg=str(error))
        except Exception as error:  # noqa: BLE001  (raised anew in whoever waits, as from a future)
            self._error = error
        self.over.set()

    def told(self) -> Any:
        """What was found; None where there is nothing. Raises what went wrong."""
        if self._error is not None:
            raise self._error
        return self._came


def _begun(session: boto3.Session) -> _Lookup:
    lookup = _Lookup(session)
    lookup.start()
    return lookup


def _ends_within(found: Any, seconds: int) -> bool:
    """Whether credentials end, or have to be fetched; those that never end cannot tell."""
    refresh_needed = getattr(found, "refresh_needed", None)
    return bool(refresh_needed is not None and refresh_needed(seconds))
