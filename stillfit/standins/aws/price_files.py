"""The offer files of the price list, over plain HTTPS without a signature: index of regions, and one file a region.

Paths and shapes follow the AWS Price List User Guide, "Getting price list files manually". Faults are those of a call
of the service `pricing-files` in the region of the file; its operations are RegionIndex and OfferFile.
"""

import re
from hashlib import sha256
from typing import Any

import orjson

from stillfit.standins.aws.call_faults import refuse_or_wait, travelling, unsent
from stillfit.standins.aws.calls import Call, RefusedError
from stillfit.standins.aws.price_lists import Entry
from stillfit.standins.aws.world import World
from stillfit.standins.server import Request, Response

SERVICE = "pricing-files"
ROOT = "/offers/v1.0/"
_INDEX = re.compile(r"/offers/v1\.0/(?P<partition>aws|cn)/(?P<service>\w+)/current/region_index\.json")
_FILE = re.compile(
    r"/offers/v1\.0/(?P<partition>aws|cn)/(?P<service>\w+)/(?P<version>\d{14})/(?P<region>[a-z0-9-]+)/index\.json"
)


def answer(world: World, request: Request) -> Response:
    index, file = _INDEX.fullmatch(request.path), _FILE.fullmatch(request.path)
    if request.method != "GET" or not (index or file):
        return Response(status=403, headers={"Content-Type": "application/xml"}, body=b"<Error/>")
    call = _call(world, "RegionIndex" if index else "OfferFile", file["region"] if file else "")
    lost = unsent(world, call)
    if lost is not None:
        return lost
    try:
        refuse_or_wait(world, call)
    except RefusedError as error:
        return Response(status=error.status, body=b"<Error/>")
    world.bill.served(call)
    document = _regions(world, index["service"], index["partition"]) if index else file and _offer(world, file)
    return travelling(world, call, _written(request, document))


def _written(request: Request, document: Any) -> Response:
    """With an ETag; one that the client has already is not sent again."""
    if document is None:
        return Response(status=404, body=b"<Error/>")
    body = orjson.dumps(document)
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"Content-Type": "application/json", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status=304, headers=headers)
    return Response(headers=headers, body=body)


def _regions(world: World, service: str, partition: str) -> Any:
    if service not in world.price_lists.services():
        return None
    there = [region for region in world.price_lists.regions() if region.startswith("cn-") == (partition == "cn")]
    return {
        "formatVersion": "v1.0",
        "disclaimer": "This pricing list is for informational purposes only.",
        "publicationDate": "2025-11-05T01:13:01Z",
        "regions": {region: _place(world, service, partition, region) for region in there},
    }


def _place(world: World, service: str, partition: str, region: str) -> dict[str, str]:
    version = world.price_lists.version(service, region)
    path = f"/offers/v1.0/{partition}/{service}/{version}/{region}/index.json"
    return {"regionCode": region, "currentVersionUrl": path}


def _offer(world: World, path: re.Match[str]) -> Any:
    service, region = path["service"], path["region"]
    if path["version"] != world.price_lists.version(service, region):
        return None
    return offer_file(service, world.price_lists.entries(service, region), path["version"])


def offer_file(service: str, entries: list[Entry], version: str) -> dict[str, Any]:
    """Entries as an offer file has them: products and terms apart, both by SKU."""
    terms: dict[str, dict[str, Any]] = {}
    for entry in entries:
        for kind, found in entry["terms"].items():
            terms.setdefault(kind, {})[entry["product"]["sku"]] = found
    return {
        "formatVersion": "v1.0",
        "offerCode": service,
        "version": version,
        "publicationDate": entries[0]["publicationDate"] if entries else "",
        "products": {entry["product"]["sku"]: entry["product"] for entry in entries},
        "terms": terms,
    }


def _call(world: World, operation: str, region: str) -> Call:
    return Call(
        service=SERVICE,
        operation=operation,
        account="",
        region=region,
        arn="",
        user_id="",
        at=world.now(),
        parameters={},
    )
