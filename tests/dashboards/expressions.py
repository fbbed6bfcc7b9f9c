"""Every PromQL expression that we ship, with where it stands, ready to be asked of a real Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import yaml

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "dashboards"
BOARDS = sorted(DASHBOARDS.glob("*.json"))
RULES = sorted((DASHBOARDS / "prometheus" / "rules").glob("*.yml"))
DERIVED = frozenset({"target:stillfit_advice_active:sum"})
"""What our own recording rules make."""


class Asked(NamedTuple):
    """One expression; `where` is the title of its panel or the name of its rule."""

    where: str
    expr: str


class Selected(NamedTuple):
    """One selector of an expression: the metric, and its matchers as (label, operator, value)."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def board(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def of_board(path: Path) -> Iterator[Asked]:
    """Panels, variables and annotations of a dashboard."""
    read = board(path)
    for panel in read["panels"]:
        for target in panel.get("targets", []):
            yield Asked(panel["title"], target["expr"])
    for variable in read["templating"]["list"]:
        if variable["type"] == "query":
            inside = variable["query"]["query"].removeprefix("label_values(").rpartition(",")[0]
            yield Asked(f"variable {variable['name']}", inside)
    for annotation in read["annotations"]["list"]:
        yield Asked(f"annotation {annotation['name']}", annotation["expr"])


def of_rules(path: Path) -> Iterator[Asked]:
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    for group in read["groups"]:
        for rule in group["rules"]:
            yield Asked(rule.get("alert") or rule["record"], rule["expr"])


def substituted(expr: str, interval: str = "5s") -> str:
    """As Grafana would send it with everything selected. Five seconds: five scrapes of a test's Prometheus."""
    for variable, value in (("$__rate_interval", interval), ("$job", ".*"), ("$target", ".*")):
        expr = expr.replace(variable, value)
    return expr


def selectors(expr: str) -> Iterator[Selected]:
    """Every selector inside an expression. Raises ValueError where it is not PromQL."""
    yield from _walk(promql_parser.parse(substituted(expr)))


def _walk(node: Any) -> Iterator[Selected]:
    if isinstance(node, promql_parser.VectorSelector):
        found = node.matchers.matchers
        yield Selected(node.name or "", tuple((one.name, str(one.op), one.value) for one in found))
    for part in ("expr", "lhs", "rhs", "vector_selector", "args", "param"):
        for child in _children(getattr(node, part, None)):
            yield from _walk(child)


def _children(part: Any) -> list[Any]:
    if part is None:
        return []
    return list(part) if isinstance(part, list) else [part]
