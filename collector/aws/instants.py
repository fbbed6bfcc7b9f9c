"""Timestamps as the wire protocols leave them. Pure, and without boto3: captured files are read with it too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def instant(value: Any) -> datetime:
    """Seconds since the epoch (JSON, CBOR), ISO text (query protocol, command line) or a datetime, as aware UTC."""
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    when = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
