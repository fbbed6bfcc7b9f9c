"""Whose spending counts against which monthly budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from collector.aws.spending.purse import Kept, Purse
from collector.aws.wire.target import AwsTarget
from stillfit.clock import Clock
from stillfit.configaws import Aws


def purses_of(entries: Sequence[Aws], clock: Clock, kept: Kept) -> tuple[Purse, ...]:
    """One for each entry of `aws:`, over all of its regions and services.

    What a region spent that is no longer configured counts for every entry of its account: the month has it.
    """
    named = [(f"{account_prefix(one)}/", one) for one in entries]
    return tuple(Purse(clock, kept, _ours(prefix, one, named)) for prefix, one in named)


def account_prefix(settings: Aws) -> str:
    """What the ids of all sources of an entry begin with: whose credentials, as the configuration has them."""
    return f"aws/{settings.account or settings.role_arn or settings.profile or 'default'}"


def paying(where: AwsTarget, purse: Purse) -> AwsTarget:
    """The target with all that it spends out of the purse, whatever limit it is held to besides."""
    return replace(where, spending=where.spending.through(purse.till(_row(where))))


def _row(where: AwsTarget) -> str:
    who = where.account or where.role_arn or where.profile or "default"
    return f"aws/{who}/{where.region}"


def _ours(prefix: str, settings: Aws, named: Sequence[tuple[str, Aws]]) -> Callable[[str], bool]:
    """By its row, whether what was spent is of these credentials: a name may be the beginning of another one."""
    others = {region for other, one in named if other == prefix and one is not settings for region in one.regions}

    def ours(row: str) -> bool:
        region = row.removeprefix(prefix)
        is_region = row.startswith(prefix) and "/" not in region
        return is_region and (region in settings.regions or region not in others)

    return ours
