"""What a DynamoDB table with all its indexes costs a month, now and in the other capacity mode. Pure.

The capacity mode belongs to the whole table, so reads, writes and every index are counted together. Formulas and the
month of 730 hours follow the AWS pricing pages (2026-08); the figures are list prices with their arithmetic.

    option "current"      what it costs as it is set
    option "on-demand"    the same demand paid per request
    option "provisioned"  the same demand under auto scaling at 70 %

    component "reads", "writes", "storage"   of the table or of one index (the figure's subject tells which)
    component "throughput"                   reads and writes of the table with its indexes: what the mode decides
    component "total"                        throughput and storage; absent where a size is not known
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from stillfit.case import Case
from stillfit.costs.demand import SCALE_IN_S, Direction, Load, load_of
from stillfit.costs.estimate import HOURS_A_MONTH, Estimate, add, exactly, money
from stillfit.costs.pricebook import Price, PriceBook, PriceList, is_flagged
from stillfit.model import CostFigure, Level, Money, Span, Statistic, Unknown, Value
from stillfit.series import cut

CURRENT = "current"
ON_DEMAND = "on-demand"
PROVISIONED = "provisioned"
THROUGHPUT = "throughput"
TOTAL = "total"

MIN_WINDOW = timedelta(days=3)
"""Less says nothing about a month; 14 days are good (AWS Aurora I/O-Optimized skill, 2026-08: 3, 7 and 14 days)."""
GOOD_WINDOW = timedelta(days=14)
ITEM_OVERHEAD_BYTES = 100
"""Billed for each item beyond its own size (DynamoDB developer guide, billing)."""
GB = 2**30

MODES = {"PAY_PER_REQUEST": ON_DEMAND, "PROVISIONED": PROVISIONED}
_CLASS = {"STANDARD": "", "STANDARD_INFREQUENT_ACCESS": "_ia"}
_ALWAYS = (
    "list price: no savings plan and no reserved capacity",
    "no free tier: it is granted to an account, not to a table",
    "backups, streams and data transfer are not counted",
)
_OF_OPTION = {
    ON_DEMAND: ("refused requests are counted as served; on-demand may refuse above double an earlier peak",),
    PROVISIONED: (
        (
            "auto scaling at 70 %: low follows demand at once, "
            f"mid holds each peak for {SCALE_IN_S // 60} minutes more, an hour more where demand is known by the hour"
        ),
        "high: peaks inside an hour at twice its mean, or capacity that never scales in",
    ),
}
_SKUS = ("on_demand_read", "on_demand_write", "provisioned_read", "provisioned_write")


def figures(case: Case, book: PriceBook) -> tuple[CostFigure, ...] | Unknown:
    """What the table costs now and in each capacity mode, or what is missing to tell."""
    mode = MODES.get(str(case.attribute("billing_mode")))
    if mode is None:
        return Unknown(f"{case.subject.name}: how it is paid is not known", ("billing_mode",))
    if replicas := case.attribute("replica_regions"):
        return _replicated(case.subject.name, replicas)
    suffix = _CLASS.get(str(case.attribute("table_class")), "")
    indexes = (one for one in case.related if one.subject.level is Level.INDEX)
    holders = tuple(_since_seen(one) for one in (case, *indexes))
    table = _Table(case=case, holders=holders, book=book, prices=book.at(case.at), mode=mode, suffix=suffix)
    for one in holders:
        if one.window.seconds < MIN_WINDOW.total_seconds():
            seen = one.window.seconds / 3600
            hours = "1 hour was" if round(seen) == 1 else f"{seen:.0f} hours were"
            return Unknown(f"{one.subject.name}: {hours} seen, {MIN_WINDOW.days} days are needed")
    if missing := _missing(table):
        return Unknown(f"{case.subject.name}: cannot be priced without {', '.join(missing)}", missing)
    return table.figures()


def on_demand_usd(units_a_month: Estimate, price: Price) -> Estimate:
    """Request units a month, each at its price."""
    return units_a_month.times(price.usd)


def provisioned_usd(units: Estimate, price: Price) -> Estimate:
    """Capacity units held all month, each at its price an hour."""
    return units.times(price.usd * HOURS_A_MONTH)


def break_even(on_demand: Price, provisioned: Price) -> float:
    """The mean utilisation of provisioned units above which provisioned is the cheaper mode."""
    return provisioned.usd / (3600 * on_demand.usd)


def local_bytes(table: Case, span: Span) -> float | None:
    """Bytes billed for the local indexes of a table, by their newest sizes; None where one is not known.

    An account pays for attributes in local indexes beside the table's own, and for 100 bytes an item (DynamoDB
    developer guide, storage considerations for local secondary indexes). Where nothing tells of any there are none.
    """
    told = table.attribute("local_indexes")
    names = told if isinstance(told, tuple) else ()
    sizes = [size for name in names if (size := _newest(table, "local_index_bytes", name, span)) is not None]
    items = [_newest(table, "local_index_items", name, span) or 0.0 for name in names]
    return sum(sizes) + ITEM_OVERHEAD_BYTES * sum(items) if len(sizes) == len(names) else None


def _newest(case: Case, metric: str, dimension: str, span: Span) -> float | None:
    parts = (cut(one, span) for one in case.parts(metric, Statistic.LAST) if one.dimension == dimension)
    return next((float(one.values[-1]) for one in parts if len(one.values)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """One table as it is priced: its mode, the ending of its class's SKUs, and the prices of the day."""

    case: Case
    holders: tuple[Case, ...]
    """The table and its indexes, each on the part of the window since it was first seen."""
    book: PriceBook
    prices: PriceList
    mode: str
    suffix: str

    def price(self, sku: str) -> Price | None:
        return self.prices.price(sku + self.suffix, self.case.subject.scope[1])

    def figures(self) -> tuple[CostFigure, ...]:
        loads = [(one, direction, load_of(one, direction)) for one in self.holders for direction in Direction]
        return tuple(
            figure
            for option in (CURRENT, ON_DEMAND, PROVISIONED)
            for figure in self.summed(option, [self.paid(option, *load) for load in loads])
        )

    def summed(self, option: str, throughput: list[CostFigure]) -> tuple[CostFigure, ...]:
        """The single components of one option, then their sums for the whole table."""
        storage = [self.storage(option, holder) for holder in self.holders]
        kept = [figure for figure in storage if figure is not None]
        sums = [self.sum(option, THROUGHPUT, throughput)]
        sums += [self.sum(option, TOTAL, [*throughput, *kept])] if len(kept) == len(storage) else []
        return (*throughput, *kept, *sums)

    def paid(self, option: str, holder: Case, direction: Direction, load: Load) -> CostFigure:
        """Reads or writes of the table or one index."""
        mode = self.mode if option == CURRENT else option
        sku = f"{'on_demand' if mode == ON_DEMAND else 'provisioned'}_{direction}"
        price = self.price(sku)
        assert price is not None, "asked before by _missing"
        if mode == ON_DEMAND:
            units = load.consumed if option == CURRENT else load.demand
            usd, words = on_demand_usd(units, price), _on_demand_words(units.mid, direction, price)
        else:
            units = exactly(load.provisioned or 0.0) if option == CURRENT else load.right_sized
            usd, words = provisioned_usd(units, price), _provisioned_words(units.mid, direction, price)
        return self.figure(option, f"{direction}s", holder, money(usd, words, (price,)), price)

    def storage(self, option: str, holder: Case) -> CostFigure | None:
        """The bytes kept by the table with its local indexes, or by one index; None where a size is not known."""
        size = holder.fold("table_size_bytes", Statistic.LAST)
        price, local = self.price("storage"), local_bytes(holder, holder.window)
        if size is None or local is None or price is None:
            return None
        items = holder.fold("item_count", Statistic.LAST) or 0.0
        gigabytes = (size + items * ITEM_OVERHEAD_BYTES + local) / GB
        whole = f"{gigabytes:,.2f} GB" + (f" ({local / GB:,.2f} GB of it in local indexes)" if local else "")
        words = f"{whole} x {price.usd:g} USD = {gigabytes * price.usd:,.2f} USD"
        return self.figure(option, "storage", holder, money(exactly(gigabytes * price.usd), words, (price,)), price)

    def figure(self, option: str, component: str, holder: Case, amount: Money, price: Price) -> CostFigure:
        return CostFigure(
            subject=holder.subject,
            option=option,
            component=component,
            money=amount,
            assumptions=self.assumptions(option, amount),
            rates=self.book.rates(price.sku, price.region),
        )

    def sum(self, option: str, component: str, parts: list[CostFigure]) -> CostFigure:
        amounts = {f"{one.subject.index or self.case.subject.name} {one.component}": one.money for one in parts}
        amount = add(amounts)
        return CostFigure(
            subject=self.case.subject,
            option=option,
            component=component,
            money=amount,
            assumptions=self.assumptions(option, amount),
        )

    def assumptions(self, option: str, amount: Money) -> tuple[str, ...]:
        said = list(_ALWAYS)
        said += _OF_OPTION.get(option, ())
        days = round(min(one.window.seconds for one in self.holders) / 86400)
        if days < GOOD_WINDOW.days:
            said.append(f"only {days} days were seen; a weekly pattern needs {GOOD_WINDOW.days}")
        if not self.case.attribute("table_class"):
            said.append("table class not known: Standard assumed")
        if self.case.attribute("local_indexes") is None:
            said.append("local indexes not known: none assumed")
        if self.case.attribute("vector_indexes"):
            said.append("vector indexes are not counted")
        if is_flagged(amount.price_date, self.case.at):
            said.append(f"prices were last read on {amount.price_date:%Y-%m-%d}, over 90 days ago")
        return tuple(said)


def _replicated(name: str, replicas: Value) -> Unknown:
    """A global table: its writes are paid in every region, and its mode is switched in all of them at once."""
    regions = ", ".join(replicas) if isinstance(replicas, tuple) else str(replicas)
    return Unknown(f"{name}: writes that are replicated to {regions} are not priced yet", ("replicated writes",))


def _since_seen(case: Case) -> Case:
    """A case cut to begin where its consumption is first vouched for: a new table or index has no more than that."""
    metrics = {f"consumed_{direction}_units" for direction in Direction}
    starts = [one.covered[0].start for one in case.series if one.metric in metrics and one.covered]
    start = max(case.window.start, min(starts, default=case.window.start))
    return replace(case, window=Span(min(start, case.window.end), case.window.end))


def _missing(table: _Table) -> tuple[str, ...]:
    """What has to be known before any figure is made."""
    unseen = [
        (holder, metric)
        for holder in table.holders
        for direction in Direction
        for metric in _needed(table.mode, direction)
        if not (holder.proves(metric) or (metric.startswith("provisioned") and holder.number(metric) is not None))
    ]
    unpriced = [sku for sku in _SKUS if table.price(sku) is None]
    return (
        *(
            metric if holder.subject.level is Level.TABLE else f"{metric} of index {holder.subject.index}"
            for holder, metric in unseen
        ),
        *(f"price of {sku}{table.suffix} in {table.case.subject.scope[1]}" for sku in unpriced),
    )


def _needed(mode: str, direction: Direction) -> tuple[str, ...]:
    consumed = f"consumed_{direction}_units"
    return (consumed, f"provisioned_{direction}_units") if mode == PROVISIONED else (consumed,)


def _on_demand_words(units: float, direction: Direction, price: Price) -> str:
    usd = units * price.usd
    return f"{units:,.0f} {direction.request_unit} x {price.usd * 1e6:g} USD per million = {usd:,.2f} USD"


def _provisioned_words(units: float, direction: Direction, price: Price) -> str:
    usd = units * price.usd * HOURS_A_MONTH
    return f"{units:,.2f} {direction.capacity_unit} x {price.usd:g} USD/h x {HOURS_A_MONTH} h = {usd:,.2f} USD"
