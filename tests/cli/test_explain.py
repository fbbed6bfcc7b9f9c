"""`stillfit explain`: every topic has something to say, with the lines as this installation draws them."""

from pathlib import Path

import pytest

from analyzers import ANALYZERS
from stillfit.advice import Advice
from tests.cli.conftest import Stillfit


@pytest.mark.parametrize("detector", [one.id for one in ANALYZERS])
def test_a_detector_is_explained_with_its_lines(stillfit: Stillfit, config: Path, detector: str) -> None:
    told = stillfit("explain", detector, "-c", config)

    assert told.code == 0
    assert f"Lines of {detector}" in told.out


def test_a_rule_is_explained_with_how_it_decides(stillfit: Stillfit) -> None:
    told = stillfit("explain", "cassandra/rework_queue")

    assert told.code == 0
    assert "clears when" in told.out


def test_a_line_that_is_drawn_elsewhere_here_is_shown(stillfit: Stillfit, config: Path) -> None:
    drawn = "thresholds:\n  - {detector: dynamodb/throttling, name: min_events, value: 77, tables: [orders]}\n"
    config.write_text(config.read_text() + drawn)

    assert "77 for orders" in stillfit("explain", "dynamodb/throttling", "-c", config).out


def test_advice_is_explained_by_what_it_says_and_by_its_rule(
    stillfit: Stillfit, config: Path, standing: Advice
) -> None:
    told = stillfit("explain", standing.id, "-c", config).out

    assert "What it rests on" in told
    assert f"How {standing.rule}" in told


def test_every_question_that_may_be_declared_is_listed(stillfit: Stillfit) -> None:
    told = stillfit("explain", "declared").out

    assert "consistency_need" in told
    assert "180 days" in told


def test_an_unknown_topic_names_the_nearest_and_lists_all(stillfit: Stillfit) -> None:
    told = stillfit("explain", "dynamodb/throtling")

    assert told.code == 2
    assert "did you mean 'dynamodb/throttling'?" in told.err
    assert "cassandra/tombstones" in told.err
