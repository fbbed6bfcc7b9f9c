"""A trend as a line of SVG, without script or style of its own; unknown time is a gap in the line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from stillfit.export.html import Html, tag
from stillfit.export.trends import Trend
from stillfit.export.wording import length, plain

WIDTH, HEIGHT, MARGIN = 132, 28, 2.5


def sparkline(trend: Trend) -> Html:
    """From zero to the highest value; the newest known point is a dot."""
    known = [value for value in trend.values if value is not None]
    top = max(*known, 1e-12) if known else 1.0
    bottom = min(0.0, *known) if known else 0.0
    points = [_point(i, value, len(trend.values), bottom, top) for i, value in enumerate(trend.values)]
    runs = [list(run) for is_known, run in groupby(points, key=lambda point: point is not None) if is_known]
    lines = [_run([point for point in run if point is not None]) for run in runs]
    last = next((point for point in reversed(points) if point is not None), None)
    dot = tag("circle", cx=f"{last[0]:.1f}", cy=f"{last[1]:.1f}", r="2", class_="dot") if last else None
    told = f"last {length(trend.span.seconds)}, highest {plain(top)}"
    return tag(
        "svg",
        tag("title", told),
        lines,
        dot,
        class_="spark",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=str(WIDTH),
        height=str(HEIGHT),
        role="img",
    )


_Point = tuple[float, float]


def _point(index: int, value: float | None, count: int, bottom: float, top: float) -> _Point | None:
    if value is None:
        return None
    across = MARGIN + (WIDTH - 2 * MARGIN) * index / max(1, count - 1)
    up = (value - bottom) / (top - bottom)
    return across, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * up


def _run(points: Sequence[_Point]) -> Html:
    """An unbroken stretch: its area and its line."""
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    area = f"M{points[0][0]:.1f},{HEIGHT} L{line} L{points[-1][0]:.1f},{HEIGHT} Z"
    return Html(tag("path", d=area, class_="area") + tag("path", d=f"M{line}", class_="line"))
