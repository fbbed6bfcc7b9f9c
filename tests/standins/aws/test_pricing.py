"""The price list, asked by query and as files: the same products, told by the service's rules."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from botocore.exceptions import ClientError

from stillfit.standins.aws import AwsStandIn, Fault, FaultKind, World
from tests import patient

IRELAND = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"}
INDEX = "/offers/v1.0/aws/AmazonDynamoDB/current/region_index.json"


@pytest.fixture
def pricing(connect: Callable[..., Any]) -> Any:
    return connect("pricing", region="us-east-1")


def products(pricing: Any, *filters: dict[str, str], **options: Any) -> list[dict[str, Any]]:
    answer = pricing.get_products(ServiceCode="AmazonDynamoDB", Filters=list(filters), **options)
    return [orjson.loads(one) for one in answer["PriceList"]]


def file_of(aws: AwsStandIn, region: str) -> Any:
    url = patient.get(aws.url + INDEX).json()["regions"][region]["currentVersionUrl"]
    return patient.get(aws.url + url).json()


def test_an_entry_is_a_text_of_json_as_recorded(pricing: Any) -> None:
    usage = {"Type": "TERM_MATCH", "Field": "usagetype", "Value": "EU-TimedPITRStorage-ByteHrs"}
    (entry,) = products(pricing, IRELAND, usage)

    (term,) = entry["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert entry["product"]["attributes"]["servicecode"] == entry["serviceCode"] == "AmazonDynamoDB"
    assert dimension["pricePerUnit"] == {"USD": "0.2260000000"}
    assert (dimension["unit"], dimension["beginRange"], dimension["endRange"]) == ("GB-Mo", "0", "Inf")


def test_free_bands_are_first_bands_at_nothing(pricing: Any) -> None:
    usage = {"Type": "TERM_MATCH", "Field": "usagetype", "Value": "EU-TimedStorage-ByteHrs"}
    (entry,) = products(pricing, IRELAND, usage)

    (term,) = entry["terms"]["OnDemand"].values()
    amounts = {one["endRange"]: one["pricePerUnit"]["USD"] for one in term["priceDimensions"].values()}
    assert amounts == {"25": "0.0000000000", "Inf": "0.2825000000"}


def test_only_us_east_1_has_no_region_before_its_usage_types(pricing: Any) -> None:
    home = products(pricing, {**IRELAND, "Value": "us-east-1"})
    ireland = products(pricing, IRELAND)

    assert "ReadRequestUnits" in {one["product"]["attributes"]["usagetype"] for one in home}
    assert all(one["product"]["attributes"]["usagetype"].startswith("EU-") for one in ireland)


def test_china_is_sold_in_yuan(pricing: Any) -> None:
    entries = products(pricing, {**IRELAND, "Value": "cn-northwest-1"})

    currencies = {
        currency
        for one in entries
        for term in one["terms"]["OnDemand"].values()
        for dimension in term["priceDimensions"].values()
        for currency in dimension["pricePerUnit"]
    }
    assert currencies == {"CNY"}


def test_a_list_comes_in_pages(pricing: Any) -> None:
    whole, pages = products(pricing, IRELAND), []
    token: dict[str, str] = {}
    while True:
        answer = pricing.get_products(ServiceCode="AmazonDynamoDB", Filters=[IRELAND], MaxResults=5, **token)
        pages.append(len(answer["PriceList"]))
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}

    assert sum(pages) == len(whole) > 20
    assert max(pages) == 5


@pytest.mark.parametrize(
    "asked", [{"ServiceCode": "AmazonDynamo"}, {"ServiceCode": "AmazonDynamoDB", "FormatVersion": "aws_v2"}]
)
def test_what_is_not_sold_is_refused(pricing: Any, asked: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        pricing.get_products(**asked)


def test_there_is_no_endpoint_in_ireland(connect: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="no endpoint"):
        connect("pricing", region="eu-west-1").get_products(ServiceCode="AmazonDynamoDB")


def test_a_file_sells_what_the_query_sells(aws: AwsStandIn, pricing: Any) -> None:
    document = file_of(aws, "eu-west-1")

    entries = {one["product"]["sku"]: one for one in products(pricing, IRELAND)}
    assert document["products"] == {sku: one["product"] for sku, one in entries.items()}
    assert document["terms"]["OnDemand"] == {sku: one["terms"]["OnDemand"] for sku, one in entries.items()}
    assert len(document["terms"]["Reserved"]) == 2


def test_a_file_that_is_known_already_is_not_sent_again(aws: AwsStandIn) -> None:
    first = patient.get(aws.url + INDEX)
    again = patient.get(aws.url + INDEX, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


def test_a_change_is_published_under_a_new_version(aws: AwsStandIn, world: World) -> None:
    before = file_of(aws, "eu-west-1")["version"]
    world.price_lists.change("AmazonDynamoDB", "eu-west-1", lambda entries: entries[:1])

    after = file_of(aws, "eu-west-1")
    assert after["version"] > before
    assert len(after["products"]) == 1


def test_files_fail_as_told(aws: AwsStandIn, world: World) -> None:
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, service="pricing-files", operation="RegionIndex", count=1))

    assert [patient.get(aws.url + INDEX).status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(
    "path",
    ["/offers/v1.0/aws/AmazonS4/current/region_index.json", "/offers/v1.0/aws/AmazonDynamoDB/2/eu-west-1/index.json"],
)
def test_there_is_no_other_file(aws: AwsStandIn, path: str) -> None:
    assert patient.get(aws.url + path).status_code in {403, 404}
