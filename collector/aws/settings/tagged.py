"""Tags that each resource must be asked for by itself: at most once an hour each, and so many a look.

What waits for its turn says so; what was read last stands until it is read again, whatever happens then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.model import Gap, GapReason, Subject, Value

EVERY_S = 3_600
"""How often tags are read (ours: nothing that is judged in minutes rests on them)."""
DENIED_AGAIN_S = 900
"""How soon what was refused is tried again: a grant takes effect within this time (ours)."""
CALLS_A_LOOK = 200
"""What a look waits for: ListTags of DAX may be called ten times a second (its API reference), so 20 s (ours)."""

Settings = dict[str, Value]


@dataclass(frozen=True, slots=True)
class _Said:
    """What is known of one resource, and until when (monotonic seconds) that is good."""

    due: float = float("-inf")
    settings: Settings | None = None
    error: SourceError | None = None


class Tagged:
    """The tags of all resources of one service. One look at a time."""

    def __init__(self, attribute: str, ask: Callable[[str], Settings], pool: Pool) -> None:
        """`ask` reads the tags of one ARN; raises SourceError."""
        self._attribute = attribute
        self._ask = ask
        self._pool = pool
        self._said: dict[Subject, _Said] = {}

    def look(self, resources: Mapping[Subject, str], now: float) -> None:
        """Ask those whose turn it is, the longest waiting first; forget what is not named. `resources`: their ARNs."""
        self._said = {subject: self._said.get(subject, _Said()) for subject in resources}
        due = sorted((said.due, subject) for subject, said in self._said.items() if said.due <= now)[:CALLS_A_LOOK]
        tasks = [(subject, self._pool.submit(self._asked, resources[subject], subject, now)) for _, subject in due]
        for subject, task in tasks:
            self._said[subject] = task.result()

    def of(self, subject: Subject) -> Settings:
        return dict(self._said.get(subject, _Said()).settings or {})

    def left_out(self, wanted: Collection[tuple[str, str]], of: Iterable[Subject], source: str) -> dict[Subject, Gap]:
        """Which of these do not have all the tags that are wanted, values by pattern, or may not have them, and why."""
        told = {one: self._left_out(one, wanted, source) for one in (of if wanted else ())}
        return {one: gap for one, gap in told.items() if gap is not None}

    def untold(self, of: Iterable[Subject]) -> Iterator[Subject]:
        """Which of these have tags that are not known."""
        return (one for one in of if self._said[one].settings is None)

    def gaps(self, of: Iterable[Subject], source: str) -> Iterator[Gap]:
        """Each of these whose tags are not known, or not as new as they should be."""
        for subject in of:
            said = self._said[subject]
            if said.error is not None:
                yield self._gap(subject, said.error.reason, str(said.error), source)
            elif said.settings is None:
                detail = f"tags wait for their turn: {CALLS_A_LOOK} resources are asked a look"
                yield self._gap(subject, GapReason.NOT_ASKED, detail, source)

    def _left_out(self, subject: Subject, wanted: Collection[tuple[str, str]], source: str) -> Gap | None:
        said = self._said[subject]
        if said.settings is None:
            reason = said.error.reason if said.error else GapReason.NOT_ASKED
            why = str(said.error) if said.error else "they wait for their turn"
            detail = f"not watched: `tags` of the configuration choose, and its own are not known: {why}"
            return Gap(subject=subject, missing="*", reason=reason, detail=detail, source=source)
        own = said.settings.get(self._attribute)
        pairs = dict(one.split("=", 1) for one in own) if isinstance(own, tuple) else {}
        if all(key in pairs and fnmatchcase(pairs[key], pattern) for key, pattern in wanted):
            return None
        detail = f'"{subject.name}" is left out by `tags` of the configuration'
        return Gap(subject=subject, missing="*", reason=GapReason.NOT_ASKED, detail=detail, source=source)

    def _asked(self, arn: str, subject: Subject, now: float) -> _Said:
        try:
            return _Said(now + EVERY_S, self._ask(arn))
        except SourceError as error:
            wait = DENIED_AGAIN_S if error.reason is GapReason.DENIED else 0
            return replace(self._said[subject], due=now + wait, error=error)

    def _gap(self, subject: Subject, reason: GapReason, detail: str, source: str) -> Gap:
        return Gap(subject=subject, missing=self._attribute, reason=reason, detail=detail, source=source)
