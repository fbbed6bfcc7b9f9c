"""Service Quotas, reads only: the rates that the token buckets hold callers to. OPERATIONS is what the dispatch reads.

Names and codes are the service's own for CloudWatch (service code `monitoring`); a rate that no limit is set for has
the documented default. Only quotas that the stand-in keeps to are known here, others do not exist.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stillfit.standins.aws.calls import Answer, Call, RefusedError
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.world import World

PAGE = 100  # MaxResults of ListServiceQuotas goes up to 100
SERVICE_NAMES = {"monitoring": "Amazon CloudWatch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """One quota: which operation's bucket it is of, and what it is where nobody set one."""

    service: str
    code: str
    name: str
    operation: str
    default: float


_KNOWN = (
    _Known(
        service="monitoring",
        code="L-5E141212",
        name="Rate of GetMetricData requests",
        operation="GetMetricData",
        default=500.0,  # "500 per second", adjustable (CloudWatch User Guide, service quotas)
    ),
)


def get_service_quota(world: World, call: Call) -> Answer:
    service, code = call.parameters["ServiceCode"], call.parameters["QuotaCode"]
    known = next((one for one in _of(service) if one.code == code), None)
    if known is None:
        raise RefusedError("NoSuchResourceException", f"The request failed because the quota {code} does not exist.")
    return {"Quota": _written(world, call, known)}


def list_service_quotas(world: World, call: Call) -> Answer:
    code = call.parameters.get("QuotaCode")
    found = [one for one in _of(call.parameters["ServiceCode"]) if code in (None, one.code)]
    position = world.tokens.redeem(call, refusal="InvalidPaginationTokenException") or Position(found)
    quotas, token = next_page(world, call, position, call.parameters.get("MaxResults", PAGE))
    return {"Quotas": [_written(world, call, one) for one in quotas], **token}


def _of(service: str) -> list[_Known]:
    if service not in SERVICE_NAMES:
        raise RefusedError("NoSuchResourceException", f"The request failed because the service {service} is unknown.")
    return [one for one in _KNOWN if one.service == service]


def _written(world: World, call: Call, known: _Known) -> Answer:
    rate = world.quotas.rate(known.operation)
    return {
        "ServiceCode": known.service,
        "ServiceName": SERVICE_NAMES[known.service],
        "QuotaArn": f"arn:aws:servicequotas:{call.region}:{call.account}:{known.service}/{known.code}",
        "QuotaCode": known.code,
        "QuotaName": known.name,
        "Value": known.default if rate is None else rate,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "Period": {"PeriodValue": 1, "PeriodUnit": "SECOND"},
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {
    "GetServiceQuota": get_service_quota,
    "ListServiceQuotas": list_service_quotas,
}
