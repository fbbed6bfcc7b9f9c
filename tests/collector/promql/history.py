"""Hours of series as an exporter would have left them in a store, and a store that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

YACE = {
    "account_id": "123456789012",
    "region": "eu-west-1",
    "name": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
    "dimension_TableName": "orders",
    "job": "yace",
    "instance": "10.0.0.9:5000",
}
"""Labels as YACE 0.67 writes them for a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One series: a value every `every_s` seconds from `start` on."""

    name: str
    labels: Mapping[str, str]
    start: int
    values: Sequence[float]
    every_s: int = 60


def openmetrics(series: Iterable[Samples]) -> str:
    """What `promtool tsdb create-blocks-from openmetrics` and VictoriaMetrics' import take."""
    lines = []
    for one in sorted(series, key=lambda each: each.name):
        labels = ",".join(f'{label}="{value}"' for label, value in one.labels.items())
        for place, value in enumerate(one.values):
            lines.append(f"{one.name}{{{labels}}} {value} {one.start + place * one.every_s}")
    return "\n".join([*lines, "# EOF"]) + "\n"
