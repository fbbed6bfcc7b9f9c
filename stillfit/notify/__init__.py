"""Tells people: advice as messages, an outbox that is emptied in order, and the sinks that take them.

text.py, message.py     one transition as a Slack message, safe whatever the names are
compose.py              which transitions are told, as rows for the outbox. Pure
sender.py               settles, delivers, waits, gives up
sink.py                 the seam; slack.py (bot token) and webhook.py stand behind it
webclient.py            the Web API through slack_sdk; transport.py is one HTTP exchange
"""

from stillfit.notify.compose import compose
from stillfit.notify.configured import sender_of
from stillfit.notify.sender import Pace, Sender
from stillfit.notify.sink import Delivered, Sink

__all__ = ["Delivered", "Pace", "Sender", "Sink", "compose", "sender_of"]
