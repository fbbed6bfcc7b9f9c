"""Serves an empty workspace until Ctrl-C, to try clients on."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from stillfit.standins.slack import CHANNEL, TOKEN, SlackStandIn


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m stillfit.standins.slack", description=__doc__)
    options.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    options.add_argument("--journal", type=Path, help="file that keeps the messages")
    chosen = options.parse_args()
    with SlackStandIn(port=chosen.port, journal=chosen.journal) as slack:
        lines = (("page", slack.page_url), ("base_url", slack.url), ("token", TOKEN), ("channel", CHANNEL.name))
        for name, value in (*lines, ("webhook", slack.webhook_url())):
            sys.stdout.write(f"{name:<9}{value}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
