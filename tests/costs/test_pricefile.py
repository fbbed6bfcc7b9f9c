from __future__ import annotations

from pathlib import Path

import pytest

from stillfit.costs.pricefile import DYNAMODB_SKUS, read
from stillfit.errors import ConfigError
from stillfit.prices import prices
from tests.costs.kit import NOW_PRICES

GOOD = """\
region: prod
prices:
  - sku: cassandra_node
    unit: node-hour
    bands: [{from: 0, usd: 0.686}]
    effective_from: 2026-07-20
    fetched_at: 2026-07-20
    source: invoice
"""


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(text, name="own.yaml")
    return caught.value.mistakes


def test_the_package_knows_every_dynamodb_price_of_us_east_1() -> None:
    assert all(NOW_PRICES.price(sku, "us-east-1") for sku in DYNAMODB_SKUS)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            "sku: cassandra_node",
            "sku: cassandra_nod",
            "own.yaml:3: prices[0].sku: 'cassandra_nod' is not known, did you mean 'cassandra_node'?",
        ),
        ("unit: node-hour", "units: node-hour", "own.yaml:4: prices[0].units: unknown key, did you mean 'unit'?"),
        ("usd: 0.686", "usd: -1", "own.yaml:5: prices[0].bands[0].usd: must be a number of 0 or more"),
        ("usd: 0.686", "usd: .nan", "own.yaml:5: prices[0].bands[0].usd: must be a number of 0 or more"),
        ("usd: 0.686", "usd: true", "own.yaml:5: prices[0].bands[0].usd: must be a number of 0 or more"),
        (
            "usd: 0.686",
            "usd: 0",
            "own.yaml:5: prices[0].bands: the last band must cost something; leave out a price that is not known",
        ),
        ("from: 0", "from: 5", "own.yaml:5: prices[0].bands: bands must start at 0 and rise"),
        (
            "[{from: 0, usd: 0.686}]",
            "[]",
            "own.yaml:5: prices[0].bands: must be a list of bands such as {from: 0, usd: 0.25}",
        ),
        (
            "fetched_at: 2026-07-20",
            "fetched_at: July",
            "own.yaml:7: prices[0].fetched_at: must be a date such as 2026-08-20",
        ),
        ("source: invoice", 'source: ""', "own.yaml:8: prices[0].source: must be a text that is not empty"),
        ("    source: invoice\n", "", "own.yaml:3: prices[0]: source is missing"),
        ("region: prod\n", "", "own.yaml:2: prices[0]: region is missing, here and at the top of the file"),
        ("    source: invoice\n", "    source: invoice\n    per: 0\n", "own.yaml:9: prices[0].per: must be above 0"),
    ],
)
def test_a_mistake_names_its_line_and_key(old: str, new: str, mistake: str) -> None:
    assert mistake in mistakes(GOOD.replace(old, new, 1))


def test_all_mistakes_are_told_at_once() -> None:
    wrong = GOOD.replace("sku: cassandra_node", "sku: ?x").replace("usd: 0.686", "usd: much").replace("invoice", "")

    assert len(mistakes(wrong)) >= 3


@pytest.mark.parametrize("text", ["", "prices: []", "- 1", "prices: 3"], ids=["empty", "no rows", "a list", "a number"])
def test_a_file_without_prices_is_refused(text: str) -> None:
    assert any("must be a" in line for line in mistakes(text))


def test_the_same_price_given_twice_is_refused() -> None:
    row = GOOD.split("prices:\n")[1]

    assert mistakes(GOOD + row) == ("own.yaml:9: prices[1]: cassandra_node in prod is given twice for the same date",)


def test_an_operators_file_adds_to_the_packaged_prices(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(GOOD)

    assert {price.sku for price in prices(own).prices} == DYNAMODB_SKUS | {"cassandra_node"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml:1: file: cannot be read"):
        prices(tmp_path / "gone.yaml")
