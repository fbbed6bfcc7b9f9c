"""Which regions an account has enabled: asked once an hour, for all the sources of one account.

account:ListRegions tells it. ec2:DescribeRegions tells the same and was not chosen: its permission cannot be limited to
the account (Service Authorization Reference), and reading EC2's service model takes 23 MB and a fourth of a second.
Where it cannot be asked, each region that botocore knows is tried, and one that does not take the credentials of an
account that is otherwise signed in to is taken for one that is not enabled.

Nothing here asks before the first look. A region that is not enabled has its source, which finds that out, stays silent
and costs nothing, and begins within the hour once the region is enabled.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache

import botocore.session

from collector.aws.wire.access import Access
from collector.aws.wire.connection import region_of
from collector.aws.wire.failures import ExpiredError, amiss
from collector.aws.wire.listing import Listing, Question
from stillfit.errors import SourceError
from stillfit.model import Engine, Gap, GapReason, Subject

ALL = "all"
"""What stands for every enabled region."""
LISTING = "region_listing"
"""What a Gap calls the list of regions: without it each one is tried."""
HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""A region of each partition that cannot be disabled (AWS Account Management reference guide, "Enable or disable AWS
Regions")."""
_ENABLED = ("ENABLED", "ENABLED_BY_DEFAULT", "DISABLING")
"""States in which a region can still be read (AWS Account Management API reference, Region, RegionOptStatus)."""
_QUESTION = Question(
    service="account",
    operation="ListRegions",
    expect="Regions",
    parameters={"RegionOptStatusContains": list(_ENABLED), "MaxResults": 50},
)


class NothingHereError(Exception):
    """There is nothing to read for a source, and nothing wrong with that; the text says why."""


class NotEnabledError(NothingHereError):
    """The account has not enabled the region."""


class Regions:
    """Of one account, seen through one set of credentials. Shared by its sources; thread-safe."""

    def __init__(self, home: Access) -> None:
        """`home` signs in to a region that cannot be disabled."""
        self._home = home
        self._listing = Listing(home.connection, _QUESTION, "the account")
        self._lock = threading.Lock()
        self._names: frozenset[str] | None = None

    def admit(self, access: Access) -> None:
        """Raises NotEnabledError where the region of `access` is not enabled, SourceError where nobody can sign in."""
        region = access.target.region
        enabled = self._enabled()
        if enabled is not None and region not in enabled:
            raise NotEnabledError(f"{region} is not enabled in account {self._home.account()}")
        if enabled is None and region != self._home.target.region:
            self._try(access)

    def gaps(self, source: str, engine: Engine, region: str) -> Iterator[Gap]:
        """What is not known of the account's regions: told once, by the source of the home region."""
        if region != self._home.target.region:
            return
        account, error = self._home.account(), self._listing.error
        if error is not None:
            subject = Subject(engine=engine, scope=(account, region))
            yield Gap(subject=subject, missing=LISTING, reason=error.reason, detail=str(error), source=source)
        for name in sorted((self._names or frozenset()) - frozenset(known(region))):
            detail = f"{name} is enabled, and this version of botocore does not know it: name it in `regions`"
            subject = Subject(engine=engine, scope=(account, name))
            yield Gap(subject=subject, missing="*", reason=GapReason.UNSUPPORTED, detail=detail, source=source)

    def _enabled(self) -> frozenset[str] | None:
        """The names; None where they cannot be listed. Raises SourceError where nobody can sign in at home."""
        with self._lock:
            self._home.account()
            if self._listing.look(self._home.clock.monotonic()):
                self._read()
            return self._names

    def _read(self) -> None:
        try:
            self._names = frozenset(str(row["RegionName"]) for row in self._listing.rows or ())
        except (KeyError, TypeError) as error:
            self._listing.error = self._listing.unreadable(f"a region without RegionName: {amiss(error)}")

    def _try(self, access: Access) -> None:
        """Credentials that are good at home and not known here: the region is not enabled.

        IAM User Guide, "Managing AWS STS in an AWS Region".
        """
        try:
            access.account()
        except ExpiredError as error:
            raise NotEnabledError(f"{access.target.region} does not take the credentials: not enabled") from error


@cache
def known(region: str) -> tuple[str, ...]:
    """The regions of the same partition that botocore knows to have DynamoDB."""
    session = botocore.session.Session()
    partition = session.get_partition_for_region(region)
    return tuple(session.get_available_regions("dynamodb", partition))


def expanded(regions: tuple[str, ...], *, profile: str | None, role_arn: str | None) -> tuple[str, ...]:
    """The regions that are meant, the home region first where all are."""
    if regions != (ALL,):
        return tuple(dict.fromkeys(regions))
    home = home_of(None if role_arn else _region_of(profile), role_arn)
    return tuple(dict.fromkeys((home, *known(home))))


def _region_of(profile: str | None) -> str | None:
    """What tells the partition. A profile that is not there is refused when somebody signs in with it."""
    try:
        return region_of(profile)
    except SourceError:
        return None


def home_of(region: str | None = None, role_arn: str | None = None) -> str:
    """A region that cannot be disabled, of the partition of a role or of a region; of the commercial one by default."""
    if role_arn is not None:
        partition = role_arn.split(":")[1]
    else:
        partition = botocore.session.Session().get_partition_for_region(region) if region else "aws"
    return HOMES.get(partition, region or HOMES["aws"])
