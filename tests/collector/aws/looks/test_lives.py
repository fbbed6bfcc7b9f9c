"""Whatever fails, and whenever a process is killed: in the end all of the last two weeks has been read."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.aws.looks.agenda import Agenda
from collector.aws.looks.progress import Progress
from collector.aws.looks.reading import Planned
from collector.aws.looks.restart import Name
from collector.aws.metrics.operations import Named, Operations
from collector.aws.metrics.planner import DAY, HOUR
from collector.aws.metrics.queries import CONSUMED, LATENCY, TABLE_ONLY, Questions
from stillfit.model import Span, merge_spans
from tests.collector.aws.kit import NOON, ORDERS

TICK = 300
NAMED = ((TABLE_ONLY[0], ""), (LATENCY, "Query"))
ENDS = ("whole", "no time", "cut off", "killed")
"""How a look ends: with a slice of the past, without, at a batch that the store refuses, or with its process."""
LOOK = st.tuples(
    st.sampled_from([TICK, HOUR, 6 * HOUR, 30 * HOUR, 3 * DAY]),
    st.frozensets(st.integers(0, 3)),
    st.booleans(),
    st.sampled_from(ENDS),
)
"""The time to the next look, the asks that fail in it, whether listing works, and how it ends."""
QUIET = (HOUR, frozenset[int](), True, "whole")


class Account:
    """One table, what a store knows of it, and the process that reads it."""

    def __init__(self) -> None:
        self.questions, self.known = Questions(), dict[Name, tuple[Span, ...]]()
        self.start()

    def start(self) -> None:
        self.progress = Progress(timedelta(days=14), timedelta(hours=3), reach=self.reach)
        self.listed: Operations | None = None

    def reach(self) -> Mapping[Name, Span]:
        """The first stretch without a hole, to the hour."""
        first = {
            name: Span(spans[0].start // HOUR * HOUR, spans[0].end // HOUR * HOUR) for name, spans in self.known.items()
        }
        return {name: span for name, span in first.items() if span.seconds > 0}

    def look(self, now: int, fails: frozenset[int], end: str, *, is_listed: bool) -> None:
        last = max((spans[-1].end for spans in self.known.values()), default=None)
        begin = self.progress.begin(last, now)
        if is_listed:
            before = self.listed.at - 900 if self.listed else None
            named = {ORDERS.table: tuple(Named(spec, part, now) for spec, part in NAMED)}
            self.listed = Operations(at=now, reach_s=3 * HOUR, empty_before=before, by_table=named)
        agenda = Agenda(self.questions, self.progress, begin, TICK, self.listed)
        planned = [one for spec in CONSUMED for one in agenda.due_of(ORDERS, spec, TICK)]
        planned += agenda.due_named(ORDERS, TICK)
        is_over = end in {"cut off", "killed"}
        self.take(planned[: len(planned) // 2] if is_over else planned, fails)
        if end == "whole":
            self.take([(ask, piece) for ask in self.progress.owed for piece in self.progress.past(ask)], fails)
        if not is_over:
            self.progress.end()
        elif end == "killed":
            self.start()

    def take(self, planned: Iterable[Planned], fails: frozenset[int]) -> None:
        planned = list(planned)
        for ask, piece in planned:
            if ask.number not in fails:
                self.progress.read(ask, piece)
                for slot in ask.slots:
                    name = (ask.subject, slot.metric, ask.part)
                    self.known[name] = merge_spans((*self.known.get(name, ()), piece.window))
        for ask, piece in planned:
            if ask.number in fails:
                self.progress.failed(ask, piece)
                if ask.number % 2:
                    self.progress.waits(ask)


@given(st.lists(LOOK, max_size=8))
def test_all_is_read_in_the_end(looks: list[tuple[int, frozenset[int], bool, str]]) -> None:
    account, now = Account(), NOON
    for step_s, fails, is_listed, end in [*looks, *[QUIET] * 4]:
        account.look(now, fails, end, is_listed=is_listed)
        now += step_s

    assert len(account.known) == 5
    for spans in account.known.values():
        assert spans[-1].start <= now - 14 * DAY
        assert spans[-1].end == now - HOUR
    assert list(account.progress.owed) == []
