"""The stand-in as a server: the Web API, incoming webhooks and a page for people, behind one address."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from stillfit.standins.server import StandInServer
from stillfit.standins.slack.faults import Faults
from stillfit.standins.slack.service import Access, Hook, Service
from stillfit.standins.slack.workspace import Channel, Workspace

TOKEN = "xoxb-stand-in"  # noqa: S105  (opens nothing but the stand-in)
CHANNEL = Channel(id="C0STILLFIT", name="stillfit")
SCOPES = frozenset(
    {"chat:write", "chat:write.public", "channels:history", "channels:read", "groups:history", "groups:read"}
)


class SlackStandIn(StandInServer):
    """A workspace on a local port. `url` is what a client takes as base_url, `page_url` is for a browser."""

    def __init__(  # noqa: PLR0913  (each is one independent fact of the workspace, all optional)
        self,
        channels: Collection[Channel] = (CHANNEL,),
        *,
        token: str = TOKEN,
        scopes: Collection[str] = SCOPES,
        now: Callable[[], float] = time.time,
        journal: Path | None = None,
        per_second: float | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """`now` in epoch seconds gives posts their ts: hand in the daemon's own clock where that is not the real one.

        `journal`: a file in which every message is kept before it is answered, and from which a new stand-in goes on.
        `per_second`: answer 429 to more than that many messages a real second in one channel.
        """
        self.workspace = Workspace(channels, now=now, journal=journal)
        webhooks = {f"/services/T0STANDIN/{one.id}/secret": one.id for one in self.workspace.channels}
        access = Access(token=token, scopes=frozenset(scopes), webhooks=webhooks, per_second=per_second)
        self.service = Service(self.workspace, access)
        super().__init__(self.service.answer, host=host, port=port)

    @property
    def url(self) -> str:
        """The base_url of the Web API."""
        return f"{super().url}/api/"

    @property
    def page_url(self) -> str:
        """What a person opens in a browser."""
        return f"{super().url}/"

    def webhook_url(self, channel: str = CHANNEL.name) -> str:
        """The incoming webhook of a channel, by id or name."""
        found = self.workspace.channel(channel)
        if found is None:
            raise KeyError(channel)
        return f"{super().url}/services/T0STANDIN/{found.id}/secret"

    @property
    def faults(self) -> Faults:
        return self.service.faults

    @property
    def hooks(self) -> list[Hook]:
        return self.service.hooks
