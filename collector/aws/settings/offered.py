"""Whether a region offers a service at all: where it does not, the service has no address there. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from collector.aws.wire.failures import NoEndpointError

_Listed = TypeVar("_Listed")


class Offered:
    """Believed when the address was missing twice in a row: a resolver may lose a name for a moment.

    Whoever looks once (`AwsTarget.once`) asks the second time at once, all others in their next look.
    """

    def __init__(self, *, once: bool) -> None:
        self._once = once
        self._was_missing = False

    def listed(self, ask: Callable[[], list[_Listed]], *, known: bool) -> list[_Listed]:
        """What `ask` lists; nothing where the service is not offered. Raises what `ask` raises.

        `known`: something was there, so that it is offered and its address is lost: NoEndpointError.
        """
        try:
            found = ask()
        except NoEndpointError:
            if known:
                raise
            if self._was_missing:
                return []
            self._was_missing = True
            if not self._once:
                raise
            return self.listed(ask, known=known)
        self._was_missing = False
        return found
