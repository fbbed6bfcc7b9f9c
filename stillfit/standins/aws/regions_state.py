"""Which regions each account has enabled; every region that botocore knows, until a test says otherwise."""

import threading
from collections.abc import Mapping
from functools import cache

import botocore.session

DEFAULT, OPTED_IN, OFF = "ENABLED_BY_DEFAULT", "ENABLED", "DISABLED"
BY_DEFAULT = frozenset(
    {"us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-central-1", "eu-north-1"}
    | {"eu-west-1", "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1"}
    | {"ap-southeast-1", "ap-southeast-2"}
)
"""Regions that need not be opted in to (AWS Account Management reference guide, "Enable or disable AWS Regions")."""


class RegionsState:
    """Thread-safe."""

    def __init__(self) -> None:
        self._enabled: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()

    def enable_only(self, account: str, *regions: str) -> None:
        """From now on the account's credentials are taken in these regions only."""
        with self._lock:
            self._enabled[account] = frozenset(regions)

    def is_enabled(self, account: str, region: str) -> bool:
        with self._lock:
            return account not in self._enabled or region in self._enabled[account]

    def statuses(self, account: str) -> Mapping[str, str]:
        """Of each region, by its name."""
        with self._lock:
            enabled = self._enabled.get(account)
        names = known() if enabled is None else known() | enabled
        on = {name: DEFAULT if name in BY_DEFAULT else OPTED_IN for name in sorted(names)}
        return {name: on[name] if enabled is None or name in enabled else OFF for name in on}


@cache
def known() -> frozenset[str]:
    """The regions of the commercial partition, as botocore lists them for EC2."""
    return frozenset(botocore.session.Session().get_available_regions("ec2"))
