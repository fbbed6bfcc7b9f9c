"""Bill files: each line counts once, as its kind says, or is told by its number."""

from __future__ import annotations

import csv
import gzip
import io
import os
import tracemalloc
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.aws.money.bill_files import Bills, read, stamp
from collector.aws.money.bill_lines import COLUMNS, Dialect, OddLineError, line
from collector.aws.money.charges import Watch, subject_of
from stillfit.model import Engine, Series, Subject

AT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = date(2026, 10, 10)
ACCOUNT = "123456789012"
ARN = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"
IRELAND = Subject(engine=Engine.DYNAMODB, scope=(ACCOUNT, "eu-west-1"))
ORDERS = Subject(engine=Engine.DYNAMODB, scope=(ACCOUNT, "eu-west-1"), table="orders")
WATCH = Watch(account=ACCOUNT, regions=("eu-west-1",), engines=frozenset({Engine.DYNAMODB}))
RATE = "4X8CNFY.JRTCKXETXF.6YS6EN2CT7"
READS = f"on_demand_read@{RATE}"

USUAL = {
    "account": ACCOUNT,
    "kind": "Usage",
    "start": "2026-10-10T00:00:00Z",
    "service": "AmazonDynamoDB",
    "service_name": "Amazon DynamoDB",
    "usage_type": "EU-ReadRequestUnits",
    "resource": ARN,
    "units": "1000",
    "billed": "2.0",
    "amortized": "2.0",
    "currency": "USD",
    "rate": RATE,
    "region": "eu-west-1",
    "invoice": "INV1",
    "period": "2026-10-01T00:00:00Z",
}


def row(dialect: Dialect, **changes: str) -> dict[str, str]:
    values = USUAL | changes
    return {column: values.get(key, "") for key, column in COLUMNS[dialect].items()} | {"other/Column": "x"}


def text(*rows: dict[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def written(folder: Path, *rows: dict[str, str], name: str = "bill.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text(*rows).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def bills(path: Path) -> Bills:
    return read(path, WATCH, AT)


def found(told: Bills, metric: str, subject: Subject = IRELAND, part: str = READS) -> Series | None:
    wanted = (subject, metric, part)
    return next((one for one in told.series if (one.subject, one.metric, one.dimension) == wanted), None)


def total(told: Bills, metric: str = "billed_usd", subject: Subject = IRELAND, part: str = READS) -> float | None:
    one = found(told, metric, subject, part)
    return None if one is None else float(one.values.sum())


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("name", ["bill.csv", "bill.csv.gz"])
def test_a_line_counts_for_its_region_and_its_table(tmp_path: Path, dialect: Dialect, name: str) -> None:
    told = bills(written(tmp_path, row(dialect), row(dialect, billed="3.0", amortized="3.0"), name=name))

    assert (total(told), total(told, subject=ORDERS)) == (5.0, 5.0)
    assert (total(told, "amortized_usd"), total(told, "billed_units")) == (5.0, 2000.0)
    assert [one.sentence for one in told.reports] == [""]


@pytest.mark.parametrize(
    ("changes", "billed", "amortized"),
    [
        ({}, 2.0, 2.0),
        ({"kind": "DiscountedUsage", "billed": "0", "reserved": "0.7"}, 0.0, 0.7),
        ({"kind": "SavingsPlanCoveredUsage", "planned": "1.6"}, 2.0, 1.6),
        ({"kind": "SavingsPlanNegation", "billed": "-2.0"}, -2.0, 0.0),
        ({"kind": "RIFee", "billed": "9", "unused_upfront": "0.5", "unused_recurring": "0.25"}, 9.0, 0.75),
        ({"kind": "Fee", "billed": "150", "reservation": "arn:aws:dynamodb:eu-west-1:1:ri/1"}, 150.0, 0.0),
        ({"kind": "Fee", "billed": "3"}, 3.0, 3.0),
    ],
    ids=lambda one: one.get("kind", "Usage") if isinstance(one, dict) else None,
)
@pytest.mark.parametrize("dialect", [Dialect.CUR_1, Dialect.CUR_2])
def test_each_kind_of_line_counts_by_its_own_rule(
    dialect: Dialect, changes: dict[str, str], billed: float, amortized: float
) -> None:
    read_line = line(dialect, row(dialect, **changes))

    assert read_line is not None
    assert (read_line.charge.billed, read_line.charge.amortized) == (billed, amortized)


def test_what_a_savings_plan_covers_is_billed_nothing_in_all(tmp_path: Path) -> None:
    covered = row(Dialect.CUR_2, kind="SavingsPlanCoveredUsage", planned="1.6")
    negation = row(Dialect.CUR_2, kind="SavingsPlanNegation", billed="-2.0", units="0")
    told = bills(written(tmp_path, covered, negation))

    assert (total(told), total(told, "amortized_usd"), total(told, "billed_units")) == (0.0, 1.6, 1000.0)


@pytest.mark.parametrize("kind", ["Credit", "Refund", "Tax"])
def test_what_is_neither_use_nor_price_is_left_out(tmp_path: Path, kind: str) -> None:
    told = bills(written(tmp_path, row(Dialect.CUR_2), row(Dialect.CUR_2, kind=kind, billed="-100")))

    assert total(told) == 2.0


def test_rates_of_one_usage_type_are_kept_apart(tmp_path: Path) -> None:
    dearer = row(Dialect.CUR_2, rate="SECOND.TIER", billed="8")
    told = bills(written(tmp_path, row(Dialect.CUR_2), dearer))

    assert (total(told), total(told, part="on_demand_read@SECOND.TIER")) == (2.0, 8.0)


def test_other_accounts_and_services_do_not_count(tmp_path: Path) -> None:
    other = [row(Dialect.CUR_2, account="999999999999"), row(Dialect.CUR_2, service="AmazonS3", currency="EUR")]
    told = bills(written(tmp_path, row(Dialect.CUR_2), *other))

    assert total(told) == 2.0
    assert told.reports[0].sentence == ""


def test_a_month_that_is_not_invoiced_is_an_estimate(tmp_path: Path) -> None:
    told = bills(written(tmp_path, row(Dialect.CUR_2), row(Dialect.CUR_2, invoice="")))

    assert (total(told), total(told, "billed_estimate_usd")) == (None, 4.0)


@pytest.mark.parametrize(("at", "is_final"), [("2026-11-10", False), ("2026-11-11", True)])
def test_a_bill_without_invoices_is_final_ten_days_after_its_month(tmp_path: Path, at: str, is_final: bool) -> None:
    one = row(Dialect.FOCUS_1_0)
    del one["InvoiceId"]
    told = read(written(tmp_path, one), WATCH, datetime.fromisoformat(f"{at}T00:00:00+00:00"))

    assert (total(told) is not None) is is_final


def test_an_export_of_focus_1_2_has_its_usage_type_as_the_meter(tmp_path: Path) -> None:
    """Names and forms as in the columns of "FOCUS 1.2 with AWS columns" and in a real export of 2026-09."""
    one = {
        "BilledCost": "6.5E-7",
        "BillingAccountId": "999999999999",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-10-01T00:00:00.000Z",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-10-10T23:00:00.000Z",
        "ConsumedQuantity": "2.0",
        "EffectiveCost": "6.5E-7",
        "InvoiceId": "EUINIR26-1",
        "RegionId": "eu-west-1",
        "ResourceId": ARN,
        "ResourceType": "",
        "ServiceName": "AmazonDynamoDB",
        "SkuMeter": "EU-ReadRequestUnits",
        "SkuPriceId": RATE,
        "SubAccountId": ACCOUNT,
        "x_Operation": "PayPerRequestThroughput",
        "x_ServiceCode": "AmazonDynamoDB",
    }
    told = bills(written(tmp_path, one))

    assert (total(told), total(told, "billed_units")) == (6.5e-7, 2.0)
    assert told.reports[0].sentence == ""


def test_of_two_deliveries_of_a_month_the_newer_one_counts(tmp_path: Path) -> None:
    old = written(tmp_path, row(Dialect.CUR_1, billed="1"), name="a1/bill-1.csv")
    written(tmp_path, row(Dialect.CUR_1, billed="2"), name="b2/bill-1.csv")
    written(tmp_path, row(Dialect.CUR_1, billed="4"), name="b2/bill-2.csv")
    september = row(Dialect.CUR_1, billed="8", start="2026-09-25T00:00:00Z", period="2026-09-01T00:00:00Z")
    written(tmp_path, september, name="a1/bill-2.csv")
    os.utime(old, (1, 1))

    told = bills(tmp_path)

    assert (total(told), told.superseded) == (14.0, 1)


def test_days_between_two_months_are_not_vouched_for(tmp_path: Path) -> None:
    september = row(Dialect.CUR_1, start="2026-09-25T00:00:00Z", period="2026-09-01T00:00:00Z")
    written(tmp_path, row(Dialect.CUR_1), name="one.csv")
    written(tmp_path, september, name="two.csv")

    one = found(bills(tmp_path), "billed_usd")
    assert one is not None
    assert len(one.covered) == 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"billed": "free"}, "lineItem/UnblendedCost is not a number"),
        ({"billed": "nan"}, "lineItem/UnblendedCost is not a number"),
        ({"units": "1e999"}, "lineItem/UsageAmount is not a number"),
        ({"start": "yesterday"}, "lineItem/UsageStartDate is not a date"),
        ({"currency": "EUR"}, "it is in EUR, not in USD"),
        ({"currency": ""}, "it is in no currency, not in USD"),
        ({"account": "12"}, "lineItem/UsageAccountId is not an account"),
    ],
)
def test_an_odd_line_is_told_by_its_number_and_nothing_is_final(
    tmp_path: Path, changes: dict[str, str], why: str
) -> None:
    told = bills(written(tmp_path, row(Dialect.CUR_1), row(Dialect.CUR_1, **changes)))

    assert told.reports[0].sentence == f"bill.csv: 1 of 2 lines could not be read (line 3: {why})"
    assert (total(told), total(told, "billed_estimate_usd")) == (None, 2.0)


def test_a_line_that_was_cut_off_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, row(Dialect.CUR_1), row(Dialect.CUR_1))
    path.write_text(path.read_text().rstrip()[:-40])

    assert "line 3: it has " in bills(path).reports[0].sentence


def test_only_the_first_odd_lines_are_named_and_all_are_counted(tmp_path: Path) -> None:
    told = bills(written(tmp_path, *[row(Dialect.CUR_1, billed="x")] * 50))

    assert told.reports[0].sentence.startswith("bill.csv: 50 of 50 lines could not be read (line 2: ")
    assert told.reports[0].sentence.count("line ") == 5


def test_an_archive_that_ends_early_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, *[row(Dialect.CUR_1)] * 200, name="bill.csv.gz")
    path.write_bytes(path.read_bytes()[:-20])
    told = bills(path)

    assert "it cannot be read after line" in told.reports[0].sentence
    assert total(told) is None


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"\x00" * 64, b'"' * 50])
def test_a_file_that_is_no_bill_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bill.csv").write_bytes(content)
    told = bills(tmp_path)

    assert told.series == ()
    assert told.reports[0].sentence


def test_parquet_is_told_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bill.snappy.parquet").write_bytes(b"PAR1")

    assert bills(tmp_path).reports[0].sentence == (
        "bill.snappy.parquet: parquet is not read: export the report as csv or csv.gz"
    )


def test_nothing_at_all_is_no_bill(tmp_path: Path) -> None:
    assert (bills(tmp_path / "nowhere").series, stamp(tmp_path / "nowhere")) == ((), ())


def test_a_changed_file_has_another_stamp(tmp_path: Path) -> None:
    before = stamp(written(tmp_path, row(Dialect.CUR_1)).parent)
    written(tmp_path, row(Dialect.CUR_1), row(Dialect.CUR_1))

    assert stamp(tmp_path) != before


def test_a_long_bill_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    peaks = []
    for lines in (2_000, 20_000):
        path = written(tmp_path, *[row(Dialect.CUR_2)] * lines, name=f"{lines}.csv")
        tracemalloc.start()
        bills(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0] + 100_000


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (ARN, "orders"),
        (f"{ARN}/index/by-status", "orders"),
        (f"arn:aws:cassandra:eu-west-1:{ACCOUNT}:/keyspace/shop/table/jobs", "shop.jobs"),
        (f"arn:aws:dax:eu-west-1:{ACCOUNT}:cache/front", "front"),
        ("arn:aws:s3:::bucket", None),
        ("orders", None),
        ("", None),
        (f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table", None),
    ],
)
def test_a_resource_is_a_table_a_cluster_or_nothing(arn: str, name: str | None) -> None:
    subject = subject_of(arn)

    assert (subject.name if subject else None) == name


@given(st.dictionaries(st.sampled_from(sorted(USUAL)), st.text(max_size=30)), st.sampled_from(list(Dialect)))
def test_a_line_is_a_charge_or_a_reason_whatever_stands_in_it(changes: dict[str, str], dialect: Dialect) -> None:
    try:
        told = line(dialect, row(dialect, **changes))
    except OddLineError:
        return

    assert told is None or told.charge.subject.scope[0] == (USUAL | changes)["account"]
