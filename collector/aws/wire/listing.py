"""A list of a whole region that hardly ever changes: read page by page, over several looks when it is long.

One call tells of a hundred tables what a call a table would. What was read last stands until a new list is whole; a
part of one is never taken for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.aws.wire.connection import Connection
from collector.aws.wire.failures import GarbledError, failure
from stillfit.errors import SourceError
from stillfit.model import GapReason

EVERY_S = 3_600
"""How often settings that hardly ever change are read (ours)."""
DENIED_AGAIN_S = 900
"""How soon what was refused is tried again: a grant takes effect within this time (ours)."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to list. `tokens` names the answer's token and the parameter that takes it."""

    service: str
    operation: str
    expect: str
    tokens: tuple[str, str] = ("NextToken", "NextToken")
    parameters: Mapping[str, Any] = field(default_factory=dict)
    pages_a_look: int = 1_000
    """So many are read before the rest of the inventory is waited for no longer (ours: 100,000 rows)."""


class Listing:
    """One list of one account and region. Used by one thread at a time."""

    def __init__(self, connection: Connection, question: Question, about: str) -> None:
        self._connection = connection
        self._question = question
        self._about = about
        self._due = float("-inf")
        self._part: list[Record] = []
        self._token = ""
        self._seen: set[str] = set()
        self.rows: tuple[Record, ...] | None = None
        """The last whole list; None while there is none."""
        self.error: SourceError | None = None
        """Why what stands is not as new as it should be, or not there at all."""

    def look(self, now: float) -> bool:
        """Read on where it is time. `now` is monotonic seconds. True when the list was finished by this look."""
        if now < self._due:
            return False
        try:
            return self._read(now)
        except SourceError as error:
            self._begin_anew()
            self.error = error
            self._due = now + (DENIED_AGAIN_S if error.reason is GapReason.DENIED else 0)
            return False

    def hurry(self) -> None:
        """Something new is to be told of: read it with the next look, unless it was refused."""
        if self.error is None:
            self._due = float("-inf")

    def _read(self, now: float) -> bool:
        question = self._question
        for _ in range(question.pages_a_look):
            if not self._page():
                self.rows, self.error, self._due = tuple(self._part), None, now + EVERY_S
                self._begin_anew()
                return True
        if self.rows is None:
            said = f"{self._named()} is long: {len(self._part)} rows so far, the next look reads on"
            self.error = SourceError(said, reason=GapReason.PARTIAL, retryable=True)
        return False

    def _page(self) -> bool:
        """Read one page; whether there are more."""
        question = self._question
        told, taken = question.tokens
        more = {taken: self._token} if self._token else {}
        answer = self._connection.call(
            question.service, question.operation, self._about, expect=question.expect, **question.parameters, **more
        )
        if not isinstance(answer[question.expect], list):
            raise self.unreadable(f"{question.expect} is no list")
        self._part += answer[question.expect]
        self._token = str(answer.get(told) or "")
        if self._token in self._seen:
            raise self.unreadable("the list goes round in circles, its token repeats")
        self._seen.add(self._token)
        return bool(self._token)

    def unreadable(self, why: object) -> SourceError:
        """A list that cannot be read, as the error to raise."""
        return failure(GarbledError(str(why)), action=self._named(), about=self._about)

    def _named(self) -> str:
        return self._connection.action(self._question.service, self._question.operation)

    def _begin_anew(self) -> None:
        self._part, self._token, self._seen = [], "", set()
