"""Serve a small sample world: python -m stillfit.standins.aws --port 4566."""

import argparse
import signal
import socket
import sys
import time

from stillfit.standins.aws.sample import REGION, sample_world
from stillfit.standins.aws.standin import AwsStandIn

TRY = """AWS stand-in on {url}. Ctrl-C ends it. Try:
  export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION={region}
  aws --endpoint-url {url} dynamodb list-tables
  aws --endpoint-url {url} cloudwatch list-metrics --namespace AWS/DynamoDB
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stillfit.standins.aws", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="0 takes any free port (default: 4566)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    options = parser.parse_args(arguments)
    try:
        stand_in = AwsStandIn(sample_world(time.time), host=options.host, port=options.port)
    except OSError as error:
        sys.stderr.write(f"The port {options.port} on {options.host} cannot be used: {error}. Choose another --port.\n")
        return 2
    return _serve(stand_in)


def _serve(stand_in: AwsStandIn) -> int:
    with stand_in:
        sys.stdout.write(TRY.format(url=stand_in.url, region=REGION))
        sys.stdout.flush()
        _wait_for_end()
    bill = stand_in.world.bill
    sys.stdout.write(f"Served {bill.calls.total()} calls, {bill.metrics} billed metrics, {bill.dollars:.5f} USD.\n")
    return 0


def _wait_for_end() -> None:
    """Until SIGINT or SIGTERM. The handlers do nothing: a second signal finds nothing to interrupt."""
    woken, waker = socket.socketpair()
    with woken, waker:
        waker.settimeout(0)
        signal.set_wakeup_fd(waker.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        woken.recv(1)
        signal.set_wakeup_fd(-1)


if __name__ == "__main__":
    sys.exit(main())
