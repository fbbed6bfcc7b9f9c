"""What asking for costs costs. Imports no SDK."""

from __future__ import annotations

from dataclasses import dataclass

USD_PER_REQUEST = 0.01
"""Of Cost Explorer (AWS Cost Management pricing, 2026); each further page is a request. Price lists are free."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Requests of Cost Explorer since the source was made."""

    requests: int = 0
    lost: int = 0
    """Attempts whose answer was lost on the way: they may have been billed on top."""

    @property
    def usd(self) -> float:
        return self.requests * USD_PER_REQUEST

    @property
    def lost_usd(self) -> float:
        return self.lost * USD_PER_REQUEST
