"""Tells people: advice as messages, an outbox that is emptied in order, and the sinks that take them."""
