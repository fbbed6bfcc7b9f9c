"""The process of the simulated fleet: AWS, Cassandra and Slack on free ports of this machine.

    python -m stillfit.demo.fleet --seed 7 --zero 1793500000 --origin 5000.0 --scale 60

Prints one line of JSON with its addresses, then serves until its standard input ends.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from stillfit.clock import ScaledClock
from stillfit.demo.cloud import furnish
from stillfit.demo.cluster import ClusterWorld, nodes
from stillfit.demo.story import story
from stillfit.standins.aws import AwsStandIn, World
from stillfit.standins.cql import CqlStandin
from stillfit.standins.slack import CHANNEL, TOKEN, SlackStandIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the fleet can be reached."""

    aws: str
    cassandra: list[str]
    slack: str
    slack_page: str
    slack_channel: str
    slack_token: str


def serve(seed: int, zero: int, clock: ScaledClock) -> None:
    """Run the stand-ins until standard input ends, which it also does when the parent dies."""
    now = lambda: clock.now().timestamp()  # noqa: E731  # the one clock of all three
    plan = story(seed)
    world = World(now=now)
    furnish(world, plan, zero)
    cluster = ClusterWorld(plan, zero, now)
    with (
        AwsStandIn(world) as aws,
        CqlStandin(nodes(plan.cluster, zero), cluster, cluster_name=plan.cluster.name) as cql,
        SlackStandIn(now=now) as slack,
    ):
        points = [f"{host}:{port}" for host, port in cql.contact_points]
        addresses = Addresses(
            aws=aws.url,
            cassandra=points,
            slack=slack.url,
            slack_page=slack.page_url,
            slack_channel=CHANNEL.name,
            slack_token=TOKEN,
        )
        print(json.dumps(asdict(addresses)), flush=True)  # noqa: T201  # the answer to whoever started it
        sys.stdin.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--zero", type=int, required=True, help="epoch second at which the story begins")
    parser.add_argument("--origin", type=float, required=True, help="time.monotonic() at which the story begins")
    parser.add_argument("--scale", type=float, required=True, help="simulated seconds in one real second")
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it closes our standard input
    serve(asked.seed, asked.zero, ScaledClock(datetime.fromtimestamp(asked.zero, UTC), asked.scale, asked.origin))


if __name__ == "__main__":
    main()
