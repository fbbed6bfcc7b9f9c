"""The price list by its query API: free, and open to whoever may call pricing:GetProducts."""

from __future__ import annotations

from collections.abc import Iterable

from collector.aws.money.offers import Odd, Offer, offers_of_query
from collector.aws.wire.connection import Connection

PAGE = 100
"""The most that GetProducts gives at a time (its API reference)."""


def asked(connection: Connection, region: str, services: Iterable[str]) -> tuple[Offer | Odd, ...]:
    """All that the lists of `services` sell in a region. Raises SourceError where one cannot be read whole."""
    told: list[Offer | Odd] = []
    for service in services:
        pages = connection.pages(
            "pricing",
            "GetProducts",
            f"{service} in {region}",
            expect="PriceList",
            tokens=("NextToken", "NextToken"),
            ServiceCode=service,
            Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
            FormatVersion="aws_v1",
            MaxResults=PAGE,
        )
        told += offers_of_query(entry for page in pages for entry in page)
    return tuple(told)
