"""Before money is spent it is told how much, and asked; while it is spent, how much so far. On standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from collector.aws.spending.meter import USD_PER_METRIC
from stillfit.cli.aws_terms import dollars
from stillfit.cli.terminal import console, safe_lines
from stillfit.errors import UsageError


def say(line: str) -> None:
    """To people, beside the report."""
    sys.stderr.write(f"{safe_lines(line)}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person said of spending, on the command line."""

    yes: bool
    max_dollars: float | None
    unasked: float
    """What may be spent where nobody said anything and nobody can be asked."""

    @property
    def limit(self) -> float | None:
        """Dollars that nothing may go beyond; None where there is no limit."""
        return self.unasked if self.max_dollars is None and not (self.yes or _is_asked()) else self.max_dollars

    def to_spend(self, command: str, most: float, *, refused: str) -> None:
        """Ask where somebody can be asked. Raises UsageError where `most` may not be spent; `refused`: what a no means.

        A limit holds whoever says yes.
        """
        limit = self.limit
        if limit is not None and most > limit:
            told = f"{command}: {dollars(most)} at most, listings counted in, is above {dollars(limit)}"
            way = "raise --max-dollars" if self.max_dollars is not None else "raise --max-dollars, or --yes"
            raise UsageError(f"{told}: {way}")
        if _is_asked() and not self.yes and most > 0 and not typer.confirm("Spend that?", default=True, err=True):
            raise UsageError(f"{command}: {refused}")


def _is_asked() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def metrics_progress(metrics: int) -> Iterator[Callable[[int], None]]:
    """Shows how many metrics have been read and what they cost, on a terminal only."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield lambda _done: None
        return
    columns = (TextColumn("reading"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task("", total=metrics, told="")

        def tell_progress(done: int) -> None:
            most = max(done, metrics)  # causes of refusals and repeats come on top
            told = f"{done:,} of {most:,} metrics, {dollars(done * USD_PER_METRIC)}"
            bar.update(task, completed=done, total=most, told=told)

        yield tell_progress
