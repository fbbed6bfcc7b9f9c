"""A probe, what it tells, and a runner in which one that fails or hangs hides none of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Mark(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One thing that was tried."""

    name: str
    mark: Mark
    sentence: str
    fix: str = ""
    """What to do about it, and what goes blind until then."""
    essential: bool = False
    """Without it there is nothing to watch, or nowhere to keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Something to try. `run` tells results as they come, so that a hang loses only what comes after."""

    area: str
    run: Callable[[], Iterable[Result]]
    deadline_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    area: str
    results: tuple[Result, ...]


@dataclass(slots=True)
class _Running:
    probe: Probe
    results: list[Result] = field(default_factory=list)
    finished: bool = False

    def work(self) -> None:
        for result in self.probe.run():
            self.results.append(result)
        self.finished = True


def ok(name: str, sentence: str) -> Result:
    return Result(name=name, mark=Mark.OK, sentence=sentence)


def warning(name: str, sentence: str, fix: str = "") -> Result:
    return Result(name=name, mark=Mark.WARNING, sentence=sentence, fix=fix)


def failed(name: str, sentence: str, fix: str = "", *, essential: bool = True) -> Result:
    return Result(name=name, mark=Mark.FAILED, sentence=sentence, fix=fix, essential=essential)


def try_all(probes: Iterable[Probe]) -> Iterator[Tried]:
    """Run all at once, in threads that an exit does not wait for, and tell them in the order given."""
    began = time.monotonic()
    running = [_Running(probe) for probe in probes]
    threads = [threading.Thread(target=one.work, name=f"doctor {one.probe.area}", daemon=True) for one in running]
    for thread in threads:
        thread.start()
    for one, thread in zip(running, threads, strict=True):
        thread.join(max(0.0, began + one.probe.deadline_s - time.monotonic()))
        yield Tried(area=one.probe.area, results=(*one.results, *_cut_short(one, alive=thread.is_alive())))


def _cut_short(one: _Running, *, alive: bool) -> Iterator[Result]:
    """What is told of a probe that did not come to its end."""
    if one.finished:
        return
    if alive:
        yield failed("deadline", f"no answer within {one.probe.deadline_s:g} s, so the rest was not tried")
    else:
        yield failed("defect", "the probe itself broke off: please report the trace that is printed with it")
