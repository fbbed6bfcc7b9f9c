"""Service Quotas tells the rates that the token buckets keep."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import World

REQUESTS = {"ServiceCode": "monitoring", "QuotaCode": "L-5E141212"}


@pytest.fixture
def client(connect: Callable[..., Any]) -> Any:
    return connect("service-quotas")


def test_a_rate_that_nobody_set_is_the_documented_default(client: Any) -> None:
    quota = client.get_service_quota(**REQUESTS)["Quota"]

    assert (quota["Value"], quota["Period"]) == (500.0, {"PeriodValue": 1, "PeriodUnit": "SECOND"})


def test_the_rate_is_the_one_that_callers_are_held_to(world: World, client: Any) -> None:
    world.quotas.limit("GetMetricData", per_second=50)

    assert client.get_service_quota(**REQUESTS)["Quota"]["Value"] == 50.0


def test_quotas_are_listed_and_found_by_their_code(client: Any) -> None:
    (listed,) = client.list_service_quotas(ServiceCode="monitoring")["Quotas"]

    assert listed == client.get_service_quota(**REQUESTS)["Quota"]
    assert client.list_service_quotas(ServiceCode="monitoring", QuotaCode="L-00000000")["Quotas"] == []


@pytest.mark.parametrize("changed", [{"QuotaCode": "L-00000000"}, {"ServiceCode": "dynamodb"}])
def test_a_quota_that_is_not_modelled_does_not_exist(client: Any, changed: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        client.get_service_quota(**(REQUESTS | changed))
