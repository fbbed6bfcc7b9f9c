from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from stillfit.advice import AdviceState
from stillfit.clock import FakeClock
from stillfit.export.catalogue import EXPORTED, PROCESS
from stillfit.export.exported import FIT_STATES, SEVERITIES, STATES, Exported
from stillfit.export.health import Health
from stillfit.export.prometheus import Fleet, families
from stillfit.export.reference import reference
from stillfit.export.view import View, view_of
from stillfit.model import FitState, Severity
from tests.builders import NOON, subject
from tests.export.fleet import EMPTY, HOT, SNAPSHOT, TURN, VIEW
from tests.export.golden import check_golden
from tests.servers.prometheus import promtool

DOCS = Path(__file__).parents[2] / "docs"
HOSTILE = 'a"b\\c\nd\x00e\u202ef{{x}}<!channel>'


def page(view: View) -> str:
    """The fleet part of /metrics as it is scraped."""
    health = Health(now=NOON.timestamp)
    health.registry.register(Fleet(lambda: view, FakeClock()))
    return generate_latest(health.registry).decode()


def rows(text: str) -> Iterator[tuple[Metric, str, dict[str, str], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield family, sample.name, sample.labels, sample.value


def busy() -> Health:
    """A health in which everything has happened once."""
    health = Health(now=NOON.timestamp)
    health.scheduled("judge", 60)
    health.job_ended("judge", "ok")
    health.collected("cassandra/prod", 0.4, error="")
    health.collected("cassandra/prod", 5.0, error="timeout")
    health.reloaded(ok=True, at=NOON)
    health.turned(TURN)
    health.notified("slack", "sent")
    health.notified("slack", "failed")
    return health


def test_the_fleet_page_reads_as_committed() -> None:
    text = "".join(
        f"{family.name} {sample.name} {sample.labels} {sample.value!r}\n"
        for family in families(VIEW, NOON.timestamp())
        for sample in family.samples
    )

    check_golden("metrics/fleet.txt", text)


def test_everything_on_the_page_is_catalogued_with_its_labels() -> None:
    health = busy()
    health.registry.register(Fleet(lambda: VIEW, FakeClock()))
    text = generate_latest(health.registry).decode()

    for family, name, labels, _ in rows(text):
        if name not in PROCESS:
            known = EXPORTED[_catalogued(family, name)]
            assert set(labels) - {"le"} == set(known.labels), name
            assert not [key for key, closed in known.values if labels[key] not in closed], (name, labels)


def _catalogued(family: Metric, name: str) -> str:
    return family.name if family.type == "histogram" else name


def test_every_catalogued_metric_has_a_row_somewhere() -> None:
    health = busy()
    health.registry.register(Fleet(lambda: VIEW, FakeClock()))
    seen = {_catalogued(family, name) for family, name, _, _ in rows(generate_latest(health.registry).decode())}

    # no collector brings the backlog of compactions without an agent, yet the canonical metric and its place are there
    assert set(EXPORTED) - seen == {"stillfit_cassandra_pending_compactions"}


@pytest.mark.parametrize("one", EXPORTED.values(), ids=list(EXPORTED))
def test_names_follow_the_conventions(one: Exported) -> None:
    assert re.fullmatch(r"stillfit_[a-z0-9_]+", one.name)
    assert one.name.endswith("_total") == (one.type == "counter")
    assert not {"key", "partition_key", "advice", "error", "id", "quantile", "le"} & set(one.labels)
    assert one.help
    assert one.meaning


def test_closed_sets_of_label_values_are_the_models_own() -> None:
    assert tuple(Severity) == SEVERITIES
    assert tuple(AdviceState) == STATES
    assert tuple(FitState) == FIT_STATES


def test_the_reference_page_is_printed_from_the_catalogue() -> None:
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == reference()


@pytest.mark.server("prometheus")
def test_promtool_finds_nothing_to_say_about_the_page() -> None:
    checked = promtool("check", "metrics", text=page(VIEW))

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_hostile_name_parses_back_as_one_label() -> None:
    named = replace(HOT, subject=subject(HOSTILE), rule=HOSTILE)
    view = view_of(EMPTY, replace(TURN, advice=(named,)), SNAPSHOT, VIEW.sources)

    found = [labels for _, name, labels, _ in rows(page(view)) if name == "stillfit_advice_active"]

    shown = 'a"b\\c�d�e�f{{x}}<!channel>'
    assert [(labels["table"], labels["rule"]) for labels in found] == [(shown, shown)]


def test_an_endless_name_is_cut() -> None:
    named = replace(HOT, subject=subject("x" * 500))
    view = view_of(EMPTY, replace(TURN, advice=(named,)), SNAPSHOT, VIEW.sources)

    found = [labels["table"] for _, name, labels, _ in rows(page(view)) if name == "stillfit_advice_active"]

    assert found == ["x" * 199 + "…"]


def test_before_the_first_turn_nothing_is_said_of_the_fleet() -> None:
    names = {name for _, name, _, _ in rows(page(EMPTY))}

    assert not {name for name in names if name.startswith(("stillfit_dynamodb", "stillfit_cost", "stillfit_fit"))}


def test_advice_that_is_not_shown_yet_is_no_series() -> None:
    pending = replace(HOT, state=AdviceState.PENDING)
    view = view_of(EMPTY, replace(TURN, advice=(pending,)), SNAPSHOT, VIEW.sources)

    assert "stillfit_advice_active{" not in page(view)


def test_standing_advice_wins_over_its_own_past() -> None:
    past = replace(HOT, id="A-0", state=AdviceState.RESOLVED)
    view = view_of(EMPTY, replace(TURN, advice=(HOT, past)), SNAPSHOT, VIEW.sources)

    assert [value for _, name, _, value in rows(page(view)) if name == "stillfit_advice_active"] == [1.0]
