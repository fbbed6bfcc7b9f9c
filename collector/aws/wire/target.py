"""What to read: one account and region, with whose credentials, and how far back. Imports no SDK."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase

from collector.aws.spending.meter import Spending
from stillfit.keyfile import kept_secret
from stillfit.redaction import Redaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsTarget:
    """One source to be. Credentials are boto3's default chain unless `profile` or `role_arn` says otherwise."""

    region: str
    account: str | None = None
    """Twelve digits; refused when the credentials turn out to belong to another one. None: whatever they belong to."""
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    """Key and value pattern of each tag that a table must have to be read, besides being included by name."""
    first_look: timedelta = timedelta(days=14)
    """How far back the very first read goes. CloudWatch keeps 63 days of what is read then (five-minute points)."""
    first_minutes: timedelta = timedelta(hours=3)
    """The newest part of the first read that is asked by the minute; what is older comes in `first_period`."""
    first_period: timedelta = timedelta(minutes=5)
    """Length of the older points of the first read: five minutes, or an hour, which is a twelfth of the quota."""
    first_days_of: frozenset[str] | None = None
    """Canonical metrics of which the older part is read at all; None: of every one."""
    once: bool = False
    """Whether it is looked once only: the price is told before anything is paid, what each table is asked for of its
    own, ten a second, is told after the metrics, and all history comes in the one look."""
    hot: tuple[str, ...] = ()
    """Patterns of tables that are read as often as those that hurt."""
    redaction: Redaction = field(default_factory=lambda: Redaction(kept_secret(None)), repr=False)
    """How hot keys are named."""
    spending: Spending = field(default_factory=Spending, repr=False, compare=False)
    """What may be spent on metrics, shared by all that are to keep to it together."""
    endpoint_url: str | None = None
    """Another address for all services; None leaves it to boto3, which honours AWS_ENDPOINT_URL."""

    def calls_hot(self, table: str) -> bool:
        """Whether the operator wants a table watched closely, whatever it does."""
        return _matches(table, self.hot)

    def watches(self, table: str) -> bool:
        """Whether a table is to be read; `exclude` wins. Patterns know * and ?, and mind upper and lower case."""
        return _matches(table, self.include) and not _matches(table, self.exclude)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call may take, and how often botocore's standard mode tries it."""

    connect_s: float = 5.0
    read_s: float = 20.0
    attempts: int = 4
    """In all, the first included: backoff of the standard mode then stays below about 7 s (1 + 2 + 4)."""
    whole_s: float = 60.0
    """For one call with all its attempts, however steadily its answer drips: three reads that time out (ours)."""
    slow_s: float = 5.0
    """What a call for settings may take before the time is counted (ours: usual are 10 to 500 ms, with a retry 2 s)."""
    waited_s: float = 120.0
    """How much of such time a cycle waits in all before the rest of the settings is left for the next one (ours: with
    the calls under way, up to a minute each, it stays below the tick of five minutes)."""


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
