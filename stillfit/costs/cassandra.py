"""What Cassandra costs: node-hours at a price that the operator gave, else nothing that could be defended. Pure."""

from __future__ import annotations

from stillfit.case import Case
from stillfit.costs.estimate import HOURS_A_MONTH, exactly, money
from stillfit.costs.pricebook import Price, PriceBook
from stillfit.costs.pricefile import NODE_SKU
from stillfit.model import Level, Money, Unknown


def figures(case: Case, book: PriceBook) -> Unknown:
    """Why a table of a cluster has no price of its own, with the price of all its nodes where it is known.

    A node serves all tables at once; what part of it one table takes cannot be read from outside.
    """
    cluster = case.subject.scope[0]
    price = book.at(case.at).price(NODE_SKU, cluster)
    if price is None:
        return Unknown(
            f"no node price for cluster {cluster}: add sku {NODE_SKU} with region {cluster!r} to your own price file",
            (NODE_SKU,),
        )
    nodes = len({replica.subject.node for replica in case.of_level(Level.REPLICA)})
    if not nodes:
        return Unknown(f"no node of cluster {cluster} was seen, so its node-hours cannot be counted", ("nodes",))
    whole = cluster_money(nodes, price)
    return Unknown(
        f"the nodes serve all tables of {cluster}, a table's part cannot be told; together: {whole.arithmetic}",
        ("share_of_nodes",),
    )


def cluster_money(nodes: int, price: Price) -> Money:
    """What all nodes of a cluster cost a month."""
    usd = nodes * price.usd * HOURS_A_MONTH
    words = f"{nodes} nodes x {price.usd:g} USD/h x {HOURS_A_MONTH} h = {usd:,.2f} USD"
    return money(exactly(usd), words, (price,))
