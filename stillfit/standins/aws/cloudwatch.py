"""CloudWatch, reads only. One function an operation; OPERATIONS is the table the dispatch reads."""

from collections.abc import Callable, Mapping
from typing import Any

from stillfit.standins.aws import insights
from stillfit.standins.aws.calls import Answer, Call, not_modelled
from stillfit.standins.aws.get_metric_data import get_metric_data
from stillfit.standins.aws.metric_store import DAY, LISTED_DAYS
from stillfit.standins.aws.paging import Position, next_page
from stillfit.standins.aws.points import Metric
from stillfit.standins.aws.world import World

PAGE = 500  # metrics a page of ListMetrics
RECENT_S = 3 * 3_600  # RecentlyActive: PT3H is the only value


def list_metrics(world: World, call: Call) -> Answer:
    if call.parameters.get("IncludeLinkedAccounts") or call.parameters.get("OwningAccount"):
        raise not_modelled("Cross-account observability (IncludeLinkedAccounts, OwningAccount)")
    position = world.tokens.redeem(call, refusal="InvalidParameterValue") or Position(_listing(world, call))
    metrics, token = next_page(world, call, position, PAGE)
    return {"Metrics": [_written(metric) for metric in metrics], **token}


def _listing(world: World, call: Call) -> list[Metric]:
    """Metrics that reported within two weeks and were known 15 minutes ago, as far as the filters let them through."""
    listed_by = call.at - world.publication.listing_delay_s
    active = world.metrics.active
    found = active(call.account, call.region, call.at - LISTED_DAYS * DAY, listed_by)
    if call.parameters.get("RecentlyActive"):
        found &= active(call.account, call.region, call.at - RECENT_S, call.at)
    return sorted(metric for metric in found if _fits(metric, call.parameters))


def _fits(metric: Metric, asked: Mapping[str, Any]) -> bool:
    if asked.get("Namespace") not in (None, metric.namespace) or asked.get("MetricName") not in (None, metric.name):
        return False
    has = dict(metric.dimensions)
    filters = asked.get("Dimensions") or ()
    return all(wanted["Name"] in has and wanted.get("Value") in (None, has[wanted["Name"]]) for wanted in filters)


def _written(metric: Metric) -> Answer:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}


OPERATIONS: dict[str, Callable[[World, Call], Answer]] = {
    "GetMetricData": get_metric_data,
    "ListMetrics": list_metrics,
    **insights.OPERATIONS,
}
