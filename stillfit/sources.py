"""Sources from a configuration. Nothing here touches the network: a source signs in at its first look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from collector.aws.access import Access
from collector.aws.budget import Budget
from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.restart import Name
from collector.aws.service import ServiceSource
from collector.aws.source import SETTLE_S, AwsSource
from collector.aws.target import AwsTarget
from collector.cassandra.source import CassandraSource
from collector.promql.client import Endpoint, PromClient
from collector.promql.names import Defaults, Exporter
from collector.promql.namesfile import exporters
from collector.promql.source import PrometheusSource, PromTarget
from collector.source import Source
from stillfit.clock import Clock
from stillfit.config import Aws, Config, Prometheus
from stillfit.keyfile import kept_secret
from stillfit.model import Batch, Engine, Span, Subject
from stillfit.redaction import Redaction

Reaching = Callable[[str], Mapping[Name, Span]]
"""By source: which stretch of each of its series is known without a hole (`Store.reach`)."""


Opened = AwsSource | ServiceSource
_OPENERS: Mapping[str, Callable[[Access, Budget], Opened]] = {
    "dynamodb": AwsSource,
    "keyspaces": lambda access, budget: ServiceSource(access, Keyspaces(access), budget),
    "dax": lambda access, budget: ServiceSource(access, Dax(access), budget),
}


class SigningIn:
    """A service of an account and region that signs in when it is first read: AWS being down never keeps us down.

    Its id comes from the configuration alone and stays the same whether or not the account has answered yet.
    """

    settle_s = SETTLE_S

    def __init__(self, settings: Aws, region: str, opened: Callable[[], Opened], service: str = "dynamodb") -> None:
        who = settings.account or settings.role_arn or settings.profile or "default"
        self.id = f"aws/{who}/{region}" if service == "dynamodb" else f"aws/{who}/{region}/{service}"
        self.scope = Subject(engine=Engine(service), scope=(settings.account or "", region))
        self._open = opened
        self._reach: Reaching | None = None
        self._stopping = False
        self.source: Opened | None = None
        """The real one, once it has signed in: its bill and its pace are read by the pages."""

    @property
    def lag_s(self) -> int:
        return self.source.lag_s if self.source is not None else 0

    def resume(self, reach: Reaching) -> None:
        """Go on where a store knows each series to. Before the first look."""
        self._reach = reach

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        if self.source is None:
            self.source = self._open()
            self.scope = self.source.scope
            if self._reach is not None:
                self.source.resume(partial(self._reach, self.id))
        if self._stopping:
            return  # told while it signed in
        for batch in self.source.collect(since, until):
            yield replace(batch, source=self.id, gaps=tuple(replace(gap, source=self.id) for gap in batch.gaps))

    def stop(self) -> None:
        self._stopping = True
        if self.source is not None:
            self.source.stop()

    def close(self) -> None:
        if self.source is not None:
            self.source.close()


def sources(config: Config, clock: Clock, reach: Reaching | None = None) -> tuple[tuple[Source, timedelta], ...]:
    """Every source that the configuration names, with how often it is read. `reach`: what they go on from."""
    secret = kept_secret(key_file(config))
    accounts = [(source, one.every) for one in config.aws for source in aws_sources(one, clock, secret)]
    if reach is not None:
        for source, _ in accounts:
            source.resume(reach)
    clusters = [(CassandraSource(one), one.every) for one in config.cassandra]
    stores = [(source, one.every) for one in config.prometheus for source in prometheus_sources(one)]
    return (*accounts, *clusters, *stores)


def aws_sources(settings: Aws, clock: Clock, secret: Callable[[], bytes] | None = None) -> tuple[SigningIn, ...]:
    """One source a region and service, read within one budget; those of a region sign in once."""
    budget = Budget(settings.monthly_budget, int(settings.every.total_seconds()))
    accesses = ((region, Access(target(settings, region, secret), clock)) for region in settings.regions)
    return tuple(
        SigningIn(settings, region, partial(_OPENERS[service], access, budget), service)
        for region, access in accesses
        for service in dict.fromkeys(settings.services)
    )


def prometheus_sources(settings: Prometheus) -> tuple[PrometheusSource, ...]:
    """One source for each engine that is read from a store. Raises ConfigError with every mistake of a names file."""
    known = exporters(settings.names_file)
    return tuple(_prometheus(settings, Engine(engine), known) for engine in dict.fromkeys(settings.reads))


def _prometheus(settings: Prometheus, engine: Engine, known: tuple[Exporter, ...]) -> PrometheusSource:
    source_id = f"prometheus/{settings.name}/{engine}"
    told = {name: value for name in ("account", "region", "cluster") if (value := getattr(settings, name))}
    return PrometheusSource(
        PromTarget(
            id=source_id,
            engine=engine,
            exporters=known,
            defaults=Defaults(**told),
            scrape_s=int(settings.scrape_interval.total_seconds()),
            first_look=settings.first_look,
        ),
        PromClient(endpoint(settings), source_id),
    )


def endpoint(settings: Prometheus) -> Endpoint:
    """Where a store answers, with the secrets in clear."""
    return Endpoint(
        url=settings.url,
        token=settings.token.get_secret_value() if settings.token else "",
        username=settings.username or "",
        password=settings.password.get_secret_value() if settings.password else "",
        tenant=settings.tenant or "",
        tls_ca_file=settings.tls_ca_file,
        timeout_s=settings.timeout.total_seconds(),
    )


def key_file(config: Config) -> Path | None:
    """Where the secret of this installation lies; None: nowhere, so that tags of keys change at each restart."""
    if config.redaction_key_file is not None:
        return config.redaction_key_file
    path = config.store.partition("sqlite:///")[2].partition("?")[0]
    return Path(f"{path}.key") if path else None


def target(settings: Aws, region: str, secret: Callable[[], bytes] | None = None) -> AwsTarget:
    """What the AWS collector wants to know of one region. `secret`: what tags of keys are made with."""
    return AwsTarget(
        region=region,
        account=settings.account,
        profile=settings.profile,
        role_arn=settings.role_arn,
        external_id=settings.external_id.get_secret_value() if settings.external_id else None,
        include=settings.include,
        exclude=settings.exclude,
        hot=settings.hot,
        redaction=Redaction(secret or kept_secret(None), show=settings.show_keys),
        tags=tuple(settings.tags.items()),
        first_look=settings.first_look,
    )
