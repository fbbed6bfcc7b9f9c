"""The one seam through which the outside world comes in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from stillfit.model import Batch, Subject


class Source(Protocol):
    """One account-region, one cluster, one file: whatever is read, limited and fails as a whole.

    `collect` is a generator so that a large fleet is stored while it is still being read. What fails in part is a `Gap`
    in a batch; what fails whole raises `SourceError`, which the daemon turns into a Gap on the source's scope. A source
    never judges, never sleeps outside its clock, and never keeps a point that its answer does not vouch for.
    """

    @property
    def id(self) -> str:
        """Stable name: "aws/123456789012/eu-west-1", "cassandra/prod". Jobs, leases, shards and metrics carry it."""
        ...

    @property
    def scope(self) -> Subject:
        """What a failure of the whole source is said of: the account-region, or the cluster (datacenter "" is all)."""
        ...

    @property
    def settle_s(self) -> int:
        """Seconds after which a point no longer changes; windows younger than this are not judged."""
        ...

    @property
    def lag_s(self) -> int:
        """Seconds by which what is read of one subject may lag behind that of another, because it is read more rarely.

        A subject is judged on the newest stretch that is known of it, up to so much older than that of the others.
        """
        ...

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        """Read settings as they are now and points of [since, until). `since` None: a first look, as the source likes.

        Points may come again: the store upserts. Raises SourceError when nothing at all can be read.
        """
        ...

    def stop(self) -> None:
        """End a reading under way soon; called from another thread, for good. What it then says is not kept."""
        ...

    def close(self) -> None:
        """Let go of connections and threads; called once, when nobody reads any more."""
        ...
