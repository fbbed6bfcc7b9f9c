"""`stillfit advice`: what stands in the store, and what a person does with it.

Every act is one transaction with its transition and its messages; it needs no lease and may be done while daemons run.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stillfit import lifecycle
from stillfit.advice import LIVE_STATES, Advice, AdviceState, Transition
from stillfit.cli.logs import quieten
from stillfit.cli.terminal import (
    STYLES,
    evidence_table,
    head,
    indented,
    inside,
    option_table,
    safe,
    saving,
    show,
    takes,
)
from stillfit.clock import Clock, SystemClock
from stillfit.config import Config
from stillfit.configbase import length
from stillfit.configfile import load
from stillfit.errors import StoreError, UsageError
from stillfit.export.findings import AdviceOut, advice_out, worst_first
from stillfit.notify import compose
from stillfit.notify.configured import sinks_of
from stillfit.store.store import Store

TRIES = 3
"""A daemon may move the same advice on between reading and writing; then it is read again."""

Act = Callable[[Advice, datetime], lifecycle.Stepped]


class TransitionOut(BaseModel):
    """One change of state, for `advice show --format json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    before: str
    after: str
    at: datetime
    by: str
    reason: str


class AdviceWithHistory(AdviceOut):
    """What `advice show --format json` prints: advice as in the findings document, and its changes of state."""

    history: tuple[TransitionOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A store that daemons may be using, with what is needed to act on it."""

    config: Config
    store: Store
    clock: Clock

    def find(self, text: str) -> Advice:
        """The advice of an id, or of the beginning of one. Raises UsageError naming the nearest."""
        every = self.store.advice()
        begins = [one for one in every if one.id.lower().startswith(text.lower())]
        if len(begins) == 1:
            return begins[0]
        raise UsageError(_not_found(text, begins or every))

    def act(self, text: str, act: Act) -> Advice:
        """Do something with advice and tell of it. Raises UsageError where its state does not allow that."""
        for _ in range(TRIES):
            moved, changes = act(self.find(text), self.clock.now())
            messages = compose([moved], changes, sinks_of(self.config), instance=self.config.instance)
            done = self.store.commit([moved], changes, messages, epoch=None)
            if moved.id not in done.superseded:
                return moved
        raise StoreError(f"advice {moved.id} is being changed by somebody else: look at it again", retryable=True)


def list_advice(path: Path, *, as_json: bool, everything: bool) -> None:
    """What stands, worst first; with `everything` also what waits, was resolved or dismissed."""
    with desk(path) as opened:
        every = opened.store.advice()
    waiting = worst_first(every, waiting=True)
    shown = [one for one in worst_first(every) if everything or one.state in LIVE_STATES]
    shown += list(waiting) if everything else []
    if as_json:
        parts = ",\n".join(advice_out(one).model_dump_json(indent=2) for one in shown)
        sys.stdout.write(f"[{parts}]\n")
    elif shown:
        hint = f"{_later(waiting, everything)}stillfit advice show ID tells all of one"
        show(_table(shown), Text(f"\n{hint}", style="dim"))
    else:
        said = "" if everything else f" {_later(waiting, everything)}`--all` lists also what was resolved or dismissed."
        show(f"No advice stands.{said}")


def show_advice(path: Path, advice: str, *, as_json: bool) -> None:
    """One piece of advice with everything that is known of it."""
    with desk(path) as opened:
        record = opened.find(advice)
        history = opened.store.transitions(record.id)
    if as_json:
        steps = tuple(_step(one) for one in history)
        told = AdviceWithHistory(**dict(advice_out(record)), history=steps)
        sys.stdout.write(told.model_dump_json(indent=2) + "\n")
    else:
        show(whole(record, history))


def acknowledge_advice(path: Path, advice: str, by: str) -> None:
    with desk(path) as opened:
        moved = opened.act(advice, lambda one, at: lifecycle.acknowledge(one, at, by=_who(by)))
    _tell(moved, "stillfit goes on watching and says when the cause is gone")


def snooze_advice(path: Path, advice: str, how_long: str, by: str) -> None:
    """Silence for a length of time such as 4h or 7d."""
    lasts = _length(how_long)
    with desk(path) as opened:
        moved = opened.act(advice, lambda one, at: lifecycle.snooze(one, at + lasts, at, by=_who(by)))
    _tell(moved, _until(moved, "if the cause still stands then, it is told again"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """Why, for how long ("180d"), and who says so."""

    reason: str
    length: str
    by: str


def dismiss_advice(path: Path, advice: str, said: Dismissal) -> None:
    """Refuse it with a reason, for a length of time."""
    lasts, by = _length(said.length), _who(said.by)
    with desk(path) as opened:
        moved = opened.act(advice, lambda one, at: lifecycle.dismiss(one, said.reason, at + lasts, at, by=by))
    _tell(moved, _until(moved, "the reason is kept and shown"))


def whole(record: Advice, history: Iterable[Transition]) -> RenderableType:
    """All of one piece of advice: what, why, how, and what became of it."""
    subject = record.subject
    place = f"{subject.engine.value} {'/'.join(subject.scope)}"
    about = f"{place}, rule {record.rule} version {record.rule_version}, confidence {record.confidence}"
    return Group(
        head(record.severity, subject.name, tail=f"{record.id} {record.state.value}"),
        *indented([safe(record.title)], style="bold"),
        *indented([safe(record.summary)]),
        *_section("What to do", option_table(record.option), takes(record.option)),
        *saving(record),
        *_section("What it rests on", evidence_table(record.evidence), Text(safe(about), style="dim")),
        *_section("What became of it", *(Text(_line(one)) for one in history)),
        *_section("What you can do", *(Text(command, style="dim") for command in _next(record))),
    )


@contextmanager
def desk(path: Path) -> Iterator[Desk]:
    """The store of a configuration, joined beside the daemons that may keep it."""
    quieten()
    config, clock = load(path), SystemClock()
    with closing(Store.open(config.store, clock=clock, exclusive=False)) as store:
        yield Desk(config=config, store=store, clock=clock)


def _section(title: str, *things: RenderableType) -> list[RenderableType]:
    return [Text(), *indented([title], style="underline"), *map(inside, things)] if things else []


def _line(one: Transition) -> str:
    return safe(f"{one.at:%Y-%m-%d %H:%M} UTC  {one.after.value:12}  {one.by}: {one.reason}")


def _next(record: Advice) -> Iterator[str]:
    """Commands that its state allows."""
    yield f"stillfit explain {record.rule}"
    if record.state is AdviceState.OPEN:
        yield f"stillfit advice acknowledge {record.id}"
    if record.state in LIVE_STATES:
        yield f"stillfit advice snooze {record.id} --for 7d"
        yield f"stillfit advice dismiss {record.id} --reason '...'"


def _later(waiting: Sequence[Advice], everything: bool) -> str:
    """How much is not told yet, where it is not listed."""
    if everything or not waiting:
        return ""
    word = "waits" if len(waiting) == 1 else "wait"
    return f"{len(waiting):,} more {word} until the cause was seen for long enough (--all); "


def _table(shown: Iterable[Advice]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("id", "severity", "state", "of", "advice", "since"):
        table.add_column(heading, no_wrap=heading in {"id", "severity", "state", "since"}, overflow="fold")
    for one in shown:
        severity = Text(one.severity.value.upper(), style=STYLES[one.severity])
        names = (Text(safe(one.subject.name), style="bold"), Text(safe(one.title)))
        table.add_row(Text(one.id), severity, Text(one.state.value), *names, f"{one.state_since:%m-%d %H:%M}")
    return table


def _not_found(text: str, among: Iterable[Advice]) -> str:
    ids = {one.id: one for one in among}
    if not ids:
        return f"there is no advice {text}: there is none at all yet"
    near = get_close_matches(text, ids, n=3, cutoff=0.4) or sorted(ids)[:3]
    told = [safe(f"  {name}  {ids[name].subject.name}: {ids[name].title}") for name in near]
    return "\n".join([safe(f"no single advice is called {text}; nearest are"), *told])


def _length(text: str) -> timedelta:
    found = length(text)
    if found is None:
        raise UsageError(f"--for {text} is no length of time: write 4h, 1d, 7d or 30d")
    return found


def _who(by: str) -> str:
    """Who acts: as said, else the login name."""
    try:
        return by.strip() or getpass.getuser()
    except (KeyError, OSError) as error:  # a container's numeric user has no name
        raise UsageError("say who you are: --by NAME") from error


def _until(record: Advice, then: str) -> str:
    return f"until {record.snooze_until:%Y-%m-%d %H:%M} UTC; {then}" if record.snooze_until else then


def _tell(record: Advice, then: str) -> None:
    show(safe(f"{record.id} {record.state.value}: {record.title} ({record.subject.name})"), f"  {then}")


def _step(one: Transition) -> TransitionOut:
    return TransitionOut(number=one.number, before=one.before, after=one.after, at=one.at, by=one.by, reason=one.reason)
