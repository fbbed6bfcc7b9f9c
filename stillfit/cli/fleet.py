"""The accounts and regions of one look: what is read there, in which order of trust, and what was found where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from collector.aws.spending.budget import Budget
from collector.aws.spending.plan import Load, Plan, plan
from collector.aws.spending.purse import Purse
from collector.aws.wire.access import Access, Places
from collector.aws.wire.connection import region_of
from collector.aws.wire.failures import NoCredentialsFoundError
from collector.aws.wire.regions import ALL, NotEnabledError
from collector.aws.wire.target import AwsTarget
from stillfit.cli.aws_terms import found_line
from stillfit.cli.terminal import safe
from stillfit.clock import Clock
from stillfit.configaws import Aws
from stillfit.configfile import load
from stillfit.errors import UsageError
from stillfit.export.wording import plural
from stillfit.model import Engine, Level, Subject
from stillfit.purses import paying
from stillfit.sources import Claims, Opened, ReadAlreadyError, SigningIn, regions_of, sources_of, target

SERVICES: tuple[Literal["dynamodb", "keyspaces", "dax"], ...] = ("dynamodb", "keyspaces", "dax")
"""What a look without a configuration looks for: what a region does not use costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose tables to look at. A configuration names accounts with their roles; else each profile is one."""

    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    config: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What one region of one account has."""

    account: str
    region: str
    tables: int = 0
    indexes: int = 0
    keyspaces_tables: int = 0
    dax_clusters: int = 0

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return self.tables, self.indexes, self.keyspaces_tables, self.dax_clusters


class Fleet:
    """The sources of one look. Close it afterwards."""

    def __init__(
        self,
        entries: Sequence[Aws],
        clock: Clock,
        tuned: Callable[[AwsTarget], AwsTarget],
        *,
        named: bool,
        purses: Sequence[Purse] = (),
    ) -> None:
        """`named`: the services are an operator's choice, so that one that cannot be read is a failure.

        `purses`: what the entries are paid from, one each, or none.
        """
        claims, places = Claims(), Places()
        self._named = named
        self._accesses: list[Access] = []
        self.sources: list[SigningIn] = []
        self._entries = tuple(entries)
        for entry, purse in zip(entries, purses or (None,) * len(entries), strict=True):
            targets = [tuned(target(entry, region)) for region in regions_of(entry)]
            paid = targets if purse is None else [paying(one, purse) for one in targets]
            accesses = [Access(one, clock, places=places) for one in paid]
            self._accesses += accesses
            self.sources += sources_of(entry, accesses, Budget(entry.monthly_budget), claims)

    def is_needed(self, source: SigningIn) -> bool:
        """Whether nothing can be said of a region where this source fails."""
        return self._named or source.scope.engine is Engine.DYNAMODB

    def priced(self, used: Collection[str]) -> Iterator[Aws]:
        """Who asks for the prices of which of the `used` regions: each that answered once, whoever sees it first."""
        answered = {one.scope.scope[1] for one in self.sources if one.source is not None}.intersection(used)
        for entry in self._entries:
            regions = tuple(region for region in regions_of(entry) if region in answered)
            answered -= set(regions)
            if regions:
                yield entry.model_copy(update={"regions": regions})

    @property
    def opened(self) -> tuple[Opened, ...]:
        return tuple(one.source for one in self.sources if one.source is not None)

    @property
    def calls(self) -> Counter[str]:
        """Free calls by action; the services of a region share theirs."""
        return sum((Counter(one.connection.calls) for one in self._accesses), Counter())

    @property
    def doubles(self) -> Iterator[str]:
        """Who turned out to be the same account, and is read once."""
        found: defaultdict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
        for one in self.sources:
            if isinstance(one.silent, ReadAlreadyError):
                found[one.silent.account, tuple(sorted(one.silent.who))].add(one.silent.region)
        for (account, who), regions in found.items():
            yield f"{' and '.join(who)} are both account {account}: {' and '.join(sorted(regions))}: read once"

    @property
    def disabled(self) -> int:
        """Regions that no account has enabled."""
        off = {one.scope.scope[1] for one in self.sources if isinstance(one.silent, NotEnabledError)}
        return len(off - {one.scope.scope[1] for one in self.sources if one.source is not None})

    def plan(self) -> Plan:
        """What reading all this all month takes, each account within its budget."""
        budgets = {id(one.budget): one.budget for one in self.opened}
        loads = [one.plan.load for one in budgets.values()]
        return plan(sum(loads, Load())) if len(loads) != 1 else next(iter(budgets.values())).plan

    def close(self) -> None:
        for source in self.sources:
            source.close()


def entries_of(wanted: Wanted) -> tuple[tuple[Aws, ...], str]:
    """The accounts to look at, and how that was decided. Raises UsageError and ConfigError."""
    if wanted.config is not None:
        return _configured(wanted, wanted.config)
    profiles = wanted.profiles or (None,)
    entries = tuple(_entry(profile, wanted.regions) for profile in dict.fromkeys(profiles))
    whose = ", ".join(f"profile {safe(one)}" if one else "the credentials found" for one in profiles)
    if wanted.regions == (ALL,):
        return entries, f"all enabled regions with {whose}"
    if wanted.regions:
        return entries, f"{', '.join(map(safe, wanted.regions))} with {whose}"
    where = ", ".join(dict.fromkeys(safe(one.regions[0]) for one in entries))
    return entries, f"{where} (the region of {whose}; --region names others, --region all finds them)"


def _configured(wanted: Wanted, path: Path) -> tuple[tuple[Aws, ...], str]:
    if wanted.profiles:
        raise UsageError("check --aws: give --profile or --config, not both: a configuration names its own")
    accounts = load(path).aws
    if not accounts:
        raise UsageError(f"check --aws: {path} names no account: add aws:, or leave --config out")
    if wanted.regions:
        accounts = tuple(_in_regions(one, wanted.regions) for one in accounts)
    return accounts, f"the {len(accounts)} accounts of {path}" if len(accounts) > 1 else f"the account of {path}"


def _entry(profile: str | None, regions: tuple[str, ...]) -> Aws:
    whole = Aws(regions=(ALL,), profile=profile, services=SERVICES)
    return _in_regions(whole, regions or (_own_region(profile),))


def _in_regions(entry: Aws, regions: tuple[str, ...]) -> Aws:
    try:
        return Aws.model_validate({**dict(entry), "regions": regions})
    except ValidationError as error:
        names = ", ".join(map(safe, regions))
        raise UsageError(f"check --aws: --region {names}: write names such as eu-west-1, or `all` alone") from error


def _own_region(profile: str | None) -> str:
    try:
        region = region_of(profile)
    except NoCredentialsFoundError:
        return "us-east-1"  # the profile is not there: signing in says so, with what to do
    if region is None:
        raise UsageError(
            "check --aws: no region is set: give --region (again for more, or `all`), set AWS_REGION, or a region in "
            "the profile"
        )
    return region


def places(subjects: Iterable[Subject]) -> tuple[Place, ...]:
    """What there is by account and region."""
    found: dict[tuple[str, str], Place] = {}
    for subject in subjects:
        account, region = subject.scope
        before = found.setdefault(subject.scope, Place(account=account, region=region))
        counted = _COUNTED.get((subject.engine, subject.level))
        if counted:
            found[subject.scope] = replace(before, **{counted: getattr(before, counted) + 1})
    return tuple(found[scope] for scope in sorted(found))


_COUNTED = {
    (Engine.DYNAMODB, Level.TABLE): "tables",
    (Engine.DYNAMODB, Level.INDEX): "indexes",
    (Engine.KEYSPACES, Level.TABLE): "keyspaces_tables",
    (Engine.DAX, Level.CLUSTER): "dax_clusters",
}


def there_line(there: Sequence[Place]) -> str:
    """How much there is, by region where there are several."""
    tables, indexes, keyspaces, clusters = (sum(place.counts[column] for place in there) for column in range(4))
    regions = [place.region for place in there for _ in range(place.tables)]
    if not keyspaces and not clusters:
        return found_line(tables, indexes, regions)
    told = found_line(tables, indexes, regions) if tables else "0 tables"
    return f"{told}, {plural(keyspaces, 'Keyspaces table')}, {plural(clusters, 'DAX cluster')}"
