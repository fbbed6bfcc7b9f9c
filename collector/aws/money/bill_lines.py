"""One line of a bill file as a charge: Cost and Usage Reports 1 and 2, and FOCUS 1.x. Pure.

Columns follow the data dictionaries of CUR (legacy and 2.0) and of FOCUS 1.0 and 1.2 as AWS exports them: 1.2 has no
x_UsageType, its SkuMeter is the usage type (Data Exports guide, "Migrating from FOCUS 1.0 to FOCUS 1.2").
How a line counts depends on its kind (CUR, "Line item details", "Reservation details", "Savings Plans details"):

    Usage                    billed and amortized are its unblended cost
    DiscountedUsage          covered by a reservation: amortized is the reservation's effective cost
    SavingsPlanCoveredUsage  billed at list price and negated by its sister: amortized is the plan's effective cost
    SavingsPlanNegation      billed below zero, amortized nothing
    RIFee                    amortized is what was not used of it
    Fee of a reservation     paid ahead: amortized nothing, its use carries it
    Credit, Refund, Tax      neither use nor price: left out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from math import isfinite

from collector.aws.money.charges import SERVICE_NAMES, Charge, component, engine_of, scope_of, subject_of
from stillfit.model import Subject

Row = Mapping[str, str]


class Dialect(Enum):
    """The ways of writing a bill."""

    CUR_1 = "CUR 1"
    CUR_2 = "CUR 2"
    FOCUS_1_0 = "FOCUS 1.0"
    FOCUS_1_2 = "FOCUS 1.2"


class OddLineError(ValueError):
    """A line that cannot be read, with what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A charge of a region, and of its table where the bill names one."""

    charge: Charge
    table: Subject | None
    is_final: bool | None
    """Whether it has been invoiced; None where the bill does not say (FOCUS 1.0)."""


_CUR_1 = {
    "account": "lineItem/UsageAccountId",
    "kind": "lineItem/LineItemType",
    "start": "lineItem/UsageStartDate",
    "service": "lineItem/ProductCode",
    "usage_type": "lineItem/UsageType",
    "resource": "lineItem/ResourceId",
    "units": "lineItem/UsageAmount",
    "billed": "lineItem/UnblendedCost",
    "currency": "lineItem/CurrencyCode",
    "rate": "pricing/RateCode",
    "region": "product/regionCode",
    "invoice": "bill/InvoiceId",
    "period": "bill/BillingPeriodStartDate",
    "reserved": "reservation/EffectiveCost",
    "reservation": "reservation/ReservationARN",
    "unused_upfront": "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
    "unused_recurring": "reservation/UnusedRecurringFee",
    "planned": "savingsPlan/SavingsPlanEffectiveCost",
}
_CUR_2 = {
    "account": "line_item_usage_account_id",
    "kind": "line_item_line_item_type",
    "start": "line_item_usage_start_date",
    "service": "line_item_product_code",
    "usage_type": "line_item_usage_type",
    "resource": "line_item_resource_id",
    "units": "line_item_usage_amount",
    "billed": "line_item_unblended_cost",
    "currency": "line_item_currency_code",
    "rate": "pricing_rate_code",
    "region": "product_region_code",
    "invoice": "bill_invoice_id",
    "period": "bill_billing_period_start_date",
    "reserved": "reservation_effective_cost",
    "reservation": "reservation_reservation_a_r_n",
    "unused_upfront": "reservation_unused_amortized_upfront_fee_for_billing_period",
    "unused_recurring": "reservation_unused_recurring_fee",
    "planned": "savings_plan_savings_plan_effective_cost",
}
_FOCUS_1_0 = {
    "account": "SubAccountId",
    "kind": "ChargeCategory",
    "start": "ChargePeriodStart",
    "service": "x_ServiceCode",
    "service_name": "ServiceName",
    "usage_type": "x_UsageType",
    "resource": "ResourceId",
    "units": "ConsumedQuantity",
    "billed": "BilledCost",
    "amortized": "EffectiveCost",
    "currency": "BillingCurrency",
    "rate": "SkuPriceId",
    "region": "RegionId",
    "invoice": "InvoiceId",
    "period": "BillingPeriodStart",
}
_FOCUS_1_2 = _FOCUS_1_0 | {"usage_type": "SkuMeter"}
COLUMNS = {
    Dialect.CUR_1: _CUR_1,
    Dialect.CUR_2: _CUR_2,
    Dialect.FOCUS_1_0: _FOCUS_1_0,
    Dialect.FOCUS_1_2: _FOCUS_1_2,
}
NEEDED = ("account", "kind", "start", "usage_type", "billed", "currency")
"""Without these columns a file is no bill that can be read."""

_LEFT_OUT = frozenset({"Credit", "Refund", "Tax", "Adjustment"})
"""Adjustment is FOCUS's word for rounding and the like."""


def dialect_of(header: tuple[str, ...]) -> Dialect | None:
    """How a file is written, by its columns; None where it is no bill."""
    names = frozenset(header)
    for dialect, columns in COLUMNS.items():
        if all(columns[key] in names for key in NEEDED):
            return dialect
    return None


def period_of(dialect: Dialect, row: Row) -> str:
    """The month that a line is billed in, as 2026-11; empty where the bill does not say."""
    return row.get(COLUMNS[dialect]["period"], "")[:7]


def line(dialect: Dialect, row: Row) -> Line | None:
    """A row as a line; None where it is not of DynamoDB, Keyspaces or DAX, or says nothing of use or price.

    Raises OddLineError.
    """
    columns = COLUMNS[dialect]

    def text(key: str) -> str:
        return (row.get(columns[key]) or "") if key in columns else ""

    usage_type, service = text("usage_type"), text("service") or SERVICE_NAMES.get(text("service_name"), "")
    engine = engine_of(service, usage_type)
    if engine is None or text("kind") in _LEFT_OUT:
        return None
    _require_dollars(text("currency"))
    amounts = {key: _number(text(key), columns[key]) for key in _AMOUNTS if key in columns}
    charge = Charge(
        day=_day(text("start"), columns["start"]),
        subject=scope_of(engine, _account(text("account"), columns["account"]), usage_type, text("region")),
        component=component(service, usage_type),
        billed=amounts["billed"],
        amortized=_amortized(text("kind"), text("reservation"), amounts),
        units=amounts["units"],
        rate=text("rate"),
    )
    return Line(
        charge=charge,
        table=subject_of(text("resource")),
        is_final=bool(text("invoice")) if columns["invoice"] in row else None,
    )


def _require_dollars(currency: str) -> None:
    if currency != "USD":
        raise OddLineError(f"it is in {currency or 'no currency'}, not in USD")


def _amortized(kind: str, reservation: str, amounts: Mapping[str, float]) -> float:
    """FOCUS tells it; of CUR it follows from the kind of line."""
    if "amortized" in amounts:
        return amounts["amortized"]
    if kind == "DiscountedUsage":
        return amounts["reserved"]
    if kind == "SavingsPlanCoveredUsage":
        return amounts["planned"]
    if kind == "RIFee":
        return amounts["unused_upfront"] + amounts["unused_recurring"]
    if kind in {"SavingsPlanNegation", "SavingsPlanUpfrontFee"} or (kind == "Fee" and reservation):
        return 0.0
    return amounts["billed"]


def _account(text: str, column: str) -> str:
    if not (text.isdigit() and len(text) == 12):
        raise OddLineError(f"{column} is not an account")
    return text


def _number(text: str, column: str) -> float:
    try:
        number = float(text or 0)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise OddLineError(f"{column} is not a number")
    return number


def _day(text: str, column: str) -> date:
    """In UTC, as bills are."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise OddLineError(f"{column} is not a date") from None
    return (instant.astimezone(UTC) if instant.tzinfo else instant).date()


_AMOUNTS = ("billed", "amortized", "units", "reserved", "unused_upfront", "unused_recurring", "planned")
