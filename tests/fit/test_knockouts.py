from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillfit.attributes import ATTRIBUTES
from stillfit.fit.declared import DECLARED
from stillfit.fit.knockouts import CANDIDATES, KNOCKOUTS, Clause, Knockout, Standing, knockouts_of
from stillfit.metrics import METRICS
from stillfit.model import Evidence, EvidenceKind

ENDS = st.tuples(*[st.floats(min_value=0, max_value=200)] * 3).map(sorted)
OVER_100 = Clause(signal="size", above=100)


def evidence(low: float, mid: float, high: float, **more: object) -> Evidence:
    fields = {"kind": EvidenceKind.MEASURED, "source": "test"} | more
    return Evidence(signal="size", unit="", low=low, mid=mid, high=high, **fields)  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("interval", "standing"),
    [
        ((101, 150, 200), Standing.STANDS),
        ((100, 150, 200), Standing.POSSIBLE),
        ((50, 100, 101), Standing.MISSING),
        ((50, 80, 100), Standing.CLEAR),
    ],
    ids=["all over", "the middle over", "only its end over", "at the line"],
)
def test_an_interval_blocks_only_as_a_whole(interval: tuple[float, float, float], standing: Standing) -> None:
    assert OVER_100.ask({"size": (evidence(*interval),)}) is standing


@pytest.mark.parametrize(
    "weakness",
    [
        {"coverage": 0.89},
        {"kind": EvidenceKind.ASSUMED},
        {"kind": EvidenceKind.DECLARED, "freshness_s": 180 * 86400 + 1},
    ],
    ids=["little coverage", "assumed", "declared long ago"],
)
def test_weak_evidence_warns_and_clears_nothing(weakness: dict[str, object]) -> None:
    over, under = evidence(150, 150, 150, **weakness), evidence(50, 50, 50, **weakness)

    assert OVER_100.ask({"size": (over,)}) is Standing.POSSIBLE
    assert OVER_100.ask({"size": (under,)}) is Standing.MISSING


@pytest.mark.parametrize(("coverage", "standing"), [(0.9, Standing.STANDS), (0.89, Standing.POSSIBLE)])
def test_nine_tenths_of_the_window_make_evidence_strong(coverage: float, standing: Standing) -> None:
    assert OVER_100.ask({"size": (evidence(150, 150, 150, coverage=coverage),)}) is standing


def test_what_nobody_knows_is_missing() -> None:
    assert OVER_100.ask({}) is Standing.MISSING


def test_the_worst_of_declared_and_measured_counts() -> None:
    assert OVER_100.ask({"size": (evidence(50, 50, 50), evidence(150, 150, 150))}) is Standing.STANDS


@given(ENDS, ENDS)
def test_more_evidence_never_takes_a_blocker_away(first: list[float], second: list[float]) -> None:
    one, both = (evidence(*first),), (evidence(*first), evidence(*second))

    assert (
        OVER_100.ask({"size": both}) >= OVER_100.ask({"size": one}) or OVER_100.ask({"size": one}) == Standing.MISSING
    )


@given(ENDS)
def test_above_and_not_above_never_both_stand(interval: list[float]) -> None:
    known = {"size": (evidence(*interval),)}
    above, below = OVER_100.ask(known), Clause(signal="size", below=100).ask(known)

    assert not (above is Standing.STANDS and below is Standing.STANDS)


def test_all_clauses_must_hold() -> None:
    both = Knockout(
        id="x", candidates=frozenset(), sentence="", source="", clauses=(OVER_100, Clause(signal="other", above=1))
    )

    assert both.ask({"size": (evidence(150, 150, 150),)}) is Standing.MISSING
    assert both.missing({"size": (evidence(150, 150, 150),)}) == ("other",)
    assert both.ask({"size": (evidence(1, 1, 1),)}) is Standing.CLEAR


def test_every_signal_can_be_declared_or_measured() -> None:
    signals = {clause.signal for knockout in KNOCKOUTS for clause in knockout.clauses}

    assert signals <= DECLARED.keys() | METRICS.keys() | ATTRIBUTES.keys()


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_every_candidate_has_a_knock_out_with_a_source(candidate: str) -> None:
    assert knockouts_of(candidate)
    assert all(knockout.source and knockout.sentence for knockout in knockouts_of(candidate))
