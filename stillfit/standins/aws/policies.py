"""IAM identity policies: what a call needs, and whether a policy document grants it.

Evaluation: an explicit Deny wins, then an Allow is needed (IAM User Guide, "Policy evaluation logic"). Actions match
without regard to case, resources with it; * and ? are wildcards. Conditions are not judged: a document that has one is
refused when it is read, so that none is ever ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from stillfit.standins.aws.calls import Call, RefusedError

Document = Mapping[str, Any]

UNDENIABLE = frozenset({"sts:GetCallerIdentity"})
"""No permission is needed, and a Deny has no effect (STS API reference, GetCallerIdentity)."""
ACTIONS: dict[str, str] = {
    f"cassandra:{operation}": "cassandra:Select"
    for operation in ("ListKeyspaces", "GetKeyspace", "ListTables", "GetTable", "ListTagsForResource")
} | {"cassandra:GetTableAutoScalingSettings": "application-autoscaling:DescribeScalableTargets"}
"""Operations whose permission has another name, by "service:Operation" (Service Authorization Reference)."""


@dataclass(frozen=True, slots=True)
class _Statement:
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def covers(self, action: str, resource: str) -> bool:
        named = any(_matches(pattern.lower(), action.lower()) for pattern in self.actions)
        return named and any(_matches(pattern, resource) for pattern in self.resources)


@dataclass(frozen=True, slots=True)
class Policy:
    statements: tuple[_Statement, ...]

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raises ValueError on a document that is none, or with anything that is not judged here."""
        if document.get("Version") != "2012-10-17":
            raise ValueError('policy: "Version" must be "2012-10-17".')
        return cls(tuple(_statement(one) for one in _many(document.get("Statement"))))

    def check(self, call: Call, resource: str) -> None:
        """Raises RefusedError, AccessDenied in the service's words, unless `call` on `resource` is granted."""
        action = ACTIONS.get(call.action, call.action)
        found = [one for one in self.statements if one.covers(action, resource)]
        if any(not one.allows for one in found):
            raise denied(call, resource, "with an explicit deny in an identity-based policy")
        if not found:
            raise denied(call, resource, f"because no identity-based policy allows the {action} action")


def denied(call: Call, resource: str, why: str) -> RefusedError:
    action = ACTIONS.get(call.action, call.action)
    where = "" if resource == "*" else f" on resource: {resource}"
    return RefusedError(
        "AccessDeniedException", f"User: {call.arn} is not authorized to perform: {action}{where} {why}"
    )


def resource_of(call: Call) -> str:
    """The ARN that the call acts on; "*" where its permission cannot be limited to a resource."""
    return RESOURCES.get(call.service, _anything)(call)


def _anything(_: Call) -> str:
    return "*"


_TABLE_PARAMETERS = ("ResourceArn", "TableArn", "TableName", "ExportArn")
"""An export's ARN begins with its table's and goes on (Service Authorization Reference, DynamoDB resource types)."""


def _table(call: Call) -> str:
    named = next((call.parameters[name] for name in _TABLE_PARAMETERS if name in call.parameters), None)
    if named is None:
        return "*"
    arn = named if named.startswith("arn:") else f"arn:aws:dynamodb:{call.region}:{call.account}:table/{named}"
    index = call.parameters.get("IndexName")
    return f"{arn}/index/{index}" if index else arn


def _role(call: Call) -> str:
    return str(call.parameters.get("RoleArn", "*"))


def _keyspaces(call: Call) -> str:
    """Listing reads the service's own keyspaces (Keyspaces API reference, ListKeyspaces and ListTables)."""
    if call.operation == "GetTableAutoScalingSettings":
        return "*"
    if "resourceArn" in call.parameters:
        return str(call.parameters["resourceArn"])
    named = "system_schema_mcs" if call.operation.startswith("List") else call.parameters["keyspaceName"]
    keyspace = f"arn:aws:cassandra:{call.region}:{call.account}:/keyspace/{named}/"
    return f"{keyspace}table/{call.parameters['tableName']}" if "tableName" in call.parameters else keyspace


def _rule(call: Call) -> str:
    """A rule of Contributor Insights; metrics have no ARN (Service Authorization Reference, CloudWatch)."""
    named = call.parameters.get("RuleName")
    return f"arn:aws:cloudwatch:{call.region}:{call.account}:insight-rule/{named}" if named else "*"


RESOURCES: dict[str, Callable[[Call], str]] = {
    "cassandra": _keyspaces,
    "cloudwatch": _rule,
    "dynamodb": _table,
    "sts": _role,
}
"""By service, the resource of a call; services that are not here know only "*"."""


def _statement(one: Mapping[str, Any]) -> _Statement:
    unknown = set(one) - {"Sid", "Effect", "Action", "Resource"}
    if unknown:
        raise ValueError(f"policy: the stand-in does not judge {min(unknown)!r} of a statement.")
    if one.get("Effect") not in {"Allow", "Deny"}:
        raise ValueError('policy: "Effect" must be "Allow" or "Deny".')
    return _Statement(one["Effect"] == "Allow", _texts(one.get("Action")), _texts(one.get("Resource")))


def _texts(value: Any) -> tuple[str, ...]:
    texts = _many(value)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError('policy: "Action" and "Resource" must each be a text or a list of texts.')
    return texts


def _many(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else () if value is None else (value,)


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)
