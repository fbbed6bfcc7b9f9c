"""Settings: what an operator may write in stillfit.yaml. Frozen; unknown keys are errors; secrets print as ***.

Reading a file, with line numbers and nearest keys, is stillfit/configfile.py.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from stillfit.configaws import Account, Aws, Region
from stillfit.configbase import Seconds, Section
from stillfit.model import Engine

LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


class Cassandra(Section):
    """One cluster."""

    cluster: str
    """The name it is called by in messages; need not be the cluster's own."""
    contact_points: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    """Addresses, or address:port, of nodes to start from; the others are found from them."""
    port: Annotated[int, Field(ge=1, le=65535)] = 9042
    """Native protocol port where a contact point names none."""
    username: str | None = None
    """A role with LOGIN and the grants of deploy/cassandra/grants.cql; no access to data."""
    password: SecretStr | None = None
    """Better in a file (`password_file`) or the environment: STILLFIT_CASSANDRA__0__PASSWORD for the first cluster."""
    password_file: Path | None = None
    """A file holding nothing but the password. It is read at start and at each reload."""
    tls_ca_file: Path | None = None
    """PEM file of the authority that signed the nodes' certificates; TLS is off when absent."""
    include: tuple[str, ...] = ("*",)
    """Tables to watch, as keyspace.table patterns."""
    exclude: tuple[str, ...] = ("system*.*",)
    """Tables not to watch; wins over `include`."""
    every: Seconds = timedelta(minutes=1)
    """How often it is read. Read statistics decay within five minutes, so longer than that goes blind between reads."""

    @model_validator(mode="after")
    def _signs_in(self) -> Cassandra:
        if self.password and self.password_file:
            raise ValueError("give password or password_file, not both")
        if (self.password or self.password_file) and not self.username:
            raise ValueError("a password needs a username")
        if self.username and not (self.password or self.password_file):
            raise ValueError("a username needs a password_file, or a password in the environment")
        return self


SIGN_IN = "use username with password_file, or token_file"
"""How to sign in to a store, in the words of the file; the command line has others."""


class Prometheus(Section):
    """A Prometheus-compatible store that already has what exporters read: no second CloudWatch bill."""

    url: str
    """Address below which api/v1/query answers: http://prometheus:9090, or Mimir's and Thanos' query address."""
    name: str = "main"
    """What it is called by in messages; needed where several are read."""
    reads: Annotated[tuple[Literal["dynamodb", "cassandra"], ...], Field(min_length=1)] = ("dynamodb", "cassandra")
    """Engines to look for in it. Leave out what `aws` or `cassandra` reads itself, so that nothing is told twice."""
    username: str | None = None
    """For basic authentication."""
    password: SecretStr | None = None
    """Better in a file (`password_file`) or the environment: STILLFIT_PROMETHEUS__0__PASSWORD for the first store."""
    password_file: Path | None = None
    """A file holding nothing but the password. It is read at start and at each reload."""
    token: SecretStr | None = None
    """A bearer token, instead of a username. Better in a file (`token_file`) or the environment."""
    token_file: Path | None = None
    """A file holding nothing but the token. It is read at start and at each reload."""
    tenant: str | None = None
    """Sent as X-Scope-OrgID, which a Mimir of several tenants asks for."""
    tls_ca_file: Path | None = None
    """PEM file of the authority that signed the store's certificate; the system's own when absent."""
    names_file: Path | None = None
    """Series names of your own exporters, as docs/prometheus_source.md shows; they go before the packaged ones."""
    account: Account | None = None
    """Account of DynamoDB series that have no label for it (cloudwatch_exporter)."""
    region: Region | None = None
    """Region of DynamoDB series that have no label for it (cloudwatch_exporter)."""
    cluster: str | None = None
    """Cluster of Cassandra series that have no label for it."""
    scrape_interval: Seconds = timedelta(minutes=1)
    """How often the store scrapes these exporters. A minute with no sample for one and a half of it is not known."""
    timeout: Seconds = timedelta(seconds=30)
    """How long one answer may take."""
    every: Seconds = timedelta(minutes=1)
    """How often it is read."""
    first_look: Seconds = timedelta(days=1)
    """How far back the very first read goes, by the minute. A day: a longer one takes as much of the store as a month
    of looks."""

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
            raise ValueError("lower-case letters, digits and hyphens are needed: it becomes a part of the source's id")
        return name

    @field_validator("url")
    @classmethod
    def _bare_address(cls, url: str) -> str:
        if not re.match(r"https?://[^/]", url):
            raise ValueError("must begin with http:// or https://")
        if "@" in url.split("://", 1)[1].split("/", 1)[0] or "?" in url:
            raise ValueError(f"must hold no credentials and no query: {SIGN_IN}")
        return url

    @model_validator(mode="after")
    def _one_way_in(self) -> Prometheus:
        if self.password and self.password_file:
            raise ValueError("give password or password_file, not both")
        if self.token and self.token_file:
            raise ValueError("give token or token_file, not both")
        if self.username and (self.token or self.token_file):
            raise ValueError("give a username or a token, not both")
        if bool(self.username) != bool(self.password or self.password_file):
            raise ValueError("a username and a password_file belong together")
        secret = self.username or self.token or self.token_file
        if secret and not self.url.startswith(("https://", *LOOPBACK)):
            raise ValueError("a secret needs an https:// url, or an address of this machine: it travels there")
        return self


class Slack(Section):
    """Where advice is told. A bot token gives one edited message per advice; a webhook is the degraded mode."""

    channel: str = ""
    """Channel name or id for the bot token."""
    token: SecretStr | None = None
    """Bot token with chat:write and channels:history. Better in the environment (STILLFIT_SLACK__TOKEN) or a file."""
    token_file: Path | None = None
    """A file holding nothing but the token. It is read at start and at each reload."""
    webhook_url: SecretStr | None = None
    """An incoming webhook: no edits, no threads, and after a crash a message may repeat (it then says so)."""
    base_url: str = "https://slack.com/api/"
    """Slack's Web API; another one for a stand-in on this machine."""

    @field_validator("base_url")
    @classmethod
    def _safe_address(cls, url: str) -> str:
        if not url.startswith(("https://", *LOOPBACK)):
            raise ValueError("must begin with https://, or be an address of this machine: the token travels there")
        return url if url.endswith("/") else f"{url}/"

    @model_validator(mode="after")
    def _one_way(self) -> Slack:
        if self.token and self.token_file:
            raise ValueError("give token or token_file, not both")
        ways = [way for way in (self.token or self.token_file, self.webhook_url) if way]
        if len(ways) > 1:
            raise ValueError("give a token or a webhook_url, not both: they are two modes of the same sink")
        if not ways:
            raise ValueError("a token_file or a webhook_url is needed, or a token in the environment")
        if not self.webhook_url and not self.channel:
            raise ValueError("a token needs a channel to post to")
        if self.webhook_url and not self.webhook_url.get_secret_value().startswith(("https://", *LOOPBACK)):
            raise ValueError("webhook_url must begin with https://")
        return self


class Http(Section):
    """The daemon's own pages: status, /metrics, health."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback by default: the pages have no password of their own."""
    port: Annotated[int, Field(ge=0, le=65535)] = 9877
    """Port; 0 takes a free one and prints it."""
    allow_reload: bool = False
    """Whether POST /-/reload is answered; SIGHUP always is."""


class Fact(Section):
    """Something a person knows and no metric tells."""

    value: str | float | bool | tuple[str, ...]
    """The answer; the questions and their kinds are listed by `stillfit explain declared`."""
    declared_at: date
    """When it was said; after 180 days it no longer counts."""
    owner: str
    """Who said it, and can be asked."""


class WorkloadConfig(Section):
    """The user's unit: one or more tables with what is known about them."""

    name: str
    """What people call it: "orders"."""
    tables: Annotated[tuple[str, ...], Field(min_length=1)]
    """Table names, or full subject texts where a name is not unique."""
    declared: dict[str, Fact] = {}  # noqa: RUF012  (pydantic copies it)
    """Facts by name."""


class ThresholdConfig(Section):
    """Another place for one of a detector's lines."""

    detector: str
    """Detector id, such as dynamodb/throttling."""
    name: str
    """The threshold's name as the detector's page lists it."""
    value: float
    """The new value, in the threshold's own unit."""
    tables: tuple[str, ...] = ("*",)
    """Names or patterns of the tables it holds for; the last entry that matches wins."""


class Prices(Section):
    """Unit prices beyond those in the package."""

    files: tuple[Path, ...] = ()
    """Price files of your own: negotiated rates, other regions, Cassandra nodes. They win over every list; of two files
    the later one."""
    folder: Path | None = None
    """Where prices that were read of AWS's lists are kept, one file a region. Absent: beside a SQLite store; with
    PostgreSQL in memory, and read again after a restart."""
    refresh: Seconds = timedelta(days=7)
    """How old the prices of a region may be before its list is read again. AWS changes few prices a year."""
    url: str = "https://pricing.us-east-1.amazonaws.com"
    """Where `prices: bulk` finds AWS's files; another one for a mirror or a stand-in."""

    @field_validator("url")
    @classmethod
    def _safe_address(cls, url: str) -> str:
        if not url.startswith(("https://", *LOOPBACK)):
            raise ValueError(
                "must begin with https://, or be an address of this machine: prices decide what is advised"
            )
        return url


class Retention(Section):
    """How long history is kept."""

    minutes: Seconds = timedelta(days=15)
    """One-minute points. 15 days: as long as CloudWatch has them, and as long as the capacity replays need."""
    hours: Seconds = timedelta(days=400)
    """Hourly sums: a year and a month, so that last year's season can be seen."""


class Config(Section):
    """The whole file."""

    instance: str = "stillfit"
    """Name of this installation in messages, so that two of them on one channel can be told apart."""
    store: str = "sqlite:///stillfit.db"
    """SQLAlchemy URL: sqlite:///PATH for one daemon, postgresql+psycopg://... for several replicas."""
    redaction_key_file: Path | None = None
    """A file with the secret that tags of hot keys are made with, made where there is none. Absent: beside a SQLite
    store. Replicas share one file, else the same key has another tag in each, and after each restart."""
    aws: tuple[Aws, ...] = ()
    """Accounts to watch."""
    cassandra: tuple[Cassandra, ...] = ()
    """Clusters to watch."""
    prometheus: tuple[Prometheus, ...] = ()
    """Metrics stores to read instead of, or beside, AWS and the clusters themselves."""
    workloads: tuple[WorkloadConfig, ...] = ()
    """Tables grouped and declared about; every other table is a workload of its own."""
    thresholds: tuple[ThresholdConfig, ...] = ()
    """Lines drawn elsewhere than by default."""
    prices: Prices = Prices()
    """Unit prices beyond those in the package."""
    slack: Slack | None = None
    """Absent: advice is kept, shown on the pages, and told to nobody."""
    http: Http = Http()
    """The daemon's own pages."""
    evaluate_every: Seconds = timedelta(minutes=1)
    """How often what was collected is judged."""
    lookback: Seconds = timedelta(hours=3)
    """How much one-minute history one judgement may look at; longer questions use hourly sums."""
    retention: Retention = Retention()
    """How long history is kept."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """auto: text on a terminal, JSON elsewhere."""

    @field_validator("store")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if not re.match(r"(sqlite:///.|postgresql(\+psycopg)?://.)", url):
            raise ValueError("write sqlite:////folder/stillfit.db, or postgresql+psycopg://user@host/database")
        return url

    @field_validator("cassandra")
    @classmethod
    def _unique_clusters(cls, clusters: tuple[Cassandra, ...]) -> tuple[Cassandra, ...]:
        _refuse_doubles("cluster", [one.cluster for one in clusters])
        return clusters

    @field_validator("prometheus")
    @classmethod
    def _unique_stores(cls, stores: tuple[Prometheus, ...]) -> tuple[Prometheus, ...]:
        _refuse_doubles("name", [one.name for one in stores])
        return stores

    @field_validator("aws")
    @classmethod
    def _unique_regions(cls, accounts: tuple[Aws, ...]) -> tuple[Aws, ...]:
        who = [one.account or one.role_arn or one.profile or "the default credentials" for one in accounts]
        named = [(region, name) for name, one in zip(who, accounts, strict=True) for region in one.regions]
        _refuse_doubles("region", [f"{region} of {name}" for region, name in named])
        _refuse_beside_all(named)
        return accounts

    @field_validator("workloads")
    @classmethod
    def _unique_names(cls, workloads: tuple[WorkloadConfig, ...]) -> tuple[WorkloadConfig, ...]:
        _refuse_doubles("workload", [one.name for one in workloads])
        return workloads

    @property
    def engines(self) -> frozenset[Engine]:
        pairs = ((Engine.DYNAMODB, self.aws), (Engine.CASSANDRA, self.cassandra))
        stores = (Engine(engine) for one in self.prometheus for engine in one.reads)
        return frozenset((*(engine for engine, targets in pairs if targets), *stores))


def _refuse_doubles(what: str, names: list[str]) -> None:
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise ValueError(f"each {what} may be named once, not twice: {', '.join(doubles)}")


def _refuse_beside_all(named: list[tuple[str, str]]) -> None:
    """`named`: regions, and whose they are."""
    whole = {name for region, name in named if region == "all"}
    doubles = sorted(f"{region} of {name}" for region, name in named if name in whole and region != "all")
    if doubles:
        raise ValueError(
            f"`all` means {', '.join(doubles)} too, which would be read and paid twice: "
            "leave out that entry, or name the regions of the other one"
        )
