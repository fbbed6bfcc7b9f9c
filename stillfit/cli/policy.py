"""`stillfit iam-policy`: the least that stillfit needs in an AWS account, as a policy document."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.aws.permissions import NAMED, NEVER, PERMISSIONS, SERVICES, Feature, Permission
from stillfit.errors import UsageError

if TYPE_CHECKING:
    from stillfit.configaws import Aws

Statement = dict[str, Any]

OPTIONAL = tuple(one.value for one in Feature if one is not Feature.CORE)
_SIDS = {
    ("cloudwatch", ""): "Metrics",
    ("cloudwatch", "rules"): "HotKeys",
    ("dynamodb", ""): "Lists",
    ("dynamodb", "tables"): "Tables",
    ("application-autoscaling", ""): "Scaling",
    ("tag", ""): "Tags",
    ("servicequotas", ""): "Quotas",
    ("kms", ""): "Keys",
    ("pricing", ""): "Prices",
    ("ce", ""): "Costs",
    ("account", ""): "Regions",
    ("cassandra", "keyspaces"): "Keyspaces",
    ("dax", ""): "Dax",
}
"""Names of statements by service and by what their actions are limited to."""


def print_policy(features: Iterable[str], account: str, config: Path | None) -> None:
    """Write the policy to standard output. Raises UsageError and ConfigError."""
    watched = _watched(config) if config else ()
    wanted = _features(features) | {feature for one in watched for feature in _needed(one)}
    if account and not re.fullmatch(r"\d{12}", account):
        raise UsageError(f"iam-policy: --account {account!r}: an account has twelve digits")
    roles = (one.role_arn for one in watched if one.role_arn)
    sys.stdout.write(rendered(policy(wanted, account=account, roles=roles)))


def policy(features: Collection[Feature], *, account: str = "", roles: Iterable[str] = ()) -> dict[str, Any]:
    """The policy document. `roles` are ARNs that stillfit assumes from here; `account` narrows tables to one."""
    granted = [one for one in PERMISSIONS if one.feature is Feature.CORE or one.feature in features]
    assumed = sorted(set(roles))
    statements = [*_granted(granted, account or "*")]
    if assumed:
        statements.append(_allow("Roles", ["sts:AssumeRole"], assumed))
    statements.append({"Sid": "NeverData", "Effect": "Deny", "Action": list(NEVER), "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": statements}


def rendered(document: dict[str, Any]) -> str:
    """As deploy/aws/iam-policy.json has it."""
    return json.dumps(document, indent=2) + "\n"


def _granted(permissions: Iterable[Permission], account: str) -> Iterator[Statement]:
    """One statement for each service and kind of resource: only reads of one table, or rule, can be limited to such."""
    resources = {
        "": "*",
        "tables": f"arn:aws:dynamodb:*:{account}:table/*",
        "rules": f"arn:aws:cloudwatch:*:{account}:insight-rule/DynamoDBContributorInsights*",
        "keyspaces": f"arn:aws:cassandra:*:{account}:/keyspace/*",
    }
    groups: dict[tuple[str, str], list[str]] = {}
    for one in permissions:
        limits = {"tables": one.of_tables, "rules": one.of_rules, "keyspaces": one.of_keyspaces}
        kind = next((name for name, limited in limits.items() if limited), "")
        groups.setdefault((one.action.split(":")[0], kind), []).append(one.action)
    for (service, kind), actions in groups.items():
        yield _allow(_SIDS[service, kind], actions, resources[kind])


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _features(named: Iterable[str]) -> frozenset[Feature]:
    """What --features names, with commas or again; all of DynamoDB when it names nothing."""
    names = [name.strip() for text in named for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in {*OPTIONAL, Feature.CORE.value}]
    if unknown:
        known = ", ".join((Feature.CORE.value, *OPTIONAL))
        raise UsageError(f"iam-policy: no feature {unknown[0]!r}: there are {known}")
    return frozenset(Feature(name) for name in names) if names else frozenset(Feature) - NAMED


def _needed(settings: Aws) -> Iterator[Feature]:
    """What an entry of a configuration asks for beyond what is granted anyway."""
    yield from (feature for feature in SERVICES if feature in settings.services)
    if settings.cost_explorer:
        yield Feature.COSTS
    if settings.regions == ("all",):
        yield Feature.REGIONS


def _watched(config: Path) -> tuple[Aws, ...]:
    """The accounts that a configuration names."""
    from stillfit.configfile import load

    return load(config).aws
