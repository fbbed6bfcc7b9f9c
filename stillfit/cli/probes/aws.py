"""One account and region: whose it is, how far the clocks are apart, and each permission by one real call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from collector.aws.money.source import home_of as money_home
from collector.aws.permissions import BY_ACTION, Permission
from collector.aws.spending.plan import Tier
from collector.aws.wire.connection import Connection, account_of
from collector.aws.wire.failures import GoneError
from collector.aws.wire.limiter import Limiter
from collector.aws.wire.regions import ALL
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.cli.probes.aws_asks import ABSENT, LISTING, Ask, Of, in_region, of_account
from stillfit.cli.probes.probe import Probe, Result, failed, ok, warning
from stillfit.cli.spending import metrics_a_look, usd_a_month
from stillfit.clock import Clock
from stillfit.config import Config
from stillfit.configaws import Aws
from stillfit.errors import SourceError
from stillfit.model import Engine, GapReason, Subject
from stillfit.sources import regions_of, target

PATIENCE = Patience(connect_s=3.0, read_s=6.0, attempts=1)
DEADLINE_S = 45.0
SKEW_NOTED_S, SKEW_REFUSED_S = 30, 300
"""AWS refuses signatures that are more than five minutes off (IAM user guide, "Signature Version 4"); half a minute
off is already worth setting right (ours)."""
_TABLE = Subject(engine=Engine.DYNAMODB, scope=("", ""), table=ABSENT)


def probes(config: Config, clock: Clock) -> tuple[Probe, ...]:
    return tuple(probe for one in config.aws for probe in _of_entry(one, clock))


def _of_entry(settings: Aws, clock: Clock) -> Iterator[Probe]:
    """One for each region, and one for what is asked of the account once.

    Where all regions are wanted the home region is tried: a role is granted the same in every one of them.
    """
    who = settings.account or settings.role_arn or settings.profile or ""
    for region in regions_of(settings)[: 1 if settings.regions == (ALL,) else None]:
        area = f"aws {who} {region}".replace("  ", " ")
        yield Probe(area=area, run=_look(settings, region, clock, _account), deadline_s=DEADLINE_S)
    if any(True for _ in of_account(settings)):
        home = money_home(regions_of(settings)[0])
        area = f"aws {who} account".replace("  ", " ")
        yield Probe(area=area, run=_look(settings, home, clock, _whole_account), deadline_s=DEADLINE_S)


_Looking = Callable[[Connection, AwsTarget, Aws, Clock], Iterator[Result]]


def _look(settings: Aws, region: str, clock: Clock, looking: _Looking) -> Callable[[], Iterator[Result]]:
    def look() -> Iterator[Result]:
        wanted = target(settings, region)
        with closing(Connection(wanted, clock, Limiter(clock), PATIENCE)) as connection:
            yield from looking(connection, wanted, settings, clock)

    return look


def _account(connection: Connection, wanted: AwsTarget, settings: Aws, clock: Clock) -> Iterator[Result]:
    try:
        account = account_of(connection, wanted)
        answer = connection.call("sts", "GetCallerIdentity", wanted.region, expect="Arn")
    except SourceError as error:
        yield failed("identity", str(error), "nothing of this region can be read until then")
        return
    yield ok("identity", f"account {account}, {answer['Arn']}")
    yield skew(answer, clock.now())
    watched: list[str] | None = []
    if "dynamodb" in settings.services:
        watched = yield from _watched(connection, wanted, settings)
    of = Of(table=(watched or [ABSENT])[0], account=account, region=wanted.region, now=clock.now())
    for permission, ask in in_region(settings):
        if watched is not None or not permission.action.startswith("dynamodb:"):
            yield _tried(connection, permission, ask, of)


def _whole_account(connection: Connection, wanted: AwsTarget, settings: Aws, clock: Clock) -> Iterator[Result]:
    """What is asked once; who cannot sign in is told so by each region."""
    of = Of(table=ABSENT, account="", region=wanted.region, now=clock.now())
    for permission, ask in of_account(settings):
        yield _tried(connection, permission, ask, of)


def _watched(connection: Connection, wanted: AwsTarget, settings: Aws) -> Generator[Result, None, list[str] | None]:
    """Returns the names of the tables that are watched, or None where they cannot be listed."""
    tokens = ("LastEvaluatedTableName", "ExclusiveStartTableName")
    try:
        pages = connection.pages("dynamodb", "ListTables", wanted.region, expect="TableNames", tokens=tokens)
        names = [name for page in pages for name in page]
    except SourceError as error:
        yield failed(LISTING, str(error), f"blind to {BY_ACTION[LISTING].blind}")
        return None
    yield ok(LISTING, "granted")
    watched = [name for name in names if wanted.watches(name)]
    yield _counted(names, watched, settings)
    return watched


def _counted(tables: list[str], watched: list[str], settings: Aws) -> Result:
    if not watched:
        why = "none of them is watched: check include and exclude" if tables else "is this the right region?"
        return warning("tables", f"{len(tables)} tables found", why)
    tick_s = int(settings.every.total_seconds())
    least, most = (
        len(watched) * usd_a_month(metrics_a_look(_TABLE, provisioned=True, tier=tier), tier, tick_s)
        for tier in (Tier.COLD, Tier.WARM)
    )
    cost = f"reading them costs {least:,.2f} (none is in use) to {most:,.2f} USD a month (all are), indexes on top"
    return ok("tables", f"{len(watched)} of {len(tables)} tables are watched; {cost}")


def _tried(connection: Connection, permission: Permission, ask: Ask, of: Of) -> Result:
    try:
        ask(connection, of)
    except GoneError:
        return ok(permission.action, "granted")
    except SourceError as error:
        fix = f"blind until then: {permission.blind}"
        if error.reason is GapReason.NO_DATA:
            return ok(permission.action, "granted, there is nothing of the kind")
        if permission.essential or error.reason is GapReason.DENIED:
            return failed(permission.action, str(error), fix, essential=permission.essential)
        return warning(permission.action, str(error), fix)
    return ok(permission.action, "granted")


def skew(answer: Mapping[str, Any], now: datetime) -> Result:
    """How far this machine is from the time that an answer was sent at."""
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        seconds = abs((parsedate_to_datetime(told) - now).total_seconds())
    except (TypeError, ValueError):
        return warning("clock", "AWS did not tell the time, so this machine's clock could not be compared")
    sentence = f"{seconds:.0f} s apart from AWS"
    if seconds < SKEW_NOTED_S:
        return ok("clock", sentence)
    fix = "set this machine's clock (chrony, systemd-timesyncd): AWS refuses what is five minutes off"
    return failed("clock", sentence, fix) if seconds >= SKEW_REFUSED_S else warning("clock", sentence, fix)
