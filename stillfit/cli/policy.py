"""`stillfit iam-policy`: the least that stillfit needs in an AWS account, as a policy document."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from collector.aws.permissions import NEVER, PERMISSIONS, Feature, Permission
from stillfit.errors import UsageError

Statement = dict[str, Any]

OPTIONAL = tuple(one.value for one in Feature if one is not Feature.CORE)
_SIDS = {
    ("cloudwatch", False): "Metrics",
    ("dynamodb", False): "Lists",
    ("dynamodb", True): "Tables",
    ("application-autoscaling", False): "Scaling",
    ("tag", False): "Tags",
}


def print_policy(features: Iterable[str], account: str, config: Path | None) -> None:
    """Write the policy to standard output. Raises UsageError and ConfigError."""
    wanted = _features(features)
    if account and not re.fullmatch(r"\d{12}", account):
        raise UsageError(f"iam-policy: --account {account!r}: an account has twelve digits")
    sys.stdout.write(rendered(policy(wanted, account=account, roles=_roles(config) if config else ())))


def policy(features: Collection[Feature], *, account: str = "", roles: Iterable[str] = ()) -> dict[str, Any]:
    """The policy document. `roles` are ARNs that stillfit assumes from here; `account` narrows tables to one."""
    granted = [one for one in PERMISSIONS if one.feature is Feature.CORE or one.feature in features]
    assumed = sorted(set(roles))
    statements = [*_granted(granted, f"arn:aws:dynamodb:*:{account or '*'}:table/*")]
    if assumed:
        statements.append(_allow("Roles", ["sts:AssumeRole"], assumed))
    statements.append({"Sid": "NeverData", "Effect": "Deny", "Action": list(NEVER), "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": statements}


def rendered(document: dict[str, Any]) -> str:
    """As deploy/aws/iam-policy.json has it."""
    return json.dumps(document, indent=2) + "\n"


def _granted(permissions: Iterable[Permission], tables: str) -> Iterator[Statement]:
    """One statement for each service and kind of resource: only reads of one table can be limited to tables."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for one in permissions:
        groups.setdefault((one.action.split(":")[0], one.of_tables), []).append(one.action)
    for (service, of_tables), actions in groups.items():
        yield _allow(_SIDS[service, of_tables], actions, tables if of_tables else "*")


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _features(named: Iterable[str]) -> frozenset[Feature]:
    """What --features names, with commas or again; all when it names nothing."""
    names = [name.strip() for text in named for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in {*OPTIONAL, Feature.CORE.value}]
    if unknown:
        known = ", ".join((Feature.CORE.value, *OPTIONAL))
        raise UsageError(f"iam-policy: no feature {unknown[0]!r}: there are {known}")
    return frozenset(Feature(name) for name in names) if names else frozenset(Feature)


def _roles(config: Path) -> tuple[str, ...]:
    """The roles that a configuration has stillfit assume."""
    from stillfit.configfile import load

    return tuple(one.role_arn for one in load(config).aws if one.role_arn)
