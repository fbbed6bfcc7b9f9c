"""One account and region, signed in once, for all the sources that read there.

CloudWatch counts its quotas per account and region, so everything that reads metrics there draws from one limiter; and
whoever has signed in for DynamoDB need not do it again for DAX. Where several sign in to one account and region with
different credentials each has a connection of its own, and they share limiters once it is known whose account it is.
"""

from __future__ import annotations

import threading

from collector.aws.wire.connection import Connection, account_of
from collector.aws.wire.limiter import Limiter
from collector.aws.wire.quotas import Quotas
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import Clock
from stillfit.errors import SourceError


class Places:
    """Every account and region that is read, by who was first to sign in there. Thread-safe."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], Access] = {}
        self._lock = threading.Lock()

    def share(self, account: str, access: Access) -> None:
        """Let an access draw from the same quotas as all others of the account and region."""
        with self._lock:
            first = self._first.setdefault((account, access.target.region), access)
        if first is not access:
            access.limiter.join(first.limiter)
            access.connection.join(first.connection)


class Access:
    """Shared by the sources of one account and region; they are stopped together, and the last to close closes it."""

    def __init__(
        self,
        target: AwsTarget,
        clock: Clock,
        *,
        patience: Patience | None = None,
        calls_per_s: float | None = None,
        places: Places | None = None,
    ) -> None:
        """`places`: what else may turn out to be the same account and region."""
        self.target = target
        self.clock = clock
        self.limiter = Limiter(clock, calls_per_s=calls_per_s) if calls_per_s else Limiter(clock)
        self.connection = Connection(target, clock, self.limiter, patience or Patience())
        self.quotas = Quotas(self.connection, self.limiter, fixed=calls_per_s is not None)
        self._places = places or Places()
        self._account = ""
        self._users = 0
        self._lock = threading.RLock()

    def account(self) -> str:
        """Whose credentials these are, asked once. Raises SourceError when that fails or it is another's."""
        with self._lock:
            if not self._account:
                try:
                    self._account = account_of(self.connection, self.target)
                except SourceError:
                    self.connection.close()  # nobody reads here yet; the next attempt begins anew
                    raise
                self._places.share(self._account, self)
            return self._account

    def open(self) -> None:
        """One more source reads here."""
        with self._lock:
            self._users += 1

    def stop(self) -> None:
        """No call waits for its turn any more, whichever source made it: all are being stopped."""
        self.limiter.stop()
        self.connection.stop()

    def close(self) -> None:
        """One source less."""
        with self._lock:
            self._users -= 1
            if self._users <= 0:
                self.connection.close()
