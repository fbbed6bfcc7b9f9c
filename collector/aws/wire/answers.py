"""Reading what a call brought: an answer without what the service promises is garbled, and never a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from collector.aws.wire.failures import GarbledError, amiss, failure


@contextmanager
def readable(action: str, about: str) -> Iterator[None]:
    """Around what takes an answer apart. Raises SourceError, which names the call, where a part is missing or wrong."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        garbled = GarbledError(f"an answer that cannot be read: {amiss(error)}")
        raise failure(garbled, action=action, about=about) from error
