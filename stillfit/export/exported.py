"""What a record of the catalogue of exported series is, and the labels that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One metric. `values` closes the set of a label whose values the code itself chooses."""

    name: str
    type: Type
    labels: tuple[str, ...]
    help: str
    meaning: str
    """What is bad, and what to do; or what to use it for."""
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()


TARGET = ("target",)
COLLECTOR = ("target", "collector")
TABLE = ("target", "table")
INDEX = ("target", "table", "index")
REPLICA = ("target", "keyspace", "table", "node")
NODE = ("target", "node")
KINDS = ("read", "write")
UNATTRIBUTED = "unattributed"
PERCENTILES = ("average", "maximum", "p50", "p99")
SEVERITIES = ("info", "warning", "critical")
STATES = ("pending", "open", "acknowledged", "snoozed", "dismissed", "resolved")
FIT_STATES = ("fits", "fits with changes", "strained", "does not fit", "unknown")
"""In the order of their numbers in stillfit_fit_state."""

Plain = tuple[str, Type, tuple[str, ...], str, str]
Row = Plain | tuple[str, Type, tuple[str, ...], str, str, dict[str, tuple[str, ...]]]


def exported(*rows: Row) -> tuple[Exported, ...]:
    """Rows of name, type, labels, help, meaning and the closed sets of labels, as records."""
    return tuple(
        Exported(
            name=f"stillfit_{row[0]}",
            type=row[1],
            labels=row[2],
            help=row[3],
            meaning=row[4],
            values=tuple(row[5].items()) if len(row) > 5 else (),
        )
        for row in rows
    )
