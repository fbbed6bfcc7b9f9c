"""A stand-in for the AWS endpoints that stillfit reads: CloudWatch, DynamoDB, Keyspaces, DAX, Auto Scaling and STS.

It is an independent truth: nothing here imports the collectors or the spine, every request and every answer is checked
against botocore's own service models, and what the service refuses is refused with the service's error shapes.

    world = World(now=clock.now)  # epoch seconds; nothing later than now() is ever served
    world.put(ACCOUNT, "eu-west-1", Metric.dynamodb("ConsumedReadCapacityUnits", TableName="orders"),
              Points.regular(start=1_760_000_040, period=60, sum=[120.0, nan, 90.0], count=[100, nan, 80]))
    world.provide(ACCOUNT, "eu-west-1", provider)      # a simulator, asked lazily: see `Provider`
    world.dynamodb.put_table(ACCOUNT, "eu-west-1", {"TableName": "orders", ...}, Extras(tags={"team": "shop"}))
    world.dynamodb.delete_table(ACCOUNT, "eu-west-1", "orders")
    world.scaling.put_target(ACCOUNT, "eu-west-1", {...})   # put_policy, put_activity, put_action likewise
    world.keyspaces.put_table(ACCOUNT, "eu-west-1", {"keyspaceName": "shop", "tableName": "jobs", ...})
    world.dax.put_cluster(ACCOUNT, "eu-west-1", {"ClusterName": "front"}, nodes=3)
    world.identities.add_key("AKIDEXAMPLE", account=ACCOUNT)  # unknown: DEFAULT_ACCOUNT, 12 digits: itself
    world.identities.add_role("arn:aws:iam::222233334444:role/reader", external_id="s3cret")
    world.before_call.append(lambda call: simulator.advance(call.at))  # bring tables and settings up to now
    world.faults.add(Fault(kind=FaultKind.THROTTLE, operation="GetMetricData", region="eu-west-1", count=5))
    world.quotas.limit("GetMetricData", per_second=50)
    world.bill.calls["cloudwatch:GetMetricData"], world.bill.metrics, world.bill.datapoints, world.bill.dollars

    with AwsStandIn(world) as aws:
        boto3.client("cloudwatch", endpoint_url=aws.url, region_name="eu-west-1", ...)

A point that is NaN in `sum` is no point: sparse metrics stay sparse. `count` left out means one sample a point,
`minimum` and `maximum` left out mean the average. The name of the region comes from the request's signature scope.
"""

from stillfit.standins.aws.bill import Bill, billed_metrics
from stillfit.standins.aws.calls import Call
from stillfit.standins.aws.dynamodb_state import Extras
from stillfit.standins.aws.faults import Fault, FaultKind, Faults
from stillfit.standins.aws.identities import DEFAULT_ACCOUNT
from stillfit.standins.aws.metric_store import Publication
from stillfit.standins.aws.points import Metric, Points, Provider
from stillfit.standins.aws.standin import AwsStandIn
from stillfit.standins.aws.world import World

__all__ = [
    "DEFAULT_ACCOUNT",
    "AwsStandIn",
    "Bill",
    "Call",
    "Extras",
    "Fault",
    "FaultKind",
    "Faults",
    "Metric",
    "Points",
    "Provider",
    "Publication",
    "World",
    "billed_metrics",
]
