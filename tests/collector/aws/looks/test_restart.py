"""Where each ask goes on after a start, from what the store knows of the series that it brings."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from collector.aws.looks.progress import Progress
from collector.aws.looks.restart import Name, Reached
from collector.aws.metrics.planner import DAY, HOUR, Stretch
from collector.aws.metrics.queries import CONSUMED, LATENCY, TABLE_ONLY, THROTTLES, Ask, Questions, Spec, causes_of
from collector.aws.metrics.specs import SPARSE_BY_OPERATION
from stillfit.model import Span
from tests.collector.aws.kit import NOON, ORDERS

FIRST = NOON - 14 * DAY
LONG = Span(FIRST, NOON - 2 * HOUR)


@pytest.fixture
def ask() -> Ask:
    return Questions().ask(ORDERS, CONSUMED[0])


def reading(known: Mapping[Name, Span]) -> Progress:
    return Progress(timedelta(days=14), timedelta(hours=3), reach=lambda: known)


def consumed(span: Span) -> dict[Name, Span]:
    return {(ORDERS, "consumed_read_units", ""): span}


def planned(ask: Ask, known: Mapping[Name, Span]) -> list[Stretch]:
    """What is owed, and what is read at once."""
    progress = reading(known)
    newest = progress.stretches(ask, progress.begin(NOON - 600, NOON))
    return [*(piece for one in progress.owed for piece in progress.past(one)), *newest]


def test_an_ask_goes_on_where_it_was_known_last(ask: Ask) -> None:
    assert planned(ask, consumed(LONG)) == [Stretch(60, Span(LONG.end - HOUR, NOON))]


def test_each_ask_goes_on_by_itself() -> None:
    questions = Questions()
    known = consumed(LONG) | {(ORDERS, "consumed_write_units", ""): Span(FIRST, NOON - 9 * HOUR)}
    starts = [planned(questions.ask(ORDERS, spec), known)[0].window.start for spec in CONSUMED]

    assert starts == [NOON - 3 * HOUR, NOON - 10 * HOUR]


def test_an_ask_that_was_never_read_gets_its_first_look(ask: Ask) -> None:
    found = planned(ask, {})

    assert [one.period_s for one in found] == [300, 60]
    assert (found[0].window.start, found[-1].window.end) == (FIRST, NOON)


@pytest.mark.parametrize(("late_h", "pieces"), [(1, 1), (2, 2)])
def test_what_a_first_look_left_out_before_what_is_known_is_read_coarsely(ask: Ask, late_h: int, pieces: int) -> None:
    begins = FIRST + late_h * HOUR
    found = planned(ask, consumed(Span(begins, LONG.end)))

    assert len(found) == pieces
    assert found[-1].window.start == LONG.end - HOUR
    assert pieces == 1 or found[0] == Stretch(300, Span(FIRST, begins))


def test_after_the_first_cycle_nothing_older_is_read_again(ask: Ask) -> None:
    progress = reading(consumed(Span(NOON - 3 * HOUR, NOON)))
    for stretch in progress.stretches(ask, progress.begin(NOON - 600, NOON)):
        progress.read(ask, stretch)
    progress.end()

    assert [one.window.start for one in progress.stretches(ask, progress.begin(NOON, NOON + 300))] == [NOON - 900]


def test_an_operation_that_is_listed_again_later_goes_on_as_well(ask: Ask) -> None:
    questions = Questions()
    known = {(ORDERS, metric, "Scan"): LONG for metric in ("successful_requests", "request_latency_ms")}
    progress = reading(consumed(LONG) | known)
    progress.stretches(ask, progress.begin(NOON - 600, NOON))
    progress.end()
    (found,) = progress.stretches(questions.ask(ORDERS, LATENCY, "Scan"), progress.begin(NOON, NOON + 300))

    assert found.window == Span(LONG.end - HOUR, NOON + 300)


@pytest.mark.parametrize(("spec", "part"), [(TABLE_ONLY[0], ""), (LATENCY, "Query"), (SPARSE_BY_OPERATION[0], "Query")])
@pytest.mark.parametrize("looks", [0, 1, 3])
def test_what_is_first_named_in_a_later_look_is_owed_what_a_killed_one_left_out(
    spec: Spec, part: str, looks: int, ask: Ask
) -> None:
    """Another metric of the same table, and of the same operation, is told of in every look."""
    questions, left = Questions(), Span(NOON - 5 * HOUR, NOON - 2 * HOUR)
    named, others = questions.ask(ORDERS, spec, part), (CONSUMED[0], LATENCY if spec is not LATENCY else CONSUMED[1])
    progress = reading(consumed(LONG) | {(ORDERS, slot.metric, part): left for slot in named.slots})
    for number in range(looks):
        begin = progress.begin(NOON - 300, NOON + number * 300)
        for other in others:
            progress.stretches(questions.ask(ORDERS, other, part if other is LATENCY else ""), begin)
        progress.end()
    (found,) = progress.stretches(named, progress.begin(NOON - 300, NOON + looks * 300))

    assert found.window == Span(left.end - HOUR, NOON + looks * 300)
    assert [piece.window for piece in progress.past(named)] == [Span(FIRST, left.start)]


@pytest.mark.parametrize(("begins_h", "is_kept"), [(1, False), (2, True)])
def test_what_is_known_as_far_back_as_a_first_look_goes_is_forgotten_with_its_part(
    begins_h: int, is_kept: bool, ask: Ask
) -> None:
    named = Questions().ask(ORDERS, TABLE_ONLY[0])
    whole = {(ORDERS, slot.metric, ""): Span(FIRST + begins_h * HOUR, LONG.end) for slot in named.slots}
    reached = Reached(consumed(LONG) | whole)
    reached.of(ask)

    assert (reached.left(FIRST + HOUR).of(named) is not None) is is_kept


@pytest.mark.parametrize(("days", "periods"), [(3, [60]), (20, [300, 60]), (100, [3_600, 300, 60])])
def test_dead_time_is_read_as_finely_as_it_is_kept(ask: Ask, days: int, periods: list[int]) -> None:
    found = planned(ask, consumed(Span(NOON - 200 * DAY, NOON - days * DAY)))

    assert list(dict.fromkeys(one.period_s for one in found)) == periods
    assert found[0].window.start <= NOON - days * DAY
    assert found[-1].window.end == NOON


def test_a_part_is_its_own() -> None:
    questions = Questions()
    known = {(ORDERS, metric, "GetItem"): LONG for metric in ("successful_requests", "request_latency_ms")}

    assert Reached(known).of(questions.ask(ORDERS, LATENCY, "GetItem")) == LONG
    assert Reached(known).of(questions.ask(ORDERS, LATENCY, "Query")) is None


def wire(**ends_h: float) -> dict[Name, Span]:
    """The read tripwire known up to now, and what it leads to up to so many hours before; Scan was used long ago."""
    known = {(ORDERS, "read_throttle_events", ""): Span(FIRST, NOON)}
    for metric in causes_of("read"):
        known[ORDERS, metric, ""] = Span(FIRST, NOON - int(ends_h.get("causes", 0) * HOUR))
    for operation, served_h in {"GetItem": 0, "Query": 2, "Scan": 9}.items():
        refused_h = ends_h.get(operation, served_h)
        known[ORDERS, "successful_requests", operation] = Span(FIRST, NOON - served_h * HOUR)
        known[ORDERS, "throttled_requests", operation] = Span(FIRST, NOON - int(refused_h * HOUR))
    return known


@pytest.mark.parametrize(
    ("ends_h", "reached_h"), [({}, 2), ({"causes": 4}, 4), ({"GetItem": 4}, 4), ({"Query": 0}, 0), ({"Scan": 30}, 2)]
)
def test_a_tripwire_is_read_as_far_as_what_it_leads_to(ends_h: dict[str, float], reached_h: int) -> None:
    ask = Questions().ask(ORDERS, THROTTLES["read"])

    assert Reached(wire(**ends_h)).of(ask) == Span(FIRST, NOON - reached_h * HOUR)


@pytest.mark.parametrize("metric", [*causes_of("read"), "throttled_requests"])
def test_a_tripwire_of_which_something_was_never_read_was_not_read(metric: str) -> None:
    known = {name: span for name, span in wire().items() if name[1] != metric}

    assert Reached(known).of(Questions().ask(ORDERS, THROTTLES["read"])) is None


def test_a_tripwire_of_writes_leads_to_no_refused_requests() -> None:
    known = {(ORDERS, metric, ""): LONG for metric in ("write_throttle_events", *causes_of("write"))}

    assert Reached(known).of(Questions().ask(ORDERS, THROTTLES["write"])) == LONG


@pytest.mark.parametrize(("told", "is_known"), [("", True), ("PutItem", True), (None, False)])
def test_a_tripwire_counts_as_read_when_it_was_told_which_operations_were_refused(
    told: str | None, is_known: bool
) -> None:
    """A stop between the two: operations are listed after the tripwires of a new table."""
    names = ("read_throttle_events", *causes_of("read"))
    known = {(ORDERS, metric, ""): LONG for metric in names}
    known |= {(ORDERS, "throttled_requests", told): LONG} if told is not None else {}
    wire = Questions().ask(ORDERS, THROTTLES["read"])

    assert (Reached(known).of(wire) == LONG) is is_known
