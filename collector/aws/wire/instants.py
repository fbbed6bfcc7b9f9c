"""Timestamps as the wire protocols leave them. Pure, and without boto3: captured files are read with it too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def instant(value: Any) -> datetime:
    """Seconds since the epoch (JSON, CBOR), ISO text (query protocol, command line) or a datetime, as aware UTC.

    Raises ValueError or TypeError on what is no time.
    """
    if isinstance(value, (int, float)):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError) as error:
            raise ValueError(f"{value:g} seconds since 1970 are no time") from error
    when = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
