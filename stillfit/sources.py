"""Sources from a configuration. Nothing here touches the network: a source signs in at its first look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from collector.aws.dax import Dax
from collector.aws.keyspaces import Keyspaces
from collector.aws.looks.restart import Name
from collector.aws.service import ServiceSource
from collector.aws.source import AwsSource
from collector.aws.spending.budget import Budget
from collector.aws.spending.plan import SETTLE_S, Rhythm
from collector.aws.spending.printed import budget_lines
from collector.aws.spending.purse import Kept, Purse
from collector.aws.wire.access import Access, Places
from collector.aws.wire.regions import ALL, NothingHereError, Regions, expanded
from collector.aws.wire.target import AwsTarget
from collector.cassandra.source import CassandraSource
from collector.promql.client import Endpoint, PromClient
from collector.promql.names import Defaults, Exporter
from collector.promql.namesfile import exporters
from collector.promql.source import PrometheusSource, PromTarget
from collector.source import Source
from stillfit.clock import Clock
from stillfit.config import Config, Prometheus
from stillfit.configaws import Aws
from stillfit.keyfile import kept_secret
from stillfit.model import Batch, Engine, Gap, GapReason, Span, Subject
from stillfit.purses import account_prefix, paying, purses_of
from stillfit.redaction import Redaction

log = structlog.get_logger()

Reaching = Callable[[str], Mapping[Name, Span]]
"""By source: which stretch of each of its series is known without a hole (`Store.reach`)."""


Opened = AwsSource | ServiceSource
_OPENERS: Mapping[str, Callable[[Access, Budget], Opened]] = {
    "dynamodb": AwsSource,
    "keyspaces": lambda access, budget: ServiceSource(access, Keyspaces(access), budget),
    "dax": lambda access, budget: ServiceSource(access, Dax(access), budget),
}

MINUTE = timedelta(minutes=1)


class SigningIn:
    """A service of an account and region that signs in when it is first read: AWS being down never keeps us down.

    Its id comes from the configuration alone and stays the same whether or not the account has answered yet.
    """

    settle_s = SETTLE_S

    def __init__(
        self,
        settings: Aws,
        region: str,
        opened: Callable[[], Opened],
        service: str = "dynamodb",
        listed: Regions | None = None,
    ) -> None:
        """`listed`: regions that are discovered, told of here. `opened` raises NothingHereError to stay silent."""
        self.id = source_id(settings, region, service)
        self.scope = Subject(engine=Engine(service), scope=(settings.account or "", region))
        self._open = opened
        self._listed = listed
        self._reach: Reaching | None = None
        self._stopping = False
        self.source: Opened | None = None
        """The real one, once it has signed in: its bill and its pace are read by the pages."""
        self.silent: NothingHereError | None = None
        """Why there is nothing to read here, and nothing wrong with that; it is looked anew each time."""
        self.settled: Callable[[], None] = lambda: None
        """Called at the end of each look, when nothing is about to be spent."""

    @property
    def lag_s(self) -> int:
        return self.source.lag_s if self.source is not None else 0

    def resume(self, reach: Reaching) -> None:
        """Go on where a store knows each series to. Before the first look."""
        self._reach = reach

    def collect(self, since: datetime | None, until: datetime) -> Iterator[Batch]:
        source = self.source or self._opened()
        if source is None or self._stopping:
            return  # told while it signed in
        try:
            for batch in source.collect(since, until):
                gaps = (*batch.gaps, *self._unpaid(source))  # with each, or what is delivered would end it
                yield replace(batch, source=self.id, gaps=tuple(replace(gap, source=self.id) for gap in gaps))
        finally:
            self.settled()
        if gaps := self._unlisted():
            yield Batch(source=self.id, at=until, gaps=gaps)

    def _opened(self) -> Opened | None:
        """Sign in; None where there is nothing to read."""
        try:
            source = self._open()
        except NothingHereError as nothing:
            if str(nothing) != str(self.silent):
                log.info("nothing to read", source=self.id, why=str(nothing))
            self.silent = nothing
            return None
        self.silent, self.source, self.scope = None, source, source.scope
        if self._reach is not None:
            source.resume(partial(self._reach, self.id))
        return source

    def _unlisted(self) -> tuple[Gap, ...]:
        """What is not known of the regions of the account."""
        told = self._listed.gaps(self.id, self.scope.engine, self.scope.scope[1]) if self._listed else ()
        return tuple(told)

    def _unpaid(self, source: Opened) -> Iterator[Gap]:
        """What is not read any more because the budget of the month is used up."""
        plan = source.budget.plan
        if plan.wires_alone and plan.month.name:
            detail = "; ".join(budget_lines(plan))
            yield Gap(subject=self.scope, missing="*", reason=GapReason.NOT_ASKED, detail=detail, source=self.id)

    def stop(self) -> None:
        self._stopping = True
        if self.source is not None:
            self.source.stop()

    def close(self) -> None:
        if self.source is not None:
            self.source.close()


JUDGED_EVERY = timedelta(minutes=1)
"""As `evaluate_every` of the configuration is by default."""


def source_id(settings: Aws, region: str, service: str = "dynamodb") -> str:
    """What stands before all that is stored of a service in a region; it follows from the configuration alone."""
    place = f"{account_prefix(settings)}/{region}"
    return place if service == "dynamodb" else f"{place}/{service}"


def sources(
    config: Config,
    clock: Clock,
    reach: Reaching | None = None,
    kept: Kept | None = None,
    places: Places | None = None,
) -> tuple[tuple[Source, timedelta], ...]:
    """Every source that the configuration names, with how often it is read.

    `reach`: what they go on from. `kept`: where it is kept what they have spent of the month. `places`: shared with all
    else that calls AWS.
    """
    secret = kept_secret(key_file(config))
    judged, claims, places = config.evaluate_every, Claims(), places or Places()
    purses = purses_of(config.aws, clock, kept) if kept is not None else (None,) * len(config.aws)
    accounts = [
        (source, one.every)
        for one, purse in zip(config.aws, purses, strict=True)
        for source in aws_sources(one, clock, secret, judged, Ties(claims, places, purse))
    ]
    if reach is not None:
        for source, _ in accounts:
            source.resume(reach)
    clusters = [(CassandraSource(one), one.every) for one in config.cassandra]
    stores = [(source, one.every) for one in config.prometheus for source in prometheus_sources(one)]
    return (*accounts, *clusters, *stores)


def aws_sources(
    settings: Aws,
    clock: Clock,
    secret: Callable[[], bytes] | None = None,
    judged_every: timedelta = JUDGED_EVERY,
    ties: Ties | None = None,
) -> tuple[SigningIn, ...]:
    """One source a region and service, read within one budget."""
    ties, rhythm = ties or Ties(), _rhythm(settings, judged_every)
    targets = [target(settings, region, secret) for region in regions_of(settings)]
    if ties.purse is None:
        budget = Budget(settings.monthly_budget, rhythm)
    else:
        targets = [paying(one, ties.purse) for one in targets]
        budget = Budget(settings.monthly_budget, rhythm, ties.purse.month)
    accesses = [Access(one, clock, places=ties.places) for one in targets]
    return sources_of(settings, accesses, budget, ties.claims)


def looking_once(settings: Aws, clock: Clock, judged_every: timedelta = JUDGED_EVERY) -> tuple[SigningIn, ...]:
    """The same for one who looks once only, and may stop after the first batch: nothing is paid before it."""
    accesses = [Access(replace(target(settings, region), once=True), clock) for region in regions_of(settings)]
    return sources_of(settings, accesses, Budget(settings.monthly_budget, _rhythm(settings, judged_every)))


def _rhythm(settings: Aws, judged_every: timedelta) -> Rhythm:
    return Rhythm(int(settings.every.total_seconds()), int(judged_every.total_seconds()))


def sources_of(
    settings: Aws, accesses: Sequence[Access], budget: Budget, claims: Claims | None = None
) -> tuple[SigningIn, ...]:
    """The services of each account and region; those of a region sign in once. The first region is the home region."""
    listed = Regions(accesses[0]) if settings.regions == (ALL,) else None
    shared = _Shared(settings, budget, claims or Claims(), listed)
    return tuple(
        _signing_in(shared, access, service, is_first=not place)
        for access in accesses
        for place, service in enumerate(dict.fromkeys(settings.services))
    )


def _signing_in(shared: _Shared, access: Access, service: str, *, is_first: bool) -> SigningIn:
    """`is_first`: of the services of a region it tells which regions are not known."""
    opened = partial(_opened, shared, access, service)
    listed = shared.regions if is_first else None
    source = SigningIn(shared.settings, access.target.region, opened, service, listed)
    source.settled = access.target.spending.settle
    return source


def regions_of(settings: Aws) -> tuple[str, ...]:
    """The regions that an entry names; all that there may be where it says so. Asks nobody."""
    return expanded(settings.regions, profile=settings.profile, role_arn=settings.role_arn)


class ReadAlreadyError(NothingHereError):
    """Two entries turned out to be the same account and region."""

    def __init__(self, account: str, region: str, who: tuple[str, str]) -> None:
        """`who` reads it, and who does not."""
        super().__init__(f"{' and '.join(who)} are both account {account}: {region} is read once")
        self.account, self.region, self.who = account, region, who


class Claims:
    """Which entry reads an account and region: whoever comes second to the same tables stays silent. Thread-safe."""

    def __init__(self) -> None:
        self._taken: dict[object, Aws] = {}
        self._lock = threading.Lock()

    def claim(self, account: str, region: str, service: str, settings: Aws) -> None:
        """Raises ReadAlreadyError where another entry reads the same already."""
        chosen = (settings.include, settings.exclude, tuple(settings.tags.items()))
        with self._lock:
            taken_by = self._taken.setdefault((account, region, service, chosen), settings)
        if taken_by is not settings and taken_by != settings:
            first, second = _who(taken_by), _who(settings)
            both = (first, second if second != first else f"another entry with {second}")
            raise ReadAlreadyError(account, region, both)


@dataclass(frozen=True, slots=True)
class Ties:
    """What the sources of an entry have to do with those of other entries, and of earlier times."""

    claims: Claims = field(default_factory=Claims)
    """Of entries that may be the same account."""
    places: Places = field(default_factory=Places)
    """Whose quotas are shared."""
    purse: Purse | None = None
    """What the entry has spent of the month; None where nobody keeps that."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the sources of one entry have in common."""

    settings: Aws
    budget: Budget
    claims: Claims
    regions: Regions | None


def _opened(shared: _Shared, access: Access, service: str) -> Opened:
    """A source that is signed in. Raises NothingHereError and SourceError."""
    if shared.regions is not None:
        shared.regions.admit(access)
    shared.claims.claim(access.account(), access.target.region, service, shared.settings)
    return _OPENERS[service](access, shared.budget)


def _who(settings: Aws) -> str:
    return settings.role_arn or settings.profile or settings.account or "default"


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
