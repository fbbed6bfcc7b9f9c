"""A stand-in for Slack: the Web API methods and incoming webhooks that stillfit uses, and a page to look at.

Written to docs.slack.dev, independent of stillfit/notify. It refuses what Slack refuses, and unknown arguments too.

    with SlackStandIn([Channel(id="C0ALERTS", name="alerts")], journal=path) as slack:
        WebClient(token=TOKEN, base_url=slack.url)         # auth.test, chat.postMessage, chat.update,
                                                           # conversations.history, .replies, .list
        slack.webhook_url("alerts"), slack.page_url        # an incoming webhook; the page for a browser
        slack.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="chat.postMessage", count=1))
        slack.hooks.append(lambda moment, method: ...)     # Moment.ARRIVED, Moment.DONE
        slack.workspace.posts()                            # what stands in it

`python -m stillfit.standins.slack` serves one until Ctrl-C.
"""

from stillfit.standins.slack.faults import Fault, FaultKind, Faults
from stillfit.standins.slack.service import Moment
from stillfit.standins.slack.standin import CHANNEL, SCOPES, TOKEN, SlackStandIn
from stillfit.standins.slack.workspace import Channel, Content, Post, Workspace

__all__ = [
    "CHANNEL",
    "SCOPES",
    "TOKEN",
    "Channel",
    "Content",
    "Fault",
    "FaultKind",
    "Faults",
    "Moment",
    "Post",
    "SlackStandIn",
    "Workspace",
]
