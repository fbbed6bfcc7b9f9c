"""Sources from a configuration. Nothing here touches the network: a source signs in at its first look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from collector.aws.source import SETTLE_S, AwsSource, open_source
from collector.aws.target import AwsTarget
from collector.cassandra.source import CassandraSource
from collector.source import Source
from stillfit.clock import Clock
from stillfit.config import Aws, Config
from stillfit.model import Batch, Engine, Subject


class SigningIn:
    """An account-region that signs in when it is first read, so that AWS being down never keeps the daemon down.

    Its id comes from the configuration alone and stays the same whether or not the account has answered yet.
    """

    settle_s = SETTLE_S

    def __init__(self, settings: Aws, region: str, opened: Callable[[], AwsSource]) -> None:
        who = settings.account or settings.role_arn or settings.profile or "default"
        self.id = f"aws/{who}/{region}"
        self.scope = Subject(engine=Engine.DYNAMODB, scope=(settings.account or "", region))
        self._open = opened
        self.source: AwsSource | None = None
        """The real one, once it has signed in: its bill and its pace are read by the pages."""

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        if self.source is None:
            self.source = self._open()
            self.scope = self.source.scope
        for batch in self.source.collect(since, until):
            yield replace(batch, source=self.id, gaps=tuple(replace(gap, source=self.id) for gap in batch.gaps))

    def close(self) -> None:
        if self.source is not None:
            self.source.close()


def sources(config: Config, clock: Clock) -> tuple[tuple[Source, timedelta], ...]:
    """Every source that the configuration names, with how often it is read."""
    accounts = [
        (SigningIn(one, region, _opener(one, region, clock)), one.every) for one in config.aws for region in one.regions
    ]
    clusters = [(CassandraSource(one), one.every) for one in config.cassandra]
    return (*accounts, *clusters)


def target(settings: Aws, region: str) -> AwsTarget:
    """What the AWS collector wants to know of one region."""
    return AwsTarget(
        region=region,
        account=settings.account,
        profile=settings.profile,
        role_arn=settings.role_arn,
        external_id=settings.external_id.get_secret_value() if settings.external_id else None,
        include=settings.include,
        exclude=settings.exclude,
        first_look=settings.first_look,
    )


def _opener(settings: Aws, region: str, clock: Clock) -> Callable[[], AwsSource]:
    return lambda: open_source(target(settings, region), clock)
