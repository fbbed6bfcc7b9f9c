"""The claim of the demo: with other names and another seed, the same causes are found, over the real transports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillfit import demo
from stillfit.demo.story import Story
from stillfit.model import FitState, GapReason, Level, Severity
from tests.demo.kit import Watched
from tests.scenarios.watching import found, unknowns

pytestmark = pytest.mark.xdist_group("simulated fleet")

SEEDS = (7, 20_261, 99)
JUDGES = ("analyzers", "collector", "stillfit.costs", "stillfit.fit", "stillfit.rules", "stillfit.cycle")


def test_the_simulator_shares_nothing_with_those_who_judge_it() -> None:
    sources = Path(demo.__file__).parent.glob("*.py")
    nodes = (node for source in sources for node in ast.walk(ast.parse(source.read_text("utf-8"))))
    imported = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}

    assert "stillfit.standins.aws" in imported
    assert [name for name in imported if name.startswith(JUDGES)] == []


@pytest.fixture(scope="module", params=SEEDS)
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A fleet half an hour into its story, judged once."""
    with Watched(request.param, tmp_path_factory.mktemp("fleet")) as one:
        one.look_after(minutes=30)
        yield one


def roles(story: Story) -> dict[str, str]:
    """Who plays what: the name an operator sees, by role."""
    hot, indexed, grown, idle, misfit, *_ = story.tables
    return {
        "hot key": hot.name,
        "starved index": f"{indexed.name}/{indexed.indexes[0].name}",
        "table behind it": indexed.name,
        "grown items": grown.name,
        "oversized": idle.name,
        "misfit": misfit.name,
        "queue": f"{story.cluster.keyspace}.{story.cluster.queue}",
    }


def test_each_role_is_found_with_its_cause_and_nothing_else_is(watched: Watched) -> None:
    role = roles(watched.fleet.story)

    causes = {name: finding.cause for name, finding in found(watched.turns[-1]).items()}

    assert causes == {
        f"dynamodb/throttling {role['hot key']}": "key_range",
        f"dynamodb/throttling {role['starved index']}": "provisioned",
        f"dynamodb/throttling {role['table behind it']}": "index_back_pressure",
        f"cost/drift {role['grown items']}": "bigger_items",
        f"cassandra/tombstones {role['queue']}": "queue_pattern",
    }


def test_the_oversized_table_is_right_sized_and_not_only_moved_to_the_dearer_mode(watched: Watched) -> None:
    idle = roles(watched.fleet.story)["oversized"]
    costs = watched.turns[-1].costs
    right_sized, on_demand = (
        next(
            one.money for one in costs if (one.subject.name, one.option, one.component) == (idle, option, "throughput")
        )
        for option in ("provisioned", "on-demand")
    )

    (advice,) = [one for one in watched.turns[-1].advice if one.subject.name == idle]

    assert right_sized.mid < on_demand.mid
    assert advice.rule == "dynamodb/right_size_capacity"
    assert advice.saving is not None
    assert advice.saving.low > 0


def test_the_table_that_no_longer_fits_is_blocked_by_what_was_declared(watched: Watched) -> None:
    misfit = roles(watched.fleet.story)["misfit"]

    states = {one.workload: one.state for one in watched.turns[-1].fits if one.is_current}

    assert {name for name, state in states.items() if state is FitState.DOES_NOT_FIT} == {misfit}


def test_healthy_tables_are_left_in_peace(watched: Watched) -> None:
    healthy = {table.name for table in watched.fleet.story.tables[5:]}
    healthy |= {f"{watched.fleet.story.cluster.keyspace}.{name}" for name in watched.fleet.story.cluster.tables}

    loud = [one for one in watched.turns[-1].advice if one.severity is not Severity.INFO]

    assert [one for one in loud if one.subject.parent.name in healthy] == []


def test_what_could_not_be_judged_says_what_is_missing(watched: Watched) -> None:
    told = {judgement.detector: judgement.answer for judgement in unknowns(watched.turns[-1])}

    assert all(answer.reason for answer in told.values())  # type: ignore[union-attr]  # all are Unknown
    assert {gap.reason for gap in watched.store.gaps()} <= {GapReason.NOT_CONFIGURED, GapReason.PARTIAL}


def test_the_cluster_is_read_node_by_node(watched: Watched) -> None:
    story = watched.fleet.story
    nodes = [one for one in watched.store.subjects() if one.level is Level.NODE]
    replicas = [one for one in watched.store.subjects() if one.level is Level.REPLICA]

    assert len(nodes) == story.cluster.nodes
    assert len(replicas) == story.cluster.nodes * (1 + len(story.cluster.tables))
